//! Metrics of the media plane: the sum over all shards, and what tells the shards apart.

use plenum_types::{CloseReason, DropReason, KeyframeCause, ShardStats, SlotReason};
use prometheus::{Counter, IntCounter, IntGauge, Registry, Result};

use super::ShardReading;
use super::family::{counter, counters, gauge, level, levels, raise, raise_seconds, seconds};

/// Reads one number.
type Read = fn(&ShardStats) -> u64;

/// Name, help, and where the number is.
type Plain = (&'static str, &'static str, Read);

/// A counter with the label `direction`: in and out.
type Directed = (&'static str, &'static str, [Read; 2]);

const LEVELS: &[Plain] = &[
    ("plenum_media_peers", "Peer connections.", |s| s.peers),
    (
        "plenum_media_peers_connected",
        "Peer connections with ICE and DTLS up.",
        |s| s.peers_connected,
    ),
    ("plenum_media_publications", "Published tracks.", |s| {
        s.publications
    }),
    (
        "plenum_media_replicas",
        "Publications of other shards that subscribers of a shard may get.",
        |s| s.replicas,
    ),
    (
        "plenum_link_feeds",
        "Encodings that flow from one shard to another.",
        |s| s.feeds,
    ),
    (
        "plenum_tcp_connections",
        "TCP connections for media of clients without UDP.",
        |s| s.tcp_connections,
    ),
    (
        "plenum_media_estimated_bitrate",
        "Sum of the bandwidth estimates of all subscribers, in bit/s.",
        |s| s.estimated_bitrate,
    ),
];

const COUNTERS: &[Plain] = &[
    (
        "plenum_media_stun_messages_total",
        "STUN messages received.",
        |s| s.stun_in,
    ),
    (
        "plenum_media_dtls_datagrams_total",
        "DTLS datagrams received.",
        |s| s.dtls_in,
    ),
    (
        "plenum_net_receive_batches_total",
        "Receive calls that brought datagrams.",
        |s| s.batches,
    ),
    (
        "plenum_media_probe_packets_total",
        "Packets of padding sent to find out what networks carry; part of the RTP sent.",
        |s| s.probe_packets_out,
    ),
    (
        "plenum_media_probe_bytes_total",
        "Their encrypted bytes.",
        |s| s.probe_bytes_out,
    ),
    (
        "plenum_net_sends_total",
        "Send calls; each carries one or more datagrams.",
        |s| s.sends,
    ),
    ("plenum_net_sent_datagrams_total", "Datagrams sent.", |s| {
        s.datagrams_out
    }),
];

const DIRECTED: &[Directed] = &[
    (
        "plenum_data_messages_total",
        "Data messages: in from senders, out to each receiver.",
        [|s| s.data_messages_in, |s| s.data_messages_out],
    ),
    (
        "plenum_data_bytes_total",
        "Bytes of the payloads of data messages.",
        [|s| s.data_bytes_in, |s| s.data_bytes_out],
    ),
    (
        "plenum_media_rtp_packets_total",
        "RTP packets, retransmissions and probes included.",
        [|s| s.rtp_packets_in, |s| s.rtp_packets_out],
    ),
    (
        "plenum_media_rtp_bytes_total",
        "Bytes of encrypted RTP packets.",
        [|s| s.rtp_bytes_in, |s| s.rtp_bytes_out],
    ),
    (
        "plenum_media_rtcp_packets_total",
        "RTCP packets.",
        [|s| s.rtcp_packets_in, |s| s.rtcp_packets_out],
    ),
    (
        "plenum_tcp_datagrams_total",
        "Datagrams over TCP connections, out those that still wait included.",
        [|s| s.tcp_datagrams_in, |s| s.tcp_datagrams_out],
    ),
    (
        "plenum_tcp_bytes_total",
        "Bytes over TCP connections, framing included.",
        [|s| s.tcp_bytes_in, |s| s.tcp_bytes_out],
    ),
    (
        "plenum_media_nacked_packets_total",
        "Packets asked for again: in by subscribers, out of publishers.",
        [|s| s.nacks_in, |s| s.nacks_out],
    ),
    (
        "plenum_media_retransmitted_packets_total",
        "Retransmissions: in from publishers, out to subscribers.",
        [|s| s.rtx_packets_in, |s| s.rtx_packets_out],
    ),
];

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

/// Handles of all metrics of the media plane.
pub(super) struct MediaMetrics {
    levels: Vec<(IntGauge, Read)>,
    counters: Vec<(IntCounter, Read)>,
    slots: Vec<IntGauge>,
    closed: Vec<IntCounter>,
    keyframe_requests: Vec<IntCounter>,
    drops: Vec<IntCounter>,
    shards: ShardMetrics,
}

impl MediaMetrics {
    pub(super) fn new(registry: &Registry, shards: u16) -> Result<Self> {
        let levels = LEVELS
            .iter()
            .map(|(name, help, read)| Ok((level(registry, name, help)?, *read)))
            .collect::<Result<_>>()?;
        Ok(Self {
            levels,
            counters: all_counters(registry)?,
            slots: slots(registry)?,
            closed: closed(registry)?,
            keyframe_requests: keyframe_requests(registry)?,
            drops: drops(registry)?,
            shards: ShardMetrics::new(registry, shards)?,
        })
    }

    pub(super) fn update(&self, readings: &[ShardReading]) {
        let stats: Vec<&ShardStats> = readings.iter().filter_map(|r| r.stats.as_ref()).collect();
        let sum = |read: &dyn Fn(&ShardStats) -> u64| stats.iter().map(|stats| read(stats)).sum();
        for (gauge_handle, read) in &self.levels {
            gauge_handle.set(gauge(sum(read)));
        }
        for (counter, read) in &self.counters {
            raise(counter, sum(read));
        }
        for (index, slots) in self.slots.iter().enumerate() {
            slots.set(gauge(sum(&|stats| stats.slots[index])));
        }
        for (index, closed) in self.closed.iter().enumerate() {
            raise(closed, sum(&|stats| stats.closed[index]));
        }
        for (index, requests) in self.keyframe_requests.iter().enumerate() {
            raise(requests, sum(&|stats| stats.keyframe_requests[index]));
        }
        for (reason, drops) in DropReason::ALL.iter().zip(&self.drops) {
            raise(drops, sum(&|stats| stats.drops.get(*reason)));
        }
        self.shards.update(readings);
    }
}

fn all_counters(registry: &Registry) -> Result<Vec<(IntCounter, Read)>> {
    let mut all = Vec::new();
    for (name, help, read) in COUNTERS {
        all.push((counter(registry, name, help)?, *read));
    }
    for (name, help, reads) in DIRECTED {
        let directions = ["in", "out"].map(|direction| [direction.to_owned()]);
        let handles = counters(registry, name, help, ["direction"], directions)?;
        all.extend(handles.into_iter().zip(*reads));
    }
    Ok(all)
}

fn slots(registry: &Registry) -> Result<Vec<IntGauge>> {
    let reasons = SlotReason::ALL
        .iter()
        .map(|reason| reason.as_str().to_owned());
    levels(
        registry,
        "plenum_media_slots",
        "Outgoing streams, by why they show what they show.",
        "reason",
        reasons,
    )
}

fn closed(registry: &Registry) -> Result<Vec<IntCounter>> {
    let reasons = CloseReason::ALL
        .iter()
        .map(|reason| [reason.as_str().to_owned()]);
    counters(
        registry,
        "plenum_media_peers_closed_total",
        "Peer connections ended.",
        ["reason"],
        reasons,
    )
}

fn keyframe_requests(registry: &Registry) -> Result<Vec<IntCounter>> {
    let causes = KeyframeCause::ALL
        .iter()
        .map(|cause| [cause.as_str().to_owned()]);
    counters(
        registry,
        "plenum_media_keyframe_requests_total",
        "Keyframes asked of publishers.",
        ["cause"],
        causes,
    )
}

fn drops(registry: &Registry) -> Result<Vec<IntCounter>> {
    let reasons = DropReason::ALL
        .iter()
        .map(|reason| [reason.stage().as_str(), reason.as_str()].map(str::to_owned));
    counters(
        registry,
        "plenum_media_drops_total",
        "Datagrams and packets discarded, by stage of the packet path and reason.",
        ["stage", "reason"],
        reasons,
    )
}

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
struct ShardMetrics {
    up: Vec<IntGauge>,
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
    fn new(registry: &Registry, shards: u16) -> Result<Self> {
        let names = || (0..shards).map(|shard| shard.to_string());
        Ok(Self {
            up: levels(
                registry,
                "plenum_shard_up",
                "Whether the shard's thread runs.",
                "shard",
                names(),
            )?,
            send_segments: levels(
                registry,
                "plenum_net_send_segments_max",
                "Most datagrams that one message can carry out; 1 without UDP GSO.",
                "shard",
                names(),
            )?,
            receive_segments: levels(
                registry,
                "plenum_net_receive_segments_max",
                "Most datagrams that the system joins into one message that comes in; 1 without UDP GRO.",
                "shard",
                names(),
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
                "shard",
                names(),
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

    fn update(&self, readings: &[ShardReading]) {
        for reading in readings {
            let index = usize::from(reading.shard.0);
            if let Some(up) = self.up.get(index) {
                up.set(i64::from(reading.alive));
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
