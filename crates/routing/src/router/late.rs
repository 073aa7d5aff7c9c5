//! Slots that are behind: when their turn is, and what they get then.
//!
//! What is sent late comes from the publication's store; nothing is copied. Two things put a slot
//! behind: what was said before it was known that somebody speaks (`pre_roll`), and pictures that
//! came before a subscriber could decrypt them (`replay`). Both are sent faster than they came, so
//! that nobody stays behind.

use std::time::Instant;

use plenum_types::RoomIndex;

use crate::event::{Arrival, Late};
use crate::fields::Fields;
use crate::index::EncodingRef;
use crate::publication::Encoding;
use crate::slot::{Allowance, Lag, Pace};
use crate::{Router, SlotIndex};

impl Router {
    /// From now on a slot gets the packets of `source` from `next` on, at this `pace`, `first` of
    /// them at once.
    pub(super) fn put_behind(
        &mut self,
        now: Instant,
        index: SlotIndex,
        source: EncodingRef,
        next: u64,
        (first, pace): (Allowance, Pace),
    ) {
        let Some(generation) = self.encoding(source).map(Encoding::generation) else {
            return;
        };
        self.slots[index.key()].lag = Some(Lag {
            source,
            generation,
            next,
            due: now,
            pace,
            left: first,
        });
        self.late.insert((now, index));
    }

    /// A slot whose turn it is, and its room.
    pub(super) fn take_late_slot(&mut self, now: Instant) -> Option<(SlotIndex, RoomIndex)> {
        while let Some((due, index)) = self.late.first().copied().filter(|(due, _)| *due <= now) {
            self.late.pop_first();
            let lag = self.slots.get(index.key()).and_then(|slot| slot.lag);
            let Some(lag) = lag.filter(|lag| lag.due == due) else {
                continue;
            };
            if let Some(publication) = self.publications.get(lag.source.publication.key()) {
                return Some((index, RoomIndex(publication.room as u32)));
            }
        }
        None
    }

    /// The next packet of a slot that is behind; `None` if it has caught up or has to pause.
    pub(super) fn forward_late_packet(
        &mut self,
        now: Instant,
        index: SlotIndex,
    ) -> Option<Late<'_>> {
        let slot = self.slots.get_mut(index.key())?;
        let lag = slot.lag.as_mut()?;
        if lag.is_used_up() {
            lag.left = lag.pace.step;
            // From when it was due: a wake-up that comes late brings as many more turns.
            lag.due += lag.pace.pause;
            let due = lag.due;
            self.late.insert((due, index));
            return None;
        }
        let mut lag = *lag;
        let Some(arrival) = self.next_late(now, &lag) else {
            self.slots[index.key()].lag = None;
            return None;
        };
        let (source, number) = (lag.source, arrival.number);
        let stored = self.encoding(source)?.store.find(now, number)?;
        let (description, stored_at) = (*stored.description, stored.stored_at);
        let is_newest = number == self.encoding(source)?.store.newest();
        lag.next = number + 1;
        self.slots[index.key()].lag = (!is_newest).then_some(lag);
        // As if it were forwarded when it came: its timestamp is of then.
        let forward = self.select(stored_at, index, &arrival, &description);
        if let (Ok(_), Some(lag)) = (&forward, &mut self.slots[index.key()].lag) {
            lag.take(description.header.payload_len as u32);
        }
        let stored = self.encoding(source)?.store.find(now, number)?;
        Some(Late {
            packet: stored.packet,
            description,
            forward,
        })
    }

    /// The next packet that is stored for a slot that is behind.
    fn next_late(&self, now: Instant, lag: &Lag) -> Option<Arrival> {
        let publication = self.publications.get(lag.source.publication.key())?;
        let encoding = publication
            .encoding(lag.source.encoding)
            .filter(|encoding| encoding.generation() == lag.generation)?;
        let number = encoding.store.next_from(now, lag.next)?;
        let stored = encoding.store.find(now, number)?;
        Some(Arrival {
            source: lag.source,
            generation: lag.generation,
            room: RoomIndex(publication.room as u32),
            number,
            fields: Fields::read(stored.description),
        })
    }
}
