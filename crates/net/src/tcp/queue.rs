//! What waits to be written to one connection: whole frames behind what is left of one that was
//! written in part.
//!
//! Invariant: a frame is queued whole or not at all, so that what is dropped leaves the stream
//! readable.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use super::framing::header;

/// Bytes that may wait for one client. A client that falls behind by more is shown what is new
/// rather than what is old; the estimator asks for less long before, as soon as waiting takes
/// time. At 4 Mbit/s this is half a second, which a connection needs to make up for a lost packet.
/// More lets a client on a bad network see the past for longer; less drops what a moment later
/// would have been sent.
pub(crate) const QUEUE_BYTES: usize = 256 << 10;

/// Bytes that STUN and DTLS may take beyond that: without them a client whose queue is full of
/// media would lose consent (RFC 7675).
const RESERVE_BYTES: usize = 16 << 10;

/// First bytes below this are STUN and DTLS (RFC 7983 §7).
const MEDIA_FIRST_BYTE: u8 = 128;

#[derive(Debug, Default)]
pub(crate) struct WriteQueue {
    bytes: VecDeque<u8>,
}

impl WriteQueue {
    /// Whether `datagram` may be added.
    pub(crate) fn has_room(&self, datagram: &[u8]) -> bool {
        let media = datagram
            .first()
            .is_none_or(|first| *first >= MEDIA_FIRST_BYTE);
        let reserve = if media { 0 } else { RESERVE_BYTES };
        self.bytes.len() + datagram.len() < QUEUE_BYTES + reserve
    }

    /// Adds `datagram` as a frame; `false` if there is no room for it.
    pub(crate) fn push(&mut self, datagram: &[u8]) -> bool {
        let Some(header) = header(datagram.len()).filter(|_| self.has_room(datagram)) else {
            return false;
        };
        self.bytes.extend(header);
        self.bytes.extend(datagram);
        true
    }

    /// Writes what `stream` takes, and returns how much that was.
    ///
    /// # Errors
    ///
    /// `WouldBlock` is none: the rest waits. Others end the connection.
    pub(crate) fn write_to(&mut self, stream: &mut impl Write) -> io::Result<Written> {
        let mut bytes = 0;
        while !self.bytes.is_empty() {
            let (front, back) = self.bytes.as_slices();
            match stream.write_vectored(&[IoSlice::new(front), IoSlice::new(back)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.bytes.drain(..written);
                    bytes += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Written {
                        bytes,
                        blocked: true,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Written {
            bytes,
            blocked: false,
        })
    }
}

/// What came of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Bytes that the stream took.
    pub(crate) bytes: u64,
    /// It takes no more for now.
    pub(crate) blocked: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::framing::{Frame, frame_at};

    /// Takes so many bytes, then would block.
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let length = bytes.len().min(self.room);
            self.taken.extend(&bytes[..length]);
            self.room -= length;
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn frames(stream: &[u8]) -> Vec<Vec<u8>> {
        let (mut at, mut found) = (0, Vec::new());
        while let Frame::Whole(range) = frame_at(stream, at) {
            at = range.end;
            found.push(stream[range].to_vec());
        }
        assert_eq!(at, stream.len(), "only whole frames");
        found
    }

    #[test]
    fn a_full_queue_drops_whole_frames_and_goes_on() {
        let mut queue = WriteQueue::default();
        let mut narrow = Narrow {
            taken: Vec::new(),
            room: 0,
        };
        let mut kept = Vec::new();
        let mut dropped = 0;
        // Seven bytes at a time, never the end of a frame.
        for number in 0..3_000_u16 {
            let mut datagram = vec![0x80; 1_000];
            datagram[1..3].copy_from_slice(&number.to_be_bytes());
            if queue.push(&datagram) {
                kept.push(datagram);
            } else {
                dropped += 1;
            }
            narrow.room = 7;
            assert!(queue.write_to(&mut narrow).unwrap().blocked);
        }
        assert!(dropped > 0 && kept.len() > 261, "{dropped} {}", kept.len());
        narrow.room = usize::MAX;
        let written = queue.write_to(&mut narrow).unwrap();
        assert!(!written.blocked && written.bytes > 0);
        assert_eq!(frames(&narrow.taken), kept);
    }

    #[test]
    fn checks_and_handshakes_have_room_behind_media() {
        let mut queue = WriteQueue::default();
        while queue.push(&[0x80; 1_200]) {}
        assert!(queue.push(&[0x01; 100]), "STUN");
        assert!(queue.push(&[0x16; 1_200]), "DTLS");
        assert!(!queue.push(&[0xc8; 1_200]), "media");
        let pushed = std::iter::repeat_with(|| queue.push(&[0x01; 100]));
        assert!(pushed.take(1_000).any(|pushed| !pushed), "bounded, too");
    }

    #[test]
    fn a_stream_that_takes_nothing_has_ended() {
        let mut queue = WriteQueue::default();
        assert!(queue.push(&[1]));
        assert!(queue.write_to(&mut &mut [][..]).is_err());
    }
}
