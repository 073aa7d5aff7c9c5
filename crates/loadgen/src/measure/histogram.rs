//! Microseconds, for percentiles: log-linear buckets in constant memory, cheap to record into.

use hdrhistogram::Histogram as Buckets;

/// Significant decimal digits: a percentile is at most 1 % too high. Each more costs eight
/// times the memory, and the buckets no longer stay in the first-level cache.
const DIGITS: u8 = 2;
/// Longer is recorded as this: a minute is a failure, whatever its length.
const LONGEST_US: u64 = 60_000_000;

/// A distribution of durations in whole microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    buckets: Buckets<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = Buckets::new_with_bounds(1, LONGEST_US, DIGITS);
        Self {
            buckets: buckets.expect("the bounds are constants that a test has tried"),
        }
    }
}

impl Histogram {
    /// Counts one more duration, in microseconds.
    pub(crate) fn record(&mut self, value_us: u64) {
        self.buckets.saturating_record(value_us);
    }

    /// Adds all that `other` counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.buckets
            .add(&other.buckets)
            .expect("all histograms have the same bounds");
    }

    /// Forgets everything and keeps the memory.
    #[cfg(test)]
    pub(crate) fn clear(&mut self) {
        self.buckets.reset();
    }

    /// Returns what was counted and starts anew.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// How many were counted.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        self.buckets.len()
    }

    /// Whether nothing was counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// The duration that `share` (0 to 1) of all do not exceed, in microseconds; `None` if
    /// nothing was counted.
    pub(crate) fn percentile_us(&self, share: f64) -> Option<u64> {
        let found = || self.buckets.value_at_quantile(share).min(LONGEST_US);
        (!self.is_empty()).then(found)
    }

    /// The longest, in microseconds; `None` if nothing was counted.
    pub(crate) fn max_us(&self) -> Option<u64> {
        (!self.is_empty()).then(|| self.buckets.max().min(LONGEST_US))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.record(value);
        }
        histogram
    }

    #[test]
    fn nothing_has_no_percentiles() {
        let histogram = Histogram::default();
        assert_eq!(histogram.percentile_us(0.5), None);
        assert_eq!(histogram.max_us(), None);
    }

    #[test]
    fn percentiles_are_right_to_a_hundredth() {
        let histogram = of(1..=100_000);
        for (share, exact) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.999, 99_900.0)] {
            let found = histogram.percentile_us(share).unwrap() as f64;
            assert!((exact..=exact * 1.01).contains(&found), "{share}: {found}");
        }
    }

    #[test]
    fn too_long_counts_as_the_longest() {
        let histogram = of([u64::MAX, 0]);
        assert_eq!(histogram.len(), 2);
        assert_eq!(histogram.max_us(), Some(LONGEST_US));
        assert_eq!(histogram.percentile_us(0.5), Some(0));
    }

    #[test]
    fn merging_is_counting_both() {
        let mut merged = of(1..=50);
        merged.merge(&of(51..=100));
        assert_eq!(merged.len(), 100);
        assert_eq!(merged.percentile_us(0.5), Some(50));
        let taken = merged.take();
        assert!(merged.is_empty());
        assert_eq!(taken.len(), 100);
    }
}
