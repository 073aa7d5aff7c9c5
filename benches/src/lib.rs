//! What the benches measure with: real packets, a shard in the middle of a livestream, and the
//! kernel alone.

#![forbid(unsafe_code)]

mod batch;
pub mod cases;
mod client;
pub mod congestion;
pub mod fan_out;
pub mod floor;
pub mod instructions;
pub mod link_hop;
mod machine;
pub mod packet;

pub use fan_out::FanOut;
pub use link_hop::LinkHop;
pub use machine::Machine;
pub use packet::Packet;
