//! What was sent with a transport-wide sequence number, until feedback tells its fate.
//!
//! A ring of 8 bytes per packet: on the packet path one store, without hashing or allocation; the
//! estimator's records are made only from feedback. The ring is as long as a second of packets at
//! the rate that this peer gets: it doubles when a younger one would be forgotten.

use super::probe::Probed;
use crate::transport_feedback::{Status, TICK_US};
use std::time::{Duration, Instant};

/// Packets remembered at first; a power of two. Enough for sound.
const PACKETS_FIRST: usize = 64;
/// Most packets remembered; a power of two. A second at 8,192 packets/s.
const PACKETS_MAX: usize = 8_192;
/// A packet should be remembered for so long: feedback comes within a round trip and 250 ms.
const SPAN_US: u32 = 1_000_000;

/// Feedback about packets older than this is not believed.
const OLDEST: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Default)]
struct Sent {
    /// Microseconds after `origin`, wrapping after 71 minutes.
    departure_us: u32,
    /// Bytes; 0 once its fate was told.
    size: u16,
    /// The train of probes that it belongs to; 0 for none.
    train: u8,
}

/// Packets that left at one moment and arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived {
    pub(super) departure: Instant,
    /// Of the first of them, on the receiver's clock.
    pub(super) arrival: Duration,
    /// All of them.
    pub(super) bytes: usize,
    /// They belong to a train of probes.
    pub(super) probes: bool,
}

/// What one feedback tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fates<'h> {
    /// What arrived, in send order. Packets that left at the same moment are one: for the delay
    /// they are one group anyway, and a burst costs no more than a packet.
    pub(super) arrived: &'h [Arrived],
    /// Packets told of.
    pub(super) packets: usize,
    /// Those of them that did not arrive.
    pub(super) lost: usize,
    /// What arrived of trains of probes.
    pub(super) probed: &'h [Probed],
}

#[derive(Default)]
pub(super) struct History {
    ring: Vec<Sent>,
    origin: Option<Instant>,
    /// Extended number of the next packet.
    next: u64,
    arrived: Vec<Arrived>,
    probed: Vec<Probed>,
}

impl History {
    /// Remembers a packet, of a train of probes or of none (0); returns its sequence number.
    pub(super) fn add(&mut self, now: Instant, size: usize, train: u8) -> u16 {
        if self.ring.is_empty() {
            self.ring.resize(PACKETS_FIRST, Sent::default());
        }
        let origin = *self.origin.get_or_insert(now);
        let departure_us = now.saturating_duration_since(origin).as_micros() as u32;
        let sequence = self.next;
        self.next += 1;
        let is_used = sequence >= self.ring.len() as u64;
        let forgotten = self.ring[self.place(sequence)];
        let is_young = departure_us.wrapping_sub(forgotten.departure_us) < SPAN_US;
        if is_used && is_young && self.ring.len() < PACKETS_MAX {
            self.grow(sequence);
        }
        let place = self.place(sequence);
        self.ring[place] = Sent {
            departure_us,
            size: u16::try_from(size).unwrap_or(u16::MAX).max(1),
            train,
        };
        sequence as u16
    }

    /// Doubles the ring; `next` is the number that comes next.
    #[cold]
    fn grow(&mut self, next: u64) {
        let before = self.ring.len() as u64;
        let mut larger = vec![Sent::default(); self.ring.len() * 2];
        for number in next.saturating_sub(before)..next {
            larger[number as usize & (2 * before as usize - 1)] = self.ring[self.place(number)];
        }
        self.ring = larger;
    }

    fn place(&self, number: u64) -> usize {
        number as usize & (self.ring.len().max(1) - 1)
    }

    /// Joins feedback with what was sent. Packets whose fate was told before are left out.
    pub(super) fn resolve(
        &mut self,
        now: Instant,
        statuses: impl Iterator<Item = Status>,
    ) -> Fates<'_> {
        self.arrived.clear();
        self.probed.clear();
        let mut fates = Fates::default();
        let mut newest_us = None;
        for status in statuses {
            let Some(sent) = self.take(status.sequence) else {
                continue;
            };
            let Some(departure) = self.departure(now, sent.departure_us) else {
                continue;
            };
            fates.packets += 1;
            let Some(arrival) = status.arrival.map(duration) else {
                fates.lost += 1;
                continue;
            };
            let size = usize::from(sent.size);
            if sent.train != 0 {
                self.probed.push(Probed {
                    train: sent.train,
                    departure,
                    arrival,
                    bytes: size,
                });
            }
            match self.arrived.last_mut() {
                Some(last) if newest_us == Some(sent.departure_us) => {
                    last.bytes += size;
                    last.arrival = last.arrival.min(arrival);
                }
                _ => self.arrived.push(Arrived {
                    departure,
                    arrival,
                    bytes: size,
                    probes: sent.train != 0,
                }),
            }
            newest_us = Some(sent.departure_us);
        }
        fates.arrived = &self.arrived;
        fates.probed = &self.probed;
        fates
    }

    /// What was sent with `sequence`; once.
    fn take(&mut self, sequence: u16) -> Option<Sent> {
        let id = self.sent_as(sequence)?;
        let place = self.place(id);
        let sent = self.ring.get_mut(place)?;
        let taken = *sent;
        sent.size = 0;
        (taken.size > 0).then_some(taken)
    }

    /// The extended number of the newest packet sent with `sequence`, if it is remembered.
    fn sent_as(&self, sequence: u16) -> Option<u64> {
        let back = u64::from((self.next as u16).wrapping_sub(sequence));
        let id = self.next.checked_sub(back)?;
        (back > 0 && back <= self.ring.len() as u64).then_some(id)
    }

    /// The instant that `departure_us` means, seen from `now`.
    fn departure(&self, now: Instant, departure_us: u32) -> Option<Instant> {
        let elapsed = now.saturating_duration_since(self.origin?).as_micros() as u32;
        let age = Duration::from_micros(u64::from(elapsed.wrapping_sub(departure_us)));
        if age > OLDEST {
            return None;
        }
        now.checked_sub(age)
    }
}

fn duration(ticks: u32) -> Duration {
    Duration::from_micros(u64::from(ticks) * TICK_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    fn sent(packets: u64, interval: Duration) -> (History, Instant) {
        let start = Instant::now();
        let mut history = History::default();
        for number in 0..packets {
            history.add(start + interval * number as u32, 1_000, 0);
        }
        (history, start + interval * (packets as u32 - 1))
    }

    fn remembers(history: &mut History, now: Instant, back: u16) -> bool {
        let sequence = (history.next as u16).wrapping_sub(back);
        let arrival = Some(0);
        let told = [Status { sequence, arrival }];
        history.resolve(now, told.into_iter()).packets == 1
    }

    #[test]
    fn what_left_together_is_told_together() {
        let (mut history, start) = sent(1, Duration::ZERO);
        let later = start + Duration::from_millis(33);
        for at in [start, start, later, later, later] {
            history.add(at, 1_000, 0);
        }
        let arrivals = [Some(40), Some(41), Some(44), None, Some(180), Some(179)];
        let statuses = (0..).zip(arrivals);
        let statuses = statuses.map(|(sequence, arrival)| Status { sequence, arrival });
        let fates = history.resolve(later, statuses);
        assert_eq!((fates.packets, fates.lost), (6, 1));
        let told: Vec<_> = fates
            .arrived
            .iter()
            .map(|told| (told.departure, told.arrival, told.bytes))
            .collect();
        let ticks = duration;
        assert_eq!(
            told,
            [(start, ticks(40), 3_000), (later, ticks(179), 2_000)]
        );
    }

    #[test]
    fn a_second_is_remembered_at_any_rate() {
        for (per_second, length) in [(50, 64), (200, 256), (3_000, 4_096)] {
            let interval = Duration::from_secs(1) / per_second;
            let (mut history, now) = sent(20_000, interval);
            assert_eq!(history.ring.len(), length);
            assert!(remembers(&mut history, now, 1));
            assert!(remembers(&mut history, now, per_second as u16));
            assert!(!remembers(&mut history, now, length as u16 + 1));
            assert!(!remembers(&mut history, now, 1), "told twice");
        }
    }
}
