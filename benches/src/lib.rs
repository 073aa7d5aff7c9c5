//! What the benches measure with: real packets, and a packet path without transport or IO.

#![forbid(unsafe_code)]

pub mod fan_out;
pub mod packet;

pub use fan_out::FanOut;
pub use packet::Packet;
