//! What a shard measures as distributions. The classes are chosen by what somebody decides with
//! them; each further class costs a series for every server.

use crate::Histogram;

/// Forwarding, µs: 50 µs is an idle shard, 1 ms a busy one, 2 ms the default hold of sound, 5 ms a
/// full wake-up (`WORK_PER_WAKE_UP` in `net`), 20 ms a picture's distance: beyond it people notice.
const FORWARDING_US: &[u64] = &[
    50, 100, 200, 350, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 20_000,
];

/// A phase of connecting, µs: from loopback to the 15 s after which a peer is given up. DTLS
/// flights are repeated after 150 ms and 450 ms, which is seen as steps here.
const CONNECT_US: &[u64] = &[
    5_000, 10_000, 25_000, 50_000, 100_000, 200_000, 400_000, 800_000, 1_500_000, 3_000_000,
    6_000_000, 15_000_000,
];

/// Round trip, µs: 20 ms within a city, 50 ms a country, 100 ms a continent, 300 ms around the
/// world, above it satellites and full queues.
const RTT_US: &[u64] = &[
    1_000, 5_000, 10_000, 20_000, 35_000, 50_000, 75_000, 100_000, 150_000, 200_000, 300_000,
    500_000, 1_000_000,
];

/// Jitter, µs: what buffers of receivers, which begin at 20 to 40 ms, take in or do not.
const JITTER_US: &[u64] = &[
    1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 50_000, 100_000, 200_000,
];

/// Loss, millionths: none; what repair hides (1 to 2 %), what it does not (5 to 10 %), and what
/// makes a call useless. A report tells 1/256.
const LOSS_PPM: &[u64] = &[0, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000];

/// All distributions of a shard, since its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distributions {
    /// From the wake-up that brought the oldest packet of a burst until its last copy was handed to
    /// the socket, µs. Taken once per wake-up.
    pub forwarding_us: Histogram,
    /// How long each phase of connecting took, µs, by [`ConnectPhase`](crate::ConnectPhase); only
    /// those that were done.
    pub connect_us: [Histogram; crate::ConnectPhase::ALL.len()],
    /// Round trip time, µs, of each connected peer that tells it, once a second.
    pub rtt_us: Histogram,
    /// Interarrival jitter (RFC 3550 §6.4.1), µs, of what publishers send, by report.
    pub jitter_in_us: Histogram,
    /// The same of what subscribers receive, by their reports.
    pub jitter_out_us: Histogram,
    /// Fraction lost of what publishers send, millionths, by report.
    pub loss_in_ppm: Histogram,
    /// The same of what subscribers receive, by their reports.
    pub loss_out_ppm: Histogram,
}

impl Default for Distributions {
    fn default() -> Self {
        Self {
            forwarding_us: Histogram::new(FORWARDING_US),
            connect_us: [Histogram::new(CONNECT_US); crate::ConnectPhase::ALL.len()],
            rtt_us: Histogram::new(RTT_US),
            jitter_in_us: Histogram::new(JITTER_US),
            jitter_out_us: Histogram::new(JITTER_US),
            loss_in_ppm: Histogram::new(LOSS_PPM),
            loss_out_ppm: Histogram::new(LOSS_PPM),
        }
    }
}
