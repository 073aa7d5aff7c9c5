//! What became of TCP connections: counted by the acceptor and the shards, read by whoever asks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a TCP connection was not taken, or not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpRefusal {
    /// Too many connections of its network have not shown a valid check.
    NetworkLimit,
    /// Too many connections in all.
    TotalLimit,
    /// What it sent first is no STUN check for a peer of ours.
    NotStun,
    /// A frame longer than any datagram of WebRTC.
    FrameTooLong,
    /// No valid check came in time.
    NoValidCheck,
    /// The client closed it before a valid check came.
    ClosedEarly,
    /// The shard is gone, or its queue full.
    ShardBusy,
    /// The system refused: too many open files, for example.
    System,
}

impl TcpRefusal {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 8] = [
        Self::NetworkLimit,
        Self::TotalLimit,
        Self::NotStun,
        Self::FrameTooLong,
        Self::NoValidCheck,
        Self::ClosedEarly,
        Self::ShardBusy,
        Self::System,
    ];

    /// Name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NetworkLimit => "network_limit",
            Self::TotalLimit => "total_limit",
            Self::NotStun => "not_stun",
            Self::FrameTooLong => "frame_too_long",
            Self::NoValidCheck => "no_valid_check",
            Self::ClosedEarly => "closed_early",
            Self::ShardBusy => "shard_busy",
            Self::System => "system",
        }
    }
}

/// Counters since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpStats {
    /// Connections that the system handed over.
    pub accepted: u64,
    /// Connections not taken or not kept, by [`TcpRefusal`].
    pub refused: [u64; TcpRefusal::ALL.len()],
}

/// The counters, shared by the threads. Raised when a connection comes or goes, never by a packet.
#[derive(Debug, Default)]
pub(crate) struct TcpCounters {
    accepted: AtomicU64,
    refused: [AtomicU64; TcpRefusal::ALL.len()],
}

impl TcpCounters {
    pub(crate) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// How many that makes.
    pub(crate) fn count_refused(&self, reason: TcpRefusal) -> u64 {
        self.refused[reason as usize].fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn read(&self) -> TcpStats {
        TcpStats {
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: std::array::from_fn(|reason| self.refused[reason].load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discriminants_index_the_counters() {
        let counters = TcpCounters::default();
        for (index, reason) in TcpRefusal::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
            counters.count_refused(reason);
        }
        assert_eq!(counters.read().refused, [1; TcpRefusal::ALL.len()]);
    }
}
