//! Each request has an id: the caller's `x-request-id`, or one that is made. It is in the span that
//! the request's log lines carry, and in the response, so that a report of a failed request leads
//! to its lines.

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tracing::Instrument;

/// Where it stands.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a caller; more would only make lines longer.
const LENGTH_MAX: usize = 64;

/// `app`, whose requests have ids and spans.
pub(crate) fn identified(app: Router) -> Router {
    app.layer(from_fn(identify))
}

async fn identify(request: Request, next: Next) -> Response {
    let id = told(&request).unwrap_or_else(made);
    // The route and not the path, which names rooms and people.
    let route = request.extensions().get::<MatchedPath>();
    let span = tracing::info_span!(
        "request",
        id,
        method = request.method().as_str(),
        route = route.map(MatchedPath::as_str),
        status = tracing::field::Empty,
    );
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    span.record("status", response.status().as_u16());
    let took = began.elapsed();
    span.in_scope(|| tracing::debug!(?took, "answered"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// The caller's id, if it is one and not a text that only pretends to be.
fn told(request: &Request) -> Option<String> {
    let value = request.headers().get(HEADER)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_id = (1..=LENGTH_MAX).contains(&value.len()) && value.bytes().all(is_plain);
    is_id.then(|| value.to_owned())
}

/// 128 random bits.
fn made() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn with(value: &str) -> Option<String> {
        told(
            &Request::builder()
                .header(HEADER, value)
                .body(Body::empty())
                .unwrap(),
        )
    }

    #[test]
    fn ids_of_callers_are_taken_if_they_are_plain() {
        assert_eq!(with("a-1_b.2").as_deref(), Some("a-1_b.2"));
        let longest = "x".repeat(LENGTH_MAX);
        assert_eq!(with(&longest), Some(longest.clone()));
        for wrong in ["", "a b", "Ada <ada@example.net>", &format!("{longest}x")] {
            assert_eq!(with(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn made_ids_differ_and_have_one_length() {
        let (one, other) = (made(), made());
        assert_ne!(one, other);
        assert_eq!((one.len(), other.len()), (32, 32));
    }
}
