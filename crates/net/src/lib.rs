//! Sockets and threads of the media plane: one thread per shard, each with its own UDP socket,
//! its own engine and its own timers, and one that takes TCP connections for all of them.
//!
//! [`start`] opens the sockets and starts the threads; a [`ShardHandle`] sends commands to one of
//! them; events come back through a closure. Everything between is the loop of `shard_loop`,
//! written against the small [`Engine`] contract, so that it can be tested without media.
//!
//! Reading order: `config`, `start`, `handle`, `shard_loop`, `receive`, `batch`,
//! `socket`, `link`, `tcp`.

#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    reason = "this crate owns the threads, the clock and the sockets of the media plane"
)]

mod address;
mod batch;
mod config;
mod counters;
mod engine;
mod error;
mod handle;
mod link;
mod media;
mod receive;
mod restarts;
mod send;
mod shard_loop;
mod socket;
mod start;
mod tcp;

pub use config::NetConfig;
pub use engine::Engine;
pub use error::{CommandRefused, NetError};
pub use handle::ShardHandle;
#[doc(hidden)]
pub use link::{LinkEnds, link_pair};
pub use media::start;
pub use plenum_engine::{Certificate, LinkMessage, LinkPacket, LinkRefused, Links};
pub use socket::segmentation;
pub use start::{Net, start_with};
pub use tcp::{TcpRefusal, TcpStats};
