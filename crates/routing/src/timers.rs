//! What is due when. One entry per timer; setting it again moves it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::PublicationIndex;
use crate::index::EncodingRef;

/// Why the router wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A keyframe request is due, for the first time or again.
    Keyframe(EncodingRef),
    /// An encoding may have fallen silent.
    Activity(EncodingRef),
    /// The layers of a publication that changes too often are found anew.
    Allocate(PublicationIndex),
    /// Some layers of a publication may have been unwanted for long.
    LayersWanted(PublicationIndex),
    /// A replica may want less than before.
    Demand(PublicationIndex),
    /// The active speakers of the room with this key are looked at.
    Speakers(usize),
}

/// Pending timers, ordered by time.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Instant, Timer)>,
    at: BTreeMap<Timer, Instant>,
}

impl Timers {
    /// Makes `timer` due at `at`, instead of when it was due before.
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        if let Some(before) = self.at.insert(timer, at) {
            self.queue.remove(&(before, timer));
        }
        self.queue.insert((at, timer));
    }

    /// Makes `timer` due at `at` if that is given, never otherwise.
    pub(crate) fn set_or_cancel(&mut self, timer: Timer, at: Option<Instant>) {
        match at {
            Some(at) => self.set(timer, at),
            None => self.cancel(timer),
        }
    }

    pub(crate) fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.queue.remove(&(at, timer));
        }
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.at.contains_key(&timer)
    }

    /// When the next timer is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes out the first timer that is due.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        self.at.remove(&timer);
        Some(timer)
    }
}
