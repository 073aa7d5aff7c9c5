//! Packets that leave later than they came: the beginnings of speech that a slot was not yet given
//! when they were spoken. They come from the publication's store, not from memory of their own.

use crate::packet_path::{OutgoingCopy, Subscriber};
use crate::shard::Shard;
use plenum_routing::SlotIndex;
use plenum_types::{ConnectPhase, DropReason, SendBatch};
use std::time::Instant;

/// Most slots that have their turn in one wake-up; the others' is next. Keeps packets flowing.
const SLOTS_MAX: usize = 256;

impl Shard {
    /// Sends what is due of slots that are behind.
    pub(crate) fn send_late(&mut self, now: Instant, out: &mut impl SendBatch) {
        for _ in 0..SLOTS_MAX {
            let Some((slot, room)) = self.router.take_late(now) else {
                return;
            };
            // What waits in a burst is in the store, too: it must not be sent twice.
            self.fan_out_room(now, room, out);
            let peer = self.router.peer_of_slot(slot);
            if !peer.is_some_and(|peer| self.isolation.is_broken(peer)) {
                self.isolation.turn = peer;
                self.send_slot_late(now, slot, out);
                self.isolation.turn = None;
            }
        }
    }

    fn send_slot_late(&mut self, now: Instant, slot: SlotIndex, out: &mut impl SendBatch) {
        while let Some(sent) = self.send_next_late(now, slot, out) {
            if let Err(reason) = sent {
                self.stats.drops.count(reason);
            }
        }
    }

    fn send_next_late(
        &mut self,
        now: Instant,
        slot: SlotIndex,
        out: &mut impl SendBatch,
    ) -> Option<Result<(), DropReason>> {
        let abs_send_time = self.clock.abs_send_time(now);
        let late = self.router.forward_late(now, slot)?;
        let forward = match late.forward {
            Ok(forward) => forward,
            Err(reason) => return Some(Err(reason)),
        };
        let Some(mut subscriber) = Subscriber::of(&mut self.peers, forward.peer) else {
            return Some(Err(DropReason::SubscriberNotReady));
        };
        let copy = OutgoingCopy {
            packet: late.packet,
            description: &late.description,
            forward: &forward,
            padding: 0,
        };
        let payload = late.description.header.payload_len;
        let (peer, begins) = (forward.peer, forward.patch.marker);
        let sent = subscriber.protect_into(now, abs_send_time, &copy, out);
        if subscriber.entry.progress.awaits_packet() {
            let progress = &mut subscriber.entry.progress;
            progress.finish(now, ConnectPhase::FirstPacket, &mut self.stats);
        }
        if begins {
            // Where its timestamps stand is news, which the lips wait for.
            subscriber.entry.next_sender_report = Some(now);
            self.peers.touch(peer);
        }
        Some(sent.map(|bytes| {
            self.stats.rtp_packets_out += 1;
            self.stats.rtp_bytes_out += bytes as u64;
            self.router.on_sent(slot, payload);
        }))
    }
}
