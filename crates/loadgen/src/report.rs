//! What is printed at the end: a table for people, JSON with stable keys for programs.

use crate::args::Args;
use crate::tally::{Totals, percentile};
use serde::Serialize;
use std::fmt;

/// The result of a run. The names of the JSON keys do not change.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Shape of the load.
    pub scenario: String,
    /// Rooms.
    pub rooms: usize,
    /// Publishers over all rooms.
    pub publishers: usize,
    /// Subscribers over all rooms.
    pub subscribers: usize,
    /// Seconds of counted media.
    pub duration_s: f64,
    /// Packets that subscribers should have received, by sequence numbers.
    pub packets_sent: u64,
    /// Packets that subscribers received.
    pub packets_received: u64,
    /// Received per second.
    pub packets_per_second: f64,
    /// RTP payload received per second, bits.
    pub bits_per_second: f64,
    /// Share of packets that did not arrive.
    pub loss_ratio: f64,
    /// From the publisher's send to the subscriber's receive, microseconds.
    pub latency_us: Percentiles,
    /// From opening the WebSocket to the first media packet, milliseconds.
    pub join_ms: Percentiles,
    /// From opening the WebSocket to the first keyframe packet, milliseconds.
    pub first_frame_ms: Percentiles,
    /// The load benchmark itself.
    pub client: Client,
}

/// Percentiles; 0 where nothing was measured.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: u32,
    /// 99 of 100 are below.
    pub p99: u32,
    /// 999 of 1,000 are below.
    pub p999: u32,
    /// Largest.
    pub max: u32,
}

/// How the load benchmark itself fared.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Client {
    /// CPU seconds per second.
    pub cores_busy: f64,
    /// Whether the clients, not the server, were the limit.
    pub bottleneck: bool,
}

impl Percentiles {
    fn of(sorted: &[u32]) -> Self {
        let at = |share| percentile(sorted, share).unwrap_or(0);
        Self {
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: at(1.0),
        }
    }
}

impl Report {
    pub(crate) fn new(args: &Args, totals: &Totals, seconds: f64, client: Client) -> Self {
        let lost = totals.expected.saturating_sub(totals.received);
        let per_second = |number: u64| {
            if seconds > 0.0 {
                number as f64 / seconds
            } else {
                0.0
            }
        };
        Self {
            scenario: format!("{}x{}", args.publishers, args.subscribers),
            rooms: args.rooms,
            publishers: args.rooms * args.publishers,
            subscribers: args.rooms * args.subscribers,
            duration_s: seconds,
            packets_sent: totals.expected,
            packets_received: totals.received,
            packets_per_second: per_second(totals.received),
            bits_per_second: per_second(totals.bytes * 8),
            loss_ratio: if totals.expected == 0 {
                1.0
            } else {
                lost as f64 / totals.expected as f64
            },
            latency_us: Percentiles::of(&totals.latencies_us),
            join_ms: Percentiles::of(&totals.join_ms),
            first_frame_ms: Percentiles::of(&totals.first_frame_ms),
            client,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "rooms {}, publishers {}, subscribers {}, {:.1} s",
            self.rooms, self.publishers, self.subscribers, self.duration_s
        )?;
        writeln!(f, "  packets received   {:>12}", self.packets_received)?;
        writeln!(f, "  packets per second {:>12.0}", self.packets_per_second)?;
        writeln!(
            f,
            "  Mbit/s             {:>12.1}",
            self.bits_per_second / 1e6
        )?;
        writeln!(f, "  loss               {:>11.3}%", self.loss_ratio * 100.0)?;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, of: &Percentiles| {
            writeln!(
                f,
                "  {name} p50 {:>8}   p99 {:>8}   max {:>8}",
                of.p50, of.p99, of.max
            )
        };
        row(f, "latency µs        ", &self.latency_us)?;
        row(f, "join ms           ", &self.join_ms)?;
        row(f, "first frame ms    ", &self.first_frame_ms)?;
        writeln!(f, "  client cores busy  {:>12.2}", self.client.cores_busy)?;
        if self.client.bottleneck {
            writeln!(
                f,
                "  the clients were the bottleneck: these figures do not measure the server"
            )?;
        }
        Ok(())
    }
}
