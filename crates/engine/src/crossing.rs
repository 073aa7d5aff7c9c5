//! From shard to shard: packets for subscribers elsewhere, packets of publishers elsewhere, and
//! what shards tell each other.

use crate::link::{LinkMessage, LinkPacket, LinkRefused, Links};
use crate::shard::Shard;
use plenum_media::{ReceivedPacket, StreamRef};
use plenum_routing::Arrival;
use plenum_types::{DropReason, SendBatch, ShardId};
use std::time::{Duration, Instant};

/// When notes are offered again to a shard that had no room for them.
const RETRY: Duration = Duration::from_millis(5);

impl Shard {
    /// Takes what shard `from` handed over. Copies for subscribers are written to `out`.
    pub fn handle_link(
        &mut self,
        now: Instant,
        from: ShardId,
        message: LinkMessage<'_>,
        out: &mut impl SendBatch,
    ) {
        match message {
            LinkMessage::Packet(packet, bytes) => {
                if let Err(reason) = self.try_linked_packet(now, from, &packet, bytes, out) {
                    self.stats.drops.count(reason);
                }
            }
            LinkMessage::Note(note) => {
                // It may change what slots show: packets that came before go first.
                if let Some(room) = self.router.room_of(note.publication) {
                    self.fan_out_room(now, room, out);
                }
                self.router.handle_note(now, from, &note);
            }
        }
    }

    /// From here on a replica's packet goes the way of any other.
    fn try_linked_packet(
        &mut self,
        now: Instant,
        from: ShardId,
        packet: &LinkPacket,
        bytes: &[u8],
        out: &mut impl SendBatch,
    ) -> Result<(), DropReason> {
        self.stats.link_packets_in += 1;
        self.stats.link_bytes_in += bytes.len() as u64;
        let id = packet.publication;
        let replica = self.router.publication_index(id);
        let Some(replica) = replica.filter(|_| !self.publications.contains_key(&id)) else {
            self.router.on_unwanted_packet(from, id);
            return Err(DropReason::UnknownSource);
        };
        let (encoding, position) = (packet.encoding, packet.position);
        if self.router.breaks_off(replica, encoding, position)
            && let Some(room) = self.router.room_of(id)
        {
            self.fan_out_room(now, room, out);
        }
        self.router
            .before_linked_packet(now, replica, encoding, position);
        let received = ReceivedPacket {
            source: StreamRef {
                publication: id,
                encoding,
            },
            retransmitted: packet.retransmitted,
            len: bytes.len(),
            description: packet.description,
        };
        let arrival = self.take(now, &received, bytes, out)?;
        self.hold(now, &arrival, &received.description, bytes, out);
        Ok(())
    }

    /// Offers a packet to the shards that want it.
    pub(crate) fn cross(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        received: &ReceivedPacket,
        bytes: &[u8],
        links: &mut impl Links,
    ) {
        let description = &received.description;
        for position in 0..self.router.feeds_of(arrival) {
            let crossing = self
                .router
                .cross(now, arrival, position, description, |to| links.fill(to));
            let crossing = match crossing {
                Ok(crossing) => crossing,
                Err(reason) => {
                    self.stats.drops.count(reason);
                    continue;
                }
            };
            let packet = LinkPacket {
                publication: received.source.publication,
                encoding: received.source.encoding,
                retransmitted: received.retransmitted,
                position: crossing.position,
                description: crossing.description,
            };
            match links.try_send(crossing.to, LinkMessage::Packet(packet, bytes)) {
                Ok(()) => {
                    self.stats.link_packets_out += 1;
                    self.stats.link_bytes_out += bytes.len() as u64;
                }
                Err(LinkRefused::Full) => {
                    self.router.on_link_full(arrival, position, description);
                    self.stats.drops.count(DropReason::LinkFull);
                }
                Err(LinkRefused::Gone) => {
                    self.router.forget_shard(crossing.to);
                    // The others have moved up; they miss this packet, which repairs itself.
                    return;
                }
            }
        }
    }

    /// Tells other shards what they do not know yet, as far as there is room.
    pub(crate) fn send_notes(&mut self, now: Instant, links: &mut impl Links) {
        self.notes_retry = None;
        let mut after = None;
        while let Some(to) = self.router.next_to_tell(after) {
            after = Some(to);
            while let Some(note) = self.router.next_note(now, to) {
                match links.try_send(to, LinkMessage::Note(note)) {
                    Ok(()) => self.router.on_note_sent(to, &note),
                    Err(LinkRefused::Full) => {
                        self.notes_retry = Some(now + RETRY);
                        break;
                    }
                    Err(LinkRefused::Gone) => {
                        self.router.forget_shard(to);
                        break;
                    }
                }
            }
        }
    }
}
