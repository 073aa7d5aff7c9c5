//! REST for backends (`/v1/rooms`): rooms, participants, moderation. `/openapi.json` describes it
//! and is made from this code; `/docs` shows it to people.
//!
//! | file | one idea |
//! |---|---|
//! | `rooms` | rooms |
//! | `participants` | who is in a room, and what may be done about it |
//! | `events` | what happened in a room, once more |
//! | `drain` | emptying the server |
//! | `caller` | who asks, and whether they may |
//! | `body` | JSON bodies, with errors that say what to change |
//! | `failure` | errors of the registry as problem details |
//! | `document` | what `/openapi.json` says beside the paths |

mod body;
mod caller;
mod document;
mod drain;
mod events;
mod failure;
mod participants;
mod rooms;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::sync::oneshot;
use tracing::Span;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::failure::Failure;
use crate::actor::Input;
use crate::admin::{AdminAct, AdminError, AdminReply, AdminRequest};
use crate::signaling::Shared;

/// Largest body, bytes. Metadata is what takes most.
const BODY_MAX: usize = 64 * 1024;
/// How long a shard may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// `/v1/rooms...` and `/openapi.json`.
pub(super) fn routes() -> Router<Arc<Shared>> {
    let (router, document) = described().split_for_parts();
    let json = document.to_json().unwrap_or_default();
    router
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .route("/openapi.json", get(move || openapi(json.clone())))
}

fn described() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::with_openapi(document::Document::openapi())
        .routes(routes!(rooms::list, rooms::create))
        .routes(routes!(rooms::look, rooms::close))
        .routes(routes!(rooms::data))
        .routes(routes!(events::list))
        .routes(routes!(participants::list))
        .routes(routes!(
            participants::look,
            participants::change,
            participants::remove
        ))
        .routes(routes!(participants::mute))
        .routes(routes!(participants::quality))
        .routes(routes!(drain::look, drain::begin, drain::end))
}

async fn openapi(json: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], json).into_response()
}

/// Asks the actor.
async fn ask(shared: &Shared, now_s: u64, act: AdminAct) -> Result<AdminReply, Failure> {
    let (answer, answered) = oneshot::channel();
    let request = Box::new(AdminRequest { now_s, act });
    let input = Input::Admin(request, answer, Span::current());
    let asked = shared.inputs.send(input).await;
    asked.map_err(|_| AdminError::Closing)?;
    let reply = tokio::time::timeout(PATIENCE, answered).await;
    let reply = reply.map_err(|_| {
        Failure::new(
            StatusCode::GATEWAY_TIMEOUT,
            "noAnswer",
            "Try again: the part of the server that knows did not answer in time.",
        )
    })?;
    Ok(reply.map_err(|_| AdminError::Closing)??)
}

/// An answer that does not fit the question.
fn mixed_up<T>(_reply: AdminReply) -> Result<T, Failure> {
    Err(Failure::internal())
}

/// `200` with a body.
type Found<T> = Result<Json<T>, Failure>;
