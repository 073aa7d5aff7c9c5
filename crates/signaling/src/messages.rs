//! The messages of the WebSocket protocol, version 1, as plain values.
//!
//! `PROTOCOL.md` documents each of them; `tests/protocol.rs` keeps the two equal. Unknown fields
//! are ignored, so that either side may be the newer one.

mod client;
mod codec;
mod error_code;
mod info;
mod quality;
mod server;

pub use client::{
    ClientMessage, LayerSpec, PolicyName, PublicationSpec, SlotSpec, UnreadableMessage,
};
pub use codec::CodecName;
pub use error_code::{CloseCode, ErrorCode};
pub use info::{
    ContentHintName, GrantsInfo, KindName, LayerInfo, LimitsInfo, ParticipantInfo, ParticipantKind,
    PublicationInfo, RoomInfo, SelfInfo, SourceName, SpeakerInfo,
};
pub use quality::{DecisionInfo, NetworkQuality, SlotExplanation};
pub use server::{
    AnsweredPublication, ClosingReason, ConnectionState, LayerName, LeaveReason, ServerMessage,
    WantedLayer,
};

/// Version of the protocol.
pub const PROTOCOL_VERSION: u32 = 1;

/// The WebSocket subprotocol that the server selects.
pub const SUBPROTOCOL: &str = "plenum.v1";
