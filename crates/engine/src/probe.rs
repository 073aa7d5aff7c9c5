//! Probes for bandwidth: padding on the retransmission stream of a slot, when the subscriber's
//! [`Sender`](plenum_media::Sender) asks for it.

use crate::packet_path::Subscriber;
use crate::shard::Shard;
use plenum_media::SRTP_OVERHEAD;
use plenum_routing::Forward;
use plenum_rtp::{OutgoingExtensions, max_growth, write_padding};
use plenum_types::{DropReason, PeerIndex, SendBatch};
use std::time::Instant;

/// Fixed RTP header.
const HEADER: usize = 12;

/// Packets of padding that one peer may cause per wake-up. What is left is late: the train is
/// slower than it should be, and tells less.
const PACKETS_PER_WAKE_UP: usize = 64;

impl Shard {
    /// Sends the padding that is due.
    pub(crate) fn send_probes(&mut self, now: Instant, peer: PeerIndex, out: &mut impl SendBatch) {
        for _ in 0..PACKETS_PER_WAKE_UP {
            let Some(entry) = self.peers.at_mut(peer).filter(|entry| entry.connected) else {
                return;
            };
            let Some(padding) = entry.sender.poll_probe(now) else {
                return;
            };
            match self.send_padding(now, peer, padding, out) {
                Ok(bytes) => {
                    self.stats.probe_packets_out += 1;
                    self.stats.probe_bytes_out += bytes as u64;
                    self.stats.rtp_packets_out += 1;
                    self.stats.rtp_bytes_out += bytes as u64;
                }
                Err(reason) => return self.stats.drops.count(reason),
            }
        }
    }

    fn send_padding(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        padding: u8,
        out: &mut impl SendBatch,
    ) -> Result<usize, DropReason> {
        let abs_send_time = self.clock.abs_send_time(now);
        let forward = self
            .router
            .padding(peer)
            .ok_or(DropReason::SubscriberNotReady)?;
        Subscriber::of(&mut self.peers, peer)
            .ok_or(DropReason::SubscriberNotReady)?
            .pad_into(now, abs_send_time, &forward, padding, out)
    }
}

impl Subscriber<'_> {
    /// Writes a packet of padding to the send batch. Returns the bytes of the datagram.
    fn pad_into(
        &mut self,
        now: Instant,
        abs_send_time: u32,
        forward: &Forward,
        padding: u8,
        out: &mut impl SendBatch,
    ) -> Result<usize, DropReason> {
        let capacity = HEADER + max_growth() + usize::from(padding) + SRTP_OVERHEAD;
        let buffer = out
            .reserve(self.path, capacity)
            .ok_or(DropReason::SendBatchFull)?;
        let extensions = OutgoingExtensions {
            map: forward.extensions,
            mid: Some(forward.mid),
            abs_send_time,
            transport_sequence: Some(
                self.entry
                    .sender
                    .next_transport_sequence(now, usize::from(padding)),
            ),
        };
        let length = write_padding(&forward.patch, padding, &extensions, buffer)
            .map_err(|_| DropReason::TooLarge)?;
        let length = self.entry.transport.protect_rtp(buffer, length)?;
        out.commit(length);
        Ok(length)
    }
}
