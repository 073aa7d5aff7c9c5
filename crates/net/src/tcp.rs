//! ICE over TCP (RFC 6544) for clients whose network blocks UDP: one port for all shards.
//!
//! [`acceptor`] is a thread that takes connections, reads the first STUN check of each, and hands
//! it to the shard that the check's user name fragment names. From then on the connection lives in
//! that shard's loop beside its UDP socket ([`streams`]), and is one more way on which datagrams
//! come and go. Neither thread ever waits for a connection.
//!
//! | file | one idea |
//! |---|---|
//! | `framing` | datagrams in a stream of bytes (RFC 4571) |
//! | `queue` | what waits to be written, bounded |
//! | `socket` | the listening socket and the options of connections |
//! | `admission` | how many connections there may be, of one network and in all |
//! | `acceptor`, `undecided` | from the connection to its shard |
//! | `connection`, `streams`, `buffer` | one connection in its shard, all of them, and what was read from one |
//! | `stats` | what became of connections |

mod acceptor;
mod admission;
mod buffer;
mod connection;
mod framing;
mod queue;
mod socket;
mod stats;
mod streams;
mod undecided;

pub(crate) use acceptor::{Acceptor, AcceptorHandle};
pub(crate) use buffer::{Next, StreamBuffer};
pub(crate) use socket::Listener;
pub(crate) use stats::TcpCounters;
pub use stats::{TcpRefusal, TcpStats};
pub(crate) use streams::{StreamCounters, Streams};
pub(crate) use undecided::Accepted;
