//! The counters in payload descriptors and in the Dependency Descriptor that must stay continuous
//! over a switch, handled as one value.
//!
//! VP8: picture id, TL0PICIDX, KEYIDX (RFC 7741 §4.2). VP9: picture id, TL0PICIDX (RFC 9628 §4.2).
//! Dependency Descriptor: frame number (AV1 RTP payload format, A.8.2).

use plenum_rtp::{CodecFields, PacketDescription};

use crate::limit::LayerLimit;
use crate::publication::Encoding;

/// Largest picture id of 15 bits.
const PICTURE_ID_LONG: u16 = 0x7fff;
/// Largest picture id of 7 bits.
const PICTURE_ID_SHORT: u16 = 0x7f;
/// Largest KEYIDX.
const KEY_INDEX: u8 = 0x1f;

/// The counters that one packet carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) picture_id: Option<PictureId>,
    pub(crate) tl0_picture_index: Option<u8>,
    pub(crate) key_index: Option<u8>,
    pub(crate) frame_number: Option<u16>,
}

/// A picture id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PictureId {
    pub(crate) id: u16,
    /// All ones of its field.
    pub(crate) mask: u16,
    /// Ids close up where pictures are left out: the receiver waits for each.
    pub(crate) closes_up: bool,
}

/// A value for each counter: the newest sent, or what a segment adds. Wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    picture_id: u16,
    tl0_picture_index: u8,
    key_index: u8,
    frame_number: u16,
}

impl Fields {
    pub(crate) fn read(d: &PacketDescription) -> Self {
        let frame_number = d.payload.dependency.map(|fields| fields.frame_number);
        let picture = |id: Option<u16>, long: bool, closes_up: bool| {
            let mask = if long {
                PICTURE_ID_LONG
            } else {
                PICTURE_ID_SHORT
            };
            id.map(|id| PictureId {
                id,
                mask,
                closes_up,
            })
        };
        match d.payload.fields {
            CodecFields::Vp8(vp8) => Self {
                picture_id: picture(vp8.picture_id, vp8.picture_id_15_bit, true),
                tl0_picture_index: vp8.tl0_picture_index,
                key_index: vp8.key_index,
                frame_number,
            },
            CodecFields::Vp9(vp9) => Self {
                picture_id: picture(vp9.picture_id, vp9.picture_id_15_bit, false),
                tl0_picture_index: vp9.tl0_picture_index,
                key_index: None,
                frame_number,
            },
            CodecFields::None | CodecFields::Red(_) => Self {
                frame_number,
                ..Self::default()
            },
        }
    }

    /// What they are in the substream of layers up to `limit`; 0 where there is none.
    pub(crate) fn placed(&self, encoding: &Encoding, limit: LayerLimit) -> Counters {
        Counters {
            picture_id: self
                .picture_id
                .and_then(|picture| encoding.picture_place(limit, picture))
                .unwrap_or(0),
            tl0_picture_index: self.tl0_picture_index.unwrap_or(0),
            key_index: self.key_index.unwrap_or(0),
            frame_number: self.frame_number.unwrap_or(0),
        }
    }

    /// The same fields with the values of `counters`.
    pub(crate) fn with(&self, counters: &Counters) -> Self {
        Self {
            picture_id: self.picture_id.map(|picture| PictureId {
                id: counters.picture_id & picture.mask,
                ..picture
            }),
            tl0_picture_index: self.tl0_picture_index.map(|_| counters.tl0_picture_index),
            key_index: self.key_index.map(|_| counters.key_index & KEY_INDEX),
            frame_number: self.frame_number.map(|_| counters.frame_number),
        }
    }
}

impl Counters {
    pub(crate) const fn plus(&self, other: &Self) -> Self {
        Self {
            picture_id: self.picture_id.wrapping_add(other.picture_id),
            tl0_picture_index: self.tl0_picture_index.wrapping_add(other.tl0_picture_index),
            key_index: self.key_index.wrapping_add(other.key_index),
            frame_number: self.frame_number.wrapping_add(other.frame_number),
        }
    }

    pub(crate) const fn minus(&self, other: &Self) -> Self {
        Self {
            picture_id: self.picture_id.wrapping_sub(other.picture_id),
            tl0_picture_index: self.tl0_picture_index.wrapping_sub(other.tl0_picture_index),
            key_index: self.key_index.wrapping_sub(other.key_index),
            frame_number: self.frame_number.wrapping_sub(other.frame_number),
        }
    }

    /// One more of each.
    pub(crate) const fn successor(&self) -> Self {
        self.plus(&Self {
            picture_id: 1,
            tl0_picture_index: 1,
            key_index: 1,
            frame_number: 1,
        })
    }

    /// Takes over the values that were sent.
    pub(crate) fn update(&mut self, sent: &Fields) {
        if let Some(picture) = sent.picture_id {
            self.picture_id = picture.id;
        }
        self.tl0_picture_index = sent.tl0_picture_index.unwrap_or(self.tl0_picture_index);
        self.key_index = sent.key_index.unwrap_or(self.key_index);
        self.frame_number = sent.frame_number.unwrap_or(self.frame_number);
    }
}
