//! Counters that wrap: RTP sequence numbers (16 bits) and timestamps (32 bits).

/// RTP sequence number. Compare by [`SequenceNumber::is_newer_than`], never by `<`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SequenceNumber(pub u16);

impl SequenceNumber {
    /// `self + delta`, wrapping.
    #[must_use]
    pub const fn plus(self, delta: u16) -> Self {
        Self(self.0.wrapping_add(delta))
    }

    /// Signed distance from `other` to `self`, −32,768 to 32,767.
    pub const fn distance_from(self, other: Self) -> i16 {
        self.0.wrapping_sub(other.0).cast_signed()
    }

    /// Whether `self` comes after `other` (RFC 1982 arithmetic).
    pub const fn is_newer_than(self, other: Self) -> bool {
        self.distance_from(other) > 0
    }
}

/// RTP timestamp in units of the codec's clock. Wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RtpTimestamp(pub u32);

impl RtpTimestamp {
    /// `self + delta`, wrapping.
    #[must_use]
    pub const fn plus(self, delta: u32) -> Self {
        Self(self.0.wrapping_add(delta))
    }

    /// The timestamp `delta` before it.
    pub const fn minus(self, delta: u32) -> Self {
        Self(self.0.wrapping_sub(delta))
    }

    /// Signed distance from `other` to `self` in clock ticks.
    pub const fn distance_from(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0).cast_signed()
    }

    /// Whether `self` comes after `other`.
    pub const fn is_newer_than(self, other: Self) -> bool {
        self.distance_from(other) > 0
    }
}

/// Unwraps sequence numbers into a count that does not wrap.
///
/// Each number is placed within ±32,768 of the newest one seen; an older number does not move
/// the reference.
#[derive(Clone, Copy, Debug, Default)]
pub struct SequenceExtender {
    newest: Option<u64>,
}

/// Where counting starts: late enough that packets older than the first stay above zero.
const FIRST_CYCLE: u64 = 1 << 16;

impl SequenceExtender {
    /// The extended number of `sequence`. Its lower 16 bits are `sequence`.
    pub fn extend(&mut self, sequence: SequenceNumber) -> u64 {
        let Some(newest) = self.newest else {
            let first = FIRST_CYCLE + u64::from(sequence.0);
            self.newest = Some(first);
            return first;
        };
        let distance = sequence.distance_from(SequenceNumber(newest as u16));
        let extended = newest.saturating_add_signed(i64::from(distance));
        self.newest = Some(newest.max(extended));
        extended
    }

    /// The newest extended number seen.
    pub fn newest(&self) -> Option<u64> {
        self.newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn newer_survives_the_wrap() {
        assert!(SequenceNumber(2).is_newer_than(SequenceNumber(65_534)));
        assert!(!SequenceNumber(65_534).is_newer_than(SequenceNumber(2)));
        assert!(RtpTimestamp(5).is_newer_than(RtpTimestamp(u32::MAX - 5)));
    }

    proptest! {
        #[test]
        fn extending_follows_steps_of_less_than_half_the_space(
            start: u16,
            steps in proptest::collection::vec(-1_000_i64..1_000, 1..200),
        ) {
            let mut extender = SequenceExtender::default();
            let first = extender.extend(SequenceNumber(start));
            let mut truth = 0_i64;
            for step in steps {
                // Never fall behind the newest by half the space.
                truth = (truth + step).max(-20_000);
                let sequence = SequenceNumber(start.wrapping_add(truth as u16));
                let newest = extender.newest().unwrap();
                prop_assume!((first.cast_signed() + truth - newest.cast_signed()).abs() < 32_000);
                prop_assert_eq!(extender.extend(sequence), first.saturating_add_signed(truth));
            }
        }
    }
}
