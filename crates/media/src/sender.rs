//! The send side of a peer: transport-wide sequence numbers, and from the feedback about them an
//! estimate of what the way to the peer carries.

mod estimator;
mod history;
mod round_trip;
#[cfg(test)]
mod tests;

use crate::transport_feedback::Statuses;
use estimator::Estimator;
use history::History;
use plenum_rtp::rtcp::ReportBlock;
use plenum_types::{Bitrate, NtpTime};
use round_trip::RoundTrip;
use std::time::{Duration, Instant};

/// Numbers outgoing packets and estimates bandwidth, round trip time and loss.
///
/// Call [`next_transport_sequence`](Self::next_transport_sequence) for every packet that carries
/// the number, and hand in all feedback of the peer; then read the estimates.
pub struct Sender {
    history: History,
    estimator: Estimator,
    round_trip: RoundTrip,
    remb: Option<Bitrate>,
    fraction_lost: u8,
}

impl Default for Sender {
    fn default() -> Self {
        Self::new()
    }
}

impl Sender {
    /// Nothing sent, nothing known.
    pub fn new() -> Self {
        Self {
            history: History::default(),
            estimator: Estimator::new(),
            round_trip: RoundTrip::default(),
            remb: None,
            fraction_lost: 0,
        }
    }

    /// The transport-wide sequence number of a packet of `size` bytes that leaves now. Does not
    /// allocate, except for the first packet.
    pub fn next_transport_sequence(&mut self, now: Instant, size: usize) -> u16 {
        self.history.add(now, size)
    }

    /// Reads a transport-wide feedback packet, RTCP header included. What does not parse, or is
    /// about packets never sent, is ignored.
    pub fn handle_transport_feedback(&mut self, now: Instant, raw: &[u8]) {
        let Some(statuses) = Statuses::new(raw) else {
            return;
        };
        let fates = self.history.resolve(now, statuses);
        self.estimator.on_fates(now, &fates);
    }

    /// The receiver's own estimate (REMB), up to the most that ours may say. It counts where there
    /// is no transport-wide feedback.
    pub fn handle_remb(&mut self, bitrate: Bitrate) {
        self.remb = Some(bitrate.min(Estimator::HIGHEST));
    }

    /// A report block of the peer about a stream of ours (RFC 3550 §6.4.1). `ntp_now` is the clock
    /// that our sender reports show.
    pub fn on_report_block(&mut self, _now: Instant, ntp_now: NtpTime, block: &ReportBlock) {
        self.round_trip.on_report_block(ntp_now, block);
        self.fraction_lost = block.fraction_lost;
    }

    /// What the way to the peer carries. `None` until there was feedback.
    pub fn estimate(&self) -> Option<Bitrate> {
        self.estimator.estimate().or(self.remb)
    }

    /// Smoothed round trip time. `None` until a report block answered a sender report.
    pub fn rtt(&self) -> Option<Duration> {
        self.round_trip.smoothed()
    }

    /// Lost packets of the latest report block, 0 to 1.
    pub fn loss(&self) -> f32 {
        f32::from(self.fraction_lost) / 256.0
    }
}
