//! `plenum load` against a whole server.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/server.rs"]
mod server;

use std::process::Command;

use serde_json::Value;
use server::{metric, request, start};

/// Runs `plenum load` against a server and returns whether it succeeded, and all it said.
fn load(port: u16, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(["load", "--url", &format!("http://127.0.0.1:{port}")])
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Runs a load that succeeds; its JSON report.
fn report(port: u16, name: &str, arguments: &[&str]) -> Value {
    let path = format!("{}/{name}.json", env!("CARGO_TARGET_TMPDIR"));
    let (succeeded, said) = load(port, &[arguments, &["--json", &path]].concat());
    assert!(succeeded, "{said}");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What every load that went well shows, at both ends.
fn assert_whole(server: &server::Server, report: &Value) {
    let number = |key: &str| report[key].as_f64().unwrap();
    assert!(number("packets_received") > 300.0, "{report:#}");
    assert_eq!(number("loss_ratio"), 0.0, "{report:#}");
    assert!(
        report["latency_us"]["p50"].as_f64().unwrap() > 0.0,
        "{report:#}"
    );
    assert!(
        report["first_frame_ms"]["p50"].as_f64().unwrap() > 0.0,
        "{report:#}"
    );
    let metrics = request(server, "/metrics");
    for reason in [
        "rtp_malformed\",stage=\"describe",
        "rtcp_malformed\",stage=\"describe",
        "descriptor_malformed\",stage=\"describe",
        "srtp_authentication\",stage=\"unprotect",
        "protect_failed\",stage=\"protect",
    ] {
        let name = format!("plenum_media_drops_total{{reason=\"{reason}\"}}");
        assert_eq!(metric(&metrics, &name), 0.0, "{name}");
    }
}

#[test]
fn a_live_stream_arrives_whole() {
    let server = start();
    let shape = ["--scenario", "livestream", "--subscribers", "5"];
    let run = [
        "--duration",
        "2s",
        "--settle",
        "1s",
        "--sample",
        "1",
        "--fail-loss",
        "0%",
    ];
    let report = report(server.port, "livestream", &[&shape[..], &run[..]].concat());
    assert_eq!(report["scenario"], "livestream");
    assert_whole(&server, &report);
}

#[test]
fn participants_meet_with_simulcast_and_feedback() {
    let server = start();
    let shape = [
        "--scenario",
        "meeting",
        "--participants",
        "3",
        "--layers",
        "3",
    ];
    let run = ["--duration", "2s", "--settle", "1s", "--video", "h264"];
    let report = report(server.port, "meeting", &[&shape[..], &run[..]].concat());
    assert_whole(&server, &report);
}

#[test]
fn a_second_run_finds_no_ghosts_of_the_first() {
    let server = start();
    for round in ["first", "second"] {
        let shape = [
            "--scenario",
            "audio",
            "--publishers",
            "3",
            "--subscribers",
            "3",
        ];
        let report = report(
            server.port,
            round,
            &[&shape[..], &["--duration", "1s"]].concat(),
        );
        assert_whole(&server, &report);
    }
}

#[test]
fn a_live_stream_by_whip_and_whep_arrives_whole() {
    let server = start();
    let shape = [
        "--whip-whep",
        "--scenario",
        "livestream",
        "--subscribers",
        "4",
        "--layers",
        "3",
        "--audio",
    ];
    let run = ["--duration", "2s", "--settle", "1s", "--fail-loss", "0%"];
    for round in ["whip-first", "whip-second"] {
        let report = report(server.port, round, &[&shape[..], &run[..]].concat());
        assert_whole(&server, &report);
        // Every client said goodbye by DELETE.
        let metrics = request(&server, "/metrics");
        for name in ["plenum_signaling_participants", "plenum_signaling_rooms"] {
            assert_eq!(metric(&metrics, name), 0.0, "{name}");
        }
    }
}

#[test]
fn a_whip_load_for_another_room_says_why() {
    let server = start();
    let nothing = ["--whip-whep", "--whip-url", "/whip/elsewhere"];
    let (succeeded, said) = load(
        server.port,
        &[&nothing[..], &["--subscribers", "1", "--duration", "1s"]].concat(),
    );
    assert!(!succeeded);
    assert!(said.contains("refuses the token"), "{said}");
}

#[test]
fn a_load_that_cannot_run_says_why() {
    let server = start();
    let (succeeded, said) = load(server.port, &["--subscribers", "1", "--secret", "wrong"]);
    assert!(!succeeded);
    assert!(said.contains("tokenInvalid"), "{said}");
    let (succeeded, said) = load(1, &["--subscribers", "1"]);
    assert!(!succeeded);
    assert!(said.contains("no Plenum server"), "{said}");
    let (succeeded, said) = load(1, &["--video", "none"]);
    assert!(!succeeded);
    assert!(said.contains("--audio"), "{said}");
}
