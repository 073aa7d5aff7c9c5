//! What went wrong, as problem details (RFC 9457) with the headers that its status asks for.

use std::borrow::Cow;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::problem;
use crate::http_session::SessionError;
use crate::messages::ErrorCode;
use crate::refusal::Refusal;

/// Somebody may publish later.
const NOTHING_LIVE: &str = "nothingLive";
/// Seconds after which somebody may publish in an empty room. Lower makes waiting players ask
/// more often.
const LIVE_RETRY_S: HeaderValue = HeaderValue::from_static("2");
/// Seconds after which a full server may have a place. Lower makes it fuller.
const BUSY_RETRY_S: HeaderValue = HeaderValue::from_static("5");

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    /// Stable; the last part of the problem's `type`.
    code: &'static str,
    /// Says what to change.
    sentence: Cow<'static, str>,
}

impl Failure {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        sentence: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            sentence: sentence.into(),
        }
    }

    /// A token that is missing or not valid.
    pub(crate) fn of_token(refusal: Refusal) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            refusal.code.as_str(),
            refusal.sentence,
        )
    }

    pub(crate) fn bad_query() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "badQuery",
            "Name at most one participant, in UTF-8: ?participant=identity.",
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Try again: the server failed.",
        )
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        let (status, code, sentence) = match error {
            SessionError::Refused(refusal) => return Self::from(refusal),
            SessionError::Failed => return Self::internal(),
            SessionError::Unknown => (
                StatusCode::NOT_FOUND,
                "unknownSession",
                "Open a session by POST: there is none at this address, or no longer.",
            ),
            SessionError::NotYours => (
                StatusCode::FORBIDDEN,
                "notPermitted",
                "Use a token of the identity that opened the session.",
            ),
            SessionError::Unconditional => (
                StatusCode::PRECONDITION_REQUIRED,
                "unconditional",
                "Send If-Match: the last ETag for candidates, * to restart ICE.",
            ),
            SessionError::Stale => (
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "Send the ETag of the last restart: the ICE session that this one names is over.",
            ),
            SessionError::NothingLive => (
                StatusCode::CONFLICT,
                NOTHING_LIVE,
                "Try again later: nobody publishes here now.",
            ),
            SessionError::Closing => (
                StatusCode::SERVICE_UNAVAILABLE,
                "closing",
                "Try again, or on another server: this one is going away.",
            ),
        };
        Self::new(status, code, sentence)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            ErrorCode::TokenMissing
            | ErrorCode::TokenInvalid
            | ErrorCode::TokenExpired
            | ErrorCode::TokenNotYetValid => StatusCode::UNAUTHORIZED,
            ErrorCode::NotPermitted | ErrorCode::WrongRoom | ErrorCode::Removed => {
                StatusCode::FORBIDDEN
            }
            ErrorCode::RoomFull | ErrorCode::ServerFull | ErrorCode::Draining => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorCode::TooManyMessages => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::SdpNoCommonCodec
            | ErrorCode::TooManyPublications
            | ErrorCode::TooManySlots
            | ErrorCode::TooLarge => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, refusal.code.as_str(), refusal.sentence)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = problem(self.status, self.code, &self.sentence);
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(
                    WWW_AUTHENTICATE,
                    self.challenge(Self::token_error(self.code)),
                );
            }
            StatusCode::FORBIDDEN => {
                let challenge = self.challenge(Some("insufficient_scope"));
                headers.insert(WWW_AUTHENTICATE, challenge);
            }
            StatusCode::CONFLICT if self.code == NOTHING_LIVE => {
                headers.insert(RETRY_AFTER, LIVE_RETRY_S);
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, BUSY_RETRY_S);
            }
            _ => {}
        }
        response
    }
}

impl Failure {
    /// RFC 6750 §3.1: a request without a token is told no error.
    fn token_error(code: &str) -> Option<&'static str> {
        (code != ErrorCode::TokenMissing.as_str()).then_some("invalid_token")
    }

    /// RFC 6750 §3.
    fn challenge(&self, error: Option<&str>) -> HeaderValue {
        const PLAIN: &str = "Bearer realm=\"plenum\"";
        let text = match error {
            None => PLAIN.to_owned(),
            Some(error) => {
                // The sentences are ours, but a quote would end the text early.
                let sentence = self.sentence.replace(['"', '\\'], "'");
                format!("{PLAIN}, error=\"{error}\", error_description=\"{sentence}\"")
            }
        };
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(PLAIN))
    }
}
