use std::collections::BTreeSet;

use plenum_signaling::messages::ErrorCode;
use plenum_signaling::{JoinCounters, JoinTimes};
use plenum_types::{ConnectOutcome, ConnectPhase, DropReason, SlotReason, SlotState};

use super::*;

/// A control plane where nothing has happened.
fn idle() -> SignalingStats {
    SignalingStats {
        rooms: 0,
        participants: 0,
        publications: 0,
        slots: 0,
        connections: 0,
        draining: false,
        inputs_waiting: 0,
        media_events_waiting: 0,
        joins: JoinCounters::default(),
        join_times: JoinTimes::default(),
        messages_in: 0,
        messages_out: 0,
        errors: ErrorCode::ALL.iter().map(|code| (*code, 0)).collect(),
        slow_clients: 0,
        media_events_lost: 0,
    }
}

fn rendered(shards: &[ShardReading]) -> String {
    let metrics = Metrics::new(2).unwrap();
    let tcp = TcpStats {
        accepted: 9,
        refused: std::array::from_fn(|reason| reason as u64),
    };
    metrics.update(shards, &tcp, &idle());
    metrics.render().unwrap()
}

fn reading(shard: u16, stats: ShardStats) -> ShardReading {
    ShardReading {
        shard: ShardId(shard),
        alive: true,
        restarts: 1,
        commands_waiting: 2,
        commands_refused: 3,
        stats: Some(stats),
    }
}

/// The part of a sample line that must be unique.
fn series(line: &str) -> &str {
    line.rsplit_once(' ').unwrap().0
}

#[test]
fn the_text_is_well_formed_and_unique() {
    let text = rendered(&[]);
    let mut seen = BTreeSet::new();
    let mut described = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(
                described.insert(name.to_owned()),
                "{name} is described twice"
            );
            assert!(
                help.ends_with('.') || !name.starts_with("plenum_"),
                "{line}"
            );
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let of_histogram = ["_bucket", "_sum", "_count"];
            let name = of_histogram
                .iter()
                .filter_map(|suffix| name.strip_suffix(suffix))
                .find(|name| described.contains(*name))
                .unwrap_or(name);
            assert!(described.contains(name), "{name} has no help");
            assert!(seen.insert(series(line).to_owned()), "{line} twice");
            line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap();
        }
    }
    assert!(seen.contains("plenum_media_drops_total{reason=\"send_busy\",stage=\"send\"}"));
    assert!(seen.contains("plenum_build_info{version=\"0.1.0\"}"));
    assert!(seen.contains("process_resident_memory_bytes"));
}

#[test]
fn counters_end_in_total_and_only_they() {
    for line in rendered(&[]).lines() {
        let Some((name, kind)) = line
            .strip_prefix("# TYPE plenum_")
            .and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
    }
}

#[test]
fn shards_are_summed_up_and_updates_do_not_add_up() {
    let mut one = ShardStats {
        rtp_packets_out: 10,
        peers: 2,
        busy_us: 1_500_000,
        link_packets_out: 7,
        link_depth: 3,
        ..ShardStats::default()
    };
    one.drops.add(DropReason::Muted, 4);
    one.drops.add(DropReason::LinkFull, 2);
    one.slots[SlotReason::Bandwidth as usize][SlotState::Paused as usize] = 3;
    one.connects[ConnectPhase::Dtls as usize][ConnectOutcome::Failed as usize] = 5;
    one.distributions.forwarding_us.record(80);
    one.distributions.loss_in_ppm.record(40_000);
    let mut two = ShardStats {
        rtp_packets_out: 5,
        peers: 1,
        link_packets_in: 6,
        ..ShardStats::default()
    };
    two.distributions.forwarding_us.record(700);
    let readings = [reading(0, one), reading(1, two)];
    let metrics = Metrics::new(2).unwrap();
    metrics.update(&readings, &TcpStats::default(), &idle());
    metrics.update(&readings, &TcpStats::default(), &idle());
    let text = metrics.render().unwrap();
    for line in [
        "plenum_media_rtp_packets_total{direction=\"out\"} 15",
        "plenum_media_peers 3",
        "plenum_media_drops_total{reason=\"muted\",stage=\"route\"} 4",
        "plenum_shard_busy_seconds_total{shard=\"0\"} 1.5",
        "plenum_link_packets_total{direction=\"out\",shard=\"0\"} 7",
        "plenum_link_packets_total{direction=\"in\",shard=\"1\"} 6",
        "plenum_link_waiting_packets{shard=\"0\"} 3",
        "plenum_link_full_packets_total{shard=\"0\"} 2",
        "plenum_shard_up{shard=\"1\"} 1",
        "plenum_shard_commands_refused_total{shard=\"0\"} 3",
        "plenum_shard_commands_waiting{shard=\"1\"} 2",
        "plenum_media_slots{reason=\"bandwidth\",state=\"paused\"} 3",
        "plenum_media_connects_total{outcome=\"failed\",phase=\"dtls\"} 5",
        "plenum_media_forwarding_seconds_bucket{le=\"0.0001\"} 1",
        "plenum_media_forwarding_seconds_bucket{le=\"0.001\"} 2",
        "plenum_media_forwarding_seconds_bucket{le=\"+Inf\"} 2",
        "plenum_media_forwarding_seconds_sum 0.00078",
        "plenum_media_loss_ratio_bucket{direction=\"in\",le=\"0.05\"} 1",
        "plenum_media_loss_ratio_count{direction=\"out\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "no {line}");
    }
}

#[test]
fn signaling_is_shown() {
    let mut stats = idle();
    stats.rooms = 2;
    stats.joins.accepted = 5;
    stats.joins.replaced = 1;
    stats.errors[0].1 = 7;
    let metrics = Metrics::new(1).unwrap();
    metrics.update(&[], &TcpStats::default(), &stats);
    let text = metrics.render().unwrap();
    let error = format!(
        "plenum_signaling_errors_total{{code=\"{}\"}} 7",
        ErrorCode::ALL[0].as_str()
    );
    for line in [
        "plenum_signaling_rooms 2",
        "plenum_signaling_joins_total{outcome=\"joined\"} 4",
        "plenum_signaling_joins_total{outcome=\"replaced\"} 1",
        &error,
    ] {
        assert!(text.lines().any(|found| found == line), "no {line}");
    }
}

#[test]
fn scrapes_at_the_same_time_count_once() {
    let metrics = Metrics::new(2).unwrap();
    for total in 1..=500 {
        let stats = ShardStats {
            stun_in: total * 1_000,
            ..ShardStats::default()
        };
        let readings = [reading(0, stats)];
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| metrics.update(&readings, &TcpStats::default(), &idle()));
            }
        });
        let text = metrics.render().unwrap();
        let line = format!("plenum_media_stun_messages_total {}\n", total * 1_000);
        assert!(text.contains(&line), "{text}");
    }
}
