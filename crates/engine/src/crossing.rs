//! From shard to shard: packets for subscribers elsewhere, packets of publishers elsewhere, and
//! what shards tell each other.

use crate::link::{LinkMessage, LinkPacket, LinkRefused, Links};
use crate::shard::Shard;
use plenum_media::{ReceivedPacket, StreamRef};
use plenum_routing::Arrival;
use plenum_rtp::PacketDescription;
use plenum_types::{DropReason, PublicationId, SendBatch, ShardId};
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
        let feeds = self.router.feeds_of(arrival);
        if feeds > 0 {
            // What another shard was to get before is on its way first.
            self.send_backfills(now, links);
        }
        let packet = Crosser {
            publication: received.source.publication,
            description: &received.description,
            retransmitted: received.retransmitted,
            bytes,
        };
        for position in 0..feeds {
            if packet.cross(self, now, arrival, position, links).is_err() {
                // The others have moved up; they miss this packet, which repairs itself.
                return;
            }
        }
    }

    /// Sends what was said before another shard wanted it, as far as there is room.
    pub(crate) fn send_backfills(&mut self, now: Instant, links: &mut impl Links) {
        while let Some(mut backfill) = self.router.take_backfill() {
            while let Some(stored) = self.router.backfill(now, &mut backfill) {
                let (arrival, position) = (stored.arrival, stored.position);
                let description = stored.description;
                // Crossing changes the router, whose store this is. It is a little sound, once.
                let bytes = stored.packet.to_vec();
                let packet = Crosser {
                    publication: backfill.id,
                    description: &description,
                    // It belongs to another time, and says nothing about clocks and rates.
                    retransmitted: true,
                    bytes: &bytes,
                };
                if packet.cross(self, now, &arrival, position, links).is_err() {
                    break;
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

/// A packet that goes to other shards.
struct Crosser<'p> {
    publication: PublicationId,
    description: &'p PacketDescription,
    retransmitted: bool,
    bytes: &'p [u8],
}

impl Crosser<'_> {
    /// Offers the packet to the shard at `position` among those that want its encoding; an error
    /// if that shard is gone.
    fn cross(
        &self,
        shard: &mut Shard,
        now: Instant,
        arrival: &Arrival,
        position: usize,
        links: &mut impl Links,
    ) -> Result<(), LinkRefused> {
        let description = self.description;
        let crossing = shard
            .router
            .cross(now, arrival, position, description, |to| links.fill(to));
        let crossing = match crossing {
            Ok(crossing) => crossing,
            Err(reason) => {
                shard.stats.drops.count(reason);
                return Ok(());
            }
        };
        let packet = LinkPacket {
            publication: self.publication,
            encoding: arrival.encoding(),
            retransmitted: self.retransmitted,
            position: crossing.position,
            description: crossing.description,
        };
        match links.try_send(crossing.to, LinkMessage::Packet(packet, self.bytes)) {
            Ok(()) => {
                shard.stats.link_packets_out += 1;
                shard.stats.link_bytes_out += self.bytes.len() as u64;
            }
            Err(LinkRefused::Full) => {
                shard.router.on_link_full(arrival, position, description);
                shard.stats.drops.count(DropReason::LinkFull);
            }
            Err(LinkRefused::Gone) => {
                shard.router.forget_shard(crossing.to);
                return Err(LinkRefused::Gone);
            }
        }
        Ok(())
    }
}
