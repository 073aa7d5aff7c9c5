//! Transport-wide congestion control feedback on the wire
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
//!
//! Times are counted in ticks of 250 µs, the unit of the format's deltas; 32 bits of ticks wrap
//! exactly when the format's 24-bit reference time does, after 12 days.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub(crate) use decode::Statuses;
pub use encode::{Encoded, encode};

/// Microseconds of a tick.
pub const TICK_US: u64 = 250;

/// Ticks of the reference time's unit, 64 ms.
const REFERENCE_TICKS: u32 = 256;

/// Bytes before the first chunk: RTCP header, two SSRCs, base sequence number, status count,
/// reference time, feedback count.
const FIXED: usize = 20;

/// Most packets of a run-length chunk.
const MAX_RUN: usize = 0x1fff;

/// Symbols of a status vector chunk with one and with two bits each.
const VECTOR_1_BIT: usize = 14;
const VECTOR_2_BIT: usize = 7;

/// What happened to one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// Its transport-wide sequence number.
    pub(crate) sequence: u16,
    /// When it arrived on the receiver's clock, in ticks; `None`: not received.
    pub(crate) arrival: Option<u32>,
}
