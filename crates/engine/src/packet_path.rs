//! A datagram's way through the shard, stage by stage, in the words of ARCHITECTURE.md:
//! demux → unprotect → describe → route → for each slot: select and patch → protect.
//!
//! Receiving comes before and sending after; both are the shell's. From `unprotect` on nothing
//! allocates, locks, reads a clock or looks up a string. A packet that goes no further has a
//! [`DropReason`], which is counted in one place: [`Shard::handle_datagram`] for what ends a
//! datagram, [`Shard::fan_out`] for what ends one subscriber's copy.

use crate::link::Links;
use crate::peers::PeerTable;
use crate::shard::Shard;
use plenum_media::{Protocol, ReceivedPacket, SRTP_OVERHEAD, StreamRef, demux, stun_local_ufrag};
use plenum_routing::{Forward, PublicationIndex};
use plenum_rtp::{OutgoingExtensions, PacketDescription, max_growth, write_packet};
use plenum_types::{DropReason, ExtensionKind, Path, PeerIndex, SendBatch, SequenceNumber};
use std::time::Instant;

impl Shard {
    /// Handles one datagram that came on `path`. Copies for subscribers are written to `out`.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &mut [u8],
        out: &mut impl SendBatch,
        links: &mut impl Links,
    ) {
        if let Err(reason) = self.try_datagram(now, path, datagram, out, links) {
            self.stats.drops.count(reason);
        }
    }

    /// Stage 2, demux: which protocol, which peer.
    fn try_datagram(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &mut [u8],
        out: &mut impl SendBatch,
        links: &mut impl Links,
    ) -> Result<(), DropReason> {
        let protocol = demux(datagram);
        let peer = match protocol {
            Protocol::Unknown => return Err(DropReason::UnknownProtocol),
            Protocol::Stun => self.peer_of_stun(path, datagram)?,
            Protocol::Rtp | Protocol::Rtcp | Protocol::Dtls => self
                .peers
                .index_at_address(path.remote)
                .ok_or(DropReason::UnknownAddress)?,
        };
        self.peers.touch(peer);
        match protocol {
            Protocol::Rtp => self.handle_rtp(now, path, peer, datagram, out, links),
            Protocol::Rtcp => self.handle_rtcp(now, path, peer, datagram, out),
            Protocol::Stun => self.handle_stun(now, path, peer, datagram),
            Protocol::Dtls => self.handle_dtls(now, path, peer, datagram),
            Protocol::Unknown => Err(DropReason::UnknownProtocol),
        }
    }

    /// A request names its peer; anything else must come from an address we know.
    fn peer_of_stun(&self, path: Path, datagram: &[u8]) -> Result<PeerIndex, DropReason> {
        match stun_local_ufrag(datagram) {
            Some(ufrag) => self
                .peers
                .index_of_ufrag(ufrag)
                .ok_or(DropReason::UnknownUfrag),
            None => self
                .peers
                .index_at_address(path.remote)
                .ok_or(DropReason::UnknownAddress),
        }
    }

    fn handle_rtp(
        &mut self,
        now: Instant,
        path: Path,
        peer: PeerIndex,
        datagram: &mut [u8],
        out: &mut impl SendBatch,
        links: &mut impl Links,
    ) -> Result<(), DropReason> {
        let bytes = datagram.len() as u64;
        let entry = self.peers.at_mut(peer).ok_or(DropReason::UnknownAddress)?;

        // Stage 3, unprotect: authenticated and decrypted in place, replays refused.
        let packet = entry.transport.unprotect_rtp(now, path, datagram)?;
        self.stats.rtp_packets_in += 1;
        self.stats.rtp_bytes_in += bytes;

        // Stage 4, describe: header, extensions, layer and keyframe, parsed once. A
        // retransmission becomes the packet it repeats.
        let received = match entry.receiver.handle_rtp(now, packet) {
            Ok(received) => received,
            Err(reason) => {
                if let Some((source, sequence)) = entry.receiver.take_skipped() {
                    self.close_gap(source, sequence);
                }
                return Err(reason);
            }
        };
        self.stats.rtx_packets_in += u64::from(received.retransmitted);

        // Stage 5, route: SSRC → publication → slots, and shards that have slots for it.
        let packet = &packet[..received.len];
        let publication = self
            .router
            .publication_index(received.source.publication)
            .ok_or(DropReason::UnknownSource)?;
        self.take_packet(now, publication, &received, packet)?;
        self.cross(now, publication, &received, packet, links);
        self.fan_out(now, publication, &received, packet, out);
        Ok(())
    }

    /// Stage 5: the packet gets its number and is kept for retransmission.
    pub(crate) fn take_packet(
        &mut self,
        now: Instant,
        publication: PublicationIndex,
        received: &ReceivedPacket,
        packet: &[u8],
    ) -> Result<(), DropReason> {
        self.router.on_packet(
            now,
            publication,
            received.source.encoding,
            packet,
            &received.description,
            received.retransmitted,
        )
    }

    /// A padding packet used up a sequence number that no subscriber will see.
    fn close_gap(&mut self, source: StreamRef, sequence: SequenceNumber) {
        if let Some(publication) = self.router.publication_index(source.publication) {
            self.router
                .on_skipped(publication, source.encoding, sequence);
        }
    }

    /// Stages 6 and 7: for each slot select, patch and protect.
    pub(crate) fn fan_out(
        &mut self,
        now: Instant,
        publication: PublicationIndex,
        received: &ReceivedPacket,
        packet: &[u8],
        out: &mut impl SendBatch,
    ) {
        let description = &received.description;
        let encoding = received.source.encoding;
        let abs_send_time = self.clock.abs_send_time(now);
        for position in 0..self.router.slots_of_encoding(publication, encoding).len() {
            let Some(&slot) = self
                .router
                .slots_of_encoding(publication, encoding)
                .get(position)
            else {
                break;
            };

            // Stage 6, select and patch: forward this packet on this slot, and changed how?
            let copied = self
                .router
                .forward(now, slot, publication, encoding, description)
                .and_then(|forward| {
                    let copy = OutgoingCopy {
                        packet,
                        description,
                        forward: &forward,
                    };
                    // Stage 7, protect: encrypted in the place it is sent from.
                    copy.protect_into(now, abs_send_time, &mut self.peers, out)
                });
            match copied {
                Ok(bytes) => {
                    self.stats.rtp_packets_out += 1;
                    self.stats.rtp_bytes_out += bytes as u64;
                    self.router.on_sent(slot, description.header.payload_len);
                }
                Err(reason) => self.stats.drops.count(reason),
            }
        }
    }
}

/// One subscriber's copy of a packet.
pub(crate) struct OutgoingCopy<'a> {
    pub(crate) packet: &'a [u8],
    pub(crate) description: &'a PacketDescription,
    pub(crate) forward: &'a Forward,
}

impl OutgoingCopy<'_> {
    /// Reserves a place in the send batch, writes the patched copy there, encrypts it in place
    /// and commits it. Returns the bytes of the datagram.
    pub(crate) fn protect_into(
        &self,
        now: Instant,
        abs_send_time: u32,
        peers: &mut PeerTable,
        out: &mut impl SendBatch,
    ) -> Result<usize, DropReason> {
        let entry = peers
            .at_mut(self.forward.peer)
            .ok_or(DropReason::SubscriberNotReady)?;
        let path = entry
            .transport
            .path()
            .ok_or(DropReason::SubscriberNotReady)?;
        let capacity = self.packet.len() + max_growth() + SRTP_OVERHEAD;
        let buffer = out
            .reserve(path, capacity)
            .ok_or(DropReason::SendBatchFull)?;

        let map = self.forward.extensions;
        let transport_sequence = map
            .id(ExtensionKind::TransportSequence)
            .map(|_| entry.sender.next_transport_sequence(now, self.packet.len()));
        let extensions = OutgoingExtensions {
            map,
            mid: Some(self.forward.mid),
            abs_send_time,
            transport_sequence,
        };
        let length = write_packet(
            self.packet,
            self.description,
            &self.forward.patch,
            &extensions,
            buffer,
        )
        .map_err(|_| DropReason::TooLarge)?;
        let length = entry.transport.protect_rtp(buffer, length)?;
        out.commit(length);
        Ok(length)
    }
}
