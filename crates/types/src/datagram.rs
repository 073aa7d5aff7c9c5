//! Datagrams: where they come from and where they are written to.

use std::net::{IpAddr, SocketAddr};

/// The two ends of a datagram's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The client's address.
    pub remote: SocketAddr,
    /// Our address that the client used, if the socket told it. Replies leave from there.
    pub local_ip: Option<IpAddr>,
}

impl Path {
    /// A path to `remote` from whichever local address the system picks.
    pub const fn to(remote: SocketAddr) -> Self {
        Self {
            remote,
            local_ip: None,
        }
    }
}

/// Where outgoing datagrams are written, so that a packet is encrypted in the place from which
/// it is sent: [`reserve`](Self::reserve), write, [`commit`](Self::commit).
pub trait SendBatch {
    /// Room for one datagram of at most `capacity` bytes to `path`. `None` if the batch is full;
    /// the caller drops the packet and counts it.
    ///
    /// A reservation that is not committed is forgotten by the next one.
    fn reserve(&mut self, path: Path, capacity: usize) -> Option<&mut [u8]>;

    /// Sends the first `length` bytes of the last reservation.
    fn commit(&mut self, length: usize);
}
