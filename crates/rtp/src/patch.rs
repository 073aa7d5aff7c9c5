//! One subscriber's copy of a packet: what changes, and the writing of it.
//!
//! Invariant: the payload is copied unchanged but for the descriptor fields named in the patch,
//! which keep their width, and grows only by the sequence number of RFC 4588.

use plenum_types::{RtpTimestamp, SequenceNumber, Ssrc};

use crate::codec::CodecFields;
use crate::codec::red::RedPatch;
use crate::dependency::FRAME_NUMBER_OFFSET;
use crate::extension_writer::{SourceExtensions, write_block};
use crate::packet::{EXTENSION_BIT, FIXED_LEN, fixed_header};
use crate::{OutgoingExtensions, PacketDescription, WriteError};

/// Bytes of the original sequence number before a retransmitted payload (RFC 4588 §4).
pub(crate) const OSN_LEN: usize = 2;

/// Most bytes that the extension block grows by: its header (4), `mid` (2 + 16), absolute send
/// time (2 + 3) and transport-wide sequence number (2 + 2) that the source lacked, one byte more
/// for the header of each of the four that pass through, alignment (3).
const EXTENSION_GROWTH: usize = 4 + 18 + 5 + 4 + 4 + 3;

/// What changes between an incoming packet and one subscriber's copy of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The subscriber's payload type.
    pub payload_type: u8,
    /// The slot's SSRC, or its retransmission SSRC.
    pub ssrc: Ssrc,
    /// In the slot's sequence.
    pub sequence: SequenceNumber,
    /// On the slot's clock.
    pub timestamp: RtpTimestamp,
    /// The M bit.
    pub marker: bool,
    /// VP8 or VP9 picture id, where the packet has one. A 7-bit field takes the lower 7 bits.
    pub picture_id: Option<u16>,
    /// VP8 or VP9 TL0PICIDX, where the packet has one.
    pub tl0_picture_index: Option<u8>,
    /// VP8 KEYIDX (5 bits), where the packet has one.
    pub key_index: Option<u8>,
    /// Frame number of the Dependency Descriptor, where the packet has one.
    pub frame_number: Option<u16>,
    /// What becomes of redundant audio; otherwise of no meaning.
    pub red: Option<RedPatch>,
    /// The number that the packet was first sent with; makes this a retransmission (RFC 4588).
    pub original_sequence: Option<SequenceNumber>,
}

impl Patch {
    /// The patch that changes nothing of the packet `description` was made from.
    pub fn identity(description: &PacketDescription) -> Self {
        let header = &description.header;
        Self {
            payload_type: header.payload_type,
            ssrc: header.ssrc,
            sequence: header.sequence,
            timestamp: header.timestamp,
            marker: header.marker,
            picture_id: None,
            tl0_picture_index: None,
            key_index: None,
            frame_number: None,
            red: None,
            original_sequence: None,
        }
    }

    pub(crate) fn fixed_header(&self, first: u8) -> [u8; FIXED_LEN] {
        fixed_header(
            first,
            self.marker,
            self.payload_type,
            self.sequence,
            self.timestamp,
            self.ssrc,
        )
    }
}

/// Most bytes by which [`write_packet`] makes a packet longer.
pub const fn max_growth() -> usize {
    EXTENSION_GROWTH + OSN_LEN
}

/// Writes the subscriber's copy of `packet` to the start of `out` and returns its length.
///
/// The extension block is rebuilt: ids become the subscriber's; `mid`, absolute send time and
/// transport-wide sequence number are set wherever negotiated; stream ids and unknown extensions
/// are left out. CSRCs stay, padding goes. `out` must hold `packet.len() + max_growth()` bytes to
/// be sure to suffice.
pub fn write_packet(
    packet: &[u8],
    d: &PacketDescription,
    patch: &Patch,
    ext: &OutgoingExtensions,
    out: &mut [u8],
) -> Result<usize, WriteError> {
    let header = &d.header;
    let csrc_end = header.csrc_end();
    let csrcs = packet
        .get(FIXED_LEN..csrc_end)
        .ok_or(WriteError::WrongDescription)?;
    let payload = packet
        .get(header.payload_offset..header.payload_offset + header.payload_len)
        .ok_or(WriteError::WrongDescription)?;

    let source = SourceExtensions {
        packet,
        found: d.extensions,
    };
    let (head, rest) = out
        .split_at_mut_checked(csrc_end)
        .ok_or(WriteError::BufferTooSmall)?;
    let block = write_block(Some(source), ext, rest)?;
    let extension_bit = if block.len == 0 { 0 } else { EXTENSION_BIT };
    head[..FIXED_LEN].copy_from_slice(&patch.fixed_header(extension_bit | header.csrc_count));
    head[FIXED_LEN..].copy_from_slice(csrcs);
    if let (Some(at), Some(number)) = (block.dependency_descriptor, patch.frame_number) {
        write_frame_number(rest, at, number);
    }

    let body = rest
        .get_mut(block.len..)
        .ok_or(WriteError::BufferTooSmall)?;
    let body_len = write_body(payload, &d.payload.fields, patch, body)?;
    Ok(csrc_end + block.len + body_len)
}

/// Original sequence number, if any, and payload.
fn write_body(
    payload: &[u8],
    fields: &CodecFields,
    patch: &Patch,
    out: &mut [u8],
) -> Result<usize, WriteError> {
    let mut out = out;
    let mut payload = payload;
    if let (CodecFields::Red(Some(red)), Some(RedPatch::Newest)) = (fields, patch.red) {
        payload = payload
            .get(usize::from(red.newest)..)
            .ok_or(WriteError::WrongDescription)?;
    }
    let mut written = payload.len();
    if let Some(original) = patch.original_sequence {
        let (osn, rest) = out
            .split_first_chunk_mut::<OSN_LEN>()
            .ok_or(WriteError::BufferTooSmall)?;
        *osn = original.0.to_be_bytes();
        out = rest;
        written += OSN_LEN;
    }
    let copy = out
        .get_mut(..payload.len())
        .ok_or(WriteError::BufferTooSmall)?;
    copy.copy_from_slice(payload);
    fields.write(patch, copy);
    Ok(written)
}

fn write_frame_number(block: &mut [u8], descriptor: usize, number: u16) {
    let at = descriptor + FRAME_NUMBER_OFFSET;
    if let Some(field) = block.get_mut(at..at + 2) {
        field.copy_from_slice(&number.to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
