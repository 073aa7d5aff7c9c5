//! Emptying the server before it is replaced.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Found;
use super::body::Body;
use super::caller::Caller;
use super::document::{BodyProblems, Problem, TokenProblems};
use crate::http::failure::Failure;
use crate::signaling::{Shared, Signaling};

/// How to empty the server.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DrainSpec {
    /// Seconds; within half of them all rooms are told to move, one after another.
    #[schema(minimum = 0, maximum = 86400)]
    within: u32,
    /// Where clients shall connect, from `https://` or `wss://` on; without it, at the address that they have, where a load
    /// balancer sends them to another server.
    url: Option<String>,
}

/// Whether the server is being emptied, and who is still there.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DrainView {
    draining: bool,
    rooms: usize,
    participants: usize,
}

fn view(shared: &Arc<Shared>) -> DrainView {
    let stats = shared.counters.snapshot();
    DrainView {
        draining: Signaling::of(shared).is_draining(),
        rooms: stats.rooms,
        participants: stats.participants,
    }
}

/// Whether the server is being emptied.
#[utoipa::path(
    get,
    path = "/v1/drain",
    tag = "server",
    responses(
        TokenProblems,
        (status = 200, description = "How far it is.", body = DrainView),
    ),
)]
pub(super) async fn look(State(shared): State<Arc<Shared>>, caller: Caller) -> Found<DrainView> {
    caller.may_operate()?;
    Ok(Json(view(&shared)))
}

/// Begin to empty the server: nobody new is let in, `/readyz` fails, clients are told to move.
///
/// The process goes on; end it by SIGTERM when nobody is left.
#[utoipa::path(
    put,
    path = "/v1/drain",
    tag = "server",
    request_body = DrainSpec,
    responses(
        TokenProblems,
        BodyProblems,
        (status = 202, description = "It has begun.", body = DrainView),
        (status = 422, description = "The time is out of range, or the address is none.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn begin(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Body(spec): Body<DrainSpec>,
) -> Result<(StatusCode, Json<DrainView>), Failure> {
    caller.may_operate()?;
    let is_address = |url: &String| {
        let schemes = ["https://", "http://", "wss://", "ws://"];
        schemes.iter().any(|scheme| url.starts_with(scheme))
    };
    if spec.within > 86_400 || spec.url.as_ref().is_some_and(|url| !is_address(url)) {
        return Err(crate::admin::AdminError::OutOfRange.into());
    }
    let window = Duration::from_secs(spec.within.into());
    Signaling::of(&shared).drain(window, spec.url).await;
    Ok((StatusCode::ACCEPTED, Json(view(&shared))))
}

/// Take clients again.
#[utoipa::path(
    delete,
    path = "/v1/drain",
    tag = "server",
    responses(
        TokenProblems,
        (status = 204, description = "New clients are let in."),
    ),
)]
pub(super) async fn end(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
) -> Result<StatusCode, Failure> {
    caller.may_operate()?;
    Signaling::of(&shared).undrain().await;
    Ok(StatusCode::NO_CONTENT)
}
