//! A publisher's encoder: frames on time, keyframes when asked.

use plenum_types::{Codec, MediaKind};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::packets::Content;

/// One frame or sound packet is captured every so many milliseconds.
pub(crate) fn frame_ms(codec: Codec) -> u64 {
    match codec.kind() {
        MediaKind::Audio => 20,
        MediaKind::Video => 33,
    }
}

/// One encoding being produced.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    pub(crate) codec: Codec,
    pub(crate) ssrc: u32,
    pub(crate) temporal_layers: u8,
    pub(crate) spatial_layers: u8,
    /// Larger pictures refer to smaller ones at keyframes alone (k-SVC).
    pub(crate) key_only: bool,
    /// Spatial layers above this are paused.
    pub(crate) spatial_active: u8,
    pub(crate) packets_per_frame: u32,
    pub(crate) level: u8,
    pub(crate) scale: u8,
    /// Timestamp of time 0.
    pub(crate) timestamp_offset: u32,
    pub(crate) sequence: u16,
    picture: u32,
    /// The newest picture of each temporal layer or below.
    newest: [Option<u32>; 3],
    tl0: u8,
    key: u8,
    pub(crate) keyframe_asked: bool,
    /// It makes no keyframes, whoever asks.
    pub(crate) deaf: bool,
    pub(crate) keyframes: u32,
}

/// A packet as it was sent, with the truth about it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) content: Content,
    pub(crate) bytes: Vec<u8>,
    pub(crate) captured_ms: u64,
    /// Counts all packets of the encoding, does not wrap.
    pub(crate) padding: bool,
}

impl Encoder {
    pub(crate) fn new(codec: Codec, ssrc: u32, rng: &mut StdRng) -> Self {
        Self {
            codec,
            ssrc,
            temporal_layers: 1,
            spatial_layers: 1,
            key_only: false,
            spatial_active: u8::MAX,
            packets_per_frame: match codec.kind() {
                MediaKind::Audio => 1,
                MediaKind::Video => 3,
            },
            level: 90,
            scale: 0,
            timestamp_offset: rng.random(),
            sequence: rng.random(),
            picture: rng.random(),
            newest: [None; 3],
            tl0: rng.random(),
            key: rng.random(),
            keyframe_asked: true,
            deaf: false,
            keyframes: 0,
        }
    }

    pub(crate) fn timestamp(&self, captured_ms: u64) -> u32 {
        let ticks = captured_ms * u64::from(self.codec.clock_rate()) / 1_000;
        self.timestamp_offset.wrapping_add(ticks as u32)
    }

    /// The packets of the frame captured at `captured_ms`. `next_tag` counts packets of all.
    pub(crate) fn encode(&mut self, captured_ms: u64, next_tag: &mut u32) -> Vec<Sent> {
        let video = self.codec.kind() == MediaKind::Video;
        let keyframe = video && !self.deaf && std::mem::take(&mut self.keyframe_asked);
        self.picture = self.picture.wrapping_add(1);
        let temporal = match self.temporal_layers {
            _ if keyframe => 0,
            1 => 0,
            2 => (self.picture % 2) as u8,
            _ => [0, 2, 1, 2][(self.picture % 4) as usize],
        };
        if temporal == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        if keyframe {
            self.key = self.key.wrapping_add(1);
            self.keyframes += 1;
        }
        let count = if keyframe {
            self.packets_per_frame * 2
        } else {
            self.packets_per_frame
        };
        let refers_to = self.newest[usize::from(temporal.saturating_sub(1))].filter(|_| !keyframe);
        self.newest[usize::from(temporal)..].fill(Some(self.picture));
        let top = self.spatial_active.min(self.spatial_layers - 1);
        (0..=top)
            .flat_map(|spatial| (0..count).map(move |packet| (spatial, packet)))
            .map(|(spatial, packet)| {
                let content = Content {
                    codec: self.codec,
                    ssrc: self.ssrc,
                    sequence: self.next_sequence(),
                    timestamp: self.timestamp(captured_ms),
                    keyframe,
                    first: packet == 0,
                    last: packet + 1 == count,
                    ends_picture: packet + 1 == count && spatial == top,
                    spatial,
                    spatial_layers: self.spatial_layers,
                    key_only: self.key_only,
                    picture: self.picture,
                    refers_to,
                    temporal,
                    temporal_layers: self.temporal_layers,
                    frame: match self.codec {
                        Codec::Av1 { .. } => {
                            let per_picture = u32::from(self.spatial_layers);
                            self.picture.wrapping_mul(per_picture) + u32::from(spatial)
                        }
                        _ => self.picture,
                    },
                    tl0: self.tl0,
                    key: self.key,
                    level: self.level,
                    scale: self.scale,
                    tag: *next_tag,
                };
                *next_tag += 1;
                Sent {
                    content,
                    bytes: content.build(),
                    captured_ms,
                    padding: false,
                }
            })
            .collect()
    }

    /// A padding packet behind the last frame: it only uses up a sequence number.
    pub(crate) fn pad(&mut self, like: &Sent) -> Sent {
        let mut padding = like.clone();
        padding.content.sequence = self.next_sequence();
        padding.padding = true;
        padding
    }

    fn next_sequence(&mut self) -> u16 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }
}
