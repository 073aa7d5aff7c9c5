//! The token of an HTTP request.
#![expect(clippy::disallowed_methods, reason = "tokens expire by the wall clock")]

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::failure::Failure;
use crate::messages::ErrorCode;
use crate::refusal::Refusal;
use crate::signaling::Shared;
use crate::token::Claims;

/// What a valid token says, and the time, in seconds since 1970.
pub(super) fn claims(headers: &HeaderMap, shared: &Shared) -> Result<(Claims, u64), Failure> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_s = since_1970.map_or(0, |time| time.as_secs());
    bearer(headers)
        .and_then(|token| shared.config().verify(token, now_s))
        .map(|claims| (claims, now_s))
        .inspect_err(|refusal| shared.counters.count_error(refusal.code))
        .map_err(Failure::of_token)
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
