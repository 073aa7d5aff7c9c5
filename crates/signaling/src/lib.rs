//! The control plane of Plenum: rooms, SDP negotiation and tokens, and the adapters by which
//! clients speak to it.
//!
//! The core is a state machine without IO, `registry`, over the values of `room` and the pure
//! functions of `negotiation` and `token`. One task (`actor`) owns it; one task per client (`ws`)
//! stands between a socket and the actor. WHIP and WHEP (`http::one_way`) are requests to the actor
//! that it answers. Towards the media plane there are only
//! [`MediaCommand`](plenum_types::MediaCommand) and [`MediaEvent`](plenum_types::MediaEvent).
//!
//! `PROTOCOL.md` documents the WebSocket protocol for those who write clients.

#![forbid(unsafe_code)]

mod actor;
mod admin;
mod config;
mod connection;
mod http;
mod http_session;
mod ice_servers;
mod ids;
pub mod messages;
mod names;
mod negotiation;
mod output;
mod refusal;
mod registry;
mod room;
mod sdp;
mod signaling;
mod stats;
pub mod token;
pub mod webhooks;
mod ws;

pub use config::{Limits, SignalingConfig};
pub use http::problem;
pub use ice_servers::{IceServer, SharedSecret};
pub use refusal::Refusal;
pub use signaling::Signaling;
pub use stats::{JoinCounters, JoinTimes, SignalingStats};
