//! What the link carried when it was last overused, and how much that varies: near it the rate
//! rises carefully, far from it fast (draft-ietf-rmcat-gcc-02 §5.5).

/// Share of a new sample.
const SHARE: f64 = 0.05;
/// Bounds of the variance, in kbit/s per kbit/s of capacity.
const VARIANCE_MIN: f64 = 0.4;
const VARIANCE_MAX: f64 = 2.5;
/// Deviations that still count as near.
const NEAR: f64 = 3.0;

#[derive(Clone, Copy, Debug)]
pub(super) struct LinkCapacity {
    known: Option<Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    kbps: f64,
    /// Of the deviation, relative to the capacity.
    variance: f64,
}

impl LinkCapacity {
    /// Before the first overuse.
    pub(super) const UNKNOWN: Self = Self { known: None };

    /// `acknowledged` bits per second came through when the link was overused.
    pub(super) fn on_overuse(&mut self, acknowledged: f64) {
        let sample = acknowledged / 1_000.0;
        if self.known.is_some_and(|known| sample < known.lowest()) {
            self.known = None;
        }
        let Some(known) = self.known else {
            self.known = Some(Known {
                kbps: sample,
                variance: VARIANCE_MIN,
            });
            return;
        };
        let kbps = (1.0 - SHARE) * known.kbps + SHARE * sample;
        let error = kbps - sample;
        let variance = (1.0 - SHARE) * known.variance + SHARE * error * error / kbps.max(1.0);
        self.known = Some(Known {
            kbps,
            variance: variance.clamp(VARIANCE_MIN, VARIANCE_MAX),
        });
    }

    /// More came through than the link was believed to carry: it is another link.
    pub(super) fn on_acknowledged(&mut self, acknowledged: f64) {
        if self
            .known
            .is_some_and(|known| acknowledged / 1_000.0 > known.highest())
        {
            self.known = None;
        }
    }

    /// Bits per second.
    pub(super) fn bits_per_second(&self) -> Option<f64> {
        self.known.map(|known| known.kbps * 1_000.0)
    }

    pub(super) fn forget(&mut self) {
        self.known = None;
    }
}

impl Known {
    fn deviation(&self) -> f64 {
        (self.variance * self.kbps).sqrt()
    }

    fn highest(&self) -> f64 {
        self.kbps + NEAR * self.deviation()
    }

    fn lowest(&self) -> f64 {
        (self.kbps - NEAR * self.deviation()).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_link_until_it_is_another() {
        let mut capacity = LinkCapacity::UNKNOWN;
        for sample in [500_000.0, 510_000.0, 490_000.0] {
            capacity.on_overuse(sample);
        }
        let known = capacity.bits_per_second().unwrap();
        assert!((490_000.0..510_000.0).contains(&known));
        capacity.on_acknowledged(505_000.0);
        assert!(capacity.bits_per_second().is_some());
        capacity.on_acknowledged(800_000.0);
        assert!(capacity.bits_per_second().is_none());
    }

    #[test]
    fn a_much_smaller_sample_replaces_it() {
        let mut capacity = LinkCapacity::UNKNOWN;
        capacity.on_overuse(2_000_000.0);
        capacity.on_overuse(300_000.0);
        assert_eq!(capacity.bits_per_second(), Some(300_000.0));
    }
}
