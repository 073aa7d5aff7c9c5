//! Packets as browsers send them: `mid`, transport-wide sequence number, audio level or
//! Dependency Descriptor, and 1,100 bytes for video or 100 for audio.

use plenum_rtp::{HeaderExtensions, PacketDescription, RtpHeader, describe};
use plenum_types::{Codec, CodecParameters, ExtensionKind, ExtensionMap, MediaKind};

/// Bytes of a video packet.
pub const PACKET_LEN: usize = 1_100;
/// Bytes of an audio packet.
const AUDIO_LEN: usize = 100;
/// Packets of a video frame.
pub const PACKETS_PER_FRAME: u32 = 5;
/// Ticks of the RTP clock in a frame of 30 a second.
const TICKS_PER_FRAME: u32 = 3_000;
/// The publisher's SSRC.
pub const PUBLISHER_SSRC: u32 = 0x1234_5678;

/// Every codec, under the name that benches show.
pub const CODECS: [(&str, Codec); 5] = [
    ("opus", Codec::Opus),
    ("vp8", Codec::Vp8),
    ("vp9", Codec::Vp9 { profile: 0 }),
    (
        "h264",
        Codec::H264 {
            profile: 0x42e0,
            packetization_mode: 1,
        },
    ),
    ("av1", Codec::Av1 { profile: 0 }),
];

/// The codec of a name in [`CODECS`].
///
/// # Panics
///
/// If there is none.
pub fn codec(name: &str) -> Codec {
    let known = CODECS.into_iter().find(|(known, _)| *known == name);
    known.expect("a known codec").1
}

const MID: u8 = 1;
const TRANSPORT_SEQUENCE: u8 = 2;
const AUDIO_LEVEL: u8 = 3;
const ABS_SEND_TIME: u8 = 4;
const DESCRIPTOR: u8 = 5;

/// Header extensions that publisher and subscribers negotiated.
pub fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    map.set(ExtensionKind::Mid, MID);
    map.set(ExtensionKind::TransportSequence, TRANSPORT_SEQUENCE);
    map.set(ExtensionKind::AudioLevel, AUDIO_LEVEL);
    map.set(ExtensionKind::AbsSendTime, ABS_SEND_TIME);
    map.set(ExtensionKind::DependencyDescriptor, DESCRIPTOR);
    map
}

/// How a codec is negotiated.
pub fn parameters(codec: Codec) -> CodecParameters {
    let video = codec.kind() == MediaKind::Video;
    CodecParameters {
        codec,
        payload_type: payload_type(codec),
        rtx_payload_type: video.then(|| payload_type(codec) + 1),
        red_payload_type: None,
        nack: video,
        pli: video,
        fir: false,
        transport_cc: true,
        remb: false,
    }
}

const fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Opus => 111,
        Codec::Vp8 => 96,
        Codec::Vp9 { .. } => 98,
        Codec::H264 { .. } => 102,
        Codec::Av1 { .. } => 45,
    }
}

/// The packet of a codec at a place in its stream: 5 packets to a video frame, one keyframe at the
/// start. Counting from 0.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    codec: Codec,
    number: u32,
    keyframe: bool,
}

impl Packet {
    /// Packet `number` of a stream.
    pub const fn new(codec: Codec, number: u32) -> Self {
        Self {
            codec,
            number,
            keyframe: number < PACKETS_PER_FRAME,
        }
    }

    /// The packet as part of a keyframe, or not.
    pub const fn with_keyframe(mut self, keyframe: bool) -> Self {
        self.keyframe = keyframe;
        self
    }

    /// The packet on the wire, before SRTP.
    pub fn bytes(&self) -> Vec<u8> {
        let video = self.codec.kind() == MediaKind::Video;
        let marker = u8::from(video && self.ends_frame()) << 7;
        let mut packet = vec![0x90, marker | payload_type(self.codec)];
        packet.extend((self.number as u16).to_be_bytes());
        packet.extend(self.timestamp().to_be_bytes());
        packet.extend(PUBLISHER_SSRC.to_be_bytes());
        let elements = self.extension_elements();
        packet.extend([0xbe, 0xde]);
        packet.extend((elements.len() as u16 / 4).to_be_bytes());
        packet.extend(elements);
        packet.extend(self.payload_start());
        packet.resize(if video { PACKET_LEN } else { AUDIO_LEN }, 0xd5);
        packet
    }

    fn frame(&self) -> u32 {
        match self.codec.kind() {
            MediaKind::Audio => self.number,
            MediaKind::Video => self.number / PACKETS_PER_FRAME,
        }
    }

    fn timestamp(&self) -> u32 {
        match self.codec.kind() {
            MediaKind::Audio => self.number.wrapping_mul(960),
            MediaKind::Video => self.frame().wrapping_mul(TICKS_PER_FRAME),
        }
    }

    fn starts_frame(&self) -> bool {
        self.number.is_multiple_of(PACKETS_PER_FRAME)
    }

    fn ends_frame(&self) -> bool {
        (self.number + 1).is_multiple_of(PACKETS_PER_FRAME)
    }

    /// One-byte form (RFC 8285), padded to words.
    fn extension_elements(&self) -> Vec<u8> {
        let mut elements = vec![MID << 4, b'0', TRANSPORT_SEQUENCE << 4 | 1];
        elements.extend((self.number as u16).to_be_bytes());
        match self.codec {
            Codec::Opus => elements.extend([AUDIO_LEVEL << 4, 0x80 | 30]),
            Codec::Av1 { .. } => {
                let descriptor = self.dependency_descriptor();
                elements.push(DESCRIPTOR << 4 | (descriptor.len() as u8 - 1));
                elements.extend(descriptor);
            }
            _ => {}
        }
        elements.resize(elements.len().next_multiple_of(4), 0);
        elements
    }

    /// Two templates: a keyframe, and a frame that refers to the one before (AV1 RTP, A.8).
    fn dependency_descriptor(&self) -> Vec<u8> {
        let start = u8::from(self.starts_frame()) << 7;
        let end = u8::from(self.ends_frame()) << 6;
        let template = u8::from(!self.keyframe);
        let [high, low] = (self.frame() as u16).to_be_bytes();
        let mut bytes = vec![start | end | template, high, low];
        if self.keyframe && self.starts_frame() {
            // Structure present: one decode target; layers same, end; both switch; no difference,
            // then one of 1; neither chains nor sizes.
            bytes.extend([0x80, 0x00, 0x3a, 0x40, 0x00]);
        }
        bytes
    }

    /// The codec's payload descriptor and the first bytes of its bitstream.
    fn payload_start(&self) -> Vec<u8> {
        let start = self.starts_frame();
        let keyframe = self.keyframe;
        let [high, low] = (0x8000 | (self.frame() & 0x7fff) as u16).to_be_bytes();
        let tl0 = self.frame() as u8;
        match self.codec {
            Codec::Opus => vec![0x78],
            Codec::Vp8 => {
                let mut bytes = vec![0x80 | u8::from(start) << 4, 0xf0, high, low, tl0, 0];
                if start {
                    bytes.extend([u8::from(!keyframe), 0, 0]);
                }
                if start && keyframe {
                    bytes.extend([0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]); // 640 × 360
                }
                bytes
            }
            Codec::Vp9 { .. } => {
                let flags = 0xa0
                    | u8::from(!keyframe) << 6
                    | u8::from(start) << 3
                    | u8::from(self.ends_frame()) << 2;
                vec![flags, high, low, 0x10, tl0]
            }
            Codec::H264 { .. } => {
                let end = self.ends_frame();
                let unit = if keyframe { 5 } else { 1 };
                vec![0x7c, u8::from(start) << 7 | u8::from(end) << 6 | unit]
            }
            Codec::Av1 { .. } if start => vec![0x50, 0x30, 0x30],
            Codec::Av1 { .. } => vec![if self.ends_frame() { 0x90 } else { 0xd0 }, 0xaa],
        }
    }
}

/// What the engine reads in `packet`.
///
/// # Panics
///
/// If it reads nothing.
pub fn parse(packet: &[u8], codec: Codec) -> PacketDescription {
    try_parse(packet, codec).expect("a valid packet")
}

fn try_parse(packet: &[u8], codec: Codec) -> Result<PacketDescription, plenum_rtp::ParseError> {
    let header = RtpHeader::parse(packet)?;
    let found = HeaderExtensions::parse(packet, &header, &extensions())?;
    describe(packet, header, found, codec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_say_what_they_are_meant_to() {
        for (_, codec) in CODECS {
            for number in 0..20 {
                let bytes = Packet::new(codec, number).bytes();
                let payload = parse(&bytes, codec).payload;
                if codec.kind() == MediaKind::Video {
                    assert_eq!(bytes.len(), PACKET_LEN);
                    assert_eq!(payload.starts_frame, number % 5 == 0, "{codec:?} {number}");
                    assert_eq!(payload.ends_frame, number % 5 == 4, "{codec:?} {number}");
                    if !matches!(codec, Codec::H264 { .. }) {
                        assert_eq!(payload.keyframe, number == 0, "{codec:?} {number}");
                    }
                }
            }
        }
    }
}
