//! Datagrams in a stream of bytes: each behind its length in two bytes (RFC 4571 §2).
//!
//! Invariant: how the stream is cut into reads does not change which datagrams come out.

use std::ops::Range;

/// Bytes before each datagram.
pub(crate) const HEADER_BYTES: usize = 2;

/// Longest datagram that is taken. Whatever WebRTC sends fits one packet of an Ethernet, and a
/// stream cannot be picked up again behind a frame that is left out. Longer only lets a connection
/// hold more memory before it has said anything.
pub(crate) const FRAME_BYTES_MAX: usize = 4_096;

/// What stands at a place of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A whole datagram, and where in the bytes it is. May be empty.
    Whole(Range<usize>),
    /// The rest of it has not come.
    Partial,
    /// More than [`FRAME_BYTES_MAX`].
    TooLong,
}

/// The frame that begins at `at`.
pub(crate) fn frame_at(bytes: &[u8], at: usize) -> Frame {
    let Some(&[high, low]) = bytes.get(at..at + HEADER_BYTES) else {
        return Frame::Partial;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let start = at + HEADER_BYTES;
    if length > FRAME_BYTES_MAX {
        Frame::TooLong
    } else if start + length > bytes.len() {
        Frame::Partial
    } else {
        Frame::Whole(start..start + length)
    }
}

/// What stands before a datagram of `length` bytes; `None` if it does not fit a frame.
pub(crate) fn header(length: usize) -> Option<[u8; HEADER_BYTES]> {
    u16::try_from(length).ok().map(u16::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(datagrams: &[Vec<u8>]) -> Vec<u8> {
        let mut stream = Vec::new();
        for datagram in datagrams {
            stream.extend(header(datagram.len()).unwrap());
            stream.extend(datagram);
        }
        stream
    }

    /// Reads `stream` in pieces, keeping what is not whole as the loop does.
    fn read(stream: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
        let (mut kept, mut datagrams) = (Vec::new(), Vec::new());
        let mut rest = stream;
        let sizes = cuts.iter().copied().chain(std::iter::repeat(usize::MAX));
        for size in sizes {
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at(size.clamp(1, rest.len()));
            rest = later;
            kept.extend(piece);
            let mut at = 0;
            while let Frame::Whole(range) = frame_at(&kept, at) {
                at = range.end;
                datagrams.push(kept[range].to_vec());
            }
            kept.drain(..at);
        }
        assert!(kept.is_empty(), "a whole stream leaves nothing over");
        datagrams
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_datagrams(
            datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
            cuts in prop::collection::vec(1_usize..400, 0..60),
        ) {
            let stream = framed(&datagrams);
            prop_assert_eq!(read(&stream, &cuts), datagrams);
        }

        #[test]
        fn any_bytes_are_a_frame_a_part_or_too_long(bytes in prop::collection::vec(any::<u8>(), 0..9_000)) {
            match frame_at(&bytes, 0) {
                Frame::Whole(range) => prop_assert!(range.end <= bytes.len() && range.start == HEADER_BYTES),
                Frame::Partial => prop_assert!(bytes.len() < HEADER_BYTES + FRAME_BYTES_MAX),
                Frame::TooLong => prop_assert!(usize::from(bytes[0]) << 8 >= FRAME_BYTES_MAX & 0xff00),
            }
        }
    }

    #[test]
    fn every_byte_alone_gives_the_same_datagrams() {
        let datagrams = vec![vec![1; 3], Vec::new(), vec![2; FRAME_BYTES_MAX], vec![3]];
        let stream = framed(&datagrams);
        assert_eq!(read(&stream, &vec![1; stream.len()]), datagrams);
    }

    #[test]
    fn the_limit_is_told_from_the_length_alone() {
        let fits = header(FRAME_BYTES_MAX).unwrap();
        assert_eq!(frame_at(&fits, 0), Frame::Partial);
        let beyond = header(FRAME_BYTES_MAX + 1).unwrap();
        assert_eq!(frame_at(&beyond, 0), Frame::TooLong);
        assert_eq!(header(65_536), None);
    }
}
