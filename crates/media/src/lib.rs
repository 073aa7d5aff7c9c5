//! One peer's transport: SRTP, the receive side (streams, feedback) and the send side (bandwidth
//! estimate), as state machines without IO, clock or randomness.

#![forbid(unsafe_code)]

mod error;
mod srtp;
mod ssrc_table;

pub use error::MediaError;
pub use srtp::{SRTCP_OVERHEAD, SRTP_OVERHEAD, SrtpSession, keying_material_len};
