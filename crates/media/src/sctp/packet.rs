//! The frame of an SCTP packet (RFC 9260 §3), checked before the SCTP library gets it.

use plenum_types::DropReason;

const HEADER_LEN: usize = 12;
const CHUNK_HEADER_LEN: usize = 4;
const INIT: u8 = 1;

/// Shortest INIT chunk: header and five fixed fields (§3.3.2).
const INIT_LEN: usize = 20;

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
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let shortest = if header[0] == INIT {
        INIT_LEN
    } else {
        CHUNK_HEADER_LEN
    };
    if length < shortest || length > bytes.len() {
        return None;
    }
    // The last chunk may leave its padding out.
    Some(bytes.get(length.next_multiple_of(4)..).unwrap_or_default())
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
        ] {
            assert_eq!(check(&bad), Err(DropReason::SctpRefused), "{bad:?}");
        }
    }
}
