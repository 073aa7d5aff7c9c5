//! The receiving half of a simulated participant: what a jitter buffer, a decoder and a critical
//! viewer would notice about one stream.
//!
//! Packets are put in order by sequence number, repaired by NACK, assembled to frames and
//! "decoded": a frame is shown if it is complete and the frame that it refers to was shown.
//! Whatever an SFU must not do to a stream is noted as a [`Violation`].

mod decoder;
mod order;
mod repair;
mod stream;
mod violation;

pub use decoder::DecodedFrame;
pub use stream::{IncomingPacket, ReceivedStream, StreamKind, StreamStats};
pub use violation::Violation;
