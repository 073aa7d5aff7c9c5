//! Probes for bandwidth: padding on the retransmission stream of a slot, when the subscriber's
//! [`Sender`](plenum_media::Sender) asks for it.

use crate::packet_path::Subscriber;
use crate::shard::Shard;
use plenum_media::SRTP_OVERHEAD;
use plenum_routing::Forward;
use plenum_rtp::{OutgoingExtensions, max_growth, write_padding};
use plenum_types::{DropReason, PeerIndex, SendBatch};
use std::time::Instant;

/// Padding of a probe: as much as one packet can have (RFC 3550 §5.1).
const PADDING: u8 = u8::MAX;

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
            if entry.sender.poll_probe(now) == 0 {
                return;
            }
            match self.send_padding(now, peer, out) {
                Ok(bytes) => {
                    self.stats.probe_packets_out += 1;
                    self.stats.probe_bytes_out += bytes as u64;
                }
                Err(reason) => return self.stats.drops.count(reason),
            }
        }
    }

    fn send_padding(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        out: &mut impl SendBatch,
    ) -> Result<usize, DropReason> {
        let abs_send_time = self.clock.abs_send_time(now);
        let forward = self
            .router
            .padding(peer)
            .ok_or(DropReason::SubscriberNotReady)?;
        Subscriber::of(&mut self.peers, peer)
            .ok_or(DropReason::SubscriberNotReady)?
            .pad_into(now, abs_send_time, &forward, out)
    }
}

impl Subscriber<'_> {
    /// Writes a packet of padding to the send batch. Returns the bytes of the datagram.
    fn pad_into(
        &mut self,
        now: Instant,
        abs_send_time: u32,
        forward: &Forward,
        out: &mut impl SendBatch,
    ) -> Result<usize, DropReason> {
        let capacity = HEADER + max_growth() + usize::from(PADDING) + SRTP_OVERHEAD;
        let buffer = out
            .reserve(self.path, capacity)
            .ok_or(DropReason::SendBatchFull)?;
        let size = HEADER + usize::from(PADDING);
        let extensions = OutgoingExtensions {
            map: forward.extensions,
            mid: Some(forward.mid),
            abs_send_time,
            transport_sequence: Some(self.entry.sender.next_transport_sequence(now, size)),
        };
        let length = write_padding(&forward.patch, PADDING, &extensions, buffer)
            .map_err(|_| DropReason::TooLarge)?;
        let length = self.entry.transport.protect_rtp(buffer, length)?;
        out.commit(length);
        Ok(length)
    }
}
