//! Which of the newest indexes of a stream have been seen: SRTP's replay window (RFC 3711 §3.3.2)
//! and the receiver's memory of duplicates. A ring of words (RFC 6479): going forward clears whole
//! words, nothing is shifted.
//!
//! Invariant: a set bit means that the index was accepted; bits of indexes ahead of the newest
//! are clear.

/// Words of 64 packets. RFC 3711 asks for at least 64 packets. More admits later packets: a
/// retransmission without RTX (RFC 4588) comes some hundred packets late. Fewer saves memory.
const WORDS: u64 = 16;

/// Indexes this far behind the newest can still be told apart. One word less than there are bits,
/// because the word of the newest index is only partly in the past.
const WINDOW: u64 = (WORDS - 1) * 64;

/// Which packet indexes have been seen.
#[derive(Clone, Debug)]
pub(crate) struct SeenWindow {
    newest: u64,
    words: [u64; WORDS as usize],
}

impl SeenWindow {
    /// A window that has accepted `first` only.
    pub(crate) fn starting_at(first: u64) -> Self {
        let mut window = Self {
            newest: first,
            words: [0; WORDS as usize],
        };
        window.accept(first);
        window
    }

    /// The newest index accepted.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether `index` has not been accepted yet, and is not too old to tell.
    pub(crate) fn is_fresh(&self, index: u64) -> bool {
        if index > self.newest {
            return true;
        }
        self.newest - index < WINDOW && self.words[word_of(index)] & bit_of(index) == 0
    }

    /// Remembers a fresh `index`.
    pub(crate) fn accept(&mut self, index: u64) {
        if index > self.newest {
            self.advance(index);
        }
        self.words[word_of(index)] |= bit_of(index);
    }

    fn advance(&mut self, index: u64) {
        let words_ahead = (index / 64 - self.newest / 64).min(WORDS);
        for ahead in 1..=words_ahead {
            self.words[word_of(self.newest + ahead * 64)] = 0;
        }
        self.newest = index;
    }
}

const fn word_of(index: u64) -> usize {
    ((index / 64) % WORDS) as usize
}

const fn bit_of(index: u64) -> u64 {
    1 << (index % 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn agrees_with_a_set_of_everything_seen(
            first in 0_u64..5_000,
            steps in proptest::collection::vec(-1_100_i64..1_200, 1..400),
        ) {
            let mut window = SeenWindow::starting_at(first);
            let mut seen = BTreeSet::from([first]);
            for step in steps {
                let index = window.newest().saturating_add_signed(step);
                let newest = *seen.last().unwrap();
                let expected = index > newest
                    || (newest - index < WINDOW && !seen.contains(&index));
                prop_assert_eq!(window.is_fresh(index), expected);
                if expected {
                    window.accept(index);
                    seen.insert(index);
                }
            }
        }
    }
}
