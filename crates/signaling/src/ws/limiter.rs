//! A token bucket: so many messages a second, and a burst after a pause.

use std::time::Instant;

/// The bucket.
#[derive(Debug)]
pub(super) struct Limiter {
    per_second: f64,
    burst: f64,
    tokens: f64,
    refilled: Instant,
}

impl Limiter {
    /// A full bucket.
    pub(super) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self {
            per_second: f64::from(per_second),
            burst: f64::from(burst),
            tokens: f64::from(burst),
            refilled: now,
        }
    }

    /// Takes one; false if there is none.
    pub(super) fn try_take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.burst);
        self.refilled = now;
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn allows_a_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut limiter = Limiter::new(50, 200, start);
        let taken = (0..500).filter(|_| limiter.try_take(start)).count();
        assert_eq!(taken, 200);
        let later = start + Duration::from_secs(1);
        let taken = (0..500).filter(|_| limiter.try_take(later)).count();
        assert_eq!(taken, 50);
    }
}
