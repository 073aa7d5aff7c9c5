//! Virtual time.
//!
//! `Instant` cannot be made from nothing, so one real reading serves as origin; only differences
//! from it are ever used, so a run does not depend on when it was started.

use std::time::{Duration, Instant};

use plenum_types::NtpTime;

/// Wall-clock time at the origin: 1 January 2026, 00:00 UTC. Any constant would do.
const NTP_ORIGIN: NtpTime = NtpTime(3_976_214_400 << 32);

/// The one clock of a simulation. It moves only when told to.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Instant,
    now: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// A clock at its origin.
    #[expect(
        clippy::disallowed_methods,
        reason = "an origin is needed; only differences from it count"
    )]
    pub fn new() -> Self {
        let origin = Instant::now();
        Self {
            origin,
            now: origin,
        }
    }

    /// The time at which the simulation began.
    pub const fn origin(&self) -> Instant {
        self.origin
    }

    /// The virtual time now.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Virtual time since the origin.
    pub fn elapsed(&self) -> Duration {
        self.now - self.origin
    }

    /// Moves to `at`; never back.
    pub fn advance_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
    }

    /// Wall-clock time at the origin.
    pub const fn ntp_origin() -> NtpTime {
        NTP_ORIGIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_forward_only() {
        let mut clock = Clock::new();
        let later = clock.origin() + Duration::from_secs(1);
        clock.advance_to(later);
        clock.advance_to(clock.origin());
        assert_eq!(clock.now(), later);
        assert_eq!(clock.elapsed(), Duration::from_secs(1));
    }
}
