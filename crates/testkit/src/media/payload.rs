//! RTP payloads of a synthetic video frame: VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184,
//! packetization mode 1) and AV1 (RTP payload format 1.0). Descriptors and the first bytes of the
//! bitstream are what a real encoder writes; the rest is filler, then the stamp.

use plenum_types::{Codec, Pixels};

use parameter_sets::{H264_PPS, av1_sequence_header, h264_sps};

use super::stamp::Stamp;

mod parameter_sets;

/// Most payload bytes of a packet, stamp included; what libwebrtc leaves of a 1,200-byte packet.
const PAYLOAD_MAX: usize = 1_100;

/// Stands for compressed data. No start code can arise from it.
const FILLER: u8 = 0xd5;

/// A video codec that the synthetic sources speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoCodec {
    /// With 15-bit picture id, TL0PICIDX, temporal layer and key index.
    Vp8,
    /// One spatial layer, non-flexible mode.
    Vp9,
    /// Constrained baseline, packetization mode 1.
    H264,
    /// Main profile.
    Av1,
}

impl VideoCodec {
    /// The codec as the engine knows it.
    pub const fn codec(self) -> Codec {
        match self {
            Self::Vp8 => Codec::Vp8,
            Self::Vp9 => Codec::Vp9 { profile: 0 },
            Self::H264 => Codec::H264 {
                profile: 0x42e0,
                packetization_mode: 1,
            },
            Self::Av1 => Codec::Av1 { profile: 0 },
        }
    }
}

/// What a frame is like on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameShape {
    /// What its packets say about themselves; `part` and `parts` are filled in.
    pub stamp: Stamp,
    /// Picture size.
    pub size: Pixels,
    /// Bytes of compressed data.
    pub bytes: usize,
    /// Picture id, 15 bits (VP8, VP9).
    pub picture_id: u16,
    /// TL0PICIDX (VP8, VP9).
    pub tl0_picture_index: u8,
    /// KEYIDX (VP8), 5 bits.
    pub key_index: u8,
    /// A receiver of lower temporal layers may start with this layer here.
    pub layer_sync: bool,
    /// No other frame refers to it.
    pub discardable: bool,
}

/// The payloads of a frame, in order. Sizes differ by a byte at most, as libwebrtc's do.
pub fn packetize(codec: VideoCodec, frame: &FrameShape) -> Vec<Vec<u8>> {
    let room = PAYLOAD_MAX - Stamp::WIRE_LEN;
    let slices = frame.bytes.div_ceil(room).max(1);
    let parameter_sets = usize::from(codec == VideoCodec::H264 && frame.stamp.keyframe());
    let parts = slices + parameter_sets;
    let mut payloads = Vec::with_capacity(parts);
    for part in 0..parts {
        let mut payload = Vec::with_capacity(PAYLOAD_MAX + 32);
        let position = Position {
            first: part == parameter_sets,
            last: part + 1 == parts,
        };
        if part < parameter_sets {
            write_h264_parameter_sets(&mut payload, frame.size);
        } else {
            match codec {
                VideoCodec::Vp8 => write_vp8(&mut payload, frame, position),
                VideoCodec::Vp9 => write_vp9(&mut payload, frame, position),
                VideoCodec::H264 => write_h264(&mut payload, frame, position),
                VideoCodec::Av1 => write_av1(&mut payload, frame, position),
            }
            let slice = part - parameter_sets;
            let size = frame.bytes / slices + usize::from(slice < frame.bytes % slices);
            payload.resize(payload.len() + size, FILLER);
        }
        let stamp = Stamp {
            part: part as u16,
            parts: parts as u16,
            ..frame.stamp
        };
        stamp.write(&mut payload);
        payloads.push(payload);
    }
    payloads
}

/// Where in its frame a packet is.
#[derive(Clone, Copy)]
struct Position {
    first: bool,
    last: bool,
}

fn write_vp8(payload: &mut Vec<u8>, frame: &FrameShape, position: Position) {
    let start = if position.first { 0x10 } else { 0 };
    let reference = if frame.discardable { 0x20 } else { 0 };
    payload.extend([0x80 | reference | start, 0xf0]); // X N S; I L T K
    payload.extend((0x8000 | frame.picture_id).to_be_bytes());
    payload.push(frame.tl0_picture_index);
    let sync = if frame.layer_sync { 0x20 } else { 0 };
    payload.push(frame.stamp.temporal << 6 | sync | (frame.key_index & 0x1f));
    if position.first {
        // Frame tag (RFC 6386 §9.1): inverse keyframe bit, shown, size of the first partition.
        let inter = u32::from(!frame.stamp.keyframe());
        let tag = inter | 0x10 | (frame.bytes as u32).min(0x7_ffff) << 5;
        payload.extend(&tag.to_le_bytes()[..3]);
        if frame.stamp.keyframe() {
            payload.extend([0x9d, 0x01, 0x2a]);
            payload.extend((frame.size.width as u16).to_le_bytes());
            payload.extend((frame.size.height as u16).to_le_bytes());
        }
    }
}

fn write_vp9(payload: &mut Vec<u8>, frame: &FrameShape, position: Position) {
    let keyframe = frame.stamp.keyframe();
    let structure = keyframe && position.first;
    let mut flags = 0xa0; // I L, non-flexible
    flags |= if keyframe { 0 } else { 0x40 };
    flags |= if position.first { 0x08 } else { 0 };
    flags |= if position.last { 0x04 } else { 0 };
    flags |= if structure { 0x02 } else { 0 };
    payload.push(flags);
    payload.extend((0x8000 | frame.picture_id).to_be_bytes());
    let switching_up = if frame.layer_sync { 0x10 } else { 0 };
    payload.push(frame.stamp.temporal << 5 | switching_up);
    payload.push(frame.tl0_picture_index);
    if structure {
        payload.push(0x10); // one spatial layer, with its size
        payload.extend((frame.size.width as u16).to_be_bytes());
        payload.extend((frame.size.height as u16).to_be_bytes());
    }
    if position.first {
        payload.push(if keyframe { 0x82 } else { 0x86 });
        if keyframe {
            payload.extend([0x49, 0x83, 0x42]);
        }
    }
}

fn write_h264_parameter_sets(payload: &mut Vec<u8>, size: Pixels) {
    payload.push(0x78); // STAP-A
    for unit in [&h264_sps(size)[..], &H264_PPS[..]] {
        payload.extend((unit.len() as u16).to_be_bytes());
        payload.extend(unit);
    }
    // The stamp rides in a SEI.
    payload.extend((Stamp::WIRE_LEN as u16 + 1).to_be_bytes());
    payload.push(0x06);
}

fn write_h264(payload: &mut Vec<u8>, frame: &FrameShape, position: Position) {
    let kind = if frame.stamp.keyframe() { 5 } else { 1 };
    let importance = if frame.stamp.temporal == 0 { 0x60 } else { 0 };
    if position.first && position.last {
        payload.push(importance | kind);
        return;
    }
    let start = if position.first { 0x80 } else { 0 };
    let end = if position.last { 0x40 } else { 0 };
    payload.extend([importance | 28, start | end | kind]);
}

fn write_av1(payload: &mut Vec<u8>, frame: &FrameShape, position: Position) {
    let continued = if position.first { 0 } else { 0x80 };
    let continues = if position.last { 0 } else { 0x40 };
    if position.first && frame.stamp.keyframe() {
        payload.push(continues | 0x20 | 0x08); // two elements, new coded video sequence
        let sequence_header = av1_sequence_header(frame.size);
        payload.push(sequence_header.len() as u8);
        payload.extend(sequence_header);
    } else {
        payload.push(continued | continues | 0x10); // one element
    }
    if position.first {
        payload.push(0x30); // OBU_FRAME
        payload.push(if frame.stamp.keyframe() { 0x10 } else { 0x30 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use rtp::codec::{vp8::Vp8Packet, vp9::Vp9Packet};
    use rtp::packetizer::Depacketizer;

    fn frame(reference: Option<u32>, bytes: usize) -> FrameShape {
        FrameShape {
            stamp: Stamp {
                source: 1,
                encoding: 0,
                frame: 10,
                reference,
                temporal: 2,
                part: 0,
                parts: 0,
                captured_us: 5,
            },
            size: Pixels {
                width: 640,
                height: 360,
            },
            bytes,
            picture_id: 0x7abc,
            tl0_picture_index: 9,
            key_index: 3,
            layer_sync: true,
            discardable: false,
        }
    }

    #[test]
    fn parts_are_of_equal_size_and_stamped() {
        for codec in [
            VideoCodec::Vp8,
            VideoCodec::Vp9,
            VideoCodec::H264,
            VideoCodec::Av1,
        ] {
            let payloads = packetize(codec, &frame(Some(9), 3_001));
            assert_eq!(payloads.len(), 3);
            for (part, payload) in payloads.iter().enumerate() {
                assert!(payload.len() < PAYLOAD_MAX + 32);
                let stamp = Stamp::read(payload).unwrap();
                assert_eq!((stamp.part, stamp.parts), (part as u16, 3));
            }
        }
    }

    #[test]
    fn vp8_is_read_by_another_implementation() {
        let payloads = packetize(VideoCodec::Vp8, &frame(None, 2_000));
        let mut packet = Vp8Packet::default();
        let body = packet
            .depacketize(&Bytes::from(payloads[0].clone()))
            .unwrap();
        assert_eq!((packet.s, packet.picture_id), (1, 0x7abc));
        assert_eq!(
            (packet.tl0_pic_idx, packet.tid, packet.y, packet.key_idx),
            (9, 2, 1, 3)
        );
        assert_eq!(body[0] & 1, 0);
        assert_eq!(body[3..6], [0x9d, 0x01, 0x2a]);
        assert_eq!(body[6..10], [0x80, 0x02, 0x68, 0x01]);
    }

    #[test]
    fn vp9_is_read_by_another_implementation() {
        let payloads = packetize(VideoCodec::Vp9, &frame(None, 2_000));
        let mut packet = Vp9Packet::default();
        packet
            .depacketize(&Bytes::from(payloads[0].clone()))
            .unwrap();
        assert!(packet.b && !packet.e && !packet.p && packet.v && !packet.f);
        assert_eq!((packet.picture_id, packet.tl0picidx), (0x7abc, 9));
        assert_eq!((packet.width[0], packet.height[0]), (640, 360));
        assert_eq!((packet.tid, packet.u), (2, true));
    }

    #[test]
    fn h264_keyframes_begin_with_parameter_sets() {
        let payloads = packetize(VideoCodec::H264, &frame(None, 2_000));
        assert_eq!(payloads.len(), 3);
        assert_eq!(payloads[0][0], 0x78);
        assert_eq!(payloads[1][1], 0x80 | 5);
        assert_eq!(payloads[2][1], 0x40 | 5);
        let mut depacketizer = rtp::codec::h264::H264Packet::default();
        let stream = depacketizer
            .depacketize(&Bytes::from(payloads[0].clone()))
            .unwrap();
        assert_eq!(stream[..5], [0, 0, 0, 1, 0x67]);
    }

    #[test]
    fn av1_keyframes_start_a_coded_video_sequence() {
        let payloads = packetize(VideoCodec::Av1, &frame(None, 2_000));
        assert_eq!(payloads[0][0], 0x40 | 0x20 | 0x08);
        assert_eq!(payloads[1][0], 0x80 | 0x10);
    }
}
