//! What tells the shards apart.

use plenum_types::{DropReason, ShardStats};
use prometheus::{Counter, IntCounter, IntGauge, Registry, Result};

use super::Read;
use super::plain::Directed;
use crate::metrics::ShardReading;
use crate::metrics::family::{counters, gauge, levels, raise, raise_seconds, seconds};

/// Per shard: packets over the links to other shards.
const LINKED: &[Directed] = &[
    (
        "plenum_link_packets_total",
        "Packets handed to other shards and taken from them.",
        [|s| s.link_packets_in, |s| s.link_packets_out],
    ),
    (
        "plenum_link_bytes_total",
        "Bytes of packets handed to other shards and taken from them.",
        [|s| s.link_bytes_in, |s| s.link_bytes_out],
    ),
];

fn linked(registry: &Registry, shards: u16) -> Result<Vec<(Vec<IntCounter>, [Read; 2])>> {
    let labels = || {
        (0..shards).flat_map(|shard| {
            ["in", "out"].map(|direction| [shard.to_string(), direction.to_owned()])
        })
    };
    LINKED
        .iter()
        .map(|(name, help, reads)| {
            let handles = counters(registry, name, help, ["shard", "direction"], labels())?;
            Ok((handles, *reads))
        })
        .collect()
}

/// What differs from shard to shard.
pub(super) struct ShardMetrics {
    up: Vec<IntGauge>,
    waiting: Vec<IntGauge>,
    restarts: Vec<IntCounter>,
    peer_panics: Vec<IntCounter>,
    send_segments: Vec<IntGauge>,
    receive_segments: Vec<IntGauge>,
    busy: Vec<Counter>,
    refused: Vec<IntCounter>,
    /// By shard and direction, with where the numbers are.
    linked: Vec<(Vec<IntCounter>, [Read; 2])>,
    link_depth: Vec<IntGauge>,
    link_full: Vec<IntCounter>,
}

impl ShardMetrics {
    pub(super) fn new(registry: &Registry, shards: u16) -> Result<Self> {
        let names = || (0..shards).map(|shard| shard.to_string());
        Ok(Self {
            up: levels(
                registry,
                "plenum_shard_up",
                "Whether the shard's thread runs.",
                ["shard"],
                names().map(|name| [name]),
            )?,
            restarts: counters(
                registry,
                "plenum_shard_restarts_total",
                "Times that the shard failed and began anew; its clients reconnected.",
                ["shard"],
                names().map(|name| [name]),
            )?,
            peer_panics: counters(
                registry,
                "plenum_shard_peer_panics_total",
                "Peers that were ended because handling them panicked; nobody else noticed.",
                ["shard"],
                names().map(|name| [name]),
            )?,
            waiting: levels(
                registry,
                "plenum_shard_commands_waiting",
                "Commands of the control plane that wait for the shard.",
                ["shard"],
                names().map(|name| [name]),
            )?,
            send_segments: levels(
                registry,
                "plenum_net_send_segments_max",
                "Most datagrams that one message can carry out; 1 without UDP GSO.",
                ["shard"],
                names().map(|name| [name]),
            )?,
            receive_segments: levels(
                registry,
                "plenum_net_receive_segments_max",
                "Most datagrams that the system joins into one message that comes in; 1 without UDP GRO.",
                ["shard"],
                names().map(|name| [name]),
            )?,
            busy: seconds(
                registry,
                "plenum_shard_busy_seconds_total",
                "Time that the shard's thread spent working; its rate is the busy fraction.",
                "shard",
                names(),
            )?,
            refused: counters(
                registry,
                "plenum_shard_commands_refused_total",
                "Commands lost because the shard's queue was full or the shard gone.",
                ["shard"],
                names().map(|name| [name]),
            )?,
            linked: linked(registry, shards)?,
            link_depth: levels(
                registry,
                "plenum_link_waiting_packets",
                "Packets from other shards that wait to be read.",
                ["shard"],
                names().map(|name| [name]),
            )?,
            link_full: counters(
                registry,
                "plenum_link_full_packets_total",
                "Packets not handed to another shard because its ring was too full for their layer.",
                ["shard"],
                names().map(|name| [name]),
            )?,
        })
    }

    pub(super) fn update(&self, readings: &[ShardReading]) {
        for reading in readings {
            let index = usize::from(reading.shard.0);
            if let Some(up) = self.up.get(index) {
                up.set(i64::from(reading.alive));
            }
            if let Some(restarts) = self.restarts.get(index) {
                raise(restarts, reading.restarts);
            }
            if let Some(waiting) = self.waiting.get(index) {
                waiting.set(gauge(reading.commands_waiting as u64));
            }
            if let Some(refused) = self.refused.get(index) {
                raise(refused, reading.commands_refused);
            }
            if let Some(stats) = &reading.stats {
                self.update_one(index, stats);
            }
        }
    }

    fn update_one(&self, index: usize, stats: &ShardStats) {
        if let Some(panics) = self.peer_panics.get(index) {
            raise(panics, stats.peer_panics);
        }
        if let Some(busy) = self.busy.get(index) {
            raise_seconds(busy, stats.busy_us as f64 / 1e6);
        }
        if let Some(segments) = self.send_segments.get(index) {
            segments.set(gauge(stats.send_segments_max));
        }
        if let Some(segments) = self.receive_segments.get(index) {
            segments.set(gauge(stats.receive_segments_max));
        }
        for (handles, reads) in &self.linked {
            for (handle, read) in handles.iter().skip(2 * index).zip(reads) {
                raise(handle, read(stats));
            }
        }
        if let Some(depth) = self.link_depth.get(index) {
            depth.set(gauge(stats.link_depth));
        }
        if let Some(full) = self.link_full.get(index) {
            raise(full, stats.drops.get(DropReason::LinkFull));
        }
    }
}
