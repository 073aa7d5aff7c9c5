//! The bursts that wait, one per room.
//!
//! Pictures wait for the end of the wake-up only. Sound waits a little longer: a packet of it costs
//! as much to send as a whole frame of a picture, and what comes within the same two milliseconds
//! can leave in the same message.

use super::Burst;
use plenum_types::{MediaKind, RoomIndex};
use std::time::{Duration, Instant};

/// Not waiting.
const NONE: u32 = u32::MAX;

/// Bursts that have packets.
pub(crate) struct Waiting {
    /// How long sound waits.
    hold: Duration,
    bursts: Vec<Burst>,
    /// Position in `bursts`, by [`RoomIndex`].
    by_room: Vec<u32>,
    /// Memory of bursts that have been forwarded.
    spare: Vec<Burst>,
}

impl Waiting {
    /// None. Sound will wait for `hold`.
    pub(crate) const fn new(hold: Duration) -> Self {
        Self {
            hold,
            bursts: Vec::new(),
            by_room: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// The burst of a room; it begins now if there is none.
    pub(crate) fn of_room(&mut self, now: Instant, room: RoomIndex) -> &mut Burst {
        let key = room.0 as usize;
        if key >= self.by_room.len() {
            self.by_room.resize(key + 1, NONE);
        }
        if self.by_room[key] == NONE {
            self.by_room[key] = self.bursts.len() as u32;
            let burst = match self.spare.pop() {
                Some(mut burst) => {
                    burst.restart(now, room);
                    burst
                }
                None => Burst::new(now, room),
            };
            self.bursts.push(burst);
        }
        &mut self.bursts[self.by_room[key] as usize]
    }

    /// Takes out the burst of a room. Give it back by [`recycle`](Self::recycle).
    pub(crate) fn take(&mut self, room: RoomIndex) -> Option<Burst> {
        let at = *self.by_room.get(room.0 as usize)?;
        (at != NONE).then(|| self.remove(at as usize))
    }

    /// Takes out a burst that need not wait any longer at the end of a wake-up at `now`.
    pub(crate) fn take_ready(&mut self, now: Instant) -> Option<Burst> {
        let is_ready = |burst: &Burst| self.due(burst).is_none_or(|due| due <= now);
        let at = self.bursts.iter().position(is_ready)?;
        Some(self.remove(at))
    }

    /// When [`take_ready`](Self::take_ready) will have something.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.bursts
            .iter()
            .map(|burst| self.due(burst).unwrap_or(burst.since))
            .min()
    }

    /// Keeps the memory of a burst that has been forwarded.
    pub(crate) fn recycle(&mut self, burst: Burst) {
        self.spare.push(burst);
    }

    /// Until when a burst waits; `None`: not beyond the wake-up.
    fn due(&self, burst: &Burst) -> Option<Instant> {
        let is_sound = burst
            .groups
            .iter()
            .all(|group| group.kind == MediaKind::Audio);
        (is_sound && !self.hold.is_zero()).then(|| burst.since + self.hold)
    }

    fn remove(&mut self, at: usize) -> Burst {
        let burst = self.bursts.swap_remove(at);
        self.by_room[burst.room.0 as usize] = NONE;
        if let Some(moved) = self.bursts.get(at) {
            self.by_room[moved.room.0 as usize] = at as u32;
        }
        burst
    }
}
