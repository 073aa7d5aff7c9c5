//! Dependency Descriptor: the header extension of AV1 RTP payload format 1.0, appendix A.
//!
//! Every packet has the mandatory fields. The template structure, which gives the templates their
//! meaning, rides on the first packet of a coded video sequence; [`Templates`] keeps it for the
//! frames that follow.
//!
//! Invariant: a descriptor is read to the end of its last field or refused; nothing is guessed.

mod structure;
mod templates;

use crate::ParseError;
use crate::bits::BitReader;

pub use structure::{FrameDependencies, Indication, TemplateStructure};
pub use templates::{FrameRole, Opened, Templates};

/// Bytes of the mandatory fields.
pub(crate) const MANDATORY_LEN: usize = 3;
/// Where the 16 bits of the frame number are.
pub(crate) const FRAME_NUMBER_OFFSET: usize = 1;

/// The fields that can be read without knowing the template structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DependencyDescriptor {
    /// First packet of a frame (of one spatial layer).
    pub starts_frame: bool,
    /// Last packet of a frame (of one spatial layer).
    pub ends_frame: bool,
    /// 6 bits; its place in the structure is relative to the structure's offset.
    pub template_id: u8,
    /// In decode order, wraps.
    pub frame_number: u16,
    /// The template structure follows: a coded video sequence starts.
    pub has_structure: bool,
    pub(crate) flags: Flags,
}

/// The flags of the extended fields (§A.8.2); all clear if there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) active_decode_targets: bool,
    pub(crate) custom_indications: bool,
    pub(crate) custom_frame_diffs: bool,
    pub(crate) custom_chains: bool,
}

/// What a packet's description keeps of its Dependency Descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DependencyFields {
    /// In decode order, wraps.
    pub frame_number: u16,
    /// Which template the frame follows.
    pub template_id: u8,
    /// The packet carries the template structure.
    pub has_structure: bool,
}

impl DependencyDescriptor {
    /// Reads the mandatory fields and the flags (§A.8.2).
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        Self::parse_with_rest(bytes).map(|(descriptor, _)| descriptor)
    }

    /// Also gives the reader, placed behind the flags.
    pub(crate) fn parse_with_rest(bytes: &[u8]) -> Result<(Self, BitReader<'_>), ParseError> {
        let &[first, high, low] = bytes
            .first_chunk::<MANDATORY_LEN>()
            .ok_or(ParseError::BadDependencyDescriptor)?;
        let mut rest = BitReader::new(&bytes[MANDATORY_LEN..]);
        let mut has_structure = false;
        let mut flags = Flags::default();
        if bytes.len() > MANDATORY_LEN {
            has_structure = rest.flag()?;
            flags = Flags {
                active_decode_targets: rest.flag()?,
                custom_indications: rest.flag()?,
                custom_frame_diffs: rest.flag()?,
                custom_chains: rest.flag()?,
            };
        }
        let descriptor = Self {
            starts_frame: first & 0x80 != 0,
            ends_frame: first & 0x40 != 0,
            template_id: first & 0x3f,
            frame_number: u16::from_be_bytes([high, low]),
            has_structure,
            flags,
        };
        Ok((descriptor, rest))
    }

    /// What a packet's description keeps.
    pub fn fields(&self) -> DependencyFields {
        DependencyFields {
            frame_number: self.frame_number,
            template_id: self.template_id,
            has_structure: self.has_structure,
        }
    }
}
