//! Against a small WHIP and WHEP server: the exchange, and every refusal.

use super::super::{Protocol, Session};
use super::*;
use crate::http;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{delete, get, post};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    a=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 0A:FF\r\na=setup:passive\r\n\
    a=sendonly\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:5 cname:x\r\n\
    a=candidate:1 1 udp 100 127.0.0.1 7882 typ host\r\n";

/// What a client may ask, as `role`.
pub(super) fn request(role: Role) -> JoinRequest {
    JoinRequest {
        room: "room-0".to_owned(),
        identity: "one".to_owned(),
        role,
        offer: "the offer".to_owned(),
        tracks: Vec::new(),
        slots: Vec::new(),
    }
}

fn target(url: &Url) -> Target {
    Target {
        protocol: Protocol::WhipWhep,
        url: url.to_string(),
        key: "key".to_owned(),
        secret: "a secret that is long enough".to_owned(),
        whip_whep: WhipWhepFlags::default(),
    }
}

/// A response of an endpoint that took the offer.
fn created() -> impl IntoResponse {
    let headers = [("content-type", SDP), ("location", "room-0/session-7?a=b")];
    (StatusCode::CREATED, headers, ANSWER)
}

/// Joins as a subscriber at a server whose endpoint responds with `response`, and tells how it
/// failed.
async fn failure<R: IntoResponse + Clone + Send + Sync + 'static>(response: R) -> String {
    let app = Router::new().route("/whep/room-0", post(move || async move { response }));
    let target = target(&http::tests::serve(app).await);
    let error = Session::join(&target, request(Role::Subscriber))
        .await
        .err();
    format!("{:#}", error.expect("a refusal"))
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, method: &str, headers: &HeaderMap, body: &str) {
        let bearer = headers["authorization"]
            .to_str()
            .unwrap()
            .starts_with("Bearer ey");
        let kind = headers
            .get("content-type")
            .map_or("", |kind| kind.to_str().unwrap());
        self.0
            .lock()
            .unwrap()
            .push(format!("{method} {bearer} {kind} {body}"));
    }
}

#[tokio::test]
async fn a_session_begins_with_post_and_ends_with_delete() {
    let on_post = |State(seen): State<Seen>, headers: HeaderMap, body: String| async move {
        seen.add("POST", &headers, &body);
        created()
    };
    let on_delete = |State(seen): State<Seen>, headers: HeaderMap, body: String| async move {
        seen.add("DELETE", &headers, &body);
    };
    let seen = Seen::default();
    // The session's address is relative to where the redirect led.
    let app = Router::new()
        .route(
            "/whip/room-0",
            post(|| async { Redirect::temporary("/edge/whip/room-0") }),
        )
        .route("/edge/whip/room-0", post(on_post))
        .route("/edge/whip/room-0/session-7", delete(on_delete))
        .with_state(seen.clone());
    let target = target(&http::tests::serve(app).await);
    let (session, remote) = Session::join(&target, request(Role::Publisher))
        .await
        .unwrap();
    assert!(matches!(remote, Remote::Answer(answer) if answer == ANSWER));
    session.leave().await;
    let seen = seen.0.lock().unwrap().clone();
    assert_eq!(
        seen,
        ["POST true application/sdp the offer", "DELETE true  "]
    );
}

#[tokio::test]
async fn a_given_token_is_passed_on_and_an_empty_one_left_out() {
    let app = Router::new().route(
        "/whep/room-0",
        post(|headers: HeaderMap| async move {
            match headers
                .get("authorization")
                .map(|value| value.to_str().unwrap())
            {
                Some("Bearer mine") => created().into_response(),
                Some(other) => (StatusCode::FORBIDDEN, other.to_owned()).into_response(),
                None => (StatusCode::UNAUTHORIZED, "none").into_response(),
            }
        }),
    );
    let mut target = target(&http::tests::serve(app).await);
    target.whip_whep = endpoints::tests::with_bearer("mine");
    assert!(
        Session::join(&target, request(Role::Subscriber))
            .await
            .is_ok()
    );
    target.whip_whep = endpoints::tests::with_bearer("");
    let error = Session::join(&target, request(Role::Subscriber))
        .await
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("(401 Unauthorized: none)"),
        "{error:#}"
    );
}

/// A server that is not ready until it was asked `ready_at` times.
fn busy_server(status: StatusCode, ready_at: usize) -> (Router, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let respond = move || async move {
        match counter.fetch_add(1, Ordering::Relaxed) + 1 >= ready_at {
            true => created().into_response(),
            false => (status, [("retry-after", "0")], "later").into_response(),
        }
    };
    (Router::new().route("/whep/room-0", post(respond)), asked)
}

#[tokio::test]
async fn a_server_that_asks_to_come_again_is_asked_again() {
    for status in [StatusCode::CONFLICT, StatusCode::SERVICE_UNAVAILABLE] {
        let (app, asked) = busy_server(status, 3);
        let target = target(&http::tests::serve(app).await);
        assert!(
            Session::join(&target, request(Role::Subscriber))
                .await
                .is_ok()
        );
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }
}

#[tokio::test]
async fn a_server_that_stays_busy_is_left() {
    let (app, asked) = busy_server(StatusCode::SERVICE_UNAVAILABLE, usize::MAX);
    let target = target(&http::tests::serve(app).await);
    let error = Session::join(&target, request(Role::Subscriber))
        .await
        .err()
        .unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), ATTEMPTS);
    let said = error.to_string();
    assert!(said.contains("is overloaded: lower --ramp"), "{said}");
    assert!(
        said.contains("(503 Service Unavailable 6 times: later)"),
        "{said}"
    );
}

#[test]
fn waiting_is_bounded_and_needs_to_be_asked_for() {
    let response = |status, after: Option<&str>| {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert(RETRY_AFTER, after.parse().unwrap());
        }
        let url = "http://h/".parse().unwrap();
        wait(&Response {
            url,
            status,
            headers,
            body: String::new(),
        })
    };
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    assert_eq!(response(busy, Some("2")), Some(Duration::from_secs(2)));
    assert_eq!(response(busy, Some("3600")), Some(WAIT_MAX));
    assert_eq!(response(busy, None), None);
    assert_eq!(response(busy, Some("Wed, 21 Oct 2015 07:28:00 GMT")), None);
    assert_eq!(response(StatusCode::NOT_FOUND, Some("1")), None);
}

#[tokio::test]
async fn a_server_without_the_endpoint_says_so() {
    let target = target(&http::tests::serve(Router::new()).await);
    let error = Session::join(&target, request(Role::Subscriber))
        .await
        .err()
        .unwrap();
    let said = error.to_string();
    assert!(
        said.contains("the server has no WHEP endpoint at http://127.0.0.1:"),
        "{said}"
    );
    assert!(said.contains("/whep/room-0: pass --whep-url"), "{said}");
    let error = Session::join(&target, request(Role::Publisher))
        .await
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("has no WHIP endpoint"),
        "{error:#}"
    );
}

#[tokio::test]
async fn a_page_is_no_endpoint() {
    let app = Router::new().route("/whep/room-0", get(|| async { "a page" }));
    let target = target(&http::tests::serve(app).await);
    let error = Session::join(&target, request(Role::Subscriber))
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("takes no POST"), "{error:#}");
    let said = failure((StatusCode::OK, "a page")).await;
    assert!(said.contains("should have answered 201"), "{said}");
}

#[tokio::test]
async fn refusals_say_what_to_change() {
    for (status, part) in [
        (
            StatusCode::UNAUTHORIZED,
            "refuses the token: pass the server's --key",
        ),
        (
            StatusCode::FORBIDDEN,
            "refuses the token: pass the server's --key",
        ),
        (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "does not answer offers in application/sdp",
        ),
        (
            StatusCode::NOT_ACCEPTABLE,
            "does not answer offers in application/sdp",
        ),
        (
            StatusCode::BAD_REQUEST,
            "refuses the offer (400 Bad Request: why not)",
        ),
        (StatusCode::CONFLICT, "has nothing to play"),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "failed (500 Internal Server Error: why not)",
        ),
    ] {
        let said = failure((status, r#"{"detail":"why not"}"#)).await;
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn answers_that_are_none_are_refused() {
    let location = ("location", "x");
    let said = failure((StatusCode::CREATED, [("content-type", SDP)], ANSWER)).await;
    assert!(said.contains("answered 201 without Location"), "{said}");
    let json = [("content-type", "application/json"), location];
    let said = failure((StatusCode::CREATED, json, "{}")).await;
    assert!(
        said.contains("201 with application/json in place of application/sdp"),
        "{said}"
    );
    let sdp = [("content-type", SDP), location];
    let said = failure((StatusCode::CREATED, sdp, "v=0\r\ns=-\r\n")).await;
    assert!(
        said.contains("a session description that cannot be used: "),
        "{said}"
    );
}

#[tokio::test]
async fn a_server_that_is_down_says_so() {
    let down = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", down.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(down);
    let error = Session::join(&target(&url), request(Role::Subscriber))
        .await
        .err()
        .unwrap();
    let said = format!("{error:#}");
    assert!(said.starts_with("no WHEP endpoint can be reached: check --url and --whep-url: "));
    assert!(said.contains("start the server there"), "{said}");
}

#[tokio::test]
async fn one_connection_for_both_directions_is_refused() {
    let url = "http://127.0.0.1:1".parse().unwrap();
    let error = Session::join(&target(&url), request(Role::Participant))
        .await
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("a connection for each direction"),
        "{error:#}"
    );
}
