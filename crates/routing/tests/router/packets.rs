//! Real RTP packets, made by hand.

use plenum_types::{Codec, ExtensionKind, ExtensionMap, MediaKind};

pub(crate) const LEVEL_ID: u8 = 3;
pub(crate) const DESCRIPTOR_ID: u8 = 5;

/// Ids that all publishers and subscribers of the tests use.
pub(crate) fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::new();
    map.set(ExtensionKind::Mid, 1);
    map.set(ExtensionKind::AudioLevel, LEVEL_ID);
    map.set(ExtensionKind::DependencyDescriptor, DESCRIPTOR_ID);
    map
}

pub(crate) const VP9: Codec = Codec::Vp9 { profile: 0 };
pub(crate) const H264: Codec = Codec::H264 {
    profile: 0x42e0,
    packetization_mode: 1,
};
pub(crate) const AV1: Codec = Codec::Av1 { profile: 0 };

/// Payload type that every test negotiates for a codec.
pub(crate) fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Opus => 111,
        Codec::Vp8 => 96,
        Codec::Vp9 { .. } => 98,
        Codec::H264 { .. } => 102,
        Codec::Av1 { .. } => 45,
    }
}

/// What one packet says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    pub(crate) codec: Codec,
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) keyframe: bool,
    pub(crate) first: bool,
    pub(crate) last: bool,
    pub(crate) temporal: u8,
    /// How many temporal layers the encoding has.
    pub(crate) temporal_layers: u8,
    /// Counts frames of the encoding; becomes picture id and frame number.
    pub(crate) frame: u32,
    pub(crate) tl0: u8,
    pub(crate) key: u8,
    pub(crate) level: u8,
    /// The picture is 320 × 180 times two to this.
    pub(crate) scale: u8,
    /// Identifies the packet at the receiver.
    pub(crate) tag: u32,
}

impl Content {
    pub(crate) fn build(&self) -> Vec<u8> {
        let marker = u8::from(self.last && self.codec.kind() == MediaKind::Video) << 7;
        let mut packet = vec![0x90, marker | payload_type(self.codec)];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        let mut elements = Vec::new();
        match self.codec {
            Codec::Opus => elements.extend([LEVEL_ID << 4, 0x80 | self.level]),
            Codec::Av1 { .. } => {
                let descriptor = self.dependency_descriptor();
                elements.push(DESCRIPTOR_ID << 4 | (descriptor.len() as u8 - 1));
                elements.extend(descriptor);
            }
            _ => {}
        }
        elements.resize(elements.len().next_multiple_of(4), 0);
        packet.extend([0xbe, 0xde]);
        packet.extend((elements.len() as u16 / 4).to_be_bytes());
        packet.extend(elements);
        packet.extend(self.descriptor());
        packet.extend(self.tag.to_be_bytes());
        packet
    }

    fn descriptor(&self) -> Vec<u8> {
        let picture = (self.frame & 0x7fff) as u16 | 0x8000;
        let [high, low] = picture.to_be_bytes();
        match self.codec {
            Codec::Opus => vec![0x78],
            Codec::Vp8 => {
                let sync = u8::from(self.temporal > 0) << 5;
                let temporal = self.temporal << 6 | sync | self.key & 0x1f;
                let start = u8::from(self.first) << 4;
                let mut bytes = vec![0x80 | start, 0xf0, high, low, self.tl0, temporal];
                if self.first {
                    bytes.extend([u8::from(!self.keyframe), 0, 0]);
                    if self.keyframe {
                        bytes.extend([0x9d, 0x01, 0x2a]);
                        bytes.extend((320_u16 << self.scale).to_le_bytes());
                        bytes.extend((180_u16 << self.scale).to_le_bytes());
                    }
                }
                bytes
            }
            Codec::Vp9 { .. } => {
                let flags = 0x80
                    | 0x20
                    | u8::from(!self.keyframe) << 6
                    | u8::from(self.first) << 3
                    | u8::from(self.last) << 2;
                vec![flags, high, low, self.temporal << 5 | 0x10, self.tl0]
            }
            Codec::H264 { .. } if self.keyframe && self.first => {
                vec![0x67, 0x42, 0xe0, 0x1f, 0x8c]
            }
            Codec::H264 { .. } if self.first => vec![0x41, 0x9a],
            Codec::H264 { .. } => vec![0x41, 0x1a],
            Codec::Av1 { .. } => vec![0x10, 0x0a],
        }
    }

    /// Templates: a keyframe, a frame that refers to the one before, and one for each higher
    /// temporal layer (AV1 RTP, A.8).
    fn dependency_descriptor(&self) -> Vec<u8> {
        let template = match self.keyframe {
            true => 0,
            false => 1 + self.temporal,
        };
        let [high, low] = (self.frame as u16).to_be_bytes();
        let flags = u8::from(self.first) << 7 | u8::from(self.last) << 6;
        let mut bytes = vec![flags | template, high, low];
        if self.keyframe && self.first {
            // structure present, four flags clear | offset 0, decode targets | layers: same, (next
            // temporal), end | indications: all switch, all switch, (not present, discardable,
            // switch; not present, not present, discardable) | diffs: none; one | no chains | no
            // sizes
            let bits = match self.temporal_layers {
                1 => "10000 000000 00000 00 11 10 10 0 1 0000 0 0 0",
                _ => {
                    "10000 000000 00010 00 01 01 11 10 10 10 10 10 10 00 01 10 00 00 01 \
                     0 1 0011 0 1 0001 0 1 0000 0 00 0"
                }
            };
            bytes.extend(pack(bits));
        }
        bytes
    }
}

fn pack(bits: &str) -> Vec<u8> {
    let bits: Vec<u8> = bits.bytes().filter(|bit| *bit != b' ').collect();
    bits.chunks(8)
        .map(|chunk| {
            chunk
                .iter()
                .enumerate()
                .fold(0, |byte, (at, bit)| byte | (bit - b'0') << (7 - at))
        })
        .collect()
}
