//! Tokens for the demo app, for anybody who asks: only served with `dev`.
#![expect(
    clippy::disallowed_methods,
    reason = "a token expires by the wall clock, and an identity is drawn"
)]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::problem;
use crate::signaling::Shared;
use crate::token::{self, Claims, Grants};

/// Life of a token, seconds.
const TTL_S: u64 = 6 * 3_600;

/// What the demo page asks for.
#[derive(Deserialize)]
pub(super) struct Wish {
    room: Option<String>,
    name: Option<String>,
    identity: Option<String>,
}

#[derive(Serialize)]
struct DemoToken {
    token: String,
    identity: String,
    room: String,
    name: String,
}

/// `GET /demo/token?room=R&name=N[&identity=I]`.
pub(super) async fn mint(State(shared): State<Arc<Shared>>, Query(wish): Query<Wish>) -> Response {
    let room = wish.room.filter(|room| !room.is_empty());
    let Some(room) = room else {
        return problem(
            StatusCode::BAD_REQUEST,
            "roomMissing",
            "Name the room: /demo/token?room=R&name=N.",
        );
    };
    let config = shared.config();
    let Some((key, secret)) = config.keys.first_key_value() else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "noKeys",
            "Configure an API key.",
        );
    };
    let identity = wish
        .identity
        .filter(|identity| !identity.is_empty())
        .unwrap_or_else(|| format!("guest-{:08x}", rand::random::<u32>()));
    let name = wish.name.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| identity.clone());
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_s = since_1970.map_or(0, |time| time.as_secs());
    let claims = Claims {
        iss: key.clone(),
        sub: identity.clone(),
        iat: Some(now_s),
        exp: now_s + TTL_S,
        name: Some(name.clone()),
        video: Grants::join(&room),
        ..Claims::default()
    };
    match token::mint(&claims, secret) {
        Ok(token) => {
            let answer = DemoToken {
                token,
                identity,
                room,
                name,
            };
            ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Err(refusal) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            refusal.code.as_str(),
            &refusal.sentence,
        ),
    }
}
