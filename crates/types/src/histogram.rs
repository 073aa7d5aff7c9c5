//! Distributions of values: how many fell into each class. Plain numbers, as everything that a
//! shard counts.

/// Most classes that have an upper bound.
const CLASSES_MAX: usize = 16;

/// How many values fell between which bounds, since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram {
    bounds: &'static [u64],
    /// By class; the last one is for what exceeds all bounds.
    counts: [u64; CLASSES_MAX + 1],
    sum: u64,
}

impl Histogram {
    /// Nothing yet. `bounds` are the largest values of the classes, rising, at most 16.
    pub const fn new(bounds: &'static [u64]) -> Self {
        assert!(bounds.len() <= CLASSES_MAX, "too many classes");
        Self {
            bounds,
            counts: [0; CLASSES_MAX + 1],
            sum: 0,
        }
    }

    /// Counts a value.
    pub fn record(&mut self, value: u64) {
        let class = self.bounds.partition_point(|bound| *bound < value);
        self.counts[class] += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// Adds what `other`, with the same bounds, has counted.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.bounds, other.bounds, "of the same kind");
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum.
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// For each bound, how many values are not above it.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.counts.iter().scan(0, |total, count| {
            *total += count;
            Some(*total)
        });
        self.bounds.iter().copied().zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: &[u64] = &[0, 10, 20];

    #[test]
    fn a_bound_belongs_to_its_class_and_what_exceeds_all_is_counted() {
        let mut histogram = Histogram::new(BOUNDS);
        for value in [0, 1, 10, 11, 20, 21, 1_000] {
            histogram.record(value);
        }
        let cumulative: Vec<_> = histogram.cumulative().collect();
        assert_eq!(cumulative, [(0, 1), (10, 3), (20, 5)]);
        assert_eq!((histogram.count(), histogram.sum()), (7, 1_063));
    }

    #[test]
    fn merging_adds_class_by_class() {
        let mut one = Histogram::new(BOUNDS);
        one.record(5);
        let mut other = one;
        other.record(15);
        one.merge(&other);
        let cumulative: Vec<_> = one.cumulative().collect();
        assert_eq!(cumulative, [(0, 0), (10, 2), (20, 3)]);
        assert_eq!(one.sum(), 25);
    }
}
