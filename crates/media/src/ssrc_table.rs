//! A small bounded map from SSRC to state: sorted keys beside their values.
//!
//! A peer has a handful to some hundred SSRCs. Their keys fit a few cache lines, so that a binary
//! search over them costs less than a hash. Nothing allocates except the insertion of a new SSRC.

use plenum_types::Ssrc;

/// At most `LIMIT` SSRCs with a value each.
#[derive(Debug)]
pub(crate) struct SsrcTable<T, const LIMIT: usize> {
    /// Sorted.
    keys: Vec<Ssrc>,
    /// `values[i]` belongs to `keys[i]`.
    values: Vec<T>,
}

/// The table holds as many SSRCs as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableFull;

impl<T, const LIMIT: usize> Default for SsrcTable<T, LIMIT> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T, const LIMIT: usize> SsrcTable<T, LIMIT> {
    /// The value of `ssrc`, to be changed.
    pub(crate) fn find_mut(&mut self, ssrc: Ssrc) -> Option<&mut T> {
        let place = self.keys.binary_search(&ssrc).ok()?;
        self.values.get_mut(place)
    }

    /// Forgets `ssrc`.
    pub(crate) fn remove(&mut self, ssrc: Ssrc) {
        if let Ok(place) = self.keys.binary_search(&ssrc) {
            self.keys.remove(place);
            self.values.remove(place);
        }
    }

    /// Keeps the SSRCs for whose value `keep` is true.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        let verdicts: Vec<bool> = self.values.iter_mut().map(&mut keep).collect();
        let mut verdict = verdicts.iter();
        self.keys.retain(|_| verdict.next() == Some(&true));
        let mut verdict = verdicts.iter();
        self.values.retain(|_| verdict.next() == Some(&true));
    }

    /// Whether one more SSRC would be refused.
    pub(crate) fn is_full(&self) -> bool {
        self.keys.len() >= LIMIT
    }

    /// Sets the value of `ssrc`; a new SSRC is refused if the table is full.
    pub(crate) fn insert(&mut self, ssrc: Ssrc, value: T) -> Result<(), TableFull> {
        match self.keys.binary_search(&ssrc) {
            Ok(place) => self.values[place] = value,
            Err(_) if self.is_full() => return Err(TableFull),
            Err(place) => {
                self.keys.insert(place, ssrc);
                self.values.insert(place, value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_inserted_and_refuses_more_than_its_limit() {
        let mut table = SsrcTable::<u8, 3>::default();
        for (ssrc, value) in [(7, 1), (3, 2), (9, 3)] {
            table.insert(Ssrc(ssrc), value).unwrap();
        }
        assert_eq!(table.insert(Ssrc(1), 4), Err(TableFull));
        assert_eq!(table.insert(Ssrc(7), 5), Ok(()));
        assert_eq!(table.find_mut(Ssrc(3)), Some(&mut 2));
        assert_eq!(table.find_mut(Ssrc(7)), Some(&mut 5));
        assert_eq!(table.find_mut(Ssrc(1)), None);
        table.remove(Ssrc(3));
        table.retain(|value| *value == 3);
        assert_eq!(table.find_mut(Ssrc(9)), Some(&mut 3));
        assert_eq!(table.find_mut(Ssrc(7)), None);
        assert_eq!(table.find_mut(Ssrc(3)), None);
    }
}
