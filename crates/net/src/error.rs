//! What can go wrong.

use std::io;
use std::net::SocketAddr;

/// Why the media plane could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// Another process has the port, most likely another Plenum.
    #[error("UDP port {} is already in use (address {address})", .address.port())]
    PortInUse {
        /// Where the shard was to listen.
        address: SocketAddr,
    },
    /// The socket could not be opened or set up.
    #[error("cannot open the UDP socket {address}: {cause}")]
    Socket {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// Another process has the TCP port, most likely another Plenum.
    #[error("TCP port {} is already in use (address {address})", .address.port())]
    TcpPortInUse {
        /// Where clients were to connect.
        address: SocketAddr,
    },
    /// The TCP socket could not be opened or set up.
    #[error("cannot open the TCP socket {address}: {cause}")]
    TcpSocket {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// The ports of all shards do not fit below 65,536.
    #[error("{shards} shards from UDP port {first_port} on go beyond port 65535")]
    PortRange {
        /// Port of shard 0.
        first_port: u16,
        /// Number of shards.
        shards: u16,
    },
    /// A media plane needs at least one shard.
    #[error("the number of shards is 0")]
    NoShards,
    /// The thread or its poll could not be made.
    #[error("cannot start the thread of a shard: {0}")]
    Thread(#[from] io::Error),
}

/// Why a command did not reach its shard. The command is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandRefused {
    /// The shard is too far behind: its queue is full.
    #[error("the command queue of the shard is full")]
    QueueFull,
    /// The thread of the shard has ended.
    #[error("the shard is gone")]
    ShardGone,
}
