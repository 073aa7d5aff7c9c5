//! Slots that are behind: when their turn is, and what they get then.
//!
//! What is sent late comes from the publication's store; nothing is copied. Two things put a slot
//! behind: what was said before it was known that somebody speaks (`pre_roll`), and pictures that
//! came before a subscriber could decrypt them (`replay`). Both are sent faster than they came, so
//! that nobody stays behind.

use std::time::{Duration, Instant};

use plenum_types::{Bitrate, DropReason, KeyframeCause, MediaKind, RoomIndex};

use crate::event::{Arrival, Late};
use crate::fields::Fields;
use crate::index::EncodingRef;
use crate::publication::Encoding;
use crate::slot::{Allowance, Lag, Pace};
use crate::{Router, SlotIndex};

/// Time between two steps, and the least bytes of one: a packet.
const PAUSE: Duration = Duration::from_millis(5);
const STEP_MIN: u64 = 1_200;
/// What has waited for so long is sent twice as fast, and twice that after each step.
const HASTE_AFTER: Duration = Duration::from_millis(250);
const HASTE_STEP: Duration = Duration::from_millis(100);
const HASTE_STEPS: u128 = 4;
/// Pictures that are held back for longer are left out: they would be late for good.
const HELD_MAX: Duration = Duration::from_millis(700);

/// Steps of a few milliseconds at this rate.
pub(super) fn paced(rate: Bitrate) -> Pace {
    let bytes = rate.bits_per_second() / 8 * PAUSE.as_millis() as u64 / 1_000;
    Pace {
        step: bytes_only(bytes.max(STEP_MIN).min(u64::from(u32::MAX)) as u32),
        pause: PAUSE,
    }
}

/// However many packets they are.
pub(super) const fn bytes_only(bytes: u32) -> Allowance {
    Allowance {
        packets: u32::MAX,
        bytes,
    }
}

impl Router {
    /// A slot is not to be sent a packet, nor what follows it, faster than `rate`. Only pictures,
    /// and only once their keyframe has begun.
    pub(super) fn hold_back_from(
        &mut self,
        now: Instant,
        index: SlotIndex,
        arrival: &Arrival,
        rate: Bitrate,
    ) {
        let Some(slot) = self.slots.get(index.key()) else {
            return;
        };
        let shows = slot.shown().is_some_and(|shown| {
            shown.source == arrival.source && shown.generation == arrival.generation
        });
        if slot.kind == MediaKind::Audio || slot.lag.is_some() || !shows {
            return;
        }
        let none = bytes_only(0);
        self.put_behind(
            now,
            index,
            arrival.source,
            arrival.number,
            (none, paced(rate)),
        );
        if let Some(lag) = &mut self.slots[index.key()].lag {
            lag.patience = Some(HELD_MAX);
        }
    }

    /// How many times faster than its pace a slot is sent what is held back: the longer the oldest
    /// of it has waited, so that no keyframe is too large to be sent at all.
    fn haste(&self, now: Instant, lag: &Lag) -> u32 {
        if lag.patience.is_none() {
            return 1;
        }
        let oldest = self.next_late(now, lag).and_then(|arrival| {
            let stored = self.encoding(lag.source)?.store.find(now, arrival.number)?;
            Some(stored.stored_at)
        });
        let waited = oldest.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let steps = waited.saturating_sub(HASTE_AFTER).as_millis() / HASTE_STEP.as_millis();
        1 << steps.min(HASTE_STEPS)
    }

    fn give_up_pictures(&mut self, now: Instant, index: SlotIndex, source: EncodingRef) {
        self.slots[index.key()].give_up();
        self.ask_keyframe(now, source, KeyframeCause::SlotSwitch);
    }

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
            patience: None,
            gave_up: false,
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
            // From when it was due: a wake-up that comes late brings as many more turns.
            lag.due += lag.pace.pause;
            let lag = *lag;
            self.late.insert((lag.due, index));
            let haste = self.haste(now, &lag);
            let slot = &mut self.slots[index.key()];
            if let Some(lag) = &mut slot.lag {
                lag.left = lag.pace.step;
                lag.left.bytes = lag.left.bytes.saturating_mul(haste);
            }
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
        self.slots[index.key()].lag = Some(lag);
        if lag.is_overdue(now, stored_at) && description.payload.starts_frame {
            self.give_up_pictures(now, index, source);
        }
        if is_newest {
            self.slots[index.key()].lag = None;
        }
        // As if it were forwarded when it came: its timestamp is of then.
        let mut forward = self.select(stored_at, index, &arrival, &description);
        if lag.patience.is_some() && forward.as_ref().err() == Some(&DropReason::WaitingForKeyframe)
        {
            forward = Err(DropReason::HeldTooLong);
        }
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
