//! What receiver reports tell of a stream (RFC 3550 §6.4.1, A.3, A.8): packets expected and lost,
//! interarrival jitter, and when the last sender report came.
//!
//! Retransmissions are not counted, so what is reported is the loss of the network and not what is
//! left after repair.

use plenum_rtp::rtcp::{ReportBlock, SenderInfo};
use plenum_types::{NtpTime, RtpTimestamp, SequenceExtender, SequenceNumber, Ssrc};
use std::time::{Duration, Instant};

/// `cumulative number of packets lost` is a signed number of 24 bits.
const MAX_LOST: i64 = 0x7f_ffff;
const MIN_LOST: i64 = -0x80_0000;

/// Longest difference of two transit times that counts: sixteen times as much is what the jitter
/// can grow to, and must fit its field.
const MAX_DIFFERENCE: u32 = u32::MAX >> 5;

/// Reception of one SSRC.
#[derive(Debug)]
pub(super) struct Statistics {
    clock_rate: u32,
    extender: SequenceExtender,
    first: u64,
    received: u64,
    /// Expected and received at the last report.
    reported: (u64, u64),
    /// Clock ticks × 16, as RFC 3550 A.8 counts.
    jitter: u32,
    last_packet: Option<(Instant, RtpTimestamp)>,
    last_sender_report: Option<(Instant, NtpTime)>,
}

impl Statistics {
    pub(super) fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            extender: SequenceExtender::default(),
            first: 0,
            received: 0,
            reported: (0, 0),
            jitter: 0,
            last_packet: None,
            last_sender_report: None,
        }
    }

    /// A packet came that is no retransmission.
    pub(super) fn on_packet(&mut self, now: Instant, sequence: SequenceNumber, at: RtpTimestamp) {
        let extended = self.extender.extend(sequence);
        if self.received == 0 {
            self.first = extended;
            self.reported = (0, 0);
        }
        self.first = self.first.min(extended);
        self.received += 1;
        self.update_jitter(now, at);
    }

    /// RFC 3550 A.8. Packets of one picture share a timestamp and say nothing of the network.
    fn update_jitter(&mut self, now: Instant, at: RtpTimestamp) {
        let last = self.last_packet.replace((now, at));
        let Some((last_now, last_at)) = last.filter(|(_, last_at)| *last_at != at) else {
            return;
        };
        let elapsed = now.saturating_duration_since(last_now);
        let ticks = elapsed.as_micros() as i64 * i64::from(self.clock_rate) / 1_000_000;
        let difference = (ticks - i64::from(at.distance_from(last_at))).unsigned_abs();
        let difference =
            u32::try_from(difference).map_or(MAX_DIFFERENCE, |d| d.min(MAX_DIFFERENCE));
        let decay = (self.jitter + 8) >> 4;
        self.jitter = self.jitter.saturating_add(difference) - decay;
    }

    /// The sender jumped to `sequence` without meaning loss: counting goes on from there.
    pub(super) fn skip_to(&mut self, sequence: SequenceNumber) {
        let before = self.extender.newest();
        let after = self.extender.extend(sequence);
        let skipped = after.saturating_sub(before.map_or(after, |before| before + 1));
        self.first += skipped;
    }

    /// The sender told its clock.
    pub(super) fn on_sender_report(&mut self, now: Instant, info: &SenderInfo) {
        self.last_sender_report = Some((now, info.ntp));
    }

    /// When the last packet came.
    pub(super) fn last_packet(&self) -> Option<Instant> {
        self.last_packet.map(|(at, _)| at)
    }

    /// The block about `ssrc` for a report sent now; starts the next interval. `None` before the
    /// first packet.
    pub(super) fn report(&mut self, now: Instant, ssrc: Ssrc) -> Option<ReportBlock> {
        let newest = self.extender.newest().filter(|_| self.received > 0)?;
        let expected = newest - self.first + 1;
        let lost = expected.cast_signed() - self.received.cast_signed();
        let (expected_before, received_before) = self.reported;
        self.reported = (expected, self.received);
        let (last_sr, delay_since_last_sr) = self.sender_report_age(now);
        Some(ReportBlock {
            ssrc,
            fraction_lost: fraction(expected - expected_before, self.received - received_before),
            cumulative_lost: lost.clamp(MIN_LOST, MAX_LOST) as i32,
            // Cycles count from zero.
            highest_sequence: (newest as u32).wrapping_sub(1 << 16),
            jitter: self.jitter >> 4,
            last_sr,
            delay_since_last_sr,
        })
    }

    /// Interarrival jitter.
    pub(super) fn jitter(&self) -> Duration {
        let ticks = u64::from(self.jitter >> 4);
        Duration::from_micros(ticks * 1_000_000 / u64::from(self.clock_rate))
    }

    /// LSR and DLSR, in 1/65,536 s; zero if there was no sender report.
    fn sender_report_age(&self, now: Instant) -> (u32, u32) {
        let Some((came, ntp)) = self.last_sender_report else {
            return (0, 0);
        };
        let age = now.saturating_duration_since(came);
        (ntp.middle(), compact(age))
    }
}

/// Lost of expected packets in 1/256; zero if duplicates outnumber the lost.
fn fraction(expected: u64, received: u64) -> u8 {
    let lost = expected.saturating_sub(received);
    (lost * 256).checked_div(expected).unwrap_or(0).min(255) as u8
}

/// A duration in units of 1/65,536 s.
fn compact(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros() * 65_536 / 1_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_timestamps_make_the_jitter_overflow() {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests need some origin; only differences count"
        )]
        let start = Instant::now();
        let mut statistics = Statistics::new(90_000);
        // So long a pause that the difference is just below 2^32 ticks.
        let pause = Duration::from_micros(23_860_929_400);
        for (sequence, at) in [(0, 0), (1, 1 << 31), (2, 0), (3, 1 << 31)] {
            let now = start + pause * u32::from(sequence);
            statistics.on_packet(now, SequenceNumber(sequence), RtpTimestamp(at));
        }
        assert!(statistics.jitter <= 16 * MAX_DIFFERENCE);
    }
}
