//! Payload descriptors: one file per codec, and the fields of them that a patch can replace.

pub(crate) mod av1;
pub(crate) mod h264;
pub(crate) mod opus;
pub(crate) mod red;
pub(crate) mod vp8;
pub(crate) mod vp9;

use crate::{ParseError, Patch};
use red::RedFields;

/// The fields of a payload descriptor that must stay continuous after a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecFields {
    /// The codec has none.
    None,
    /// Those of VP8.
    Vp8(Vp8Fields),
    /// Those of VP9.
    Vp9(Vp9Fields),
    /// The blocks of redundant audio; `None` if they do not add up.
    Red(Option<RedFields>),
}

/// Fields of the VP8 payload descriptor (RFC 7741 §4.2). Offsets count from the payload's start
/// and mean nothing where the field is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vp8Fields {
    /// 7 or 15 bits.
    pub picture_id: Option<u16>,
    /// The picture id has 15 bits.
    pub picture_id_15_bit: bool,
    /// TL0PICIDX.
    pub tl0_picture_index: Option<u8>,
    /// KEYIDX, 5 bits.
    pub key_index: Option<u8>,
    /// Where the picture id is.
    pub picture_id_offset: u8,
    /// Where TL0PICIDX is.
    pub tl0_picture_index_offset: u8,
    /// Where the byte of TID, Y and KEYIDX is.
    pub key_index_offset: u8,
}

/// Fields of the VP9 payload descriptor (RFC 9628 §4.2). Offsets count from the payload's start
/// and mean nothing where the field is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vp9Fields {
    /// 7 or 15 bits.
    pub picture_id: Option<u16>,
    /// The picture id has 15 bits.
    pub picture_id_15_bit: bool,
    /// TL0PICIDX; only in non-flexible mode.
    pub tl0_picture_index: Option<u8>,
    /// Where the picture id is.
    pub picture_id_offset: u8,
    /// Where TL0PICIDX is.
    pub tl0_picture_index_offset: u8,
    /// P: the frame refers to frames of earlier pictures.
    pub inter_picture: bool,
    /// D: the frame refers to the spatial layer below.
    pub inter_layer: bool,
    /// Z: the spatial layers above do not refer to this frame.
    pub not_inter_layer_reference: bool,
    /// How many spatial layers the stream has (1 to 8), where a scalability structure tells.
    pub spatial_layers: Option<u8>,
}

impl CodecFields {
    /// Replaces in `payload` what `patch` sets and the descriptor has.
    pub(crate) fn write(&self, patch: &Patch, payload: &mut [u8]) {
        match self {
            Self::None | Self::Red(None) => {}
            Self::Vp8(fields) => fields.write(patch, payload),
            Self::Vp9(fields) => fields.write(patch, payload),
            Self::Red(Some(fields)) => fields.write(patch, payload),
        }
    }
}

impl Vp8Fields {
    fn write(&self, patch: &Patch, payload: &mut [u8]) {
        if let (Some(_), Some(id)) = (self.picture_id, patch.picture_id) {
            write_picture_id(payload, self.picture_id_offset, self.picture_id_15_bit, id);
        }
        if let (Some(_), Some(index)) = (self.tl0_picture_index, patch.tl0_picture_index) {
            write_masked(payload, self.tl0_picture_index_offset, 0xff, index);
        }
        if let (Some(_), Some(index)) = (self.key_index, patch.key_index) {
            write_masked(payload, self.key_index_offset, 0x1f, index);
        }
    }
}

impl Vp9Fields {
    fn write(&self, patch: &Patch, payload: &mut [u8]) {
        if let (Some(_), Some(id)) = (self.picture_id, patch.picture_id) {
            write_picture_id(payload, self.picture_id_offset, self.picture_id_15_bit, id);
        }
        if let (Some(_), Some(index)) = (self.tl0_picture_index, patch.tl0_picture_index) {
            write_masked(payload, self.tl0_picture_index_offset, 0xff, index);
        }
    }
}

/// The M bit of the picture id: 15 bits follow instead of 7. The same in VP8 and VP9.
const LONG_PICTURE_ID: u8 = 0x80;

fn write_picture_id(payload: &mut [u8], offset: u8, long: bool, id: u16) {
    let [high, low] = id.to_be_bytes();
    if long {
        write_masked(payload, offset, 0x7f, high);
        write_masked(payload, offset.saturating_add(1), 0xff, low);
    } else {
        write_masked(payload, offset, 0x7f, low);
    }
}

/// Replaces the bits of `mask`.
fn write_masked(payload: &mut [u8], offset: u8, mask: u8, value: u8) {
    if let Some(byte) = payload.get_mut(usize::from(offset)) {
        *byte = *byte & !mask | value & mask;
    }
}

/// Reads a payload descriptor byte by byte.
pub(crate) struct ByteReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> ByteReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, ParseError> {
        let byte = *self.bytes.get(self.position).ok_or(ParseError::Truncated)?;
        self.position += 1;
        Ok(byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ParseError> {
        Ok(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    /// Where the next byte is. Descriptors put what is patched into their first bytes.
    pub(crate) fn offset(&self) -> u8 {
        self.position.min(usize::from(u8::MAX)) as u8
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// A picture id, and whether it has 15 bits.
    pub(crate) fn picture_id(&mut self) -> Result<(u16, bool), ParseError> {
        let first = self.byte()?;
        if first & LONG_PICTURE_ID == 0 {
            return Ok((u16::from(first), false));
        }
        let high = first & !LONG_PICTURE_ID;
        Ok((u16::from_be_bytes([high, self.byte()?]), true))
    }
}
