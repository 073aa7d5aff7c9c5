//! A datagram's way through the shard, stage by stage, in the words of ARCHITECTURE.md:
//! demux → unprotect → describe → route, and for each subscriber: select and patch → protect.
//!
//! Receiving comes before and sending after; both are the shell's. Between route and select,
//! packets wait for others of their room (see `burst`). From `unprotect`
//! on nothing allocates, locks, reads a clock or looks up a string. A packet that goes no further
//! has a [`DropReason`], which is counted in one place: [`Shard::handle_datagram`] for what ends a
//! datagram, `fan_out_burst` for what ends one subscriber's copy.

use crate::burst::BurstPacket;
use crate::fault::Fault;
use crate::link::Links;
use crate::peers::{PeerEntry, PeerTable};
use crate::shard::Shard;
use plenum_media::{Protocol, ReceivedPacket, SRTP_OVERHEAD, StreamRef, demux, stun_local_ufrag};
use plenum_routing::{Arrival, Forward, Router, SlotIndex, Withheld};
use plenum_rtp::{OutgoingExtensions, PacketDescription, add_padding, max_growth, write_packet};
use plenum_types::{
    ConnectPhase, DropReason, ExtensionKind, Path, PeerIndex, SendBatch, SequenceNumber,
};
use std::time::Instant;

impl Shard {
    /// Handles one datagram that came on `path`. Copies for subscribers are written to `out`, now
    /// or by [`flush`](Self::flush).
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &mut [u8],
        out: &mut impl SendBatch,
        links: &mut impl Links,
    ) {
        let handled = self.in_turn(None, |shard| {
            shard.try_datagram(now, path, datagram, out, links)
        });
        if let Some(Err(reason)) = handled {
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
        if self.isolation.is_broken(peer) {
            return Err(DropReason::UnknownAddress);
        }
        self.isolation.turn = Some(peer);
        self.peers.touch(peer);
        if let Some(entry) = self.peers.at_mut(peer) {
            entry.may_fault(Fault::Datagram);
        }
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

        let packet = &packet[..received.len];
        let arrival = self.take(now, &received, packet, out)?;
        self.cross(now, &arrival, &received, packet, links);
        self.hold(now, &arrival, &received.description, packet, out);
        Ok(())
    }

    /// A padding packet used up a sequence number that no subscriber will see.
    fn close_gap(&mut self, source: StreamRef, sequence: SequenceNumber) {
        if let Some(publication) = self.router.publication_index(source.publication) {
            self.router
                .on_skipped(publication, source.encoding, sequence);
        }
    }

    /// Stage 5, route: SSRC → publication. The packet is numbered and stored.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        received: &ReceivedPacket,
        packet: &[u8],
        out: &mut impl SendBatch,
    ) -> Result<Arrival, DropReason> {
        let description = &received.description;
        let encoding = received.source.encoding;
        let publication = self
            .router
            .publication_index(received.source.publication)
            .ok_or(DropReason::UnknownSource)?;
        if let Some(room) = self.router.changes_with(publication, encoding, description) {
            self.fan_out_room(now, room, out);
        }
        self.router.on_packet(
            now,
            publication,
            encoding,
            packet,
            description,
            received.retransmitted,
        )
    }

    /// The packet waits in the burst of its room for those that come with it.
    pub(crate) fn hold(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        description: &PacketDescription,
        packet: &[u8],
        out: &mut impl SendBatch,
    ) {
        let burst = self.waiting.of_room(now, arrival.room());
        burst.push(packet, description, arrival);
        if burst.is_full() {
            self.fan_out_room(now, arrival.room(), out);
        }
    }

    /// Stages 6 and 7 for the packets of the burst at hand, subscriber by subscriber, behind those
    /// that have had their turn.
    pub(crate) fn serve(&mut self, now: Instant, out: &mut impl SendBatch) {
        let Self {
            deal,
            router,
            peers,
            stats,
            clock,
            isolation,
            at_hand,
            ..
        } = self;
        let Some(burst) = at_hand else { return };
        let abs_send_time = clock.abs_send_time(now);
        let any_broken = isolation.is_any_broken();
        let mut position = isolation.served;
        while let Some(peer) = deal.peer(position) {
            position += 1;
            isolation.served = position;
            isolation.turn = Some(peer);
            if any_broken && isolation.is_broken(peer) {
                continue;
            }
            let Some(mut subscriber) = Subscriber::of(peers, peer) else {
                let copies = deal.deliveries_to(peer, burst).flat_map(|(_, group)| group);
                let copies = copies.count() as u64;
                stats.drops.add(DropReason::SubscriberNotReady, copies);
                continue;
            };
            subscriber.entry.may_fault(Fault::Copy);
            if subscriber.entry.progress.awaits_packet() {
                let progress = &mut subscriber.entry.progress;
                progress.finish(now, ConnectPhase::FirstPacket, stats);
            }
            for (slot, packets) in deal.deliveries_to(peer, burst) {
                for packet in packets {
                    if subscriber.entry.sender.is_bursting() {
                        subscriber.hold_back(now, router, slot, packet);
                    }
                    // Stage 6, select and patch: forward this packet on this slot, and changed how?
                    let copied = router
                        .forward(now, slot, &packet.arrival, &packet.description)
                        .and_then(|forward| {
                            let copy = OutgoingCopy {
                                packet: burst.bytes(packet),
                                description: &packet.description,
                                forward: &forward,
                                padding: burst.padding(packet),
                            };
                            // Stage 7, protect: encrypted in the place it is sent from.
                            subscriber
                                .protect_into(now, abs_send_time, &copy, out)
                                .map_err(Withheld::Dropped)
                        });
                    match copied {
                        Ok(bytes) => {
                            stats.rtp_packets_out += 1;
                            stats.rtp_bytes_out += bytes as u64;
                            router.on_sent(slot, packet.description.header.payload_len);
                        }
                        Err(Withheld::Dropped(reason)) => stats.drops.count(reason),
                        Err(Withheld::Later) => {}
                    }
                }
            }
        }
    }
}

/// One subscriber's copy of a packet.
pub(crate) struct OutgoingCopy<'a> {
    pub(crate) packet: &'a [u8],
    pub(crate) description: &'a PacketDescription,
    pub(crate) forward: &'a Forward,
    /// Bytes of padding to be added (RFC 3550 §5.1).
    pub(crate) padding: u8,
}

/// A peer as the receiver of copies.
pub(crate) struct Subscriber<'p> {
    pub(crate) entry: &'p mut PeerEntry,
    pub(crate) path: Path,
}

impl<'p> Subscriber<'p> {
    /// `None` if the peer is gone or has no path yet.
    pub(crate) fn of(peers: &'p mut PeerTable, peer: PeerIndex) -> Option<Self> {
        let entry = peers.at_mut(peer)?;
        let path = entry.transport.path()?;
        Some(Self { entry, path })
    }

    /// So much has left at once that pictures may have to wait.
    #[cold]
    fn hold_back(
        &mut self,
        now: Instant,
        router: &mut Router,
        slot: SlotIndex,
        packet: &BurstPacket,
    ) {
        if let Some(rate) = self.entry.sender.hold(now) {
            router.hold_back(now, slot, &packet.arrival, rate);
        }
    }

    /// Reserves a place in the send batch, writes the patched copy there, encrypts it in place
    /// and commits it. Returns the bytes of the datagram.
    pub(crate) fn protect_into(
        &mut self,
        now: Instant,
        abs_send_time: u32,
        copy: &OutgoingCopy<'_>,
        out: &mut impl SendBatch,
    ) -> Result<usize, DropReason> {
        let capacity = copy.packet.len() + max_growth() + usize::from(copy.padding) + SRTP_OVERHEAD;
        let buffer = out
            .reserve(self.path, capacity)
            .ok_or(DropReason::SendBatchFull)?;

        let map = copy.forward.extensions;
        let sender = &mut self.entry.sender;
        let transport_sequence = map
            .id(ExtensionKind::TransportSequence)
            .map(|_| sender.next_transport_sequence(now, copy.description.header.payload_len));
        let extensions = OutgoingExtensions {
            map,
            mid: Some(copy.forward.mid),
            abs_send_time,
            transport_sequence,
        };
        let length = write_packet(
            copy.packet,
            copy.description,
            &copy.forward.patch,
            &extensions,
            buffer,
        )
        .and_then(|length| add_padding(buffer, length, copy.padding))
        .map_err(|_| DropReason::TooLarge)?;
        let length = self.entry.transport.protect_rtp(buffer, length)?;
        out.commit(length);
        Ok(length)
    }
}
