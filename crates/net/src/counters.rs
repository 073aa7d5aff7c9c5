//! What the loop counts itself; the engine counts the rest.

use std::time::Duration;

use plenum_types::{MediaEvent, ShardStats};

use crate::send::SendCounters;
use crate::tcp::StreamCounters;

/// Counters since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetCounters {
    /// Receive batches handled.
    pub(crate) batches: u64,
    /// What left.
    pub(crate) sent: SendCounters,
    /// Most datagrams of a message, out and in.
    pub(crate) segments_max: (usize, usize),
    /// What came and went over TCP.
    pub(crate) streams: StreamCounters,
    /// Times that the socket could not be read.
    pub(crate) read_failures: u64,
    /// Packets from other shards that wait.
    pub(crate) link_depth: usize,
    /// Time between waking up and going back to sleep.
    pub(crate) busy: Duration,
}

impl NetCounters {
    /// Completes an event of the engine: only this crate knows about sockets and waiting.
    pub(crate) fn complete(&self, event: &mut MediaEvent) {
        if let MediaEvent::Stats(stats) = event {
            self.add_to(stats);
        }
    }

    fn add_to(&self, stats: &mut ShardStats) {
        stats.batches += self.batches;
        stats.sends += self.sent.sends;
        stats.datagrams_out += self.sent.datagrams;
        stats.send_segments_max = self.segments_max.0 as u64;
        stats.receive_segments_max = self.segments_max.1 as u64;
        stats.tcp_connections += self.streams.connections as u64;
        stats.tcp_datagrams_in += self.streams.datagrams_in;
        stats.tcp_bytes_in += self.streams.bytes_in;
        stats.tcp_datagrams_out += self.streams.datagrams_out;
        stats.tcp_bytes_out += self.streams.bytes_out;
        stats.link_depth += self.link_depth as u64;
        stats.busy_us += self.busy.as_micros() as u64;
    }
}
