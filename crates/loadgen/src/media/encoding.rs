//! One RTP stream of a publisher, and its retransmissions.

use std::collections::VecDeque;

use plenum_media::{SRTP_OVERHEAD, SrtpSession};
use plenum_rtp::rtcp::{RtcpWriter, SenderInfo};
use plenum_types::{AudioLevel, ExtensionMap, Mid, NtpTime, Rid, RtpTimestamp, Ssrc};

use super::header::{HEADER_MAX, Header, Naming};
use super::payload::Part;
use crate::client::{Context, Outbox};

/// Packets that can be sent again: more than a second of 1.5 Mbit/s.
const HISTORY: usize = 256;
/// Bytes of the original sequence number before the payload of a retransmission (RFC 4588 §4).
const OSN: usize = 2;

/// What all streams of a peer connection share.
pub(super) struct Transport {
    pub(super) ids: ExtensionMap,
    pub(super) transport_sequence: u16,
}

impl Transport {
    fn next_sequence(&mut self) -> u16 {
        let sequence = self.transport_sequence;
        self.transport_sequence = sequence.wrapping_add(1);
        sequence
    }
}

/// A packet that was sent. Its payload follows from its part.
#[derive(Clone, Copy)]
struct Sent {
    sequence: u16,
    timestamp: u32,
    part: Part,
}

/// One RTP stream.
pub(super) struct Encoding {
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    /// SSRC and payload type of retransmissions.
    pub(super) rtx: Option<(u32, u8)>,
    pub(super) mid: Mid,
    pub(super) rid: Option<Rid>,
    /// The server has reported on the stream: it knows whose it is.
    pub(super) is_known: bool,
    pub(super) keyframe_wanted: bool,
    pub(super) frames: u32,
    sequence: u16,
    rtx_sequence: u16,
    packets: u32,
    bytes: u32,
    last: Option<(NtpTime, u32)>,
    history: VecDeque<Sent>,
}

impl Encoding {
    pub(super) fn new(
        ssrc: u32,
        payload_type: u8,
        rtx: Option<(u32, u8)>,
        mid: Mid,
        rid: Option<Rid>,
    ) -> Self {
        Self {
            ssrc,
            payload_type,
            rtx,
            mid,
            rid,
            is_known: false,
            keyframe_wanted: true,
            frames: 0,
            // Anything will do; half of it keeps the first wrap away from the start.
            sequence: ssrc as u16 / 2,
            rtx_sequence: (ssrc >> 16) as u16 / 2,
            packets: 0,
            bytes: 0,
            last: None,
            history: VecDeque::new(),
        }
    }

    const fn naming(&self, repair: bool) -> Naming {
        if self.is_known {
            return Naming {
                mid: None,
                rid: None,
                repair,
            };
        }
        Naming {
            mid: Some(self.mid),
            rid: self.rid,
            repair,
        }
    }

    /// Sends one packet of a frame.
    pub(super) fn send(
        &mut self,
        context: &mut Context<'_>,
        srtp: &mut SrtpSession,
        transport: &mut Transport,
        timestamp: u32,
        level: Option<(AudioLevel, bool)>,
        part: Part,
    ) {
        let header = Header {
            marker: part.is_last() && level.is_none(),
            payload_type: self.payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
            ids: &transport.ids.clone(),
            naming: self.naming(false),
            abs_send_time: abs_send_time(part.stamp.sent_us),
            transport_sequence: Some(transport.next_sequence()),
            audio_level: level,
        };
        let length = write(context.outbox, srtp, &header, None, &part);
        context.tally.counters.packets_sent += 1;
        context.tally.counters.bytes_sent += length as u64;
        self.packets = self.packets.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(part.length as u32);
        self.last = Some((context.clock.ntp(part.stamp.sent_us), timestamp));
        if self.rtx.is_some() {
            self.remember(Sent {
                sequence: self.sequence,
                timestamp,
                part,
            });
        }
        self.sequence = self.sequence.wrapping_add(1);
    }

    fn remember(&mut self, sent: Sent) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(sent);
    }

    /// Sends `sequence` again, if it is remembered.
    pub(super) fn send_again(
        &mut self,
        context: &mut Context<'_>,
        srtp: &mut SrtpSession,
        transport: &mut Transport,
        sequence: u16,
    ) {
        let Some(((ssrc, payload_type), sent)) = self.rtx.zip(self.find(sequence)) else {
            return;
        };
        let header = Header {
            marker: sent.part.is_last(),
            payload_type,
            sequence: self.rtx_sequence,
            timestamp: sent.timestamp,
            ssrc,
            ids: &transport.ids.clone(),
            naming: self.naming(true),
            abs_send_time: abs_send_time(context.clock.wall_us()),
            transport_sequence: Some(transport.next_sequence()),
            audio_level: None,
        };
        self.rtx_sequence = self.rtx_sequence.wrapping_add(1);
        write(context.outbox, srtp, &header, Some(sequence), &sent.part);
        context.tally.counters.rtx_sent += 1;
    }

    fn find(&self, sequence: u16) -> Option<Sent> {
        let newest = self.history.back()?.sequence;
        let back = usize::from(newest.wrapping_sub(sequence));
        let index = self.history.len().checked_sub(back + 1)?;
        self.history.get(index).copied()
    }

    /// Writes a sender report, once there is something to report (RFC 3550 §6.4.1).
    pub(super) fn report(&self, writer: &mut RtcpWriter<'_>) {
        let Some((ntp, timestamp)) = self.last else {
            return;
        };
        let info = SenderInfo {
            ntp,
            rtp: RtpTimestamp(timestamp),
            packets: self.packets,
            bytes: self.bytes,
        };
        writer.sender_report(Ssrc(self.ssrc), &info, &[]);
    }
}

/// Writes and encrypts a packet; says how many bytes it takes.
fn write(
    outbox: &mut Outbox,
    srtp: &mut SrtpSession,
    header: &Header<'_>,
    original: Option<u16>,
    part: &Part,
) -> usize {
    let longest = HEADER_MAX + OSN + part.length + SRTP_OVERHEAD;
    let mut protected = 0;
    outbox.write(longest, |out| {
        let mut at = header.write(out);
        if let Some(sequence) = original {
            out[at..at + OSN].copy_from_slice(&sequence.to_be_bytes());
            at += OSN;
        }
        part.write(&mut out[at..at + part.length]);
        protected = srtp.protect_rtp(out, at + part.length).ok()?;
        Some(protected)
    });
    protected
}

/// Seconds with 18 bits of fraction, modulo 64.
const fn abs_send_time(wall_us: u64) -> u32 {
    let fraction = ((wall_us % 1_000_000) << 18) / 1_000_000;
    (((wall_us / 1_000_000) % 64) << 18 | fraction) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_send_time_counts_in_64_seconds() {
        assert_eq!(abs_send_time(0), 0);
        assert_eq!(abs_send_time(1_500_000), (1 << 18) | (1 << 17));
        assert_eq!(abs_send_time(64_000_000), 0);
        assert_eq!(abs_send_time(63_999_999), (1 << 24) - 1);
    }
}
