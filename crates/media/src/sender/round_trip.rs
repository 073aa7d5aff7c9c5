//! Round trip time from report blocks (RFC 3550 §6.4.1): the time since our sender report, less
//! the time that the peer held it. Until there is one, from transport-wide feedback, which does not
//! tell how long the peer held it: the least since the start.

use plenum_rtp::rtcp::ReportBlock;
use plenum_types::NtpTime;
use std::time::Duration;

/// Longest round trip believed, in 1/65,536 s. A longer one is a clock that was set, or a lie.
const LONGEST: i32 = 10 << 16;

/// Share of a new sample, as a shift: 1/8, like TCP's.
const SMOOTHING: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct RoundTrip {
    smoothed: Option<Duration>,
    by_feedback: Option<Duration>,
}

impl RoundTrip {
    pub(super) fn on_report_block(&mut self, ntp_now: NtpTime, block: &ReportBlock) {
        if block.last_sr == 0 {
            return;
        }
        let ticks = ntp_now
            .middle()
            .wrapping_sub(block.last_sr)
            .wrapping_sub(block.delay_since_last_sr)
            .cast_signed();
        // The peer's delay is rounded: a short way can come out just below zero.
        if !(-65..LONGEST).contains(&ticks) {
            return;
        }
        let sample = Duration::from_micros(ticks.max(0) as u64 * 1_000_000 / 65_536);
        self.smoothed = Some(match self.smoothed {
            None => sample,
            Some(smoothed) => smoothed - smoothed / (1 << SMOOTHING) + sample / (1 << SMOOTHING),
        });
    }

    /// Feedback has come about a packet that left `ago`, the newest that it tells of.
    pub(super) fn on_feedback(&mut self, ago: Duration) {
        let least = self.by_feedback.map_or(ago, |least| least.min(ago));
        self.by_feedback = Some(least);
    }

    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.smoothed.or(self.by_feedback)
    }
}
