//! One shard of the media plane: peers and router composed in packet order.
//!
//! [`Shard`] is the whole SFU minus sockets, threads and clocks. It reads no clock and draws no
//! randomness but from its seed, so a call can be replayed in virtual time. To follow one packet
//! from arrival to departure, read `packet_path.rs` from top to bottom.
//!
//! | file | one idea |
//! |---|---|
//! | `packet_path` | a media packet's way through the stages, in order |
//! | `burst` | packets of a wake-up, dealt out subscriber by subscriber |
//! | `feedback` | RTCP from clients: reports, retransmissions, keyframe requests, estimates |
//! | `isolation`, `fault` | a panic over one peer ends that peer; panics on demand for tests |
//! | `late` | packets that leave later than they came, from the store |
//! | `probe` | padding that finds out what the way to a client carries |
//! | `progress` | how far peers come in connecting, and what their networks are like |
//! | `reports` | RTCP to clients: receiver reports, feedback, sender reports |
//! | `link`, `crossing` | what goes to other shards and comes from them |
//! | `data` | messages between participants, over data channels |
//! | `commands` | what the control plane asks |
//! | `transport` | what a peer's ICE and DTLS report, and their datagrams |
//! | `peers` | finding a peer by id, index, address or user name |
//! | `timers` | which peer must be looked at next |
//! | `clock` | the shard's one clock in the three units the wire wants |

#![forbid(unsafe_code)]

mod burst;
mod clock;
mod commands;
mod crossing;
mod data;
mod fault;
mod feedback;
mod isolation;
mod late;
mod link;
mod packet_path;
mod peers;
mod probe;
mod progress;
mod reports;
mod shard;
#[cfg(test)]
mod tests;
mod timers;
mod transport;

pub use fault::Fault;
pub use link::{LinkMessage, LinkPacket, LinkRefused, Links, NoLinks};
pub use plenum_media::{Certificate, stun_local_ufrag};
pub use plenum_routing::LinkPosition;
pub use shard::{Shard, ShardConfig};
