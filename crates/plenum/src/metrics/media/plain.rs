//! Numbers without labels of their own, or with the direction alone.

use prometheus::{IntCounter, IntGauge, Registry, Result};

use super::Read;
use crate::metrics::family::{counter, counters, level};

/// Name, help, and where the number is.
type Plain = (&'static str, &'static str, Read);

/// A counter with the label `direction`: in and out.
pub(super) type Directed = (&'static str, &'static str, [Read; 2]);

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
    (
        "plenum_media_allocated_bitrate",
        "Sum of what the slots of all subscribers are given, in bit/s.",
        |s| s.allocated_bitrate,
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
        "Encrypted bytes of the packets of padding.",
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

pub(super) fn all_levels(registry: &Registry) -> Result<Vec<(IntGauge, Read)>> {
    LEVELS
        .iter()
        .map(|(name, help, read)| Ok((level(registry, name, help)?, *read)))
        .collect()
}

pub(super) fn all_counters(registry: &Registry) -> Result<Vec<(IntCounter, Read)>> {
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
