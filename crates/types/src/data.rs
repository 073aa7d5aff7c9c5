//! Data messages between participants: what the control plane says about them, and what crosses
//! from shard to shard.

use crate::{ParticipantId, RoomId};

/// What a peer may do with data messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataAccess {
    /// Stamped on what it sends, and the name by which others reach it.
    pub participant: ParticipantId,
    /// Whether it may send. Everybody may receive.
    pub may_send: bool,
    /// How much.
    pub limits: DataLimits,
}

/// What one participant may send at most. A second's worth may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataLimits {
    /// Bytes of one message, without its header.
    pub message_bytes: u32,
    /// Messages a second.
    pub messages_per_second: u32,
    /// Bytes a second, without headers.
    pub bytes_per_second: u32,
}

/// A message to the participants of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataMessage {
    /// Where.
    pub room: RoomId,
    /// Who sent it; `None`: the server's side.
    pub from: Option<ParticipantId>,
    /// To whom; empty: to all but the sender.
    pub to: Vec<ParticipantId>,
    /// Whether it is repeated until it arrives, and kept in order.
    pub reliable: bool,
    /// Whether the payload is text.
    pub text: bool,
    /// What it is about; at most 255 bytes.
    pub topic: Vec<u8>,
    /// The message itself.
    pub payload: Vec<u8>,
}

/// Why messages of a sender, or to a receiver, were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataLoss {
    /// The sender may not send.
    NotPermitted,
    /// Larger than allowed.
    TooLarge,
    /// More messages or bytes a second than allowed.
    TooFast,
    /// Not what PROTOCOL.md describes.
    Malformed,
    /// Reliable messages to a receiver that reads slowly.
    SlowReceiver,
}

impl DataLoss {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 5] = [
        Self::NotPermitted,
        Self::TooLarge,
        Self::TooFast,
        Self::Malformed,
        Self::SlowReceiver,
    ];
}
