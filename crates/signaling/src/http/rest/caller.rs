//! Who asks, and whether they may.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::http::bearer;
use crate::http::failure::Failure;
use crate::messages::ErrorCode;
use crate::refusal::Refusal;
use crate::signaling::Shared;
use crate::token::Grants;

/// Somebody with a valid token.
pub(super) struct Caller {
    grants: Grants,
    /// Seconds since 1970.
    pub(super) now_s: u64,
}

impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(
        parts: &mut Parts,
        shared: &Arc<Shared>,
    ) -> Result<Self, Self::Rejection> {
        let (claims, now_s) = bearer::claims(&parts.headers, shared)?;
        Ok(Self {
            grants: claims.video,
            now_s,
        })
    }
}

impl Caller {
    pub(super) fn may_list(&self) -> Result<(), Failure> {
        let sentence = "Ask with a token that has the grant video.roomList.";
        permitted(self.grants.room_list, sentence)
    }

    pub(super) fn may_create(&self) -> Result<(), Failure> {
        let sentence = "Ask with a token that has the grant video.roomCreate.";
        permitted(self.grants.room_create, sentence)
    }

    pub(super) fn may_close(&self, room: &str) -> Result<(), Failure> {
        let sentence = "Ask with a token that has the grant video.roomCreate, or video.roomAdmin for this room.";
        permitted(
            self.grants.room_create || self.grants.may_moderate(room),
            sentence,
        )
    }

    /// Whether the server as a whole may be touched.
    pub(super) fn may_operate(&self) -> Result<(), Failure> {
        let sentence = "Ask with a token that has the grant video.roomAdmin and no video.room.";
        permitted(self.grants.may_operate(), sentence)
    }

    pub(super) fn may_moderate(&self, room: &str) -> Result<(), Failure> {
        let sentence = "Ask with a token that has the grant video.roomAdmin for this room.";
        permitted(self.grants.may_moderate(room), sentence)
    }
}

fn permitted(is_permitted: bool, sentence: &str) -> Result<(), Failure> {
    if is_permitted {
        return Ok(());
    }
    Err(Refusal::new(ErrorCode::NotPermitted, sentence).into())
}
