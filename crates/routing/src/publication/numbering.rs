//! Numbers of a sequence without the members that are left out.
//!
//! Some numbers of a stream are not forwarded on purpose: padding, temporal layers above a limit.
//! The numbers behind them move up, so that the receiver sees no gap, while numbers that are
//! merely missing keep their place, so that the receiver can ask for them. A number that arrives
//! late gets the place that was kept for it: the count of left-out numbers before each recent
//! number is remembered.
//!
//! Invariant: `place` never maps two kept numbers to one place, and kept numbers with nothing but
//! skipped ones between them have adjacent places. A number that turns out to be skippable only
//! after newer ones were placed leaves a hole, as a lost one does.

/// How many numbers back a late one still finds its place. Power of two. Raising it costs four
/// bytes each per stream; 512 packets are about two seconds of video at 2.5 Mbit/s.
const WINDOW: usize = 512;
const MASK: u64 = WINDOW as u64 - 1;

/// Maps numbers to their places.
#[derive(Clone, Debug)]
pub(crate) struct Numbering {
    newest: Option<u64>,
    skipped: u32,
    /// Skipped numbers before each number of the window.
    before: Box<[u32; WINDOW]>,
}

impl Default for Numbering {
    fn default() -> Self {
        Self {
            newest: None,
            skipped: 0,
            before: Box::new([0; WINDOW]),
        }
    }
}

impl Numbering {
    /// `number` has arrived and takes a place.
    pub(crate) fn on_kept(&mut self, number: u64) {
        self.advance(number);
    }

    /// `number` has arrived and takes no place. A repetition changes nothing.
    pub(crate) fn on_skipped(&mut self, number: u64) {
        if self.advance(number) {
            self.skipped += 1;
        }
    }

    /// The place of `number`; `None` if it is too old to tell.
    pub(crate) fn place(&self, number: u64) -> Option<u64> {
        let newest = self.newest?;
        if number > newest {
            return Some(number - u64::from(self.skipped));
        }
        if self.skipped == 0 {
            return Some(number);
        }
        if newest - number >= WINDOW as u64 {
            return None;
        }
        number.checked_sub(u64::from(self.before[(number & MASK) as usize]))
    }

    /// The kept number at `place`; `None` if it is too old to tell or not reached yet.
    pub(crate) fn number_at(&self, place: u64) -> Option<u64> {
        let newest = self.newest?;
        let mut number = (place + u64::from(self.skipped)).min(newest);
        // Places never decrease with numbers; among equal ones the last is the kept one.
        for _ in 0..WINDOW {
            let found = self.place(number)?;
            if found <= place {
                return (found == place).then_some(number);
            }
            number = number.checked_sub(1)?;
        }
        None
    }

    /// Makes `number` the newest. False if it was not newer.
    fn advance(&mut self, number: u64) -> bool {
        let first = match self.newest {
            Some(newest) if number <= newest => return false,
            Some(newest) => (newest + 1).max(number.saturating_sub(MASK)),
            None => number,
        };
        for passed in first..=number {
            self.before[(passed & MASK) as usize] = self.skipped;
        }
        self.newest = Some(number);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_skipped_number_closes_up_and_a_missing_one_does_not() {
        let mut numbering = Numbering::default();
        numbering.on_kept(100);
        numbering.on_skipped(101);
        numbering.on_kept(103);
        assert_eq!(numbering.place(100), Some(100));
        assert_eq!(numbering.place(102), Some(101));
        assert_eq!(numbering.place(103), Some(102));
        assert_eq!(numbering.number_at(102), Some(103));
    }

    #[test]
    fn a_late_number_gets_the_place_from_before_the_skip() {
        let mut numbering = Numbering::default();
        numbering.on_kept(9);
        numbering.on_skipped(11);
        numbering.on_kept(12);
        numbering.on_kept(10);
        assert_eq!(numbering.place(10), Some(10));
        assert_eq!(numbering.place(12), Some(11));
    }

    #[test]
    fn what_fell_out_of_the_window_has_no_place() {
        let mut numbering = Numbering::default();
        numbering.on_kept(1_000);
        numbering.on_skipped(1_001);
        numbering.on_kept(1_001 + 600);
        assert_eq!(numbering.place(1_000), None);
        assert_eq!(numbering.place(1_001 + 100), Some(1_001 + 99));
    }

    proptest! {
        #[test]
        fn places_are_distinct_ordered_and_found_again(
            steps in proptest::collection::vec((1_u64..4, any::<bool>()), 1..300),
        ) {
            let mut numbering = Numbering::default();
            let mut kept = BTreeMap::new();
            let mut newest = 70_000_u64;
            for (step, keep) in steps {
                newest += step;
                if keep {
                    numbering.on_kept(newest);
                    kept.insert(newest, numbering.place(newest).unwrap());
                } else {
                    numbering.on_skipped(newest);
                }
            }
            let places: Vec<_> = kept.values().copied().collect();
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
            for (number, place) in &kept {
                if numbering.place(*number).is_some() {
                    prop_assert_eq!(numbering.place(*number), Some(*place));
                    prop_assert_eq!(numbering.number_at(*place), Some(*number));
                }
            }
        }
    }
}
