//! Puts the packets of a stream in order, counts duplicates, and gives up on packets that do not
//! come.
//!
//! Invariant: what is taken out has rising sequence numbers, and a number is either taken out,
//! given up or still awaited.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use plenum_types::{SequenceExtender, SequenceNumber};

/// A missing packet is given up so long after it was noticed, as a jitter buffer of a conference
/// would: gaps behind each other wait at the same time.
const GIVE_UP: Duration = Duration::from_millis(1_000);

/// What comes next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<P> {
    /// A packet and its extended sequence number.
    Packet(u64, P),
    /// This many packets were given up.
    Gap(u64),
}

/// How a packet stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Not seen before; its extended sequence number.
    New(u64),
    /// Seen before.
    Duplicate,
    /// Given up before it came.
    Late,
}

#[derive(Debug)]
pub(crate) struct Reorder<P> {
    extender: SequenceExtender,
    waiting: BTreeMap<u64, P>,
    /// Next to be taken out.
    next: Option<u64>,
    newest: Option<u64>,
    /// What is missing below this number, and above that of the entry before, was noticed then.
    noticed: VecDeque<(u64, Instant)>,
    /// Numbers below `next` that never came.
    given_up: BTreeSet<u64>,
}

impl<P> Default for Reorder<P> {
    fn default() -> Self {
        Self {
            extender: SequenceExtender::default(),
            waiting: BTreeMap::new(),
            next: None,
            newest: None,
            noticed: VecDeque::new(),
            given_up: BTreeSet::new(),
        }
    }
}

impl<P> Reorder<P> {
    pub(crate) fn insert(&mut self, now: Instant, sequence: SequenceNumber, packet: P) -> Arrival {
        let number = self.extender.extend(sequence);
        let next = *self.next.get_or_insert(number);
        if number < next {
            return if self.given_up.remove(&number) {
                Arrival::Late
            } else {
                Arrival::Duplicate
            };
        }
        if self.waiting.contains_key(&number) {
            return Arrival::Duplicate;
        }
        self.waiting.insert(number, packet);
        let newest = *self.newest.get_or_insert(number);
        if number > newest {
            self.newest = Some(number);
            if number > newest + 1 {
                self.noticed.push_back((number, now));
            }
        }
        Arrival::New(number)
    }

    /// The next packet in order, or a gap that is no longer waited for.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Next<P>> {
        let next = self.next?;
        if let Some(packet) = self.waiting.remove(&next) {
            self.next = Some(next + 1);
            return Some(Next::Packet(next, packet));
        }
        let first = self.first_waiting()?;
        while self.noticed.front().is_some_and(|(to, _)| *to <= next) {
            self.noticed.pop_front();
        }
        if now < self.poll_timeout()? {
            return None;
        }
        self.given_up.extend(next..first);
        self.next = Some(first);
        Some(Next::Gap(first - next))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let next = self.next?;
        let mut noticed = self.noticed.iter();
        let (_, since) = noticed.find(|(to, _)| *to > next)?;
        Some(*since + GIVE_UP)
    }

    /// Numbers that are missing now, up to the newest packet.
    pub(crate) fn missing(&self) -> impl Iterator<Item = u64> + '_ {
        let from = self.next.unwrap_or(0);
        let to = self.waiting.keys().next_back().copied().unwrap_or(0);
        (from..to).filter(|number| !self.waiting.contains_key(number))
    }

    fn first_waiting(&self) -> Option<u64> {
        self.waiting.keys().next().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn take(order: &mut Reorder<u16>, now: Instant) -> Vec<Next<u16>> {
        std::iter::from_fn(|| order.poll(now)).collect()
    }

    fn numbers(taken: &[Next<u16>]) -> Vec<u16> {
        taken
            .iter()
            .filter_map(|next| match next {
                Next::Packet(_, packet) => Some(*packet),
                Next::Gap(_) => None,
            })
            .collect()
    }

    #[test]
    fn orders_across_the_wrap() {
        let now = Clock::new().now();
        let mut order = Reorder::default();
        for sequence in [65_534, 0, 65_535, 1] {
            order.insert(now, SequenceNumber(sequence), sequence);
        }
        assert_eq!(numbers(&take(&mut order, now)), [65_534, 65_535, 0, 1]);
    }

    #[test]
    fn tells_duplicates_from_late_packets() {
        let start = Clock::new().now();
        let mut order = Reorder::default();
        order.insert(start, SequenceNumber(1), 1);
        order.insert(start, SequenceNumber(3), 3);
        take(&mut order, start);
        assert_eq!(order.missing().count(), 1);
        assert_eq!(
            order.insert(start, SequenceNumber(3), 3),
            Arrival::Duplicate
        );
        let later = order.poll_timeout().unwrap();
        assert_eq!(order.poll(later), Some(Next::Gap(1)));
        assert!(matches!(order.poll(later), Some(Next::Packet(_, 3))));
        assert_eq!(order.insert(later, SequenceNumber(2), 2), Arrival::Late);
        assert_eq!(
            order.insert(later, SequenceNumber(2), 2),
            Arrival::Duplicate
        );
    }

    #[test]
    fn gaps_behind_each_other_wait_at_the_same_time() {
        let start = Clock::new().now();
        let mut order = Reorder::default();
        let ms = Duration::from_millis;
        for (at, sequence) in [(0, 1), (10, 3), (20, 4), (110, 7), (120, 8)] {
            order.insert(start + ms(at), SequenceNumber(sequence), sequence);
            take(&mut order, start + ms(at));
        }
        assert_eq!(order.missing().count(), 3);
        assert_eq!(order.poll_timeout(), Some(start + ms(1_010)));
        assert_eq!(order.poll(start + ms(1_009)), None);
        let first = take(&mut order, start + ms(1_010));
        assert_eq!(first[0], Next::Gap(1));
        assert_eq!(numbers(&first), [3, 4]);
        assert_eq!(order.poll_timeout(), Some(start + ms(1_110)));
        let second = take(&mut order, start + ms(1_110));
        assert_eq!(second[0], Next::Gap(2));
        assert_eq!(numbers(&second), [7, 8]);
        assert_eq!(order.poll_timeout(), None);
    }

    #[test]
    fn a_gap_that_fills_is_not_waited_for() {
        let now = Clock::new().now();
        let mut order = Reorder::default();
        for sequence in [1, 4, 3] {
            order.insert(now, SequenceNumber(sequence), sequence);
        }
        assert_eq!(numbers(&take(&mut order, now)), [1]);
        assert!(order.poll_timeout().is_some());
        order.insert(now, SequenceNumber(2), 2);
        assert_eq!(numbers(&take(&mut order, now)), [2, 3, 4]);
        assert_eq!(order.poll_timeout(), None);
    }
}
