//! Who is in a room, and what may be done about it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::body::{Body, Names};
use super::caller::Caller;
use super::document::{BodyProblems, NameProblems, Problem, TokenProblems};
use super::{Found, ask, mixed_up};
use crate::admin::{AdminAct, AdminReply, MuteSpec, ParticipantChange, QualityView, Whom};
use crate::http::failure::Failure;
use crate::messages::ParticipantInfo;
use crate::signaling::Shared;

/// List the participants of a room.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/participants",
    tag = "participants",
    params(("room" = String, Path, description = "Name of the room.")),
    responses(
        TokenProblems,
        NameProblems,
        (status = 200, description = "Everybody, hidden ones and viewers by WHEP included, oldest first.", body = Vec<ParticipantInfo>),
    ),
)]
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(room): Names<String>,
) -> Found<Vec<ParticipantInfo>> {
    caller.may_moderate(&room)?;
    match ask(&shared, caller.now_s, AdminAct::ListParticipants { room }).await? {
        AdminReply::Participants(participants) => Ok(Json(participants)),
        other => mixed_up(other),
    }
}

/// Look at a participant.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/participants/{identity}",
    tag = "participants",
    params(
        ("room" = String, Path, description = "Name of the room."),
        ("identity" = String, Path, description = "Identity of the participant."),
    ),
    responses(
        TokenProblems,
        NameProblems,
        (status = 200, description = "The participant.", body = ParticipantInfo),
    ),
)]
pub(super) async fn look(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(whom): Names<Whom>,
) -> Found<ParticipantInfo> {
    caller.may_moderate(&whom.room)?;
    participant(&shared, &caller, AdminAct::LookAtParticipant(whom)).await
}

/// Change a participant: name, metadata, permissions, publish bitrate.
#[utoipa::path(
    patch,
    path = "/v1/rooms/{room}/participants/{identity}",
    tag = "participants",
    params(
        ("room" = String, Path, description = "Name of the room."),
        ("identity" = String, Path, description = "Identity of the participant."),
    ),
    request_body = ParticipantChange,
    responses(
        TokenProblems,
        NameProblems,
        BodyProblems,
        (status = 200, description = "The participant.", body = ParticipantInfo),
        (status = 409, description = "A bitrate was given and the participant has no media connection.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A text is too long.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(whom): Names<Whom>,
    Body(change): Body<ParticipantChange>,
) -> Found<ParticipantInfo> {
    caller.may_moderate(&whom.room)?;
    participant(&shared, &caller, AdminAct::ChangeParticipant(whom, change)).await
}

/// Send a participant away. Tokens of this identity for the room that were made until now are not
/// accepted any more.
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}/participants/{identity}",
    tag = "participants",
    params(
        ("room" = String, Path, description = "Name of the room."),
        ("identity" = String, Path, description = "Identity of the participant."),
    ),
    responses(
        TokenProblems,
        NameProblems,
        (status = 204, description = "The participant is gone."),
    ),
)]
pub(super) async fn remove(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(whom): Names<Whom>,
) -> Result<StatusCode, Failure> {
    caller.may_moderate(&whom.room)?;
    ask(&shared, caller.now_s, AdminAct::RemoveParticipant(whom)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mute or unmute a publication of a participant. A muted one is not forwarded; the participant may
/// unmute it again.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/participants/{identity}/mute",
    tag = "participants",
    params(
        ("room" = String, Path, description = "Name of the room."),
        ("identity" = String, Path, description = "Identity of the participant."),
    ),
    request_body = MuteSpec,
    responses(
        TokenProblems,
        NameProblems,
        BodyProblems,
        (status = 204, description = "It is so."),
    ),
)]
pub(super) async fn mute(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(whom): Names<Whom>,
    Body(MuteSpec { publication, muted }): Body<MuteSpec>,
) -> Result<StatusCode, Failure> {
    caller.may_moderate(&whom.room)?;
    let act = AdminAct::Mute {
        whom,
        publication,
        muted,
    };
    ask(&shared, caller.now_s, act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why a participant sees what it sees: the way to it, and per slot the last decisions with what
/// they were decided by.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/participants/{identity}/quality",
    tag = "participants",
    params(
        ("room" = String, Path, description = "Name of the room."),
        ("identity" = String, Path, description = "Identity of the participant."),
    ),
    responses(
        TokenProblems,
        NameProblems,
        (status = 200, description = "The explanation.", body = QualityView),
        (status = 409, description = "The participant has no media connection.", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "The shard did not answer in time.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn quality(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Names(whom): Names<Whom>,
) -> Found<QualityView> {
    caller.may_moderate(&whom.room)?;
    match ask(&shared, caller.now_s, AdminAct::Explain(whom)).await? {
        AdminReply::Quality(quality) => Ok(Json(quality)),
        other => mixed_up(other),
    }
}

async fn participant(shared: &Shared, caller: &Caller, act: AdminAct) -> Found<ParticipantInfo> {
    match ask(shared, caller.now_s, act).await? {
        AdminReply::Participant(participant) => Ok(Json(participant)),
        other => mixed_up(other),
    }
}
