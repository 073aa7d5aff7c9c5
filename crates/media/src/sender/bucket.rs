//! How much may leave at once: a token bucket, so that a keyframe does not overflow the queue before
//! the narrowest link.
//!
//! It is filled only when it is found empty. So a packet that has room costs one subtraction and
//! one comparison, and no look at the time.

use std::time::{Duration, Instant};

/// What may leave at once: what the estimate makes in this time. Queues of home routers hold that
/// much at the least; more overflows them, less delays keyframes for nothing.
const BURST: Duration = Duration::from_millis(100);
/// The least of it: a frame of any size that a slow link is sent at all.
const BURST_MIN: f64 = 12_000.0;
/// What may leave without an estimate before it is looked for again.
const UNKNOWN: i64 = 32_000;
/// What is owed is sent at so many times the estimate, and of what flows anyway: what is held back
/// must catch up.
const FACTOR: f64 = 1.2;

/// A token bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Bytes; below zero if more than was allowed had to leave.
    left: i64,
    filled_at: Option<Instant>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            left: BURST_MIN as i64,
            filled_at: None,
        }
    }
}

impl Bucket {
    /// `bytes` leave.
    #[inline]
    pub(super) const fn take(&mut self, bytes: usize) {
        self.left -= bytes as i64;
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.left <= 0
    }

    /// Adds what has come in since it was filled last, of `rate` bits per second. Without a rate it
    /// is full: nothing tells that anything would be too much.
    pub(super) fn fill(&mut self, now: Instant, rate: Option<f64>, flowing: f64) {
        let elapsed = self
            .filled_at
            .replace(now)
            .map_or(BURST, |at| now.saturating_duration_since(at));
        let Some(rate) = rate else {
            self.left = UNKNOWN;
            return;
        };
        let most = (rate / 8.0 * BURST.as_secs_f64()).max(BURST_MIN);
        let came = pace(rate, flowing) / 8.0 * elapsed.as_secs_f64();
        self.left = (self.left as f64 + came).min(most) as i64;
    }
}

/// How fast what is held back is sent, bits per second.
pub(super) fn pace(rate: f64, flowing: f64) -> f64 {
    FACTOR * rate.max(flowing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    fn start() -> Instant {
        Instant::now()
    }

    /// Bytes that leave within `ms` if all that may leave does, in packets of 1,000.
    fn leaves(ms: u32, rate: Option<f64>, flowing: f64) -> usize {
        let start = start();
        let mut bucket = Bucket::default();
        bucket.fill(start, rate, flowing);
        let mut bytes = 0;
        for at in 0..ms {
            let now = start + Duration::from_millis(1) * at;
            for _ in 0..1_000 {
                if bucket.is_empty() {
                    bucket.fill(now, rate, flowing);
                }
                if bucket.is_empty() {
                    break;
                }
                bucket.take(1_000);
                bytes += 1_000;
            }
        }
        bytes
    }

    #[test]
    fn a_burst_leaves_at_once_and_the_rest_at_the_rate() {
        // 1 Mbit/s: 12 kB at once, then 150 kB a second.
        let at_once = leaves(1, Some(1e6), 0.0);
        assert!((12_000..=14_000).contains(&at_once), "{at_once}");
        let in_all = leaves(2_000, Some(1e6), 0.0);
        assert!((305_000..=315_000).contains(&in_all), "{in_all}");
    }

    #[test]
    fn what_flows_anyway_is_not_held_back() {
        let in_all = leaves(2_000, Some(100_000.0), 800_000.0);
        assert!(in_all > 2 * 100_000, "{in_all}");
    }

    #[test]
    fn without_an_estimate_nothing_is() {
        assert_eq!(leaves(10, None, 0.0), 10_000_000);
    }
}
