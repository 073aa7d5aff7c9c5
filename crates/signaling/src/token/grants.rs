//! What a token allows, and what follows from it.

use plenum_types::{Bitrate, SlotPolicy, SlotWish, Source};
use serde::{Deserialize, Serialize};

use crate::messages::{ErrorCode, GrantsInfo, SourceName};
use crate::refusal::Refusal;

/// What a token allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Grants {
    /// The room it is for; none: any room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// May join.
    pub room_join: bool,
    /// May create rooms (REST).
    #[serde(skip_serializing_if = "is_false")]
    pub room_create: bool,
    /// May list rooms (REST).
    #[serde(skip_serializing_if = "is_false")]
    pub room_list: bool,
    /// May moderate (REST).
    #[serde(skip_serializing_if = "is_false")]
    pub room_admin: bool,
    /// May publish; none: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish: Option<bool>,
    /// May subscribe; none: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe: Option<bool>,
    /// May send data messages; none: as `can_publish`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish_data: Option<bool>,
    /// What may be published, in snake_case or camelCase; empty: anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub can_publish_sources: Vec<String>,
    /// Most bits per second that may be published, told to the encoders by REMB; none: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_publish_bitrate: Option<u64>,
    /// Most tracks that may be published at a time; none: the server's limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_publish_tracks: Option<u32>,
    /// Highest spatial layer, 0 the smallest picture, that slots may be given; none: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_subscribe_layer: Option<u8>,
    /// The others are not told of the participant.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Grants {
    /// Grants to join `room` and do what participants do.
    pub fn join(room: &str) -> Self {
        Self {
            room: Some(room.to_owned()),
            room_join: true,
            ..Self::default()
        }
    }

    /// Whether a track from `source` may be published. Hidden participants publish nothing:
    /// what they sent would give them away.
    pub fn may_publish(&self, source: Source) -> bool {
        self.can_publish.unwrap_or(true)
            && !self.hidden
            && (self.can_publish_sources.is_empty() || self.sources().contains(&source.into()))
    }

    /// Most that may be published.
    pub(crate) fn publish_limit(&self) -> Option<Bitrate> {
        self.max_publish_bitrate.map(Bitrate)
    }

    /// Most tracks, of the `limit` of the server.
    pub(crate) fn publications(&self, limit: usize) -> usize {
        let own = self.max_publish_tracks.map(|most| most as usize);
        own.map_or(limit, |own| own.min(limit))
    }

    /// What remains of a wish.
    pub(crate) fn permitted(&self, wish: SlotWish) -> SlotWish {
        let policy = match self.may_subscribe() {
            true => wish.policy,
            false => SlotPolicy::Off,
        };
        SlotWish {
            policy,
            ceiling: self.max_subscribe_layer,
            ..wish
        }
    }

    /// Whether slots are allowed.
    pub fn may_subscribe(&self) -> bool {
        self.can_subscribe.unwrap_or(true)
    }

    /// What the client is told.
    pub fn info(&self) -> GrantsInfo {
        let can_publish = self.can_publish.unwrap_or(true)
            && !self.hidden
            && (self.can_publish_sources.is_empty() || !self.sources().is_empty());
        GrantsInfo {
            can_publish,
            can_subscribe: self.may_subscribe(),
            can_publish_data: self.can_publish_data.unwrap_or(can_publish),
            can_publish_sources: self.sources(),
            max_publish_bitrate: self.max_publish_bitrate,
            max_publish_tracks: self.max_publish_tracks,
            max_subscribe_layer: self.max_subscribe_layer,
            hidden: self.hidden,
        }
    }

    /// Names what may be published; empty: anything.
    pub(crate) fn set_sources(&mut self, sources: &[SourceName]) {
        let name = |source: &SourceName| match source {
            SourceName::Camera => "camera",
            SourceName::Microphone => "microphone",
            SourceName::Screen => "screen",
            SourceName::ScreenAudio => "screenAudio",
        };
        self.can_publish_sources = sources.iter().map(name).map(str::to_owned).collect();
    }

    /// Whether it allows to do things to the server as a whole.
    pub(crate) fn may_operate(&self) -> bool {
        self.room_admin && self.room.as_deref().is_none_or(str::is_empty)
    }

    /// Whether it allows to moderate `room`.
    pub(crate) fn may_moderate(&self, room: &str) -> bool {
        let granted = self.room.as_deref().filter(|room| !room.is_empty());
        self.room_admin && granted.is_none_or(|granted| granted == room)
    }

    fn sources(&self) -> Vec<SourceName> {
        self.can_publish_sources
            .iter()
            .filter_map(|name| match name.to_ascii_lowercase().as_str() {
                "camera" => Some(SourceName::Camera),
                "microphone" => Some(SourceName::Microphone),
                "screen" | "screen_share" => Some(SourceName::Screen),
                "screenaudio" | "screen_audio" | "screen_share_audio" => {
                    Some(SourceName::ScreenAudio)
                }
                _ => None,
            })
            .collect()
    }

    /// The room to join: the token's and the client's must not contradict each other.
    pub fn room_for(&self, asked: Option<&str>) -> Result<String, Refusal> {
        if !self.room_join {
            return Err(Refusal::new(
                ErrorCode::NotPermitted,
                "Ask for a token with the grant video.roomJoin.",
            ));
        }
        match (self.room.as_deref().filter(|room| !room.is_empty()), asked) {
            (Some(granted), Some(asked)) if granted != asked => Err(Refusal::new(
                ErrorCode::WrongRoom,
                "Join the room that the token names, or ask for a token for this room.",
            )),
            (Some(room), _) | (None, Some(room)) => Ok(room.to_owned()),
            (None, None) => Err(Refusal::new(
                ErrorCode::BadMessage,
                "Name a room in join, because the token names none.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_of_token_and_client_must_agree() {
        let grants = Grants::join("r");
        assert_eq!(grants.room_for(None).as_deref(), Ok("r"));
        assert_eq!(grants.room_for(Some("r")).as_deref(), Ok("r"));
        let code = |grants: &Grants, room| grants.room_for(room).unwrap_err().code;
        assert_eq!(code(&grants, Some("other")), ErrorCode::WrongRoom);
        let any = Grants {
            room: None,
            ..grants
        };
        assert_eq!(any.room_for(Some("x")).as_deref(), Ok("x"));
        assert_eq!(code(&any, None), ErrorCode::BadMessage);
        assert_eq!(code(&Grants::default(), Some("x")), ErrorCode::NotPermitted);
    }

    #[test]
    fn sources_limit_what_is_published() {
        let mut grants = Grants::join("r");
        assert!(grants.may_publish(Source::Screen));
        grants.can_publish_sources = vec!["microphone".into(), "SCREEN_SHARE".into()];
        assert!(grants.may_publish(Source::Microphone));
        assert!(grants.may_publish(Source::Screen));
        assert!(!grants.may_publish(Source::Camera));
        grants.can_publish = Some(false);
        assert!(!grants.may_publish(Source::Microphone));
    }
}
