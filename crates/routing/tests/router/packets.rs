//! Real RTP packets, made by hand.

use crate::descriptor::dependency_descriptor;
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
    pub(crate) ends_picture: bool,
    pub(crate) spatial: u8,
    /// How many spatial layers the encoding has.
    pub(crate) spatial_layers: u8,
    pub(crate) key_only: bool,
    /// Counts pictures; one of several spatial layers is several frames.
    pub(crate) picture: u32,
    /// The picture of the same spatial layer that it refers to.
    pub(crate) refers_to: Option<u32>,
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
        let marker = u8::from(self.ends_picture && self.codec.kind() == MediaKind::Video) << 7;
        let mut packet = vec![0x90, marker | payload_type(self.codec)];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        let mut elements = Vec::new();
        match self.codec {
            Codec::Opus => elements.extend([LEVEL_ID << 4, 0x80 | self.level]),
            Codec::Av1 { .. } => {
                let descriptor = dependency_descriptor(self);
                elements.extend([DESCRIPTOR_ID, descriptor.len() as u8]);
                elements.extend(descriptor);
            }
            _ => {}
        }
        elements.resize(elements.len().next_multiple_of(4), 0);
        // Elements with one byte of header, or with two (RFC 8285).
        packet.extend(match self.codec {
            Codec::Av1 { .. } => [0x10, 0x00],
            _ => [0xbe, 0xde],
        });
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
                let structure = self.keyframe && self.first && self.spatial == 0;
                let flags = 0x80
                    | 0x20
                    | u8::from(!self.keyframe) << 6
                    | u8::from(self.first) << 3
                    | u8::from(self.last) << 2
                    | u8::from(structure) << 1;
                let layer = self.temporal << 5
                    | 0x10
                    | self.spatial << 1
                    | u8::from(self.refers_to_smaller());
                let mut bytes = vec![flags, high, low, layer, self.tl0];
                if structure {
                    bytes.push((self.spatial_layers - 1) << 5 | 0x10);
                    for spatial in 0..self.spatial_layers {
                        bytes.extend((320_u16 << self.scale << spatial).to_be_bytes());
                        bytes.extend((180_u16 << self.scale << spatial).to_be_bytes());
                    }
                }
                bytes
            }
            Codec::H264 { .. } if self.keyframe && self.first => {
                vec![0x67, 0x42, 0xe0, 0x1f, 0x8c]
            }
            Codec::H264 { .. } if self.first => vec![0x41, 0x9a],
            Codec::H264 { .. } => vec![0x41, 0x1a],
            Codec::Av1 { .. } => vec![0x10, 0x0a],
        }
    }

    /// Whether it refers to the smaller picture of the same time.
    pub(crate) fn refers_to_smaller(&self) -> bool {
        self.spatial > 0 && (self.keyframe || !self.key_only)
    }
}
