//! Counters of a shard: plain numbers, incremented on the packet path, read when asked for.
//! Metric names are given to them at the edge, in the `plenum` binary.

use crate::{
    CloseReason, ConnectOutcome, ConnectPhase, Distributions, DropCounters, SlotReason, SlotState,
};

/// Why a keyframe was asked of a publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyframeCause {
    /// A subscriber lost packets and sent PLI or FIR.
    SubscriberRequest,
    /// A slot takes this source or layer.
    SlotSwitch,
    /// A request went unanswered.
    Retry,
    /// A subscriber on another shard needs it.
    OtherShard,
}

impl KeyframeCause {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 4] = [
        Self::SubscriberRequest,
        Self::SlotSwitch,
        Self::Retry,
        Self::OtherShard,
    ];

    /// Name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SubscriberRequest => "subscriber_request",
            Self::SlotSwitch => "slot_switch",
            Self::Retry => "retry",
            Self::OtherShard => "other_shard",
        }
    }
}

/// Counters (since start) and gauges (now) of a shard.
#[derive(Clone, Debug, Default)]
pub struct ShardStats {
    /// Peers now.
    pub peers: u64,
    /// Peers with ICE and DTLS up now.
    pub peers_connected: u64,
    /// Publications of its peers now.
    pub publications: u64,
    /// Publications of other shards that subscribers here may get, now.
    pub replicas: u64,
    /// Encodings that flow to another shard, counted once for each such shard, now.
    pub feeds: u64,
    /// Slots now, by [`SlotReason`] and [`SlotState`].
    pub slots: [[u64; SlotState::ALL.len()]; SlotReason::COUNT],
    /// Phases of connecting that have ended, by [`ConnectPhase`] and [`ConnectOutcome`].
    pub connects: [[u64; ConnectOutcome::ALL.len()]; ConnectPhase::ALL.len()],
    /// Latencies, and what the networks of the peers are like.
    pub distributions: Distributions,
    /// Ended peers, by [`CloseReason`].
    pub closed: [u64; CloseReason::ALL.len()],
    /// RTP packets received and authenticated, retransmissions included.
    pub rtp_packets_in: u64,
    /// Their bytes before decryption.
    pub rtp_bytes_in: u64,
    /// RTP packets sent, retransmissions and probes included.
    pub rtp_packets_out: u64,
    /// Their bytes after encryption.
    pub rtp_bytes_out: u64,
    /// RTCP packets received.
    pub rtcp_packets_in: u64,
    /// RTCP packets sent.
    pub rtcp_packets_out: u64,
    /// STUN messages received.
    pub stun_in: u64,
    /// DTLS datagrams received.
    pub dtls_in: u64,
    /// Sequence numbers asked of publishers.
    pub nacks_out: u64,
    /// Sequence numbers asked by subscribers.
    pub nacks_in: u64,
    /// Retransmissions that publishers sent.
    pub rtx_packets_in: u64,
    /// Retransmissions sent to subscribers.
    pub rtx_packets_out: u64,
    /// Packets of padding sent to probe for bandwidth.
    pub probe_packets_out: u64,
    /// Their bytes after encryption.
    pub probe_bytes_out: u64,
    /// Keyframes asked of publishers, by [`KeyframeCause`].
    pub keyframe_requests: [u64; KeyframeCause::ALL.len()],
    /// Sum of the bandwidth estimates of all subscribers now, bits per second.
    pub estimated_bitrate: u64,
    /// Sum of what the slots of all subscribers are given of it now, bits per second.
    pub allocated_bitrate: u64,
    /// Peers that were ended because handling them panicked.
    pub peer_panics: u64,
    /// Data messages that participants sent and that were accepted.
    pub data_messages_in: u64,
    /// Bytes of their payloads.
    pub data_bytes_in: u64,
    /// Data messages handed to the data channels of receivers.
    pub data_messages_out: u64,
    /// Bytes of their payloads.
    pub data_bytes_out: u64,
    /// Discards, by reason.
    pub drops: DropCounters,
    /// Packets handed to other shards.
    pub link_packets_out: u64,
    /// Their bytes.
    pub link_bytes_out: u64,
    /// Packets that came from other shards.
    pub link_packets_in: u64,
    /// Their bytes.
    pub link_bytes_in: u64,
    /// Packets from other shards that wait to be read, now.
    pub link_depth: u64,
    /// Receive batches handled.
    pub batches: u64,
    /// Messages handed to the socket; each carries one or more datagrams.
    pub sends: u64,
    /// Datagrams handed to the socket.
    pub datagrams_out: u64,
    /// TCP connections that carry or may come to carry media, now.
    pub tcp_connections: u64,
    /// Datagrams that came over them.
    pub tcp_datagrams_in: u64,
    /// Bytes that came over them, framing included.
    pub tcp_bytes_in: u64,
    /// Datagrams written to them, those that still wait included.
    pub tcp_datagrams_out: u64,
    /// Bytes that the system took for them, framing included.
    pub tcp_bytes_out: u64,
    /// Most datagrams that a message can carry out now; 1 without segmentation offload (UDP GSO).
    pub send_segments_max: u64,
    /// Most datagrams that the system joins into a message that comes in; 1 without UDP GRO.
    pub receive_segments_max: u64,
    /// Microseconds spent working, out of the wall clock.
    pub busy_us: u64,
}
