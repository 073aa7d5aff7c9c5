//! RTCP from clients: reports on what they send and receive, retransmissions, keyframe requests,
//! bandwidth estimates.

use crate::packet_path::{OutgoingCopy, Subscriber};
use crate::shard::Shard;
use plenum_rtp::rtcp::{RtcpPacket, RtcpPackets};
use plenum_types::{DropReason, Path, PeerIndex, SendBatch, SequenceNumber, Ssrc};
use std::time::Instant;

/// Retransmissions answered per RTCP datagram. One NACK of a full datagram could ask for 5,000
/// packets; a client that lost more than this is better served by a keyframe.
const RETRANSMISSIONS_PER_DATAGRAM_MAX: usize = 256;

impl Shard {
    pub(crate) fn handle_rtcp(
        &mut self,
        now: Instant,
        path: Path,
        peer: PeerIndex,
        datagram: &mut [u8],
        out: &mut impl SendBatch,
    ) -> Result<(), DropReason> {
        let entry = self.peers.at_mut(peer).ok_or(DropReason::UnknownAddress)?;
        let compound = entry.transport.unprotect_rtcp(now, path, datagram)?;
        self.stats.rtcp_packets_in += 1;
        let mut budget = RETRANSMISSIONS_PER_DATAGRAM_MAX;
        for packet in RtcpPackets::new(compound) {
            let packet = packet.map_err(|_| DropReason::RtcpMalformed)?;
            self.handle_rtcp_packet(now, peer, &packet, &mut budget, out);
        }
        if let Some(entry) = self.peers.at_mut(peer)
            && let Some(rtt) = entry.sender.rtt()
        {
            entry.receiver.set_rtt(rtt);
        }
        Ok(())
    }

    pub(crate) fn handle_rtcp_packet(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        packet: &RtcpPacket<'_>,
        budget: &mut usize,
        out: &mut impl SendBatch,
    ) {
        let ntp_now = self.clock.ntp(now);
        let Some(entry) = self.peers.at_mut(peer) else {
            return;
        };
        match packet {
            RtcpPacket::SenderReport {
                ssrc,
                info,
                reports,
            } => {
                for block in *reports {
                    entry.sender.on_report_block(now, ntp_now, &block);
                }
                if let Some(stream) = entry.receiver.on_sender_report(now, *ssrc, info)
                    && let Some(publication) = self.router.publication_index(stream.publication)
                {
                    self.router
                        .on_sender_report(now, publication, stream.encoding, info);
                }
                for block in *reports {
                    self.note_report_block(peer, &block);
                }
            }
            RtcpPacket::ReceiverReport { reports, .. } => {
                for block in *reports {
                    entry.sender.on_report_block(now, ntp_now, &block);
                }
                for block in *reports {
                    self.note_report_block(peer, &block);
                }
            }
            RtcpPacket::TransportFeedback { raw } => {
                entry.sender.handle_transport_feedback(now, raw);
                self.pass_estimate_on(now, peer);
            }
            RtcpPacket::Remb { bitrate, .. } => {
                entry.sender.handle_remb(*bitrate);
                self.pass_estimate_on(now, peer);
            }
            RtcpPacket::Nack { media, pairs, .. } => {
                for sequence in *pairs {
                    self.stats.nacks_in += 1;
                    if *budget == 0 {
                        self.stats.drops.count(DropReason::NotStored);
                        continue;
                    }
                    *budget -= 1;
                    self.retransmit(now, peer, *media, sequence, out);
                }
            }
            RtcpPacket::Pli { media, .. } => self.on_keyframe_request(now, peer, *media),
            RtcpPacket::Fir { entries, .. } => {
                for (media, _) in *entries {
                    self.on_keyframe_request(now, peer, media);
                }
            }
            RtcpPacket::Bye { ssrcs } => {
                for ssrc in *ssrcs {
                    entry.receiver.on_bye(ssrc);
                }
            }
            RtcpPacket::SourceDescription | RtcpPacket::Other => {}
        }
    }

    fn pass_estimate_on(&mut self, now: Instant, peer: PeerIndex) {
        let estimate = self
            .peers
            .at(peer)
            .and_then(|entry| entry.sender.estimate(now));
        if let Some(estimate) = estimate {
            self.router.set_estimate(now, peer, estimate);
        }
    }

    pub(crate) fn on_keyframe_request(&mut self, now: Instant, peer: PeerIndex, media: Ssrc) {
        match self.router.slot_by_ssrc(peer, media) {
            Some(slot) => self.router.on_keyframe_request(now, slot),
            None => self.stats.drops.count(DropReason::UnknownSource),
        }
    }

    /// Answers one requested sequence number from the publication's packet store.
    pub(crate) fn retransmit(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        media: Ssrc,
        sequence: SequenceNumber,
        out: &mut impl SendBatch,
    ) {
        let Some(slot) = self.router.slot_by_ssrc(peer, media) else {
            self.stats.drops.count(DropReason::NotStored);
            return;
        };
        let rtt = self.peers.at(peer).and_then(|entry| entry.sender.rtt());
        let abs_send_time = self.clock.abs_send_time(now);
        let sent = self
            .router
            .retransmit(now, slot, sequence, rtt)
            .and_then(|again| {
                let copy = OutgoingCopy {
                    packet: again.packet,
                    description: &again.description,
                    forward: &again.forward,
                    padding: 0,
                };
                let mut subscriber =
                    Subscriber::of(&mut self.peers, peer).ok_or(DropReason::SubscriberNotReady)?;
                let payload = again.description.header.payload_len;
                let sender = &mut subscriber.entry.sender;
                if !sender.may_repair(now, payload, again.is_current) {
                    return Err(DropReason::RepairHeld);
                }
                subscriber.protect_into(now, abs_send_time, &copy, out)
            });
        match sent {
            Ok(bytes) => {
                self.stats.rtx_packets_out += 1;
                self.stats.rtp_packets_out += 1;
                self.stats.rtp_bytes_out += bytes as u64;
            }
            Err(reason) => self.stats.drops.count(reason),
        }
    }
}
