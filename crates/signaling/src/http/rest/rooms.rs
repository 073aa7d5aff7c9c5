//! Rooms.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::body::{Body, Names};
use super::caller::Caller;
use super::document::{BodyProblems, NameProblems, Problem, TokenProblems};
use super::{Found, ask, mixed_up};
use crate::admin::{AdminAct, AdminReply, DataSpec, RoomSpec, RoomView};
use crate::http::failure::Failure;
use crate::signaling::Shared;

/// List the open rooms.
#[utoipa::path(
    get,
    path = "/v1/rooms",
    tag = "rooms",
    responses(
        TokenProblems,
        (status = 200, description = "All open rooms, oldest first.", body = Vec<RoomView>),
    ),
)]
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
) -> Found<Vec<RoomView>> {
    caller.may_list()?;
    match ask(&shared, caller.now_s, AdminAct::ListRooms).await? {
        AdminReply::Rooms(rooms) => Ok(Json(rooms)),
        other => mixed_up(other),
    }
}

/// Open a room before anybody joins it, with settings.
///
/// Rooms need not be opened: joining opens one, which closes when the last participant leaves.
#[utoipa::path(
    post,
    path = "/v1/rooms",
    tag = "rooms",
    request_body = RoomSpec,
    responses(
        TokenProblems,
        BodyProblems,
        (status = 201, description = "The room is open.", body = RoomView),
        (status = 409, description = "A room of this name is open.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The name is too long or empty, or a number is out of range.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The server is full or going away.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Body(spec): Body<RoomSpec>,
) -> Result<(StatusCode, Json<RoomView>), Failure> {
    caller.may_create()?;
    match ask(&shared, caller.now_s, AdminAct::CreateRoom(spec)).await? {
        AdminReply::Room(room) => Ok((StatusCode::CREATED, Json(room))),
        other => mixed_up(other),
    }
}

/// Look at a room.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}",
    tag = "rooms",
    params(("room" = String, Path, description = "Its name.")),
    responses(
        TokenProblems,
        NameProblems,
        (status = 200, description = "The room.", body = RoomView),
    ),
)]
pub(super) async fn look(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(room): Names<String>,
) -> Found<RoomView> {
    caller.may_moderate(&room)?;
    match ask(&shared, caller.now_s, AdminAct::LookAtRoom { room }).await? {
        AdminReply::Room(room) => Ok(Json(room)),
        other => mixed_up(other),
    }
}

/// Close a room: everybody is told, and sent away.
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}",
    tag = "rooms",
    params(("room" = String, Path, description = "Its name.")),
    responses(
        TokenProblems,
        NameProblems,
        (status = 204, description = "The room is closed."),
    ),
)]
pub(super) async fn close(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<StatusCode, Failure> {
    caller.may_close(&room)?;
    ask(&shared, caller.now_s, AdminAct::CloseRoom { room }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a data message to a room, or to some of its participants.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/data",
    tag = "rooms",
    params(("room" = String, Path, description = "Its name.")),
    request_body = DataSpec,
    responses(
        TokenProblems,
        NameProblems,
        BodyProblems,
        (status = 202, description = "It is on its way to those who take data messages."),
        (status = 422, description = "The text or the topic is too long.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn data(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(room): Names<String>,
    Body(spec): Body<DataSpec>,
) -> Result<StatusCode, Failure> {
    caller.may_moderate(&room)?;
    ask(&shared, caller.now_s, AdminAct::SendData { room, spec }).await?;
    Ok(StatusCode::ACCEPTED)
}
