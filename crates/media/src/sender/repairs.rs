//! How much may be sent again while the way is congested. What a full queue drops is asked for
//! again at once; answering all of it would keep the queue full.

use std::time::{Duration, Instant};

/// Share of the estimate that repairs may take.
const SHARE: f64 = 0.2;
/// So much may be sent at once: what the share makes in this time.
const BURST: Duration = Duration::from_millis(500);

/// A token bucket.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// Bytes.
    tokens: f64,
    filled_at: Option<Instant>,
}

impl Repairs {
    /// Whether `bytes` may be sent again now, at an estimate of `rate` bits per second.
    pub(super) fn take(&mut self, now: Instant, bytes: usize, rate: f64) -> bool {
        let per_second = SHARE * rate / 8.0;
        let most = per_second * BURST.as_secs_f64();
        let elapsed = self
            .filled_at
            .replace(now)
            .map_or(BURST, |at| now.saturating_duration_since(at));
        self.tokens = (self.tokens + per_second * elapsed.as_secs_f64()).min(most);
        let allowed = self.tokens >= bytes as f64;
        if allowed {
            self.tokens -= bytes as f64;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_rate_is_allowed() {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests need some origin; only differences count"
        )]
        let start = Instant::now();
        let mut repairs = Repairs::default();
        let allowed = (0..10_000_u32)
            .filter(|ms| repairs.take(start + Duration::from_millis(1) * *ms, 1_000, 400_000.0))
            .count();
        // 10,000 bytes a second for ten seconds, and the burst of half a second before.
        assert!((100..=106).contains(&allowed), "{allowed}");
    }
}
