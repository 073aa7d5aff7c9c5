//! One peer's transport as a state machine: ICE lite, DTLS, SRTP and data channels, the receive
//! side (streams, feedback) and the send side (bandwidth estimate), without sockets, threads or
//! clocks.
//!
//! Datagrams and time go in by `handle_*`, datagrams and events come out by `poll_*`. The types of
//! the protocol crates below never appear in a signature.

#![forbid(unsafe_code)]

mod certificate;
mod demux;
mod dtls;
mod error;
mod ice;
mod peer;
mod receiver;
mod sctp;
mod seen_window;
mod sender;
mod srtp;
mod ssrc_table;
mod transport_feedback;

pub use certificate::Certificate;
pub use demux::{Protocol, demux};
pub use error::MediaError;
pub use ice::stun_local_ufrag;
pub use peer::{Peer, PeerEvent, Transmit, Wakeup};
pub use receiver::{ReceivedPacket, Receiver, ReceiverStats, Reception, StreamRef};
pub use sender::Sender;
pub use srtp::{SRTCP_OVERHEAD, SRTP_OVERHEAD, SrtpSession, keying_material_len};
pub use transport_feedback::{
    Encoded as EncodedFeedback, TICK_US as FEEDBACK_TICK_US, encode as encode_feedback,
};
