//! Packets sent later than they came, from the publication's store: what was said while it was not
//! yet known that somebody speaks (pre-roll).
//!
//! By the time that speech is told from a cough the first syllable is over. So whoever is given a
//! slot because of what they say is heard from where they began. The packets leave several times
//! faster than they were spoken, and a receiver plays them the faster the more it has: nobody stays
//! behind.

use std::time::{Duration, Instant};

use plenum_types::{DropReason, MediaKind, RoomIndex, ShardId};

use crate::event::{Arrival, Backfill, BackfillPacket, Late};
use crate::fields::Fields;
use crate::index::EncodingRef;
use crate::publication::Publication;
use crate::slot::Lag;
use crate::{PublicationIndex, Router, SlotIndex};

/// The most of what was said that is sent later. Speech is known after less.
const PRE_ROLL: Duration = Duration::from_millis(400);
/// So much is sent of what was before the first loud sound: consonants are quiet.
const LEAD: Duration = Duration::from_millis(60);
/// Packets sent together, so that they can be one message.
const TOGETHER: u8 = 4;
/// The pause after them. With packets of 20 ms of sound this is four times as fast as speech.
const PAUSE: Duration = Duration::from_millis(20);

impl Router {
    /// A slot is given somebody who has begun to speak: it starts with what was said already.
    pub(super) fn start_pre_roll(&mut self, now: Instant, index: SlotIndex) {
        let slot = &self.slots[index.key()];
        let Some(target) = slot.target.filter(|_| slot.kind == MediaKind::Audio) else {
            return;
        };
        let source = target.source;
        let shows = slot.shown().is_some_and(|shown| shown.source == source);
        if shows || slot.lag.is_some_and(|lag| lag.source == source) {
            return;
        }
        let publication = &self.publications[source.publication.key()];
        let lag = pre_roll(publication, now).map(|next| Lag {
            source,
            generation: publication.encodings[0].generation(),
            next,
            due: now,
            left: TOGETHER,
        });
        self.slots[index.key()].lag = lag;
        if lag.is_some() {
            self.late.insert((now, index));
        }
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
        if lag.left == 0 {
            lag.left = TOGETHER;
            lag.due = now + PAUSE;
            let due = lag.due;
            self.late.insert((due, index));
            return None;
        }
        lag.left -= 1;
        let lag = *lag;
        let Some((number, is_last)) = self.next_late_number(now, &lag) else {
            self.slots[index.key()].lag = None;
            return None;
        };
        let slot = &mut self.slots[index.key()];
        slot.lag = (!is_last).then_some(Lag {
            next: number + 1,
            ..lag
        });
        Some(self.forward_stored(now, index, lag.source, number))
    }

    /// The next number that is stored for a slot that is behind, and whether it is the newest.
    fn next_late_number(&self, now: Instant, lag: &Lag) -> Option<(u64, bool)> {
        let encoding = self
            .encoding(lag.source)
            .filter(|encoding| encoding.generation() == lag.generation)?;
        let number = encoding.store.next_from(now, lag.next)?;
        Some((number, number == encoding.store.newest()))
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

    /// Another shard will be sent an encoding from now on, because somebody has begun to speak: it
    /// is first sent what was said already.
    pub(super) fn start_backfill(
        &mut self,
        now: Instant,
        publication: PublicationIndex,
        to: ShardId,
    ) {
        let state = &self.publications[publication.key()];
        if state.kind == MediaKind::Audio
            && let Some(next) = pre_roll(state, now)
        {
            let encoding = &state.encodings[0];
            self.backfills.push(Backfill {
                source: EncodingRef {
                    publication,
                    encoding: 0,
                },
                generation: encoding.generation(),
                id: state.id,
                to,
                next,
                end: encoding.store.newest() + 1,
            });
        }
    }

    /// The next packet of a backfill, as it came, and how it counts.
    pub(super) fn next_of_backfill(
        &self,
        now: Instant,
        backfill: &mut Backfill,
    ) -> Option<BackfillPacket<'_>> {
        let publication = self
            .publications
            .get(backfill.source.publication.key())
            .filter(|publication| publication.id == backfill.id)?;
        let encoding = publication
            .encoding(backfill.source.encoding)
            .filter(|encoding| encoding.generation() == backfill.generation)?;
        let number = encoding.store.next_from(now, backfill.next)?;
        let position = encoding
            .feeds
            .iter()
            .position(|feed| feed.to == backfill.to)?;
        backfill.next = number + 1;
        if number >= backfill.end {
            return None;
        }
        let stored = encoding.store.find(now, number)?;
        let arrival = Arrival {
            source: backfill.source,
            generation: backfill.generation,
            room: RoomIndex(publication.room as u32),
            number,
            fields: Fields::read(stored.description),
        };
        Some(BackfillPacket {
            arrival,
            packet: stored.packet,
            description: *stored.description,
            position,
        })
    }
}

/// Where the pre-roll of a publication begins that somebody has begun to speak on.
fn pre_roll(publication: &Publication, now: Instant) -> Option<u64> {
    let began = publication.speech.began(now)?;
    let from = began.checked_sub(LEAD)?.max(now.checked_sub(PRE_ROLL)?);
    publication.encodings.first()?.store.first_since(from)
}
