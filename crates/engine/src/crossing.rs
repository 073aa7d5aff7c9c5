//! From shard to shard: packets for subscribers elsewhere, packets of publishers elsewhere, and
//! what shards tell each other.

use crate::link::{LinkMessage, LinkPacket, LinkRefused, Links};
use crate::shard::Shard;
use plenum_media::{ReceivedPacket, StreamRef};
use plenum_routing::PublicationIndex;
use plenum_types::{DropReason, LinkNote, SendBatch, ShardId};
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
                self.handle_linked_packet(now, from, &packet, bytes, out);
            }
            LinkMessage::Note(note) => self.handle_note(now, from, &note),
        }
    }

    fn handle_note(&mut self, now: Instant, from: ShardId, note: &LinkNote) {
        self.router.handle_note(now, from, note);
    }

    fn handle_linked_packet(
        &mut self,
        now: Instant,
        from: ShardId,
        packet: &LinkPacket,
        bytes: &[u8],
        out: &mut impl SendBatch,
    ) {
        self.stats.link_packets_in += 1;
        self.stats.link_bytes_in += bytes.len() as u64;
        let id = packet.publication;
        let replica = self.router.publication_index(id);
        let Some(replica) = replica.filter(|_| !self.publications.contains_key(&id)) else {
            self.router.on_unwanted_packet(from, id);
            self.stats.drops.count(DropReason::UnknownSource);
            return;
        };
        self.router.before_linked_packet(
            now,
            replica,
            packet.encoding,
            packet.generation,
            packet.resumes,
        );
        let received = ReceivedPacket {
            source: StreamRef {
                publication: id,
                encoding: packet.encoding,
            },
            retransmitted: packet.retransmitted,
            len: bytes.len(),
            description: packet.description,
        };
        let taken = self.take_packet(now, replica, &received, bytes);
        if let Err(reason) = taken {
            self.stats.drops.count(reason);
            return;
        }
        self.fan_out(now, replica, &received, bytes, out);
    }

    /// Offers a packet to the shards that want it.
    pub(crate) fn cross(
        &mut self,
        now: Instant,
        publication: PublicationIndex,
        received: &ReceivedPacket,
        bytes: &[u8],
        links: &mut impl Links,
    ) {
        let encoding = received.source.encoding;
        for position in 0..self.router.feeds_of_encoding(publication, encoding) {
            let description = &received.description;
            let crossing =
                self.router
                    .cross(now, publication, encoding, position, description, |to| {
                        links.fill(to)
                    });
            let crossing = match crossing {
                Ok(crossing) => crossing,
                Err(reason) => {
                    self.stats.drops.count(reason);
                    continue;
                }
            };
            let packet = LinkPacket {
                publication: received.source.publication,
                encoding,
                retransmitted: received.retransmitted,
                resumes: crossing.resumes,
                generation: crossing.generation,
                description: crossing.description,
            };
            match links.try_send(crossing.to, LinkMessage::Packet(packet, bytes)) {
                Ok(()) => {
                    self.stats.link_packets_out += 1;
                    self.stats.link_bytes_out += bytes.len() as u64;
                }
                Err(LinkRefused::Full) => {
                    self.router
                        .on_link_full(publication, encoding, position, description);
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
