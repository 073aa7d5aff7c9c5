//! Sequence numbers of a stream that were passed over: asked for again a few times, until they
//! come or a repair is of no use any more.

use std::time::{Duration, Instant};

use plenum_types::SequenceNumber;

/// How long a gap may be reordering.
const FIRST_NACK: Duration = Duration::from_millis(10);
/// From one request to the next; a repair takes a round trip.
const NEXT_NACK: Duration = Duration::from_millis(60);
/// Requests per packet.
const REQUESTS_MAX: u8 = 4;
/// After this a packet is lost: no jitter buffer waits longer.
const GIVE_UP: Duration = Duration::from_millis(500);
/// Most gaps that are remembered; what goes beyond is lost at once.
const REMEMBERED_MAX: usize = 512;

#[derive(Clone, Copy, Debug)]
struct Gap {
    sequence: u64,
    since: Instant,
    next: Instant,
    requests: u8,
}

/// In ascending order. Empty, and without memory, for a stream that lost nothing.
#[derive(Debug, Default)]
pub(super) struct Missing {
    gaps: Vec<Gap>,
    /// Lost without having been remembered.
    overflowed: u64,
}

impl Missing {
    /// The numbers from `from` up to, not including, `to` were passed over.
    pub(super) fn on_gap(&mut self, now: Instant, from: u64, to: u64) {
        let room = REMEMBERED_MAX.saturating_sub(self.gaps.len()) as u64;
        let first = from.max(to.saturating_sub(room));
        self.overflowed += first - from;
        self.gaps.extend((first..to).map(|sequence| Gap {
            sequence,
            since: now,
            next: now + FIRST_NACK,
            requests: 0,
        }));
    }

    /// A number behind the newest has come; whether it was missing.
    pub(super) fn on_late(&mut self, sequence: u64) -> bool {
        match self.gaps.binary_search_by_key(&sequence, |gap| gap.sequence) {
            Ok(index) => {
                self.gaps.remove(index);
                true
            }
            Err(_) => false,
        }
    }

    /// A repair has come; whether its number was missing.
    pub(super) fn on_repaired(&mut self, sequence: SequenceNumber) -> bool {
        let found = self
            .gaps
            .iter()
            .find(|gap| gap.sequence as u16 == sequence.0)
            .map(|gap| gap.sequence);
        found.is_some_and(|sequence| self.on_late(sequence))
    }

    /// When the next request is due.
    pub(super) fn next(&self) -> Option<Instant> {
        let waiting = self.gaps.iter().filter(|gap| gap.requests < REQUESTS_MAX);
        waiting.map(|gap| gap.next).min()
    }

    /// Whether a request is due before `other`.
    #[inline]
    pub(super) fn is_due_sooner(&self, other: Option<Instant>) -> bool {
        !self.gaps.is_empty()
            && self
                .next()
                .is_some_and(|next| other.is_none_or(|other| next < other))
    }

    /// What is to be asked for now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<SequenceNumber> {
        let mut due = Vec::new();
        for gap in &mut self.gaps {
            if gap.requests < REQUESTS_MAX && now >= gap.next {
                gap.requests += 1;
                gap.next = now + NEXT_NACK;
                due.push(SequenceNumber(gap.sequence as u16));
            }
        }
        due
    }

    /// Gives up what has been missing for too long; how many packets that lost.
    pub(super) fn give_up(&mut self, now: Instant) -> u64 {
        let mut lost = std::mem::take(&mut self.overflowed);
        if !self.gaps.is_empty() {
            let before = self.gaps.len();
            self.gaps
                .retain(|gap| now.duration_since(gap.since) < GIVE_UP);
            lost += (before - self.gaps.len()) as u64;
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {

        Instant::now()
    }

    #[test]
    fn a_gap_is_asked_for_a_few_times_and_then_lost() {
        let start = now();
        let mut missing = Missing::default();
        missing.on_gap(start, 10, 12);
        assert!(missing.due(start).is_empty());
        let mut requests = 0;
        let mut at = start;
        while let Some(next) = missing.next() {
            at = next;
            let due = missing.due(at);
            assert_eq!(due, [SequenceNumber(10), SequenceNumber(11)]);
            requests += 1;
        }
        assert_eq!(requests, REQUESTS_MAX);
        assert_eq!(missing.give_up(at), 0);
        assert_eq!(missing.give_up(start + GIVE_UP), 2);
        assert_eq!(missing.give_up(start + GIVE_UP), 0);
    }

    #[test]
    fn what_comes_is_not_missing_any_more() {
        let start = now();
        let mut missing = Missing::default();
        missing.on_gap(start, 65_534, 65_539);
        assert!(missing.on_late(65_535));
        assert!(!missing.on_late(65_535));
        assert!(missing.on_repaired(SequenceNumber(1)));
        assert!(!missing.on_repaired(SequenceNumber(1)));
        assert_eq!(missing.give_up(start + GIVE_UP), 3);
    }

    #[test]
    fn a_gap_beyond_memory_is_lost_at_once() {
        let start = now();
        let mut missing = Missing::default();
        missing.on_gap(start, 0, 10_000);
        assert_eq!(missing.gaps.len(), REMEMBERED_MAX);
        assert_eq!(missing.give_up(start), 10_000 - REMEMBERED_MAX as u64);
        assert_eq!(missing.give_up(start + GIVE_UP), REMEMBERED_MAX as u64);
    }
}
