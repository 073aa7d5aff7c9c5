//! One peer's transport: SRTP, the receive side (streams, feedback) and the send side (bandwidth
//! estimate), as state machines without IO, clock or randomness.

#![forbid(unsafe_code)]

mod error;
mod receiver;
mod seen_window;
mod sender;
mod srtp;
mod ssrc_table;
mod transport_feedback;

pub use error::MediaError;
pub use receiver::{ReceivedPacket, Receiver, ReceiverStats, StreamRef};
pub use sender::Sender;
pub use srtp::{SRTCP_OVERHEAD, SRTP_OVERHEAD, SrtpSession, keying_material_len};
