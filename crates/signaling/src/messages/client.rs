//! What a client may say.

use serde::{Deserialize, Serialize};

use super::{ContentHintName, ErrorCode, KindName, SourceName};

/// A message of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ClientMessage {
    /// Enters a room. Must be the first message.
    Join {
        /// Room name; may be left out if the token names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<String>,
        /// Shown name; the token's wins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Client library and version, for the server's log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sdk: Option<String>,
    },
    /// Comes back into a stay whose WebSocket was lost, in place of `join`.
    Resume {
        /// As in `join`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<String>,
        /// The client's id in `joined`.
        participant: String,
        /// `resumeSecret` of `joined`.
        secret: String,
        /// Events received since `joined`.
        received: u64,
    },
    /// Describes the whole peer connection (RFC 3264); answered by `answer` or `error`.
    Offer {
        /// Returned in the answer.
        id: u32,
        /// The session description.
        sdp: String,
        /// About the m-lines that the client sends on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        publications: Vec<PublicationSpec>,
        /// About the m-lines that the client receives on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        slots: Vec<SlotSpec>,
    },
    /// An ICE candidate. Accepted and not needed: the server is ICE lite.
    Trickle {
        /// `candidate:...`, empty at the end.
        candidate: String,
        /// Its m-line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mid: Option<String>,
    },
    /// Mutes or unmutes a publication of the sender.
    Mute {
        /// Which.
        publication: String,
        /// Whether it is muted.
        muted: bool,
    },
    /// Ends a publication of the sender without renegotiation.
    Unpublish {
        /// Which.
        publication: String,
    },
    /// Changes what some slots shall show. Fields left out keep their value.
    Slots {
        /// Which and how.
        slots: Vec<SlotSpec>,
    },
    /// Another token in place of the one that joined, which is about to expire.
    RefreshToken {
        /// Returned in the answer.
        id: u32,
        /// Of the same identity, for the same room.
        token: String,
    },
    /// Asks why the slots show what they show; answered by `quality`.
    Explain {
        /// Returned in the answer.
        id: u32,
    },
    /// Asks for a `pong`.
    Ping {
        /// Returned as it is.
        at: u64,
        /// Events received since `joined`: the server need not keep them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        received: Option<u64>,
    },
    /// Leaves the room.
    Leave {},
}

impl ClientMessage {
    /// The values of `type`.
    pub const TYPES: [&str; 11] = [
        "join",
        "resume",
        "offer",
        "trickle",
        "mute",
        "unpublish",
        "slots",
        "refreshToken",
        "explain",
        "ping",
        "leave",
    ];

    /// Reads a text frame.
    pub fn parse(text: &str) -> Result<Self, UnreadableMessage> {
        serde_json::from_str(text).map_err(|error| UnreadableMessage::explain(text, &error))
    }
}

/// What a client tells about an m-line that it sends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicationSpec {
    /// The m-line.
    pub mid: String,
    /// The client's own id of the track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track_id: Option<String>,
    /// What it shows or plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    /// What matters more in its pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hint: Option<ContentHintName>,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// Whether its payload is encrypted from end to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// Its encodings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerSpec>,
}

/// One encoding of a publication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerSpec {
    /// Its name in the SDP; none without simulcast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    /// Columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Most bits per second that the client sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bitrate: Option<u64>,
}

/// What a client wants of a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotSpec {
    /// Its m-line.
    pub mid: String,
    /// Audio or video; must agree with the SDP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KindName>,
    /// How it finds its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// What it shows, with `pinned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<String>,
    /// Device pixels across.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Device pixels down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Higher gets bandwidth first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
}

/// How a slot finds its source, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyName {
    /// Shows nothing.
    Off,
    /// Shows any publication that no other slot shows.
    All,
    /// Shows a recent active speaker.
    Speaker,
    /// Shows one publication.
    Pinned,
}

/// A text frame that is no [`ClientMessage`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct UnreadableMessage {
    /// `badMessage` or `unknownType`.
    pub code: ErrorCode,
    /// What to change.
    pub sentence: String,
}

impl UnreadableMessage {
    fn explain(text: &str, error: &serde_json::Error) -> Self {
        #[derive(Deserialize)]
        struct Tag {
            r#type: String,
        }
        match serde_json::from_str::<Tag>(text) {
            Ok(tag) if !ClientMessage::TYPES.contains(&tag.r#type.as_str()) => Self {
                code: ErrorCode::UnknownType,
                sentence: format!("Use one of the types {}.", ClientMessage::TYPES.join(", ")),
            },
            _ => Self {
                code: ErrorCode::BadMessage,
                sentence: format!("Send a JSON object as PROTOCOL.md describes: {error}."),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_an_unknown_type_from_a_malformed_message() {
        let unknown = ClientMessage::parse(r#"{"type":"dance"}"#).unwrap_err();
        assert_eq!(unknown.code, ErrorCode::UnknownType);
        for text in ["", "{", "[]", "{}", r#"{"type":"mute"}"#, r#"{"type":1}"#] {
            let bad = ClientMessage::parse(text).unwrap_err();
            assert_eq!(bad.code, ErrorCode::BadMessage, "{text}");
        }
    }

    #[test]
    fn ignores_fields_of_a_newer_client() {
        let message = ClientMessage::parse(r#"{"type":"ping","at":1,"mood":"good"}"#);
        assert_eq!(
            message,
            Ok(ClientMessage::Ping {
                at: 1,
                received: None
            })
        );
    }
}
