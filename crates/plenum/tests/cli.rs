//! The binary as its users start it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn plenum(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(arguments)
        .env_remove("PLENUM_CONFIG")
        .output()
        .unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = plenum(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the program says when it refuses.
fn refusal(arguments: &[&str]) -> String {
    let output = plenum(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_default_configuration_is_printed() {
    let text = stdout(&["config", "--default"]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/plenum.toml");
    assert_eq!(text, std::fs::read_to_string(file).unwrap());
}

#[test]
fn the_effective_configuration_tells_origins() {
    let text = stdout(&["config", "--dev", "--http-port", "8080"]);
    assert!(text.contains("port = 8080 # flag --http-port"), "{text}");
    assert!(text.contains("devkey = \"***\" # --dev"), "{text}");
}

#[test]
fn a_token_has_three_parts() {
    let token = stdout(&["token", "--dev", "--room", "tea", "--identity", "ada"]);
    assert_eq!(token.trim().split('.').count(), 3, "{token}");
}

#[test]
fn a_server_without_keys_is_refused() {
    let text = refusal(&["serve"]);
    assert!(text.contains("[keys]") && text.contains("--dev"), "{text}");
}

#[test]
fn unknown_files_and_keys_are_refused() {
    let text = refusal(&["serve", "--config", "/nonexistent/plenum.toml"]);
    assert!(text.contains("/nonexistent/plenum.toml"), "{text}");
    let output = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(["serve", "--dev"])
        .env("PLENUM_HTTP__PROT", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("PLENUM_HTTP__PROT"), "{text}");
    assert!(text.contains("did you mean `http.port`?"), "{text}");
}

/// The configuration of `--dev` on free ports is well; a short secret is not.
#[test]
fn doctor_tells_what_is_wrong_and_what_to_do() {
    let doctor = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plenum"));
        command.env_clear().arg("doctor").args(arguments);
        command.output().unwrap()
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let ports = ["--dev", "--http-port", "0", "--udp-port", "0", "--tcp-port"];
    let well = doctor(&[&ports[..], &[&port]].concat());
    let text = String::from_utf8(well.stdout).unwrap();
    assert!(well.status.success(), "{text}");
    for part in [
        "ok    1 API keys",
        "TCP port",
        &format!("TCP port {port} for media can be bound"),
        &format!("a TCP connection to 127.0.0.1:{port} arrives here"),
        "UDP port",
        "media.advertise",
        "open files",
        "clock",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (http, tcp, key) in [(&*port, "0", "http.port"), ("0", &port, "media.tcp_port")] {
        let ill = doctor(&[
            "--dev",
            "--http-port",
            http,
            "--udp-port",
            "0",
            "--tcp-port",
            tcp,
        ]);
        let text = String::from_utf8(ill.stdout).unwrap();
        assert_eq!(ill.status.code(), Some(1), "{text}");
        assert!(
            text.contains("FAIL  TCP port") && text.contains(key),
            "{text}"
        );
    }
    let none = doctor(&[]);
    assert!(
        String::from_utf8(none.stdout)
            .unwrap()
            .contains("FAIL  the API keys")
    );
}
