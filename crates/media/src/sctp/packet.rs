//! The frame of an SCTP packet (RFC 9260 §3), checked before the SCTP library gets it: the library
//! takes some lengths on trust.

use plenum_types::DropReason;

const HEADER_LEN: usize = 12;
const CHUNK_HEADER_LEN: usize = 4;

const INIT: u8 = 1;
const ABORT: u8 = 6;
const ERROR: u8 = 9;
const FORWARD_TSN: u8 = 192;

/// Shortest INIT chunk: header and five fixed fields (§3.3.2).
const INIT_LEN: usize = 20;

/// Shortest FORWARD-TSN chunk: header and TSN; 4 bytes for each stream follow (RFC 3758 §3.2).
const FORWARD_TSN_LEN: usize = 8;

/// A chunk of a packet, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk<'p> {
    pub(super) kind: u8,
    /// With its header, without padding.
    pub(super) bytes: &'p [u8],
}

/// The chunks of a packet that [`check`] lets pass.
pub(super) fn chunks(packet: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = packet.get(HEADER_LEN..).unwrap_or_default();
    std::iter::from_fn(move || {
        let header = rest.get(..CHUNK_HEADER_LEN)?;
        let length = read_length(header).max(CHUNK_HEADER_LEN);
        let chunk = Chunk {
            kind: header[0],
            bytes: rest.get(..length)?,
        };
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(chunk)
    })
}

/// Refuses a packet whose chunks do not fill it, or that has none.
pub(super) fn check(packet: &[u8]) -> Result<(), DropReason> {
    let mut rest = packet
        .get(HEADER_LEN..)
        .filter(|chunks| !chunks.is_empty())
        .ok_or(DropReason::SctpRefused)?;
    while !rest.is_empty() {
        rest = next_chunk(rest).ok_or(DropReason::SctpRefused)?;
    }
    Ok(())
}

fn next_chunk(bytes: &[u8]) -> Option<&[u8]> {
    let header = bytes.get(..CHUNK_HEADER_LEN)?;
    let chunk = bytes.get(..read_length(header))?;
    let body = chunk.get(CHUNK_HEADER_LEN..)?;
    let well_formed = match header[0] {
        INIT => chunk.len() >= INIT_LEN,
        ABORT | ERROR => causes_fit(body),
        FORWARD_TSN => chunk.len() >= FORWARD_TSN_LEN && chunk.len() % 4 == 0,
        _ => true,
    };
    // The last chunk may leave its padding out.
    let padded = chunk.len().next_multiple_of(4);
    well_formed.then(|| bytes.get(padded..).unwrap_or_default())
}

/// Whether the error causes (§3.3.10) stay within their chunk, read as the library does, without
/// padding between them.
fn causes_fit(mut body: &[u8]) -> bool {
    while body.len() >= CHUNK_HEADER_LEN {
        let length = read_length(body);
        match body.get(length..) {
            Some(rest) if length >= CHUNK_HEADER_LEN => body = rest,
            _ => return false,
        }
    }
    true
}

/// The length field of a chunk or an error cause.
fn read_length(header: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([header[2], header[3]]))
}

/// Whether the packet asks for a new association.
pub(super) fn is_init(packet: &[u8]) -> bool {
    packet.get(HEADER_LEN) == Some(&INIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(chunks: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LEN];
        bytes.extend_from_slice(chunks);
        bytes
    }

    #[test]
    fn chunks_must_fill_the_packet() {
        assert_eq!(check(&packet(&[11, 0, 0, 4])), Ok(()));
        assert_eq!(check(&packet(&[0, 0, 0, 5, 9])), Ok(()));
        assert_eq!(check(&packet(&[ABORT, 0, 0, 8, 0, 12, 0, 4])), Ok(()));
        assert_eq!(
            check(&packet(&[0, 0, 0, 5, 9, 0, 0, 0, 11, 0, 0, 4])),
            Ok(())
        );
        for bad in [
            vec![],
            packet(&[]),
            packet(&[11, 0, 0]),
            packet(&[11, 0, 0, 3]),
            packet(&[11, 0, 0, 5]),
            packet(&[INIT, 0, 0, 8, 0, 0, 0, 0]),
            packet(&[ABORT, 0, 0, 8, 0, 12, 0, 5]),
            packet(&[ERROR, 0, 0, 8, 0, 12, 0, 0]),
            packet(&[FORWARD_TSN, 0, 0, 4]),
            packet(&[FORWARD_TSN, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] {
            assert_eq!(check(&bad), Err(DropReason::SctpRefused), "{bad:?}");
        }
    }
}
