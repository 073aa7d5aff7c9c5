//! Errors of the registry as problem details.

use axum::http::StatusCode;

use crate::admin::AdminError;
use crate::http::failure::Failure;

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        let (status, code, sentence) = match error {
            AdminError::UnknownRoom => (
                StatusCode::NOT_FOUND,
                "unknownRoom",
                "Name a room that is open: GET /v1/rooms lists them.",
            ),
            AdminError::UnknownParticipant => (
                StatusCode::NOT_FOUND,
                "unknownParticipant",
                "Name the identity of somebody who is in the room.",
            ),
            AdminError::UnknownPublication => (
                StatusCode::NOT_FOUND,
                "unknownPublication",
                "Name a publication of this participant that has not ended.",
            ),
            AdminError::RoomExists => (
                StatusCode::CONFLICT,
                "roomExists",
                "Choose another name, or close the room of this name first.",
            ),
            AdminError::NoMedia => (
                StatusCode::CONFLICT,
                "noMedia",
                "Wait until the participant has a media connection.",
            ),
            AdminError::ServerFull => (
                StatusCode::SERVICE_UNAVAILABLE,
                "serverFull",
                "Try again later, or on another server: this one has all the rooms it may have.",
            ),
            AdminError::OutOfRange => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "outOfRange",
                "Keep texts and numbers within the ranges that /openapi.json gives.",
            ),
            AdminError::Closing => (
                StatusCode::SERVICE_UNAVAILABLE,
                "closing",
                "Try again, or on another server: this one is going away.",
            ),
            AdminError::Failed => return Self::internal(),
        };
        Self::new(status, code, sentence)
    }
}
