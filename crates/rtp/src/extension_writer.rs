//! Writing the header extension block of one subscriber's copy (RFC 8285).
//!
//! Invariant: an id is written only where the subscriber negotiated it; the one-byte form is
//! chosen when every element fits it.

use plenum_types::{ExtensionKind, ExtensionMap, Mid};

use crate::dependency::MANDATORY_LEN;
use crate::extension::{ONE_BYTE, TWO_BYTE};
use crate::{HeaderExtensions, WriteError};

/// Largest id of the one-byte form (§4.2).
const ONE_BYTE_MAX_ID: u8 = 14;
/// Longest value of the one-byte form (§4.2).
const ONE_BYTE_MAX_LEN: usize = 16;
/// Bytes before the elements: profile and length.
const BLOCK_HEADER_LEN: usize = 4;

/// Values of one subscriber's header extensions. Ids are those that it negotiated.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingExtensions {
    /// The subscriber's ids.
    pub map: ExtensionMap,
    /// The m-line of the slot.
    pub mid: Option<Mid>,
    /// Absolute send time, 24 bits.
    pub abs_send_time: u32,
    /// Transport-wide sequence number; `None` leaves it out.
    pub transport_sequence: Option<u16>,
}

/// What passes through from the source.
#[derive(Clone, Copy)]
pub(crate) struct SourceExtensions<'p> {
    pub(crate) packet: &'p [u8],
    pub(crate) found: HeaderExtensions,
}

/// A written block.
#[derive(Clone, Copy, Default)]
pub(crate) struct WrittenBlock {
    /// Bytes, a multiple of 4; 0: no block, and the X bit must be clear.
    pub(crate) len: usize,
    /// Where in the block the value of a Dependency Descriptor starts that is long enough for
    /// its mandatory fields.
    pub(crate) dependency_descriptor: Option<usize>,
}

#[derive(Clone, Copy)]
struct Element<'v> {
    kind: ExtensionKind,
    id: u8,
    value: &'v [u8],
}

/// Writes the block to the start of `out`.
pub(crate) fn write_block(
    source: Option<SourceExtensions<'_>>,
    outgoing: &OutgoingExtensions,
    out: &mut [u8],
) -> Result<WrittenBlock, WriteError> {
    let abs_send_time = outgoing.abs_send_time.to_be_bytes();
    let transport_sequence = outgoing.transport_sequence.map(u16::to_be_bytes);
    let mut elements = [Element {
        kind: ExtensionKind::Mid,
        id: 0,
        value: &[],
    }; ExtensionKind::COUNT];
    let mut count = 0;
    for kind in ExtensionKind::ALL {
        let Some(id) = outgoing.map.id(kind) else {
            continue;
        };
        let value = match kind {
            ExtensionKind::Mid => outgoing.mid.as_ref().map(|mid| mid.as_str().as_bytes()),
            ExtensionKind::AbsSendTime => Some(&abs_send_time[1..]),
            ExtensionKind::TransportSequence => transport_sequence.as_ref().map(|b| &b[..]),
            ExtensionKind::Rid | ExtensionKind::RepairedRid => None,
            ExtensionKind::AudioLevel
            | ExtensionKind::VideoOrientation
            | ExtensionKind::PlayoutDelay
            | ExtensionKind::DependencyDescriptor => {
                source.and_then(|source| source.found.bytes(source.packet, kind))
            }
        };
        if let Some(value) = value {
            elements[count] = Element { kind, id, value };
            count += 1;
        }
    }
    write_elements(&elements[..count], out)
}

fn write_elements(elements: &[Element<'_>], out: &mut [u8]) -> Result<WrittenBlock, WriteError> {
    if elements.is_empty() {
        return Ok(WrittenBlock::default());
    }
    let one_byte = elements.iter().all(fits_one_byte);
    let element_header = if one_byte { 1 } else { 2 };
    let used: usize = elements
        .iter()
        .map(|element| element_header + element.value.len())
        .sum();
    let padded = used.next_multiple_of(4);
    let block = out
        .get_mut(..BLOCK_HEADER_LEN + padded)
        .ok_or(WriteError::BufferTooSmall)?;
    let profile = if one_byte { ONE_BYTE } else { TWO_BYTE };
    block[..2].copy_from_slice(&profile.to_be_bytes());
    block[2..4].copy_from_slice(&((padded / 4) as u16).to_be_bytes());
    let mut written = WrittenBlock {
        len: block.len(),
        dependency_descriptor: None,
    };
    let mut at = BLOCK_HEADER_LEN;
    for element in elements {
        let len = element.value.len();
        if one_byte {
            block[at] = element.id << 4 | (len - 1) as u8;
        } else {
            block[at] = element.id;
            block[at + 1] = len as u8;
        }
        at += element_header;
        block[at..at + len].copy_from_slice(element.value);
        if element.kind == ExtensionKind::DependencyDescriptor && len >= MANDATORY_LEN {
            written.dependency_descriptor = Some(at);
        }
        at += len;
    }
    block[at..].fill(0);
    Ok(written)
}

fn fits_one_byte(element: &Element<'_>) -> bool {
    element.id <= ONE_BYTE_MAX_ID && (1..=ONE_BYTE_MAX_LEN).contains(&element.value.len())
}
