//! Better layers that were tried and did not last: each failure makes the next try wait longer, so
//! that a link between two layers is not tried for ever.

use std::time::{Duration, Instant};

/// A better layer that is lost again within this has failed.
const TRIAL: Duration = Duration::from_secs(12);
/// How long the first failure counts, and the most.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(80);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attempts {
    raised_at: Option<Instant>,
    failures: u32,
    failed_until: Option<Instant>,
}

impl Attempts {
    /// A better layer was given than before, or a first one.
    pub(crate) fn on_raised(&mut self, now: Instant) {
        self.raised_at = Some(now);
    }

    /// A layer was taken away for want of bandwidth.
    pub(crate) fn on_lowered(&mut self, now: Instant) {
        let lasted = self
            .raised_at
            .take()
            .is_none_or(|at| now.saturating_duration_since(at) > TRIAL);
        self.failures = if lasted { 0 } else { self.failures + 1 };
        let wait = FIRST * 2_u32.pow(self.failures.min(3));
        self.failed_until = Some(now + wait.min(LONGEST));
    }

    /// Whether the last failure still counts.
    pub(crate) fn has_failed(&self, now: Instant) -> bool {
        self.failed_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn each_failure_counts_longer() {
        let mut attempts = Attempts::default();
        assert!(!attempts.has_failed(at(0)));
        attempts.on_raised(at(0));
        attempts.on_lowered(at(30_000));
        assert!(attempts.has_failed(at(39_000)));
        assert!(!attempts.has_failed(at(41_000)));
        attempts.on_raised(at(41_000));
        attempts.on_lowered(at(45_000));
        assert!(attempts.has_failed(at(64_000)));
        assert!(!attempts.has_failed(at(66_000)));
    }
}
