//! From an HTTP request to a WebSocket: finds and verifies the token.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tracing::Instrument;

use crate::http::problem;
use crate::messages::{ErrorCode, SUBPROTOCOL};
use crate::refusal::Refusal;
use crate::signaling::Shared;
use crate::token::Claims;

/// Messages up to this many times the limit are read, to be refused with a reason; a larger one
/// breaks the connection. Higher wastes memory on hostile clients.
const REFUSABLE: usize = 8;

/// What each connection sets aside for reading, bytes. Larger messages grow it; the library's own
/// 128 KiB would be most of what an idle subscriber costs.
const READ_BUFFER_BYTES: usize = 4 * 1_024;

/// What the query may hold.
#[derive(Deserialize)]
pub(crate) struct TokenQuery {
    access_token: Option<String>,
}

/// `GET /v1/ws`. A bad token is told over the WebSocket, because browsers hide HTTP errors of a
/// handshake from the page.
pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<TokenQuery>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return problem(
            StatusCode::UPGRADE_REQUIRED,
            "notWebSocket",
            "Open this address as a WebSocket (HTTP/1.1 with Upgrade: websocket).",
        );
    };
    let token = query.access_token.or_else(|| token_of(&upgrade));
    let verified = verify(&shared, token.as_deref());
    let most = shared
        .config()
        .limits
        .message_bytes
        .saturating_mul(REFUSABLE);
    // Within the request, which lasts as long.
    let session = tracing::info_span!(
        "session",
        connection = tracing::field::Empty,
        participant = tracing::field::Empty,
    );
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(most)
        .max_frame_size(most)
        .on_upgrade(move |socket| super::serve(socket, shared, verified).instrument(session))
}

/// The subprotocol `token.<JWT>`.
fn token_of(upgrade: &WebSocketUpgrade) -> Option<String> {
    upgrade
        .requested_protocols()
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| value.trim().strip_prefix("token."))
        .map(str::to_owned)
}

fn verify(shared: &Shared, token: Option<&str>) -> Result<Claims, Refusal> {
    let token = token.ok_or_else(|| {
        Refusal::new(
            ErrorCode::TokenMissing,
            "Offer the subprotocol token.<JWT>, or put the token into ?access_token=.",
        )
    })?;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_s = since_1970.map_or(0, |time| time.as_secs());
    shared.config().verify(token, now_s)
}
