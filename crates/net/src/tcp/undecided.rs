//! A connection of which nothing is known but what it sent first.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use plenum_engine::stun_local_ufrag;
use plenum_types::{ShardId, shard_of_ufrag};

use super::TcpRefusal;
use super::admission::Ticket;
use super::framing::{Frame, HEADER_BYTES, frame_at};

/// Bytes read before the shard is known. A STUN check with the longest user name (RFC 8489 §14.3)
/// fits; what comes behind it stays in the socket.
const FIRST_BYTES_MAX: usize = 1_024;

/// A connection on its way to its shard.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    /// Where it comes from.
    pub(crate) remote: SocketAddr,
    /// What was read from it, its first frame and maybe more.
    pub(crate) bytes: Vec<u8>,
    /// It is closed unless a valid check has come by then.
    pub(crate) deadline: Instant,
    pub(crate) ticket: Ticket,
}

/// What is known of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Too little.
    Wait,
    /// The shard that its first check names.
    Shard(ShardId),
    /// It is not for us.
    Refused(TcpRefusal),
}

impl Accepted {
    pub(crate) const fn new(
        stream: TcpStream,
        remote: SocketAddr,
        deadline: Instant,
        ticket: Ticket,
    ) -> Self {
        Self {
            stream,
            remote,
            bytes: Vec::new(),
            deadline,
            ticket,
        }
    }

    /// Reads what has come, and says what that tells.
    pub(crate) fn read(&mut self) -> Verdict {
        let mut buffer = [0; FIRST_BYTES_MAX];
        loop {
            let room = FIRST_BYTES_MAX - self.bytes.len();
            match self.stream.read(&mut buffer[..room]) {
                Ok(0) => return Verdict::Refused(TcpRefusal::ClosedEarly),
                Ok(length) => self.bytes.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Verdict::Wait,
                Err(_) => return Verdict::Refused(TcpRefusal::ClosedEarly),
            }
            // A full buffer is never a reason to wait: see `verdict`.
            match verdict(&self.bytes) {
                Verdict::Wait => {}
                known => return known,
            }
        }
    }
}

/// What the first bytes of a connection tell.
fn verdict(bytes: &[u8]) -> Verdict {
    let frame = match frame_at(bytes, 0) {
        Frame::Whole(range) => &bytes[range],
        Frame::Partial if bytes.len() < HEADER_BYTES => return Verdict::Wait,
        // What is longer than a check is none, whatever comes.
        Frame::Partial | Frame::TooLong if declared(bytes) > FIRST_BYTES_MAX - HEADER_BYTES => {
            return Verdict::Refused(TcpRefusal::NotStun);
        }
        Frame::Partial | Frame::TooLong => return Verdict::Wait,
    };
    match stun_local_ufrag(frame).and_then(shard_of_ufrag) {
        Some(shard) => Verdict::Shard(shard),
        None => Verdict::Refused(TcpRefusal::NotStun),
    }
}

fn declared(bytes: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::framing::header;

    /// A binding request that names `user`, framed.
    fn check(user: &str) -> Vec<u8> {
        let mut attribute = vec![0, 6];
        attribute.extend((user.len() as u16).to_be_bytes());
        attribute.extend(user.as_bytes());
        attribute.resize(attribute.len().next_multiple_of(4), 0);
        let mut framed = header(20 + attribute.len()).unwrap().to_vec();
        framed.extend([0, 1]);
        framed.extend((attribute.len() as u16).to_be_bytes());
        framed.extend([0x21, 0x12, 0xa4, 0x42]);
        framed.extend([9; 12]);
        framed.extend(attribute);
        framed
    }

    #[test]
    fn a_check_is_waited_for_to_its_last_byte() {
        let check = check("2+1+abc:there");
        for cut in 0..check.len() {
            assert_eq!(verdict(&check[..cut]), Verdict::Wait, "{cut}");
        }
        assert_eq!(verdict(&check), Verdict::Shard(ShardId(2)));
    }

    #[test]
    fn the_longest_user_name_fits() {
        let ours = "f+".to_owned() + &"a".repeat(254);
        let check = check(&format!("{ours}:{}", "b".repeat(256)));
        assert_eq!(verdict(&check), Verdict::Shard(ShardId(15)));
    }

    #[test]
    fn other_protocols_are_refused_at_their_first_bytes() {
        let refused = Verdict::Refused(TcpRefusal::NotStun);
        for stranger in [&b"GET / HTTP/1.1"[..], b"\x16\x03\x01\x02", b"SSH-2.0-"] {
            assert_eq!(verdict(stranger), refused);
        }
        // Frames, but no check.
        assert_eq!(verdict(&[0, 0]), refused);
        assert_eq!(verdict(&[0, 3, 0x80, 0, 0]), refused);
        // Names nobody's shard.
        assert_eq!(verdict(&check("a-stranger:there")), refused);
    }

    #[test]
    fn a_full_buffer_is_decided() {
        for length in 0..=u16::MAX {
            let mut bytes = vec![0; FIRST_BYTES_MAX];
            bytes[..2].copy_from_slice(&length.to_be_bytes());
            assert_ne!(verdict(&bytes), Verdict::Wait, "{length}");
        }
    }
}
