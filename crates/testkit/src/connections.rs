//! Which clients' datagrams come over a TCP connection. Frames and bytes are the shell's; a shard
//! sees a path with another name, whose datagrams arrive in order, and which may end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZero;

use plenum_types::{ConnectionId, Path, Remote};

/// Public address → its connection; none once it is closed.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: BTreeMap<SocketAddr, Option<ConnectionId>>,
    last: u32,
}

impl Connections {
    /// What comes from `address` comes over a new connection.
    pub(crate) fn open(&mut self, address: SocketAddr) {
        self.last += 1;
        let id = NonZero::new(self.last).map(ConnectionId);
        self.open.insert(address, id);
    }

    /// Nothing comes from `address` any more, nor goes there; which connection that was.
    pub(crate) fn close(&mut self, address: SocketAddr) -> Option<Remote> {
        let id = self.open.insert(address, None).flatten()?;
        Some(Remote::tcp(address, id))
    }

    /// What comes from `address` comes over UDP again.
    pub(crate) fn forget(&mut self, address: SocketAddr) {
        self.open.remove(&address);
    }

    /// Where a datagram from `address` comes from for the shard; nowhere if it is lost.
    pub(crate) fn remote(&self, address: SocketAddr) -> Option<Remote> {
        match self.open.get(&address) {
            None => Some(Remote::udp(address)),
            Some(id) => id.map(|id| Remote::tcp(address, id)),
        }
    }

    /// Whether what goes to `path` arrives.
    pub(crate) fn carries(&self, path: &Path) -> bool {
        path.remote.connection.is_none() || self.remote(path.remote.address) == Some(path.remote)
    }
}
