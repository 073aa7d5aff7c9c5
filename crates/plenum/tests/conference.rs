//! A conference over loopback between the server and clients of another WebRTC stack.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test over real sockets reads the clock, spawns tasks and draws random numbers"
)]

#[path = "conference/client.rs"]
mod client;
#[path = "conference/media.rs"]
mod media;
#[path = "support/server.rs"]
mod server;
#[path = "conference/signal.rs"]
mod signal;
#[path = "conference/tally.rs"]
mod tally;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use client::{Plan, Shared, Transport};
use serde_json::json;
use server::{command, metric, request, run, start};
use tally::{Tally, Totals};
use tokio::sync::watch;
use tokio::task::JoinSet;

const PUBLISHERS: usize = 2;
const SUBSCRIBERS: usize = 2;
/// So many that a room has to span two shards.
const SUBSCRIBERS_OF_TWO_SHARDS: usize = 8;
/// How long media flows once everybody has joined.
const FLOWING: Duration = Duration::from_secs(2);
/// A conference that takes longer is stuck.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn clients_of_another_stack_hold_a_conference_over_loopback() {
    let server = start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let conference = hold_conference(server.port, SUBSCRIBERS, Transport::Udp);
    let conference = async { tokio::time::timeout(LIMIT, conference).await };
    let totals = runtime.block_on(conference).expect("an end in time");
    assert!(totals.expected > 500, "{} packets", totals.expected);
    assert_eq!(totals.received, totals.expected, "nothing is lost");
    assert!(totals.stamped > 500, "payloads arrive as they were sent");

    let metrics = request(&server, "/metrics");
    let sent = metric(
        &metrics,
        "plenum_media_rtp_packets_total{direction=\"out\"}",
    );
    let received = metric(&metrics, "plenum_media_rtp_packets_total{direction=\"in\"}");
    assert!(received > 500.0, "{metrics}");
    assert!(sent > received, "{metrics}");
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

/// Nobody has UDP: each client connects to the passive candidate of the answer (RFC 6544).
#[test]
fn clients_of_another_stack_hold_a_conference_over_tcp() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut command = command(0, 0);
    command.env("PLENUM_MEDIA__TCP_PORT", port.to_string());
    command.env("PLENUM_MEDIA__SHARDS", "2");
    let server = run(command);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let conference = hold_conference(server.port, SUBSCRIBERS, Transport::Tcp);
    let conference = async { tokio::time::timeout(LIMIT, conference).await };
    let totals = runtime.block_on(conference).expect("an end in time");
    assert!(totals.expected > 500, "{} packets", totals.expected);
    assert_eq!(totals.received, totals.expected, "nothing is lost");
    assert!(totals.stamped > 500, "payloads arrive as they were sent");

    let metrics = request(&server, "/metrics");
    let clients = (PUBLISHERS + SUBSCRIBERS) as f64;
    assert_eq!(metric(&metrics, "plenum_tcp_accepted_total"), clients);
    for direction in ["in", "out"] {
        let name = |what| format!("plenum_{what}_total{{direction=\"{direction}\"}}");
        let all = metric(&metrics, &name("media_rtp_packets"));
        assert!(metric(&metrics, &name("tcp_datagrams")) > all, "{metrics}");
    }
    assert_eq!(metric(&metrics, "plenum_net_sent_datagrams_total"), 0.0);
}

#[test]
fn a_conference_spans_shards() {
    let mut command = command(0, 0);
    command.env("PLENUM_MEDIA__SHARDS", "2");
    let server = run(command);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let conference = hold_conference(server.port, SUBSCRIBERS_OF_TWO_SHARDS, Transport::Udp);
    let conference = async { tokio::time::timeout(LIMIT, conference).await };
    let totals = runtime.block_on(conference).expect("an end in time");
    assert!(totals.expected > 500, "{} packets", totals.expected);
    assert_eq!(totals.received, totals.expected, "nothing is lost");
    assert!(totals.stamped > 500, "payloads arrive as they were sent");

    let metrics = request(&server, "/metrics");
    let crossed = |direction: &str| -> f64 {
        let name = |shard| {
            format!("plenum_link_packets_total{{direction=\"{direction}\",shard=\"{shard}\"}}")
        };
        [0, 1]
            .map(|shard| metric(&metrics, &name(shard)))
            .iter()
            .sum()
    };
    assert!(crossed("out") > 100.0, "{metrics}");
    assert_eq!(crossed("out"), crossed("in"), "{metrics}");
    for shard in [0, 1] {
        let name = format!("plenum_link_full_packets_total{{shard=\"{shard}\"}}");
        assert_eq!(metric(&metrics, &name), 0.0, "{name}");
    }
}

async fn hold_conference(port: u16, subscribers: usize, transport: Transport) -> Totals {
    let (end, over) = watch::channel(false);
    let shared = Arc::new(Shared {
        url: format!("http://127.0.0.1:{port}"),
        transport,
        start: Instant::now(),
        tally: Tally::default(),
        over,
    });
    let mut clients = JoinSet::new();
    let mut waiting = Vec::new();
    for plan in plans(subscribers) {
        let (joined, is_joined) = watch::channel(false);
        clients.spawn(client::run(shared.clone(), plan, joined));
        waiting.push(is_joined);
    }
    for mut is_joined in waiting {
        if is_joined.wait_for(|joined| *joined).await.is_err() {
            panic!("{:?}", clients.join_next().await);
        }
    }
    shared.tally.restart_counting();
    tokio::time::sleep(FLOWING).await;
    let totals = shared.tally.totals();
    end.send_replace(true);
    while let Some(ended) = clients.join_next().await {
        ended.unwrap().unwrap();
    }
    totals
}

fn plans(subscribers: usize) -> Vec<Plan> {
    let publishers = (0..PUBLISHERS).map(|n| (format!("pub-{n}"), 0));
    let subscribers = (0..subscribers).map(|n| (format!("sub-{n}"), PUBLISHERS));
    publishers
        .chain(subscribers)
        .enumerate()
        .map(|(index, (name, sources))| Plan {
            index,
            token: token(&name),
            name,
            sources,
        })
        .collect()
}

fn token(identity: &str) -> String {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let claims = json!({
        "iss": "devkey",
        "sub": identity,
        "exp": since_epoch.unwrap().as_secs() + 600,
        "video": { "room": "interop", "roomJoin": true, "canPublish": true, "canSubscribe": true },
    });
    let key = jsonwebtoken::EncodingKey::from_secret(b"secret");
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}
