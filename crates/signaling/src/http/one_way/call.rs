//! Who asks, for which room and session.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::http::bearer;
use crate::http::failure::Failure;
use crate::http_session::SessionKey;
use crate::negotiation::Way;
use crate::signaling::Shared;
use crate::token::Claims;

/// A request with a valid token.
pub(super) struct Call {
    pub(super) way: Way,
    /// Name of the room.
    pub(super) room: String,
    pub(super) claims: Claims,
    session: Option<SessionKey>,
}

impl Call {
    /// The session that the path names.
    pub(super) fn session(&self) -> Result<SessionKey, Failure> {
        self.session.clone().ok_or_else(Failure::internal)
    }
}

impl FromRequestParts<Arc<Shared>> for Call {
    type Rejection = Failure;

    async fn from_request_parts(
        parts: &mut Parts,
        shared: &Arc<Shared>,
    ) -> Result<Self, Self::Rejection> {
        let (claims, _) = bearer::claims(&parts.headers, shared)?;
        let way = parts.extensions.get::<Way>().copied();
        let names = Path::<BTreeMap<String, String>>::from_request_parts(parts, shared).await;
        let Path(mut names) = names.map_err(|_| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                "badPath",
                "Name the room in UTF-8, percent-encoded.",
            )
        })?;
        Ok(Self {
            way: way.ok_or_else(Failure::internal)?,
            room: names.remove("room").ok_or_else(Failure::internal)?,
            claims,
            session: names.remove("session").map(SessionKey),
        })
    }
}
