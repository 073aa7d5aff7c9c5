//! Which burst is forwarded when. One is at hand at a time; if a subscriber's turn panics, it is gone
//! on with behind that subscriber (see [`isolation`](crate::isolation)).

use super::Burst;
use crate::shard::Shard;
use plenum_types::{RoomIndex, SendBatch};
use std::time::Instant;

impl Shard {
    /// Forwards the packets that need not wait for others any longer. [`flush`](Self::flush) does
    /// it too.
    pub fn fan_out(&mut self, now: Instant, out: &mut impl SendBatch) {
        self.until_done(|shard| shard.fan_out_ready(now, out));
    }

    /// Goes on with the burst at hand, if a subscriber of it broke, then with the others.
    pub(crate) fn fan_out_ready(&mut self, now: Instant, out: &mut impl SendBatch) {
        while self.at_hand.is_some() || self.take_up_ready(now) {
            self.serve(now, out);
            self.put_away();
        }
    }

    /// Forwards the packets of a room, whether or not they could wait.
    pub(crate) fn fan_out_room(&mut self, now: Instant, room: RoomIndex, out: &mut impl SendBatch) {
        if let Some(burst) = self.waiting.take(room) {
            let turn = self.isolation.turn.take();
            self.take_up(burst);
            self.until_done(|shard| shard.serve(now, out));
            self.put_away();
            self.isolation.turn = turn;
        }
    }

    fn take_up_ready(&mut self, now: Instant) -> bool {
        let ready = self.waiting.take_ready(now);
        ready.map(|burst| self.take_up(burst)).is_some()
    }

    fn take_up(&mut self, burst: Burst) {
        self.deal.plan(&burst, &self.router);
        if self.deal.peer(0).is_some() {
            let since = self.forwarded_since.get_or_insert(burst.since);
            *since = burst.since.min(*since);
        }
        self.isolation.served = 0;
        self.at_hand = Some(burst);
    }

    fn put_away(&mut self) {
        self.isolation.turn = None;
        if let Some(burst) = self.at_hand.take() {
            self.waiting.recycle(burst);
        }
    }
}
