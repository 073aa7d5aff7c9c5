//! What happened in a room, once more.
#![expect(
    unused_qualifications,
    reason = "the macro of the description writes one"
)]

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Found;
use super::body::Names;
use super::caller::Caller;
use super::document::{NameProblems, Problem, TokenProblems};
use crate::http::failure::Failure;
use crate::signaling::Shared;
use crate::webhooks::{Replay, ReplayError, RoomEvent};

/// What of the events is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Events after this number; 0: from the first.
    #[serde(default)]
    #[param(minimum = 0)]
    since: u64,
    /// At most so many.
    #[serde(default = "Which::default_limit")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
    /// `room.session` of an event; without it, the latest room of this name.
    session: Option<String>,
}

impl Which {
    const fn default_limit() -> usize {
        100
    }
}

/// List events of a room, as webhooks tell them, oldest first.
///
/// Also of a room that is closed, for as long as they are kept (`webhooks.keep`).
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/events",
    tag = "rooms",
    params(("room" = String, Path, description = "Its name."), Which),
    responses(
        TokenProblems,
        NameProblems,
        (status = 200, description = "The events.", body = Vec<RoomEvent>),
        (status = 409, description = "The server keeps no events: webhooks.directory is not set.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Events after this number are kept no longer.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(room): Names<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Found<Vec<RoomEvent>> {
    caller.may_moderate(&room)?;
    let Query(which) = which.map_err(|error| {
        let sentence =
            format!("Ask with since, limit and session as /openapi.json describes: {error}.");
        Failure::new(StatusCode::BAD_REQUEST, "badQuery", sentence)
    })?;
    let webhooks = shared.config().webhooks.clone();
    let webhooks = webhooks.ok_or_else(|| {
        let sentence = "Set webhooks.directory in the server's configuration: no events are kept.";
        Failure::new(StatusCode::CONFLICT, "eventsOff", sentence)
    })?;
    let ask = Replay {
        name: room,
        session: which.session,
        since: which.since,
        limit: which.limit,
    };
    let events = webhooks.replay(ask).await.map_err(failure)?;
    Ok(Json(events))
}

fn failure(error: ReplayError) -> Failure {
    match error {
        ReplayError::Unknown => Failure::new(
            StatusCode::NOT_FOUND,
            "unknownRoom",
            "Name a room, and a session of it, of which events are kept.",
        ),
        ReplayError::Gone => Failure::new(
            StatusCode::GONE,
            "eventsGone",
            "Ask for later ones: not all events after this number are kept.",
        ),
        ReplayError::Failed => Failure::internal(),
    }
}
