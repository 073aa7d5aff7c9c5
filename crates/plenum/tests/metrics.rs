//! `deploy/METRICS.md` and what a loaded server exports are the same, and every metric moves.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "waits for a process, and not for ever"
)]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/server.rs"]
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::Duration;

use server::{Server, command, request, run};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/METRICS.md");

/// What a healthy load on loopback leaves at zero, and the test that moves it.
const QUIET: &[(&str, &str)] = &[
    ("plenum_data_bytes_total", "tests/tests/data_messages.rs"),
    ("plenum_data_messages_total", "tests/tests/data_messages.rs"),
    (
        "plenum_http_certificate_expiry_timestamp_seconds",
        "crates/plenum/tests/https.rs",
    ),
    (
        "plenum_link_full_packets_total",
        "crates/net/src/link/tests.rs",
    ),
    (
        "plenum_link_waiting_packets",
        "crates/plenum/src/metrics/tests.rs",
    ),
    (
        "plenum_media_nacked_packets_total",
        "tests/tests/loss_and_repair.rs",
    ),
    (
        "plenum_media_retransmitted_packets_total",
        "tests/tests/loss_and_repair.rs",
    ),
    ("plenum_panics_total", "crates/plenum/src/panics.rs"),
    (
        "plenum_shard_commands_refused_total",
        "crates/plenum/src/metrics/tests.rs",
    ),
    ("plenum_shard_commands_waiting", "crates/net/src/handle.rs"),
    ("plenum_shard_peer_panics_total", "tests/tests/isolation.rs"),
    (
        "plenum_shard_restarts_total",
        "tests/browser/shard-restart.test.mjs",
    ),
    ("plenum_signaling_draining", "tests/browser/drain.test.mjs"),
    (
        "plenum_signaling_inputs_waiting",
        "crates/plenum/src/metrics/tests.rs",
    ),
    (
        "plenum_signaling_lost_media_events_total",
        "crates/plenum/src/metrics/tests.rs",
    ),
    (
        "plenum_signaling_media_events_waiting",
        "crates/plenum/src/metrics/tests.rs",
    ),
    (
        "plenum_signaling_slow_clients_total",
        "crates/signaling/tests/websocket.rs",
    ),
    ("plenum_tcp_accepted_total", "crates/net/tests/tcp.rs"),
    ("plenum_tcp_bytes_total", "crates/net/tests/tcp.rs"),
    ("plenum_tcp_connections", "crates/net/tests/tcp.rs"),
    ("plenum_tcp_datagrams_total", "crates/net/tests/tcp.rs"),
    ("plenum_tcp_refused_total", "crates/net/tests/tcp.rs"),
    (
        "plenum_webhooks_delivered_total",
        "crates/plenum/tests/webhooks.rs",
    ),
    (
        "plenum_webhooks_dropped_total",
        "crates/signaling/src/webhooks/store/tests.rs",
    ),
    (
        "plenum_webhooks_failed_total",
        "crates/plenum/tests/webhooks.rs",
    ),
    (
        "plenum_webhooks_recorded_total",
        "crates/plenum/tests/webhooks.rs",
    ),
    ("plenum_webhooks_waiting", "crates/plenum/tests/webhooks.rs"),
];

/// Type and labels of a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shape {
    kind: String,
    labels: BTreeSet<String>,
}

/// What one scrape shows of ours.
#[derive(Default)]
struct Scrape {
    shapes: BTreeMap<String, Shape>,
    /// Names with a sample that is not zero.
    moved: BTreeSet<String>,
}

impl Scrape {
    fn of(server: &Server) -> Self {
        let mut scrape = Self::default();
        for line in request(server, "/metrics").lines() {
            if let Some(rest) = line.strip_prefix("# TYPE plenum_") {
                let (name, kind) = rest.split_once(' ').unwrap();
                let shape = scrape.shapes.entry(format!("plenum_{name}")).or_default();
                shape.kind = kind.to_owned();
            } else if line.starts_with("plenum_") {
                scrape.read_sample(line);
            }
        }
        scrape
    }

    fn read_sample(&mut self, line: &str) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let of_histogram = ["_bucket", "_sum", "_count"];
        let family = of_histogram
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .find(|family| self.shapes.contains_key(*family));
        let name = family.unwrap_or(name).to_owned();
        if value.parse::<f64>().unwrap() != 0.0 {
            self.moved.insert(name.clone());
        }
        let labels = labels.split(',').filter_map(|label| label.split_once('='));
        let labels = labels.map(|(label, _)| label.to_owned());
        let shape = self.shapes.get_mut(&name).unwrap();
        shape.labels.extend(labels.filter(|label| label != "le"));
    }
}

/// The rows of the document's tables: `name` | type | labels | unit | text.
fn documented() -> BTreeMap<String, Shape> {
    let text = std::fs::read_to_string(DOCUMENT).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `plenum_"));
    let rows = rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{row}");
        assert!(!cells[3].is_empty() && cells[4].ends_with('.'), "{row}");
        let labels = cells[2]
            .split(',')
            .map(|label| label.trim().trim_matches('`'));
        let shape = Shape {
            kind: cells[1].to_owned(),
            labels: labels
                .filter(|label| !label.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        (cells[0].trim_matches('`').to_owned(), shape)
    });
    let all: Vec<_> = rows.collect();
    let number = all.len();
    let by_name: BTreeMap<_, _> = all.into_iter().collect();
    assert_eq!(by_name.len(), number, "a metric stands there twice");
    by_name
}

/// Runs a load to its end and takes a scrape every now and then; what moved in any.
fn moved_under(server: &Server, arguments: &[&str]) -> BTreeSet<String> {
    let mut load = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args([
            "load",
            "--url",
            &format!("http://127.0.0.1:{}", server.port),
        ])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut moved = BTreeSet::new();
    loop {
        moved.extend(Scrape::of(server).moved);
        if let Some(status) = load.try_wait().unwrap() {
            assert!(status.success());
            return moved;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_document_and_the_server_name_the_same_metrics_and_each_moves() {
    let mut command = command(0, 0);
    command.env("PLENUM_MEDIA__SHARDS", "2");
    let server = run(command);
    let exported = Scrape::of(&server).shapes;
    let documented = documented();
    for (name, shape) in &documented {
        assert_eq!(exported.get(name), Some(shape), "{name}, as documented");
    }
    for name in exported.keys() {
        assert!(documented.contains_key(name), "{name} is not in METRICS.md");
    }

    let meeting = [
        "--scenario",
        "meeting",
        "--participants",
        "4",
        "--layers",
        "3",
    ];
    let run = ["--duration", "3s", "--settle", "1s", "--audio"];
    let mut moved = moved_under(&server, &[&meeting[..], &run[..]].concat());
    // What a wrong token, a wrong datagram and a signal move.
    let wrong = [
        "--subscribers",
        "1",
        "--duration",
        "1s",
        "--secret",
        "wrong",
    ];
    let refused = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args([
            "load",
            "--url",
            &format!("http://127.0.0.1:{}", server.port),
        ])
        .args(wrong)
        .output();
    assert!(!refused.unwrap().status.success());
    let hangup = Command::new("kill")
        .args(["-HUP", &server.child.id().to_string()])
        .status();
    assert!(hangup.unwrap().success());
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        moved.extend(Scrape::of(&server).moved);
        if moved.contains("plenum_config_reloads_total") {
            break;
        }
        assert!(std::time::Instant::now() < patience, "SIGHUP is counted");
        std::thread::sleep(Duration::from_millis(50));
    }

    let quiet: BTreeSet<&str> = QUIET.iter().map(|(name, _)| *name).collect();
    let still: Vec<_> = exported
        .keys()
        .filter(|name| !moved.contains(*name) && !quiet.contains(name.as_str()))
        .collect();
    assert!(still.is_empty(), "nothing moved {still:?}");
    for (name, test) in QUIET {
        assert!(exported.contains_key(*name), "{name} is gone");
        let path = format!("{}/../../{test}", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&path).exists(), "{test} is gone");
    }
}
