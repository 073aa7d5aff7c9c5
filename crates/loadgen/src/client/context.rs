//! What is lent to a client while it is at work.

use std::time::{Duration, Instant, SystemTime};

use plenum_types::NtpTime;

use super::{Identity, Outbox};
use crate::measure::{Counters, Histogram};

/// Seconds from 1900 to 1970.
const NTP_EPOCH_S: u64 = 2_208_988_800;

/// The clocks of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// The clocks of a run that began at `start`.
    pub(crate) const fn new(start: Instant) -> Self {
        Self { start }
    }

    /// Since the run began.
    pub(crate) fn since_start(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    /// The wall clock, in microseconds since 1970.
    pub(crate) fn wall_us(&self) -> u64 {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_micros() as u64)
    }

    /// A moment of the wall clock as RTCP writes it.
    pub(crate) fn ntp(&self, wall_us: u64) -> NtpTime {
        NtpTime(NTP_EPOCH_S << 32).plus(Duration::from_micros(wall_us))
    }
}

/// What is counted, by all clients of a thread.
pub(crate) struct Tally {
    /// Since the thread began.
    pub(crate) counters: Counters,
    /// Latency since it was last taken.
    pub(crate) latency: Histogram,
    /// Of so many packets of a stream one is decrypted.
    pub(crate) sample_every: u16,
}

impl Tally {
    /// Nothing counted yet.
    pub(crate) fn new(sample_every: u16) -> Self {
        Self {
            counters: Counters::default(),
            latency: Histogram::default(),
            sample_every: sample_every.max(1),
        }
    }
}

/// What is lent to a client while it is at work.
pub(crate) struct Context<'a> {
    /// Read once per tick.
    pub(crate) now: Instant,
    pub(crate) clock: &'a Clock,
    pub(crate) identity: &'a Identity,
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) tally: &'a mut Tally,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_counts_from_1900() {

        let clock = Clock::new(Instant::now());
        let ntp = clock.ntp(1_500_000);
        assert_eq!(ntp.0 >> 32, NTP_EPOCH_S + 1);
        assert_eq!(ntp.0 as u32, 1 << 31);
    }
}
