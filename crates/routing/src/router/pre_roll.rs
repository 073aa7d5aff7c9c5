//! What was said while it was not yet known that somebody speaks.
//!
//! By the time that speech is told from a cough the first syllable is over. So whoever is given a
//! slot because of what they say is heard from where they began. The packets leave several times
//! faster than they were spoken, and a receiver plays them the faster the more it has.

use std::time::{Duration, Instant};

use plenum_types::{MediaKind, RoomIndex, ShardId};

use crate::event::{Arrival, Backfill, BackfillPacket};
use crate::fields::Fields;
use crate::index::EncodingRef;
use crate::publication::Publication;
use crate::slot::{Allowance, Pace};
use crate::{PublicationIndex, Router, SlotIndex};

/// The most of what was said that is sent later. Speech is known after less.
const PRE_ROLL: Duration = Duration::from_millis(400);
/// So much is sent of what was before the first loud sound: consonants are quiet.
const LEAD: Duration = Duration::from_millis(60);
/// Packets sent together, so that they can be one message, and the pause after them. With packets
/// of 20 ms of sound this is four times as fast as speech.
const STEP: Allowance = Allowance {
    packets: 4,
    bytes: u32::MAX,
};
const PACE: Pace = Pace {
    step: STEP,
    pause: Duration::from_millis(20),
};

impl Router {
    /// A slot is given somebody who has begun to speak: it starts with what was said already.
    pub(super) fn start_pre_roll(&mut self, now: Instant, index: SlotIndex) {
        let slot = &self.slots[index.key()];
        let hears = slot.kind == MediaKind::Audio && !slot.asleep;
        let Some(target) = slot.target.filter(|_| hears) else {
            return;
        };
        let source = target.source;
        let shows = slot.shown().is_some_and(|shown| shown.source == source);
        if shows || slot.lag.is_some_and(|lag| lag.source == source) {
            return;
        }
        self.slots[index.key()].lag = None;
        if let Some(next) = pre_roll(&self.publications[source.publication.key()], now) {
            self.put_behind(now, index, source, next, (STEP, PACE));
        }
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
