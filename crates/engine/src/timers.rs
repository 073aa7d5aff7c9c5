//! Which peer must be looked at next.
//!
//! A heap with lazy deletion: an entry counts only if it equals the deadline that its peer has
//! armed, so moving a deadline forward costs one push and no search. Deadlines that move back
//! are found out when they fire: the peer is asked again and re-armed.

use plenum_types::PeerIndex;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

#[derive(Default)]
pub(crate) struct TimerQueue {
    heap: BinaryHeap<Reverse<(Instant, PeerIndex)>>,
}

impl TimerQueue {
    pub(crate) fn arm(&mut self, deadline: Instant, peer: PeerIndex) {
        self.heap.push(Reverse((deadline, peer)));
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((deadline, _))| *deadline)
    }

    /// Takes an entry that is due at `now`. It may be out of date.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, PeerIndex)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}
