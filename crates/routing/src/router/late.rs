//! Slots that are behind: when their turn is, and what they get then.
//!
//! What is sent late comes from the publication's store; nothing is copied. Two things put a slot
//! behind: what was said before it was known that somebody speaks (`pre_roll`), and pictures that
//! came before a subscriber could decrypt them (`replay`). Both are sent faster than they came, so
//! that nobody stays behind.

use std::time::Instant;

use plenum_types::{DropReason, RoomIndex};

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
    ) -> Option<Result<Late<'_>, DropReason>> {
        let slot = self.slots.get_mut(index.key())?;
        let lag = slot.lag.as_mut()?;
        if lag.is_used_up() {
            lag.left = lag.pace.step;
            lag.due = now + lag.pace.pause;
            let due = lag.due;
            self.late.insert((due, index));
            return None;
        }
        let mut lag = *lag;
        let Some((number, bytes, is_last)) = self.next_late_number(now, &lag) else {
            self.slots[index.key()].lag = None;
            return None;
        };
        lag.next = number + 1;
        lag.take(bytes);
        self.slots[index.key()].lag = (!is_last).then_some(lag);
        Some(self.forward_stored(now, index, lag.source, number))
    }

    /// The next number that is stored for a slot that is behind, its bytes, and whether it is the
    /// newest.
    fn next_late_number(&self, now: Instant, lag: &Lag) -> Option<(u64, u32, bool)> {
        let encoding = self
            .encoding(lag.source)
            .filter(|encoding| encoding.generation() == lag.generation)?;
        let number = encoding.store.next_from(now, lag.next)?;
        let bytes = encoding.store.find(now, number)?.packet.len() as u32;
        Some((number, bytes, number == encoding.store.newest()))
    }

    fn forward_stored(
        &mut self,
        now: Instant,
        index: SlotIndex,
        source: EncodingRef,
        number: u64,
    ) -> Result<Late<'_>, DropReason> {
        let publication = self
            .publications
            .get(source.publication.key())
            .ok_or(DropReason::NotStored)?;
        let encoding = publication
            .encoding(source.encoding)
            .ok_or(DropReason::NotStored)?;
        let stored = encoding
            .store
            .find(now, number)
            .ok_or(DropReason::NotStored)?;
        let (description, stored_at) = (*stored.description, stored.stored_at);
        let arrival = Arrival {
            source,
            generation: encoding.generation(),
            room: RoomIndex(publication.room as u32),
            number,
            fields: Fields::read(&description),
        };
        // As if it were forwarded when it came: its timestamp is of then.
        let forward = self.select(stored_at, index, &arrival, &description)?;
        let stored = self
            .encoding(source)
            .and_then(|encoding| encoding.store.find(now, number))
            .ok_or(DropReason::NotStored)?;
        Ok(Late {
            packet: stored.packet,
            description,
            forward,
        })
    }
}
