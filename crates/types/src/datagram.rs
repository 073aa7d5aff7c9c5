//! Datagrams: where they come from and where they are written to.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;

/// Names a TCP connection of a shard; no other gets the same name while the shard runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub NonZero<u32>);

/// Where a client is reached: an address over UDP, or a TCP connection from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The client's address.
    pub address: SocketAddr,
    /// The connection, where datagrams go as frames (RFC 4571); none over UDP.
    pub connection: Option<ConnectionId>,
}

impl Remote {
    /// `address` over UDP.
    pub const fn udp(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    /// `connection`, which comes from `address`.
    pub const fn tcp(address: SocketAddr, connection: ConnectionId) -> Self {
        Self {
            address,
            connection: Some(connection),
        }
    }
}

/// The address alone: two connections from one address are rare, and looked up rarely.
impl Hash for Remote {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address.hash(state);
    }
}

impl std::fmt::Display for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let protocol = match self.connection {
            None => "udp",
            Some(_) => "tcp",
        };
        write!(f, "{protocol} {}", self.address)
    }
}

/// The two ends of a datagram's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// Where the client is.
    pub remote: Remote,
    /// Our address that the client used, if the socket told it. Replies leave from there.
    pub local_ip: Option<IpAddr>,
}

impl Path {
    /// A path over UDP to `address` from whichever local address the system picks.
    pub const fn to(address: SocketAddr) -> Self {
        Self {
            remote: Remote::udp(address),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_another_remote_than_its_address_over_udp() {
        let address = SocketAddr::from(([192, 0, 2, 1], 5));
        let named = |name| Remote::tcp(address, ConnectionId(NonZero::new(name).unwrap()));
        let remotes = [Remote::udp(address), named(1), named(2)];
        let known: std::collections::HashSet<_> = remotes.into_iter().collect();
        assert_eq!(known.len(), 3);
        assert_eq!(remotes[1].to_string(), "tcp 192.0.2.1:5");
    }
}
