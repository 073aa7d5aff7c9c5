//! Who asks, for which room and session.
#![expect(clippy::disallowed_methods, reason = "tokens expire by the wall clock")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{FromRequestParts, Path};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};

use super::failure::Failure;
use crate::http_session::SessionKey;
use crate::messages::ErrorCode;
use crate::negotiation::Way;
use crate::refusal::Refusal;
use crate::signaling::Shared;
use crate::token::{self, Claims};

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
        let claims = bearer(&parts.headers)
            .and_then(|token| verify(shared, token))
            .inspect_err(|refusal| shared.counters.count_error(refusal.code))
            .map_err(Failure::of_token)?;
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

/// The token of `Authorization: Bearer <token>` (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let told = headers.get(AUTHORIZATION);
    told.and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or_else(|| {
            Refusal::new(
                ErrorCode::TokenMissing,
                "Send the token as Authorization: Bearer <JWT>.",
            )
        })
}

fn verify(shared: &Shared, token: &str) -> Result<Claims, Refusal> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_s = since_1970.map_or(0, |time| time.as_secs());
    token::verify(token, &shared.config.keys, now_s)
}
