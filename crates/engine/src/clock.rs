//! The shard's clock: `Instant` comes in as an argument, NTP time and abs-send-time follow.

use plenum_types::NtpTime;
use std::time::Instant;

/// Maps monotonic time to NTP time by one pair taken at start, so that it never jumps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardClock {
    start: Instant,
    ntp_start: NtpTime,
}

impl ShardClock {
    pub(crate) fn new(start: Instant, ntp_start: NtpTime) -> Self {
        Self { start, ntp_start }
    }

    /// NTP time at `now`.
    pub(crate) fn ntp(&self, now: Instant) -> NtpTime {
        self.ntp_start
            .plus(now.saturating_duration_since(self.start))
    }

    /// The abs-send-time header extension at `now`: seconds in 6.18 fixed point, 24 bits.
    pub(crate) fn abs_send_time(&self, now: Instant) -> u32 {
        ((self.ntp(now).0 >> 14) & 0x00ff_ffff) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn abs_send_time_counts_in_units_of_a_quarter_of_a_million() {
        #[expect(clippy::disallowed_methods, reason = "only differences count")]
        let start = Instant::now();
        let clock = ShardClock::new(start, NtpTime(5 << 32));
        assert_eq!(clock.abs_send_time(start), 5 << 18);
        assert_eq!(
            clock.abs_send_time(start + Duration::from_millis(500)),
            (5 << 18) + (1 << 17)
        );
        assert_eq!(
            clock.abs_send_time(start + Duration::from_secs(60)),
            1 << 18
        );
    }
}
