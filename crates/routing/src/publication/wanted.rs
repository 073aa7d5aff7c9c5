//! Which encodings of a publication anybody wants, so that its publisher need not send others.
//!
//! Wanted is everything up to the best that the viewport of some slot would take if bandwidth
//! allowed. The encodings below it stay wanted too, because a slot whose network gets worse goes
//! down to them at once. The lowest is always wanted, also by nobody: a first subscriber gets a
//! picture without waiting for an encoder to start.

use std::time::Duration;

/// What nobody wants any more is still asked for during this: viewports change back and forth, and
/// an encoding that starts costs a keyframe.
pub(crate) const UNWANTED_AFTER: Duration = Duration::from_secs(5);

/// What the publisher was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LayersWanted {
    /// The best encoding that is wanted.
    top: u8,
    /// How many there are.
    count: u8,
}

impl LayersWanted {
    /// Everything is wanted until something else is told.
    pub(crate) fn all(count: usize) -> Self {
        let count = u8::try_from(count).unwrap_or(u8::MAX);
        Self {
            top: count.saturating_sub(1),
            count,
        }
    }

    /// The best that there is.
    pub(crate) const fn top_of_all(self) -> u8 {
        self.count.saturating_sub(1)
    }

    pub(crate) const fn top(self) -> u8 {
        self.top
    }

    /// Whether there is anything to switch off.
    pub(crate) const fn is_choice(self) -> bool {
        self.count > 1
    }

    /// Takes note of the best encoding that is wanted. What to tell, if that is news.
    pub(crate) fn set(&mut self, top: u8) -> Option<Vec<bool>> {
        let top = top.min(self.top_of_all());
        let changed = self.top != top;
        self.top = top;
        changed.then(|| (0..self.count).map(|encoding| encoding <= top).collect())
    }
}
