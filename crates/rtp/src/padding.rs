//! Packets made of padding, and padding added to packets (RFC 3550 §5.1).

use crate::extension_writer::write_block;
use crate::packet::{EXTENSION_BIT, FIXED_LEN, PADDING_BIT};
use crate::{OutgoingExtensions, Patch, WriteError};

/// Writes a packet of `padding` bytes of padding (at least 1) and no payload, for probes and
/// keep-alives. Of `patch` only the header fields are used. Returns the packet's length.
pub fn write_padding(
    patch: &Patch,
    padding: u8,
    ext: &OutgoingExtensions,
    out: &mut [u8],
) -> Result<usize, WriteError> {
    let (head, rest) = out
        .split_first_chunk_mut::<FIXED_LEN>()
        .ok_or(WriteError::BufferTooSmall)?;
    let block = write_block(None, ext, rest)?;
    let extension_bit = if block.len == 0 { 0 } else { EXTENSION_BIT };
    *head = patch.fixed_header(extension_bit);
    add_padding(out, FIXED_LEN + block.len, padding.max(1))
}

/// Adds `padding` bytes of padding to the packet in the first `len` bytes of `buffer`, which must
/// have none yet, and returns the new length. Makes packets equally long for one send call.
pub fn add_padding(buffer: &mut [u8], len: usize, padding: u8) -> Result<usize, WriteError> {
    if padding == 0 {
        return Ok(len);
    }
    let end = len + usize::from(padding);
    let bytes = buffer.get_mut(..end).ok_or(WriteError::BufferTooSmall)?;
    bytes[0] |= PADDING_BIT;
    bytes[len..end - 1].fill(0);
    bytes[end - 1] = padding;
    Ok(end)
}
