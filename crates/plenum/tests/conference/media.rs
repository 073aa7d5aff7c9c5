//! What publishers send: packets with valid headers and codec descriptors at true frame timing.
//! The picture itself is noise; behind the descriptor stands a [`Stamp`], which the server
//! forwards untouched.

use bytes::Bytes;
use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;
use std::time::{Duration, Instant};

/// 30 frames a second.
pub(crate) const VIDEO_FRAME: Duration = Duration::from_micros(33_333);
/// 50 packets a second.
pub(crate) const AUDIO_FRAME: Duration = Duration::from_millis(20);
/// Packets per video frame: 5 × 1,100 bytes × 30 Hz = 1.3 Mbit/s.
const PACKETS_PER_FRAME: usize = 5;
/// Bytes of a video packet's payload.
const VIDEO_PAYLOAD_BYTES: usize = 1_100;
/// Bytes of an audio packet's payload: 40 kbit/s.
const AUDIO_PAYLOAD_BYTES: usize = 100;
/// Frames from one keyframe to the next. webrtc-rs keeps keyframe requests to itself, so they
/// come by the clock.
const KEYFRAME_INTERVAL: u64 = 30;

const MAGIC: [u8; 4] = *b"PLEN";

/// When a packet was sent, written into its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Microseconds since the start of the run.
    pub(crate) sent_us: u64,
}

impl Stamp {
    const BYTES: usize = 12;

    fn write(self, payload: &mut Vec<u8>) {
        payload.extend_from_slice(&MAGIC);
        payload.extend_from_slice(&self.sent_us.to_be_bytes());
    }

    /// Finds the stamp near the start of a payload, behind a descriptor of any length.
    pub(crate) fn find(payload: &[u8]) -> Option<Self> {
        let head = &payload[..payload.len().min(64)];
        let at = head
            .windows(MAGIC.len())
            .position(|window| window == MAGIC)?;
        let time = payload.get(at + MAGIC.len()..at + Self::BYTES)?;
        Some(Self {
            sent_us: u64::from_be_bytes(time.try_into().ok()?),
        })
    }
}

/// Makes the packets of one stream.
pub(crate) struct Generator {
    video: bool,
    ssrc: u32,
    sequence: u16,
    frame: u64,
    start: Instant,
}

impl Generator {
    pub(crate) fn new(video: bool, ssrc: u32, start: Instant) -> Self {
        Self {
            video,
            ssrc,
            sequence: 0,
            frame: 0,
            start,
        }
    }

    /// The packets of the next frame.
    pub(crate) fn frame(&mut self, now: Instant) -> Vec<Packet> {
        let count = if self.video { PACKETS_PER_FRAME } else { 1 };
        let packets = (0..count)
            .map(|index| self.packet(now, index, index + 1 == count))
            .collect();
        self.frame += 1;
        packets
    }

    fn packet(&mut self, now: Instant, index: usize, last: bool) -> Packet {
        let sent_us = now.saturating_duration_since(self.start).as_micros() as u64;
        let mut payload = Vec::with_capacity(VIDEO_PAYLOAD_BYTES);
        if self.video {
            self.write_vp8_descriptor(&mut payload, index == 0);
        } else {
            // Opus TOC: CELT, fullband, 20 ms, one frame (RFC 6716 §3.1).
            payload.push(31 << 3);
        }
        Stamp { sent_us }.write(&mut payload);
        payload.resize(
            if self.video {
                VIDEO_PAYLOAD_BYTES
            } else {
                AUDIO_PAYLOAD_BYTES
            },
            0x5a,
        );
        let ticks = if self.video { 3_000 } else { 960 };
        let header = Header {
            version: 2,
            marker: self.video && last,
            payload_type: if self.video { 96 } else { 111 },
            sequence_number: self.sequence,
            timestamp: (self.frame * ticks) as u32,
            ssrc: self.ssrc,
            ..Default::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        Packet {
            header,
            payload: Bytes::from(payload),
        }
    }

    /// Payload descriptor with a 15-bit picture id (RFC 7741 §4.2), and on the first packet the
    /// payload header (§4.3), with start code and size on a keyframe.
    fn write_vp8_descriptor(&self, payload: &mut Vec<u8>, first: bool) {
        let picture_id = (self.frame & 0x7fff) as u16;
        payload.push(if first { 0x90 } else { 0x80 });
        payload.extend_from_slice(&[0x80, 0x80 | (picture_id >> 8) as u8, picture_id as u8]);
        if !first {
            return;
        }
        if self.frame.is_multiple_of(KEYFRAME_INTERVAL) {
            payload.extend_from_slice(&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
        } else {
            payload.extend_from_slice(&[0x11, 0, 0]);
        }
    }
}
