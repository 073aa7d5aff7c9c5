//! What the server says.

use std::collections::BTreeMap;

use plenum_types::{CloseReason, LayerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    CloseCode, ErrorCode, GrantsInfo, LimitsInfo, NetworkQuality, ParticipantInfo, PublicationInfo,
    RoomInfo, SelfInfo, SlotExplanation, SpeakerInfo,
};

/// A message of the server.
#[expect(
    clippy::large_enum_variant,
    reason = "made once, then shared behind a pointer"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ServerMessage {
    /// The client is in the room.
    Joined {
        /// Version of the protocol.
        protocol: u32,
        /// Server and version.
        server: String,
        /// The client itself.
        participant: SelfInfo,
        /// Where it is.
        room: RoomInfo,
        /// The others, oldest first.
        participants: Vec<ParticipantInfo>,
        /// STUN and TURN servers, as `RTCConfiguration.iceServers` takes them.
        ice_servers: Vec<serde_json::Value>,
        /// What the server allows at most.
        limits: LimitsInfo,
        /// Proof for `resume`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume_secret: Option<String>,
        /// What the token allows.
        grants: GrantsInfo,
    },
    /// The client is back in its stay; the events that it missed follow.
    Resumed {
        /// How many.
        missed: usize,
    },
    /// Answer to an offer.
    Answer {
        /// Id of the offer.
        id: u32,
        /// The session description.
        sdp: String,
        /// The publications of this connection.
        publications: Vec<AnsweredPublication>,
    },
    /// Reserved: all candidates are in the answer.
    Trickle {
        /// `candidate:...`.
        candidate: String,
        /// Its m-line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mid: Option<String>,
    },
    /// Somebody came.
    ParticipantJoined {
        /// Who.
        participant: ParticipantInfo,
    },
    /// Somebody, perhaps the receiver, has another name or other metadata.
    ParticipantUpdated {
        /// Who.
        id: String,
        /// Shown name.
        name: String,
        /// Passed on as it is.
        metadata: String,
        /// Short facts for the app, by their names.
        #[serde(default)]
        attributes: BTreeMap<String, String>,
    },
    /// The receiver's token is about to expire. The call goes on, but without another token
    /// nobody can come back with it.
    TokenExpiring {},
    /// Another token is in force.
    TokenRefreshed {
        /// Id of the `refreshToken`.
        id: u32,
        /// Seconds since 1970 until which it is valid.
        expires: u64,
    },
    /// The receiver may do other things than before.
    GrantsChanged {
        /// What.
        grants: GrantsInfo,
    },
    /// Somebody is gone, with all publications.
    ParticipantLeft {
        /// Who.
        id: String,
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody publishes a track.
    Published {
        /// Who.
        participant: String,
        /// What.
        publication: PublicationInfo,
    },
    /// A track has ended.
    Unpublished {
        /// Whose.
        participant: String,
        /// Which.
        publication: String,
    },
    /// A track was muted or unmuted.
    Muted {
        /// Whose.
        participant: String,
        /// Which.
        publication: String,
        /// Whether it is muted.
        muted: bool,
    },
    /// A slot of the receiver shows something else, or for another reason.
    SlotChanged {
        /// Which slot.
        mid: String,
        /// What it shows.
        publication: Option<String>,
        /// Whose that is.
        participant: Option<String>,
        /// The layer being forwarded.
        layer: Option<LayerName>,
        /// Why.
        reason: String,
    },
    /// Which encodings of a publication of the receiver anybody wants.
    LayersWanted {
        /// Which publication.
        publication: String,
        /// Its encodings, smallest first.
        layers: Vec<WantedLayer>,
    },
    /// Why the receiver's slots show what they show.
    Quality {
        /// Id of the question.
        id: u32,
        /// The way to the receiver.
        network: NetworkQuality,
        /// Its slots, oldest first.
        slots: Vec<SlotExplanation>,
    },
    /// The receiver reads data messages too slowly: reliable ones were dropped.
    DataDropped {
        /// How many since this was told last.
        messages: u64,
    },
    /// The active speakers, loudest first.
    Speakers {
        /// Who.
        speakers: Vec<SpeakerInfo>,
    },
    /// The state of the receiver's media connection.
    Connection {
        /// What.
        state: ConnectionState,
        /// Why, if closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Answer to a ping.
    Pong {
        /// As received.
        at: u64,
    },
    /// Something was refused.
    Error {
        /// Stable code.
        code: ErrorCode,
        /// One sentence that says what to change.
        message: String,
        /// Whether the server closes the connection.
        fatal: bool,
        /// Id of the offer that this is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        r#ref: Option<u32>,
        /// The m-lines that this is about.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mids: Vec<String>,
    },
    /// The server is being emptied: join anew, and leave when that has worked.
    Draining {
        /// Where; none: at the same address, where another server answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// The server is about to close the connection.
    Closing {
        /// Why.
        reason: ClosingReason,
        /// One sentence for people.
        message: String,
        /// Whether to connect and join again.
        reconnect: bool,
    },
}

impl ServerMessage {
    /// Whether it tells what has happened, and so must not be missed; the others are answers, or
    /// about the connection itself.
    pub const fn is_event(&self) -> bool {
        match self {
            Self::ParticipantJoined { .. }
            | Self::ParticipantUpdated { .. }
            | Self::ParticipantLeft { .. }
            | Self::TokenExpiring { .. }
            | Self::GrantsChanged { .. }
            | Self::Published { .. }
            | Self::Unpublished { .. }
            | Self::Muted { .. }
            | Self::SlotChanged { .. }
            | Self::LayersWanted { .. }
            | Self::Speakers { .. }
            | Self::DataDropped { .. }
            | Self::Connection { .. }
            | Self::Draining { .. } => true,
            Self::Joined { .. }
            | Self::Resumed { .. }
            | Self::Answer { .. }
            | Self::Trickle { .. }
            | Self::TokenRefreshed { .. }
            | Self::Quality { .. }
            | Self::Pong { .. }
            | Self::Error { .. }
            | Self::Closing { .. } => false,
        }
    }

    /// An error that leaves the connection open and is about nothing in particular.
    pub fn error(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Error {
            code,
            message: message.into(),
            fatal: false,
            r#ref: None,
            mids: Vec::new(),
        }
    }

    /// An error after which the server closes the connection.
    pub fn fatal(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Error {
            code,
            message: message.into(),
            fatal: true,
            r#ref: None,
            mids: Vec::new(),
        }
    }

    /// The announcement of a close.
    pub fn closing(reason: ClosingReason) -> Self {
        Self::Closing {
            reason,
            message: reason.sentence().to_owned(),
            reconnect: reason.reconnect(),
        }
    }
}

/// A publication of an answered connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnsweredPublication {
    /// Its m-line.
    pub mid: String,
    /// `TR_...`.
    pub id: String,
}

/// A layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayerName {
    /// Picture size, 0 smallest.
    pub spatial: u8,
    /// Frame rate, 0 lowest.
    pub temporal: u8,
}

impl From<LayerId> for LayerName {
    fn from(layer: LayerId) -> Self {
        Self {
            spatial: layer.spatial,
            temporal: layer.temporal,
        }
    }
}

/// Whether anybody wants an encoding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedLayer {
    /// Its name; none without simulcast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    /// Whether anybody wants it.
    pub wanted: bool,
}

/// State of the receiver's media connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ConnectionState {
    /// ICE and DTLS are up.
    Connected,
    /// Nothing has come from the client for a while.
    Interrupted,
    /// It is back.
    Resumed,
    /// It is gone.
    Closed,
}

/// Why a participant is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LeaveReason {
    /// It left.
    Left,
    /// Its media or signaling connection was lost.
    ConnectionLost,
    /// The same identity joined again.
    Replaced,
    /// It was sent away.
    Removed,
    /// The room was closed.
    RoomClosed,
    /// It broke the rules of the protocol.
    Misbehaved,
}

impl LeaveReason {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::ConnectionLost => "connectionLost",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
            Self::RoomClosed => "roomClosed",
            Self::Misbehaved => "misbehaved",
        }
    }

    /// Why a participant is gone whose peer ended for `reason`.
    pub fn of_peer(reason: CloseReason) -> Self {
        match reason {
            CloseReason::ClosedByClient => Self::Left,
            _ => Self::ConnectionLost,
        }
    }
}

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClosingReason {
    /// The server is going away.
    Shutdown,
    /// The same identity joined again.
    Replaced,
    /// The participant was sent away.
    Removed,
    /// The room was closed.
    RoomClosed,
    /// The media connection was lost.
    ConnectionLost,
    /// The client left.
    Left,
    /// The client was silent for too long.
    Idle,
    /// The client reads too slowly.
    Slow,
}

impl ClosingReason {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::Shutdown,
        Self::Replaced,
        Self::Removed,
        Self::RoomClosed,
        Self::ConnectionLost,
        Self::Left,
        Self::Idle,
        Self::Slow,
    ];

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Shutdown => "The server is going away; connect again.",
            Self::Replaced => "The same identity joined again from elsewhere.",
            Self::Removed => "You were removed from the room.",
            Self::RoomClosed => "The room was closed.",
            Self::ConnectionLost => "The media connection was lost; join again.",
            Self::Left => "You left the room.",
            Self::Idle => "Nothing came for too long; answer WebSocket pings.",
            Self::Slow => "Messages piled up unread; read faster and join again.",
        }
    }

    /// Whether it makes sense to connect and join again.
    pub const fn reconnect(self) -> bool {
        match self {
            Self::Shutdown | Self::ConnectionLost | Self::Idle | Self::Slow => true,
            Self::Replaced | Self::Removed | Self::RoomClosed | Self::Left => false,
        }
    }

    /// The WebSocket close code that follows.
    pub const fn close_code(self) -> CloseCode {
        CloseCode(match self {
            Self::Left => 1000,
            Self::Shutdown => 1001,
            Self::Idle | Self::Slow | Self::ConnectionLost => 4408,
            Self::Replaced => 4409,
            Self::Removed | Self::RoomClosed => 4410,
        })
    }
}
