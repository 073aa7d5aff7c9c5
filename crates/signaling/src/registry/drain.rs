//! Emptying the server, so that it can be replaced: nobody new is let in, and room after room is
//! told to move. All of a room move at once, because a room is on one server.

use std::collections::VecDeque;
use std::time::Duration;

use plenum_types::RoomId;

use super::{Registry, Timer};
use crate::messages::{ErrorCode, ServerMessage};
use crate::refusal::Refusal;

/// Longest pause between two rooms. A short list needs no long time.
const GAP_MAX: Duration = Duration::from_millis(500);

/// A server that is being emptied.
#[derive(Debug)]
pub(super) struct Draining {
    /// Rooms that were not told yet.
    rooms: VecDeque<RoomId>,
    gap: Duration,
    /// Where clients shall go; none: to the address that they have.
    url: Option<String>,
}

impl Registry {
    /// Begins to empty the server; the last room is told after half of `window`.
    pub(crate) fn handle_drain(&mut self, window: Duration, url: Option<String>) {
        if self.draining.is_some() {
            return;
        }
        let rooms: VecDeque<RoomId> = self.rooms.keys().copied().collect();
        let among = u32::try_from(rooms.len()).unwrap_or(u32::MAX).max(1);
        let gap = (window / 2 / among).min(GAP_MAX);
        self.draining = Some(Draining { rooms, gap, url });
        self.timers.insert((self.now, Timer::Drain));
    }

    /// Takes clients again. Those who were told to move may have gone.
    pub(crate) fn handle_undrain(&mut self) {
        self.draining = None;
    }

    /// Tells the next room.
    pub(super) fn drain_next(&mut self) {
        let Some(draining) = &mut self.draining else {
            return;
        };
        let Some(room) = draining.rooms.pop_front() else {
            return;
        };
        let (due, url) = (self.now + draining.gap, draining.url.clone());
        self.timers.insert((due, Timer::Drain));
        self.broadcast(room, None, ServerMessage::Draining { url });
    }

    /// Whether newcomers are let in.
    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        if self.draining.is_none() {
            return Ok(());
        }
        Err(Refusal::new(
            ErrorCode::Draining,
            "Connect again, to another server: this one is being emptied.",
        ))
    }
}
