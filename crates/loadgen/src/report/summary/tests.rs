//! The keys of the JSON, and the arithmetic.

use super::*;
use crate::measure::CpuTime;
use crate::report::sample;
use serde_json::Value;

/// The keys that programs rely on, as documented.
const STABLE: &[&str] = &[
    "scenario",
    "rooms",
    "publishers",
    "subscribers",
    "duration_s",
    "packets_sent",
    "packets_received",
    "packets_per_second",
    "bits_per_second",
    "loss_ratio",
    "latency_us.p50",
    "latency_us.p99",
    "latency_us.p999",
    "latency_us.max",
    "join_ms.p50",
    "join_ms.p99",
    "join_ms.by_phase",
    "first_frame_ms.p50",
    "first_frame_ms.p99",
    "freezes",
    "layer_switches",
    "server.cpu_us_per_packet",
    "server.cpu_user_us_per_packet",
    "server.cpu_system_us_per_packet",
    "server.cores_busy",
    "server.packets_per_second_per_core",
    "server.rss_bytes",
    "server.rss_bytes_per_subscriber",
    "server.gso_segments_per_send",
    "client.cores_busy",
    "client.drops",
    "client.bottleneck",
    "machine.cpu",
    "machine.kernel",
    "machine.commit",
    "machine.cipher",
];

/// What may stand beside them.
const EXTRA: &[&str] = &[
    "details",
    "url",
    "packets_expected",
    "packets_lost",
    "joins_per_second",
    "frames",
    "nacks_sent",
    "nacks_received",
    "rtx_received",
    "duplicates",
    "plis_sent",
    "plis_received",
    "decrypt_failures",
    "clients_failed",
    "clients_lost",
    "server.pid",
    "server.rss_bytes_before",
    "server.rss_bytes_per_publisher",
    "server.sends",
    "server.datagrams_out",
    "server.drops",
    "server.threads",
    "client.busiest_media_thread",
    "client.late_sends",
    "client.send_failures",
];

/// Objects whose own keys are data.
const OPEN: &[&str] = &["join_ms.by_phase", "server.drops"];

fn keys(value: &Value, prefix: &str, found: &mut Vec<String>) {
    for (key, value) in value.as_object().unwrap() {
        let path = format!("{prefix}{key}");
        if value.is_object() && !OPEN.contains(&path.as_str()) {
            keys(value, &format!("{path}."), found);
        } else {
            found.push(path);
        }
    }
}

fn json(outcome: &Outcome) -> Value {
    serde_json::to_value(Summary::new(outcome)).unwrap()
}

#[test]
fn the_keys_are_the_documented_ones() {
    let mut bare = sample::outcome();
    bare.server = None;
    for outcome in [sample::outcome(), bare] {
        let mut found = Vec::new();
        keys(&json(&outcome), "", &mut found);
        found.sort_unstable();
        let mut documented: Vec<_> = [STABLE, EXTRA].concat();
        documented.sort_unstable();
        assert_eq!(found, documented);
    }
}

#[test]
fn every_phase_of_a_join_is_there() {
    let value = json(&sample::outcome());
    let phases = value["join_ms"]["by_phase"].as_object().unwrap();
    let mut names: Vec<_> = phases.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["dtls", "first_keyframe", "first_packet", "ice", "signaling"]
    );
    assert!(
        phases
            .values()
            .all(|phase| phase["p50"].is_f64() && phase["p99"].is_f64())
    );
}

#[test]
fn cpu_is_shared_out_among_the_packets_received() {
    let mut outcome = sample::outcome();
    outcome.totals.packets_received = 1_000_000;
    let server = outcome.server.as_mut().unwrap();
    server.counted = Duration::from_secs(10);
    server.cpu = CpuTime {
        user: Duration::from_secs(1),
        system: Duration::from_secs(4),
    };
    let value = &json(&outcome)["server"];
    assert_eq!(value["cpu_us_per_packet"], 5.0);
    assert_eq!(value["cpu_user_us_per_packet"], 1.0);
    assert_eq!(value["cpu_system_us_per_packet"], 4.0);
    assert_eq!(value["cores_busy"], 0.5);
    assert_eq!(value["packets_per_second_per_core"], 200_000.0);
}

#[test]
fn rates_are_over_the_counted_time() {
    let mut outcome = sample::outcome();
    outcome.counted = Duration::from_secs(4);
    outcome.totals.packets_received = 400;
    outcome.totals.bytes_received = 1_000;
    outcome.totals.packets_lost = 100;
    let value = json(&outcome);
    assert_eq!(value["packets_per_second"], 100.0);
    assert_eq!(value["bits_per_second"], 2_000.0);
    assert_eq!(value["loss_ratio"], 0.2);
}

#[test]
fn what_was_not_measured_is_null() {
    let mut outcome = sample::outcome();
    outcome.latency.clear();
    outcome.joins.clear();
    outcome.server = None;
    outcome.client.bottleneck = None;
    let value = json(&outcome);
    for path in [
        "/latency_us/p50",
        "/join_ms/p99",
        "/first_frame_ms/p50",
        "/joins_per_second",
        "/server/cpu_us_per_packet",
        "/client/bottleneck",
    ] {
        assert_eq!(value.pointer(path), Some(&Value::Null), "{path}");
    }
}

#[test]
fn joins_per_second_spans_first_to_last() {
    let join = |began_ms: u64, took_ms: u64| JoinTimes {
        began: Duration::from_millis(began_ms),
        dtls: Some(Duration::from_millis(took_ms)),
        ..JoinTimes::default()
    };
    let joins = [join(0, 10), join(250, 30), join(500, 500)];
    assert_eq!(joins_per_second(&joins), Some(3.0));
    assert_eq!(joins_per_second(&joins[..1]), None);
    assert_eq!(joins_per_second(&[]), None);
}
