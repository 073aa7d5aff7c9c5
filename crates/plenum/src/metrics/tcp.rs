//! Metrics of TCP connections as they come; what they carry is counted by the shards.

use plenum_net::{TcpRefusal, TcpStats};
use prometheus::{IntCounter, Registry, Result};

use super::family::{counter, counters, raise};

pub(super) struct TcpMetrics {
    accepted: IntCounter,
    refused: Vec<IntCounter>,
}

impl TcpMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let reasons = TcpRefusal::ALL.map(|reason| [reason.as_str().to_owned()]);
        Ok(Self {
            accepted: counter(
                registry,
                "plenum_tcp_accepted_total",
                "TCP connections that clients opened for media.",
            )?,
            refused: counters(
                registry,
                "plenum_tcp_refused_total",
                "TCP connections that were not taken, or closed before a valid ICE check came.",
                ["reason"],
                reasons,
            )?,
        })
    }

    pub(super) fn update(&self, stats: &TcpStats) {
        raise(&self.accepted, stats.accepted);
        for (handle, refused) in self.refused.iter().zip(stats.refused) {
            raise(handle, refused);
        }
    }
}
