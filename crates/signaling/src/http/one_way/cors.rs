//! What pages of other origins may ask and see (the Fetch standard, §3.2).
//!
//! The token travels in a header, not in a cookie: any origin may ask, and none with credentials.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{SDP, SDP_FRAGMENT};
use crate::http::failure::Failure;

/// RFC 5789 §3.1.
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// The Linked Data Platform, §7.1.
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

const ENDPOINT_METHODS: HeaderValue = HeaderValue::from_static("POST, GET, HEAD, OPTIONS");
const SESSION_METHODS: HeaderValue = HeaderValue::from_static("PATCH, DELETE, GET, HEAD, OPTIONS");
/// Browsers may remember the permission for a day; they cap it themselves.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("86400");
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, If-Match, Accept, X-Request-Id");
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "Location, Link, ETag, Accept-Patch, Retry-After, WWW-Authenticate, X-Request-Id",
);

/// `OPTIONS` of an endpoint. It needs no token, so it tells nothing secret: no ICE servers.
pub(super) async fn endpoint_options() -> Response {
    options(ENDPOINT_METHODS)
}

/// `OPTIONS` of a session.
pub(super) async fn session_options() -> Response {
    options(SESSION_METHODS)
}

fn options(methods: HeaderValue) -> Response {
    let headers = [
        (ALLOW, methods.clone()),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE_S),
        (ACCEPT_POST, HeaderValue::from_static(SDP)),
        (ACCEPT_PATCH, HeaderValue::from_static(SDP_FRAGMENT)),
    ];
    (StatusCode::OK, headers).into_response()
}

/// Any other method of an endpoint: kept for later versions.
pub(super) async fn wrong_endpoint_method() -> Response {
    wrong_method(ENDPOINT_METHODS, "Open a session by POST.")
}

/// Any other method of a session.
pub(super) async fn wrong_session_method() -> Response {
    wrong_method(
        SESSION_METHODS,
        "Change a session by PATCH, end it by DELETE.",
    )
}

fn wrong_method(allowed: HeaderValue, sentence: &'static str) -> Response {
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, "wrongMethod", sentence);
    ([(ALLOW, allowed)], failure).into_response()
}

/// Lets pages see what they need of every response.
pub(super) async fn expose(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    response
}
