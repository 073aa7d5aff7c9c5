//! Receive buffers, allocated once, and the datagrams in them.
//!
//! The kernel may put several datagrams of one sender into one buffer (UDP GRO); all but the last
//! have the size it tells.

use std::array;
use std::io::{self, IoSliceMut};

use plenum_types::{DropReason, Path, Remote};
use quinn_udp::{BATCH_SIZE, RecvMeta};

use crate::address::canonical;
use crate::socket::Socket;

/// Size of one buffer: more than the largest datagram, alone or as a GRO train (64 KiB with
/// headers), so that nothing is ever cut.
pub(crate) const BUFFER_BYTES: usize = 65_536;

/// Distance added between buffers. At exactly 64 KiB all of them would share the same cache sets
/// and evict each other.
const STAGGER_BYTES: usize = 21 * 64;

/// What came of a datagram.
pub(crate) enum Received<'d> {
    /// Whole.
    Datagram(Path, &'d mut [u8]),
    /// Not usable.
    Dropped(DropReason),
}

/// Buffers for one receive call, and how far what came in it was taken out.
pub(crate) struct ReceiveBuffers {
    memory: Box<[u8]>,
    buffer_bytes: usize,
    metas: [RecvMeta; BATCH_SIZE],
    filled: usize,
    /// The message that the next datagram is of, and where in it.
    message: usize,
    offset: usize,
}

impl ReceiveBuffers {
    /// Buffers that hold `buffer_bytes` each.
    pub(crate) fn new(buffer_bytes: usize) -> Self {
        let memory = vec![0; BATCH_SIZE * (buffer_bytes + STAGGER_BYTES)];
        Self {
            memory: memory.into_boxed_slice(),
            buffer_bytes,
            metas: [RecvMeta::default(); BATCH_SIZE],
            filled: 0,
            message: 0,
            offset: 0,
        }
    }

    /// Fills the buffers from the socket; whether there may be more to read. What was not taken
    /// out is lost.
    pub(crate) fn fill(&mut self, socket: &Socket) -> io::Result<bool> {
        (self.filled, self.message, self.offset) = (0, 0, 0);
        let size = self.buffer_bytes;
        let mut buffers = self.memory.chunks_exact_mut(size + STAGGER_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] = array::from_fn(|_| {
            let buffer = buffers
                .next()
                .map_or(&mut [][..], |buffer| &mut buffer[..size]);
            IoSliceMut::new(buffer)
        });
        match socket.receive(&mut slices, &mut self.metas) {
            Ok(filled) => {
                self.filled = filled;
                Ok(filled == BATCH_SIZE)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether all that came was taken out.
    pub(crate) const fn is_empty(&self) -> bool {
        self.message >= self.filled
    }

    /// Takes out the next datagram, in the order of their coming.
    pub(crate) fn poll(&mut self) -> Option<Received<'_>> {
        if self.is_empty() {
            return None;
        }
        let meta = &self.metas[self.message];
        let start = self.message * (self.buffer_bytes + STAGGER_BYTES);
        let buffer = &mut self.memory[start..start + self.buffer_bytes];
        let (received, end) = datagram_at(buffer, meta, self.offset);
        match end {
            Some(offset) => self.offset = offset,
            None => (self.message, self.offset) = (self.message + 1, 0),
        }
        Some(received)
    }
}

/// The datagram at `offset` of a message, and where the next one is, if there is one.
fn datagram_at<'b>(
    buffer: &'b mut [u8],
    meta: &RecvMeta,
    offset: usize,
) -> (Received<'b>, Option<usize>) {
    let path = Path {
        remote: Remote::udp(canonical(meta.addr)),
        local_ip: meta.dst_ip.map(|ip| ip.to_canonical()),
    };
    // An answer to port 0 is refused by the kernel with the same error as a segmentation offload
    // that does not work. Nobody can prove to receive there.
    if path.remote.address.port() == 0 {
        return (Received::Dropped(DropReason::UnknownAddress), None);
    }
    let full = meta.len >= buffer.len();
    let length = meta.len.min(buffer.len());
    let end = (offset + meta.stride.max(1)).min(length);
    let next = (end < length).then_some(end);
    // The kernel does not tell through this interface that it cut the last one; a buffer that is
    // full to the brim does.
    if full && next.is_none() {
        return (Received::Dropped(DropReason::DatagramTruncated), None);
    }
    (Received::Datagram(path, &mut buffer[offset..end]), next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NetConfig;
    use std::net::{Ipv4Addr, UdpSocket};

    fn meta(len: usize, stride: usize, remote: &str) -> RecvMeta {
        let mut meta = RecvMeta::default();
        meta.len = len;
        meta.stride = stride;
        meta.addr = remote.parse().unwrap();
        meta
    }

    fn visited(size: usize, meta: &RecvMeta) -> Vec<Result<(Path, usize), DropReason>> {
        let mut seen = Vec::new();
        let mut offset = Some(0);
        while let Some(at) = offset {
            let mut buffer = vec![0; size];
            let (received, next) = datagram_at(&mut buffer, meta, at);
            seen.push(match received {
                Received::Datagram(path, bytes) => Ok((path, bytes.len())),
                Received::Dropped(reason) => Err(reason),
            });
            offset = next;
        }
        seen
    }

    #[test]
    fn trains_are_split_by_their_stride() {
        let path = Path::to("192.0.2.1:5".parse().unwrap());
        let seen = visited(1_000, &meta(250, 100, "192.0.2.1:5"));
        assert_eq!(seen, [Ok((path, 100)), Ok((path, 100)), Ok((path, 50))]);
    }

    #[test]
    fn mapped_senders_are_shown_as_ipv4() {
        let mut meta = meta(10, 10, "[::ffff:192.0.2.1]:5");
        meta.dst_ip = Some("::ffff:192.0.2.2".parse().unwrap());
        let path = Path {
            remote: Remote::udp("192.0.2.1:5".parse().unwrap()),
            local_ip: Some("192.0.2.2".parse().unwrap()),
        };
        assert_eq!(visited(100, &meta), [Ok((path, 10))]);
    }

    #[test]
    fn empty_datagrams_are_not_lost_silently() {
        let seen = visited(100, &meta(0, 0, "192.0.2.1:5"));
        assert!(matches!(seen[..], [Ok((_, 0))]));
    }

    #[test]
    fn what_cannot_be_answered_is_dropped() {
        let seen = visited(100, &meta(10, 10, "192.0.2.1:0"));
        assert_eq!(seen, [Err(DropReason::UnknownAddress)]);
    }

    #[test]
    fn cut_datagrams_are_dropped() {
        let config = NetConfig {
            bind: Ipv4Addr::LOCALHOST.into(),
            ..NetConfig::default()
        };
        let socket = Socket::open(&config, 0).unwrap();
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        client.send_to(&[1; 50], socket.local_addr()).unwrap();
        client.send_to(&[2; 300], socket.local_addr()).unwrap();
        let mut buffers = ReceiveBuffers::new(100);
        let mut seen = Vec::new();
        while seen.len() < 2 {
            buffers.fill(&socket).unwrap();
            while let Some(received) = buffers.poll() {
                seen.push(match received {
                    Received::Datagram(_, bytes) => Ok(bytes.len()),
                    Received::Dropped(reason) => Err(reason),
                });
            }
        }
        assert_eq!(seen, [Ok(50), Err(DropReason::DatagramTruncated)]);
    }
}
