//! RTCP to clients: what the receiver composes (receiver reports, NACK, PLI, transport-wide
//! feedback) and the sender reports of the slots.

use crate::shard::Shard;
use plenum_media::SRTCP_OVERHEAD;
use plenum_rtp::rtcp::RtcpWriter;
use plenum_types::{DropReason, PeerIndex, SendBatch};
use std::time::{Duration, Instant};

/// Time between sender reports. Shorter brings lip sync sooner, longer costs less.
const SENDER_REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Slots whose sender reports (28 bytes, and an SDES of about as much) fit a datagram.
const SENDER_REPORTS_PER_DATAGRAM: usize = 16;

/// RTCP datagrams that one peer may cause per flush; what is left waits for the next.
const FEEDBACK_DATAGRAMS_PER_FLUSH: usize = 4;

impl Shard {
    /// Sends what is due by the clock.
    pub(crate) fn send_reports(&mut self, now: Instant, peer: PeerIndex, out: &mut impl SendBatch) {
        let Some(entry) = self.peers.at_mut(peer) else {
            return;
        };
        if entry.connected && entry.next_sender_report.is_none_or(|due| due <= now) {
            entry.next_sender_report = Some(now + SENDER_REPORT_INTERVAL);
            self.send_sender_reports(now, peer, out);
            self.tell_data_losses(now, peer);
            self.note_round_trip(peer);
        }
    }

    /// Sends what the receiver has composed since the last flush.
    pub(crate) fn send_feedback(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        out: &mut impl SendBatch,
    ) {
        for _ in 0..FEEDBACK_DATAGRAMS_PER_FLUSH {
            let Some(entry) = self.peers.at_mut(peer).filter(|entry| entry.connected) else {
                return;
            };
            self.scratch.clear();
            if !entry.receiver.poll_rtcp(now, &mut self.scratch) {
                return;
            }
            self.send_scratch(peer, out);
            self.note_receptions(peer);
        }
    }

    fn send_sender_reports(&mut self, now: Instant, peer: PeerIndex, out: &mut impl SendBatch) {
        let ntp_now = self.clock.ntp(now);
        let slots = self.router.slots_of_peer(peer).len();
        for first in (0..slots).step_by(SENDER_REPORTS_PER_DATAGRAM) {
            self.scratch.clear();
            for position in first..slots.min(first + SENDER_REPORTS_PER_DATAGRAM) {
                let Some(&slot) = self.router.slots_of_peer(peer).get(position) else {
                    break;
                };
                if let Some((ssrc, info)) = self.router.sender_report(now, ntp_now, slot)
                    && let Some(entry) = self.peers.at(peer)
                {
                    let mut writer = RtcpWriter::new(&mut self.scratch);
                    writer.sender_report(ssrc, &info, &[]);
                    writer.sdes_cname(ssrc, &entry.cname);
                }
            }
            if !self.scratch.is_empty() {
                self.send_scratch(peer, out);
            }
        }
    }

    /// Protects the compound in `scratch` and writes it to the batch.
    fn send_scratch(&mut self, peer: PeerIndex, out: &mut impl SendBatch) {
        match self.try_send_scratch(peer, out) {
            Ok(()) => self.stats.rtcp_packets_out += 1,
            Err(reason) => self.stats.drops.count(reason),
        }
    }

    fn try_send_scratch(
        &mut self,
        peer: PeerIndex,
        out: &mut impl SendBatch,
    ) -> Result<(), DropReason> {
        let entry = self
            .peers
            .at_mut(peer)
            .ok_or(DropReason::SubscriberNotReady)?;
        let path = entry
            .transport
            .path()
            .ok_or(DropReason::SubscriberNotReady)?;
        let length = self.scratch.len();
        let buffer = out
            .reserve(path, length + SRTCP_OVERHEAD)
            .ok_or(DropReason::SendBatchFull)?;
        buffer[..length].copy_from_slice(&self.scratch);
        let length = entry.transport.protect_rtcp(buffer, length)?;
        out.commit(length);
        Ok(())
    }
}
