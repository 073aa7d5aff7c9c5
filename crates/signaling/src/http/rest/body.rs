//! JSON bodies and the names in paths, with errors that say what to change.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::http::failure::Failure;

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let told = request.headers().get(CONTENT_TYPE);
        let told = told.and_then(|value| value.to_str().ok());
        let essence = told.map(|told| told.split(';').next().unwrap_or_default().trim());
        if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "wrongType",
                "Send Content-Type: application/json.",
            ));
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "tooLarge",
                "Send at most 64 KiB.",
            ),
            _ => Failure::new(
                StatusCode::BAD_REQUEST,
                "badBody",
                "Send the whole body: it broke off.",
            ),
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                "badBody",
                format!("Send a JSON object as /openapi.json describes: {error}."),
            )
        })
    }
}

/// Names in the path.
pub(super) struct Names<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Names<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let names = Path::<T>::from_request_parts(parts, state).await;
        names.map(|Path(names)| Self(names)).map_err(|_| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                "badPath",
                "Name room and identity in UTF-8, percent-encoded.",
            )
        })
    }
}
