//! What a backend asks for over REST: each request is one question to the registry, and has one
//! answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::messages::{CodecName, NetworkQuality, ParticipantInfo, SlotExplanation, SourceName};
use crate::token::Grants;

/// Somebody who may ask, and for what.
#[derive(Debug)]
pub(crate) struct AdminRequest {
    /// Seconds since 1970.
    pub(crate) now_s: u64,
    pub(crate) act: AdminAct,
}

/// What is asked for.
#[derive(Debug)]
pub(crate) enum AdminAct {
    ListRooms,
    CreateRoom(RoomSpec),
    LookAtRoom {
        room: String,
    },
    CloseRoom {
        room: String,
    },
    ListParticipants {
        room: String,
    },
    LookAtParticipant(Whom),
    ChangeParticipant(Whom, ParticipantChange),
    RemoveParticipant(Whom),
    Mute {
        whom: Whom,
        publication: String,
        muted: bool,
    },
    Explain(Whom),
    SendData {
        room: String,
        spec: DataSpec,
    },
}

/// A participant of a room, by names.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Whom {
    pub(crate) room: String,
    pub(crate) identity: String,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum AdminReply {
    Rooms(Vec<RoomView>),
    Room(RoomView),
    Participants(Vec<ParticipantInfo>),
    Participant(ParticipantInfo),
    Done,
    /// A shard is being asked; the answer comes later, with this number.
    Asked(u64),
    Quality(QualityView),
}

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdminError {
    UnknownRoom,
    UnknownParticipant,
    UnknownPublication,
    /// A room of this name is open.
    RoomExists,
    /// The server has as many rooms as it may have.
    ServerFull,
    /// A text or a number is not what it may be.
    OutOfRange,
    /// The participant has no media connection to tell of.
    NoMedia,
    Closing,
    Failed,
}

/// A room to be opened.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RoomSpec {
    /// 1 to 128 bytes.
    #[schema(min_length = 1, max_length = 128)]
    pub(crate) name: String,
    /// Most participants, viewers by WHEP included. Without it, the server's limit.
    #[schema(format = Int64, minimum = 1, maximum = 4294967295u32)]
    pub(crate) max_participants: Option<u32>,
    /// Seconds that the room stays open without participants, 0 to 86400.
    #[serde(default = "RoomSpec::default_empty_timeout")]
    #[schema(default = 300, minimum = 0, maximum = 86400)]
    pub(crate) empty_timeout: u32,
    /// Most slots (incoming tracks) of a participant. Without it, the server's limit.
    #[schema(format = Int64, minimum = 0, maximum = 4294967295u32)]
    pub(crate) max_slots: Option<u32>,
    /// What may be sent; of a kind that none is named of, everything the server forwards. Who
    /// offers nothing of it is told by `sdpNoCommonCodec`.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub(crate) codecs: Vec<CodecName>,
}

impl RoomSpec {
    const fn default_empty_timeout() -> u32 {
        300
    }
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoomView {
    /// `RM_...`; the same name opened again later has another id.
    pub(crate) id: String,
    pub(crate) name: String,
    /// Participants now, viewers by WHEP and hidden ones included.
    pub(crate) participants: usize,
    /// Published tracks now.
    pub(crate) publications: usize,
    /// Most participants.
    pub(crate) max_participants: usize,
    /// Seconds that the room stays open without participants.
    pub(crate) empty_timeout: u32,
    /// Most slots of a participant.
    pub(crate) max_slots: usize,
    /// What may be sent; empty: everything that the server forwards.
    pub(crate) codecs: Vec<CodecName>,
}

/// What to change about a participant. Fields left out keep their value.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ParticipantChange {
    /// Shown name, 1 to 256 bytes.
    #[schema(min_length = 1, max_length = 256)]
    pub(crate) name: Option<String>,
    /// At most 16384 bytes.
    #[schema(max_length = 16384)]
    pub(crate) metadata: Option<String>,
    /// In place of those there are; at most 64, and 16384 bytes together.
    pub(crate) attributes: Option<BTreeMap<String, String>>,
    /// May publish. What is published and no longer allowed ends.
    pub(crate) can_publish: Option<bool>,
    /// May see and hear others. Without it its slots show nothing.
    pub(crate) can_subscribe: Option<bool>,
    /// May send data messages.
    pub(crate) can_publish_data: Option<bool>,
    /// What may be published; empty: anything.
    pub(crate) can_publish_sources: Option<Vec<SourceName>>,
    /// Most bits per second that it may publish, told to its encoders by REMB; 0: no limit.
    #[schema(maximum = 1_000_000_000_000u64)]
    pub(crate) max_publish_bitrate: Option<u64>,
    /// Most tracks that it may publish at a time; the newest beyond it end.
    #[schema(format = Int64, minimum = 0, maximum = 4294967295u32)]
    pub(crate) max_publish_tracks: Option<u32>,
    /// Highest spatial layer that its slots are given, 0 the smallest picture; 3 and more: any.
    #[schema(format = Int32, minimum = 0, maximum = 255)]
    pub(crate) max_subscribe_layer: Option<u8>,
}

impl ParticipantChange {
    /// Grants after the change.
    pub(crate) fn apply(&self, before: Grants) -> Grants {
        let mut grants = Grants {
            can_publish: self.can_publish.or(before.can_publish),
            can_subscribe: self.can_subscribe.or(before.can_subscribe),
            can_publish_data: self.can_publish_data.or(before.can_publish_data),
            max_publish_bitrate: match self.max_publish_bitrate {
                Some(bits) => (bits > 0).then_some(bits),
                None => before.max_publish_bitrate,
            },
            max_publish_tracks: self.max_publish_tracks.or(before.max_publish_tracks),
            max_subscribe_layer: self.max_subscribe_layer.or(before.max_subscribe_layer),
            ..before
        };
        if let Some(sources) = &self.can_publish_sources {
            grants.set_sources(sources);
        }
        grants
    }
}

/// Whether a publication is muted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MuteSpec {
    /// `TR_...` of the participant.
    pub(crate) publication: String,
    pub(crate) muted: bool,
}

/// A data message from the backend. To clients it has no sender.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DataSpec {
    /// The message, at most as long as `limits.dataMessageBytes` in `joined`.
    pub(crate) text: String,
    /// What it is about, at most 255 bytes.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub(crate) topic: String,
    /// Identities; empty: everybody in the room.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(crate) to: Vec<String>,
    /// Whether it is sent until it arrives.
    #[serde(default = "DataSpec::default_reliable")]
    #[schema(default = true)]
    pub(crate) reliable: bool,
}

impl DataSpec {
    const fn default_reliable() -> bool {
        true
    }
}

/// Why a participant sees what it sees.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QualityView {
    /// The way to the participant.
    pub(crate) network: NetworkQuality,
    /// Its slots, oldest first.
    pub(crate) slots: Vec<SlotExplanation>,
}
