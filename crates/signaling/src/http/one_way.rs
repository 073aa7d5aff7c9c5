//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): a client that only publishes or only plays
//! brings its offer by one POST and ends its session by one DELETE.
//!
//! | file | one idea |
//! |---|---|
//! | `call` | who asks, for which room and session: path, token (RFC 6750) |
//! | `condition` | `If-Match` |
//! | `cors` | what pages of other origins may ask and see |
//! | `links` | ICE servers as `Link` |
//!
//! Both protocols are the same but for the direction; `WHIP.md` describes them for users.

mod call;
mod condition;
mod cors;
mod links;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, OriginalUri, Query, State};
use axum::http::header::{CONTENT_TYPE, ETAG, LINK, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use axum::{Extension, Router};
use serde::Deserialize;
use tokio::sync::oneshot;
use tracing::Span;

use crate::actor::Input;
use crate::http::failure::Failure;
use crate::http_session::{SessionAct, SessionError, SessionReply, SessionRequest};
use crate::negotiation::{Fragment, Way};
use crate::signaling::Shared;
use call::Call;

/// What offers and answers are (RFC 8866 §8.1).
const SDP: &str = "application/sdp";
/// What parts of them are (RFC 8840 §9).
const SDP_FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// `/whip/...` and `/whep/...`.
pub(super) fn routes(shared: &Shared) -> Router<Arc<Shared>> {
    let most = shared.config().limits.message_bytes;
    let mut router = Router::new();
    for (root, way) in [("/whip", Way::Ingest), ("/whep", Way::Playback)] {
        let endpoint = MethodRouter::new()
            .post(open)
            .get(look_at_endpoint)
            .options(cors::endpoint_options)
            .fallback(cors::wrong_endpoint_method);
        let session = MethodRouter::new()
            .patch(patch)
            .delete(end)
            .get(look_at_session)
            .options(cors::session_options)
            .fallback(cors::wrong_session_method);
        let routes = Router::new()
            .route(&format!("{root}/{{room}}"), endpoint)
            .route(&format!("{root}/{{room}}/{{session}}"), session);
        router = router.merge(routes.layer(Extension(way)));
    }
    router
        .layer(DefaultBodyLimit::max(most))
        .layer(map_response(cors::expose))
}

/// What a viewer may ask for.
#[derive(Deserialize)]
struct Wish {
    /// The identity of the one to show.
    participant: Option<String>,
}

/// `POST /whip/{room}`, `POST /whep/{room}[?participant=identity]`.
async fn open(
    State(shared): State<Arc<Shared>>,
    OriginalUri(uri): OriginalUri,
    call: Call,
    wish: Result<Query<Wish>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    check_type(&headers, SDP)?;
    let Query(wish) = wish.map_err(|_| Failure::bad_query())?;
    let follows = match call.way {
        Way::Ingest => None,
        Way::Playback => wish.participant.filter(|identity| !identity.is_empty()),
    };
    let sdp = text(body)?;
    let ice_servers = shared.config().ice_servers.clone();
    let ice_servers: Vec<_> = ice_servers
        .iter()
        .map(|server| server.for_client(&call.claims.sub, call.claims.verified_s))
        .collect();
    let act = SessionAct::Open { sdp, follows };
    match ask(&shared, call, act).await? {
        SessionReply::Opened { session, tag, sdp } => {
            let path = uri.path().trim_end_matches('/');
            let location = format!("{path}/{}", session.0);
            let mut answer = (StatusCode::CREATED, sdp).into_response();
            let headers = answer.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(SDP));
            headers.insert(LOCATION, header(&location)?);
            headers.insert(ETAG, quoted(&tag)?);
            headers.insert(cors::ACCEPT_PATCH, HeaderValue::from_static(SDP_FRAGMENT));
            for link in links::of(&ice_servers) {
                headers.append(LINK, link);
            }
            Ok(answer)
        }
        _ => Err(Failure::internal()),
    }
}

/// `PATCH /whip/{room}/{session}`: candidates, or an ICE restart.
async fn patch(
    State(shared): State<Arc<Shared>>,
    call: Call,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    check_type(&headers, SDP_FRAGMENT)?;
    let fragment = Fragment::read(&text(body)?).map_err(SessionError::Refused)?;
    let session = call.session()?;
    let condition = condition::read(&headers)?;
    let act = SessionAct::Patch {
        session,
        condition,
        fragment,
    };
    match ask(&shared, call, act).await? {
        SessionReply::Trickled => Ok(StatusCode::NO_CONTENT.into_response()),
        SessionReply::Restarted { tag, fragment } => {
            let mut answer = fragment.into_response();
            let headers = answer.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(SDP_FRAGMENT));
            headers.insert(ETAG, quoted(&tag)?);
            Ok(answer)
        }
        _ => Err(Failure::internal()),
    }
}

/// `DELETE /whip/{room}/{session}`. Preconditions are not looked at (RFC 9725 §4.3.1).
async fn end(State(shared): State<Arc<Shared>>, call: Call) -> Result<Response, Failure> {
    let session = call.session()?;
    ask(&shared, call, SessionAct::End { session }).await?;
    Ok(StatusCode::OK.into_response())
}

/// `GET`: an endpoint has no representation (RFC 9725 §4.1).
async fn look_at_endpoint(_call: Call) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `GET`: nor has a session.
async fn look_at_session(
    State(shared): State<Arc<Shared>>,
    call: Call,
) -> Result<StatusCode, Failure> {
    let session = call.session()?;
    ask(&shared, call, SessionAct::Look { session }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks the actor.
async fn ask(shared: &Shared, call: Call, act: SessionAct) -> Result<SessionReply, Failure> {
    let request = Box::new(SessionRequest {
        way: call.way,
        room: call.room,
        claims: call.claims,
        act,
    });
    let (answer, answered) = oneshot::channel();
    let input = Input::Session(request, answer, Span::current());
    let asked = shared.inputs.send(input).await;
    asked.map_err(|_| SessionError::Closing)?;
    let reply = answered.await.map_err(|_| SessionError::Closing)?;
    reply.map_err(|error| {
        if let SessionError::Refused(refusal) = &error {
            shared.counters.count_error(refusal.code);
        }
        Failure::from(error)
    })
}

/// Whether the body is what it must be; parameters do not matter.
fn check_type(headers: &HeaderMap, wanted: &'static str) -> Result<(), Failure> {
    let told = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = told.map(|told| told.split(';').next().unwrap_or_default().trim());
    if essence.is_some_and(|essence| essence.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "wrongType",
        format!("Send Content-Type: {wanted}."),
    ))
}

fn text(body: Result<Bytes, BytesRejection>) -> Result<String, Failure> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "tooLarge",
            "Send a smaller body, with fewer m-lines: descriptions take about 2 KB for each.",
        ),
        _ => Failure::new(
            StatusCode::BAD_REQUEST,
            "badBody",
            "Send the whole body: it broke off.",
        ),
    })?;
    String::from_utf8(body.into()).map_err(|_| {
        Failure::new(
            StatusCode::BAD_REQUEST,
            "badBody",
            "Send the body in UTF-8.",
        )
    })
}

/// A strong entity tag (RFC 9110 §8.8.3).
fn quoted(tag: &str) -> Result<HeaderValue, Failure> {
    header(&format!("\"{tag}\""))
}

fn header(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| Failure::internal())
}
