//! Which client is due: a heap with stale entries, which are cheaper to skip than to remove.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// When each client is due.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
    /// By client: the earliest entry in the heap.
    scheduled: Vec<Option<Instant>>,
}

impl Timers {
    /// Makes `client` due at `at`, unless it is due before that anyway.
    #[inline]
    pub(super) fn schedule(&mut self, client: usize, at: Option<Instant>) {
        let Some(at) = at else { return };
        if self.scheduled.len() <= client {
            self.scheduled.resize(client + 1, None);
        }
        if self.scheduled[client].is_none_or(|scheduled| at < scheduled) {
            self.scheduled[client] = Some(at);
            self.heap.push(Reverse((at, client)));
        }
    }

    /// Forgets a client.
    pub(super) fn cancel(&mut self, client: usize) {
        if let Some(scheduled) = self.scheduled.get_mut(client) {
            *scheduled = None;
        }
    }

    /// The next client that is due at `now`; it has to be scheduled again.
    pub(super) fn pop(&mut self, now: Instant) -> Option<usize> {
        while let Some(&Reverse((at, client))) = self.heap.peek() {
            if at > now {
                return None;
            }
            self.heap.pop();
            if self.scheduled[client] == Some(at) {
                self.scheduled[client] = None;
                return Some(client);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn clients_come_in_the_order_of_their_time_and_once() {

        let now = Instant::now();
        let at = |ms| Some(now + Duration::from_millis(ms));
        let mut timers = Timers::default();
        timers.schedule(0, at(30));
        timers.schedule(1, at(20));
        timers.schedule(0, at(10));
        timers.schedule(0, at(15));
        timers.schedule(2, at(5));
        timers.cancel(2);
        timers.schedule(3, None);
        assert_eq!(timers.pop(now), None);
        let late = now + Duration::from_millis(40);
        assert_eq!(timers.pop(late), Some(0));
        assert_eq!(timers.pop(late), Some(1));
        assert_eq!(timers.pop(late), None);
    }
}
