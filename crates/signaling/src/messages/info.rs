//! Parts of the server's messages: people, publications, limits, grants.

use std::collections::BTreeMap;

use plenum_types::{ContentHint, MediaKind, Source};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Audio or video, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum KindName {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

impl From<MediaKind> for KindName {
    fn from(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Audio => Self::Audio,
            MediaKind::Video => Self::Video,
        }
    }
}

/// What matters more in a picture, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ContentHintName {
    /// That it moves.
    Motion,
    /// That it is sharp.
    Detail,
}

impl From<ContentHintName> for ContentHint {
    fn from(hint: ContentHintName) -> Self {
        match hint {
            ContentHintName::Motion => Self::Motion,
            ContentHintName::Detail => Self::Detail,
        }
    }
}

/// What a publication shows or plays, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SourceName {
    /// A camera.
    Camera,
    /// A microphone.
    Microphone,
    /// A shared screen or window.
    Screen,
    /// The sound of a shared screen or window.
    ScreenAudio,
}

impl From<Source> for SourceName {
    fn from(source: Source) -> Self {
        match source {
            Source::Camera => Self::Camera,
            Source::Microphone => Self::Microphone,
            Source::Screen => Self::Screen,
            Source::ScreenAudio => Self::ScreenAudio,
        }
    }
}

impl From<SourceName> for Source {
    fn from(source: SourceName) -> Self {
        match source {
            SourceName::Camera => Self::Camera,
            SourceName::Microphone => Self::Microphone,
            SourceName::Screen => Self::Screen,
            SourceName::ScreenAudio => Self::ScreenAudio,
        }
    }
}

/// The receiver of `joined`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SelfInfo {
    /// `PA_...`, made by the server for this stay.
    pub id: String,
    /// `sub` of the token.
    pub identity: String,
    /// Shown name.
    pub name: String,
    /// `metadata` of the token.
    pub metadata: String,
    /// `attributes` of the token.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// The room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomInfo {
    /// `RM_...`, for as long as the room exists.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What a participant is, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ParticipantKind {
    /// Somebody who speaks the WebSocket protocol.
    #[default]
    Standard,
    /// A source without a WebSocket: an encoder that publishes by WHIP.
    Ingress,
    /// A viewer without a WebSocket, by WHEP. Always hidden.
    Egress,
}

/// Another participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParticipantInfo {
    /// `PA_...`.
    pub id: String,
    /// `sub` of the token.
    pub identity: String,
    /// Shown name.
    pub name: String,
    /// `metadata` of the token.
    pub metadata: String,
    /// `attributes` of the token.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// What it is.
    #[serde(default)]
    pub kind: ParticipantKind,
    /// What is published now, oldest first.
    pub publications: Vec<PublicationInfo>,
}

/// A published track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicationInfo {
    /// `TR_...`.
    pub id: String,
    /// The publisher's own id of the track.
    pub track_id: String,
    /// Audio or video.
    pub kind: KindName,
    /// What it shows or plays.
    pub source: SourceName,
    /// A name for people.
    pub name: String,
    /// Whether it is muted.
    pub muted: bool,
    /// Whether its payload is encrypted from end to end, as the publisher says.
    pub encrypted: bool,
    /// Its encodings, smallest first.
    pub layers: Vec<LayerInfo>,
    /// `opus`, `vp8`, `vp9`, `h264` or `av1`: the first that was negotiated.
    pub codec: String,
}

/// One encoding of a publication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayerInfo {
    /// Its name; none without simulcast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    /// Columns, if the publisher told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Rows, if the publisher told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// An active speaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpeakerInfo {
    /// `PA_...`.
    pub participant: String,
    /// `TR_...`.
    pub publication: String,
    /// Decibels below the loudest, 0 (loud) to 127 (silent).
    pub level: u8,
}

/// What the server allows at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitsInfo {
    /// Participants in a room.
    pub participants: u32,
    /// Publications of one participant.
    pub publications: u32,
    /// Slots of one participant.
    pub slots: u32,
    /// Bytes of one message.
    pub message_bytes: u32,
    /// Messages a second, sustained.
    pub messages_per_second: u32,
    /// Bytes of one data message.
    pub data_message_bytes: u32,
    /// Data messages a second.
    pub data_messages_per_second: u32,
    /// Bytes of data messages a second.
    pub data_bytes_per_second: u32,
}

/// What the token allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantsInfo {
    /// May publish.
    pub can_publish: bool,
    /// May subscribe.
    pub can_subscribe: bool,
    /// May send data messages.
    pub can_publish_data: bool,
    /// What may be published; empty: anything.
    pub can_publish_sources: Vec<SourceName>,
    /// Most bits per second that may be published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_publish_bitrate: Option<u64>,
    /// Most tracks that may be published at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_publish_tracks: Option<u32>,
    /// Highest spatial layer that slots are given, 0 the smallest picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_subscribe_layer: Option<u8>,
    /// Others are not told of this participant.
    pub hidden: bool,
}
