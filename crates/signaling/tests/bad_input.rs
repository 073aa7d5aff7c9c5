//! Every HTTP endpoint against every kind of wrong request: the status and the `type` of the problem
//! details, and nothing done.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/http.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod http;
#[path = "support/offers.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod offers;

use http::{Server, start, token};
use offers::{AUDIO, offer};
use plenum_signaling::token::{Claims, Grants};

const JSON: &str = "application/json";
const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
const FRAGMENT_BODY: &str = "a=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\n";

/// An endpoint, with a request that is right but for what is changed of it.
struct Endpoint {
    method: &'static str,
    path: &'static str,
    content_type: &'static str,
    body: &'static str,
}

const fn rest(method: &'static str, path: &'static str, body: &'static str) -> Endpoint {
    Endpoint {
        method,
        path,
        content_type: if body.is_empty() { "" } else { JSON },
        body,
    }
}

const REST: [Endpoint; 13] = [
    rest("GET", "/v1/rooms", ""),
    rest("POST", "/v1/rooms", r#"{"name":"new"}"#),
    rest("GET", "/v1/rooms/r", ""),
    rest("DELETE", "/v1/rooms/r", ""),
    rest("POST", "/v1/rooms/r/data", r#"{"text":"hi"}"#),
    rest("GET", "/v1/rooms/r/events", ""),
    rest("GET", "/v1/rooms/r/participants", ""),
    rest("GET", "/v1/rooms/r/participants/ada", ""),
    rest("PATCH", "/v1/rooms/r/participants/ada", r#"{"name":"Ada"}"#),
    rest("DELETE", "/v1/rooms/r/participants/ada", ""),
    rest(
        "POST",
        "/v1/rooms/r/participants/ada/mute",
        r#"{"publication":"TR_1","muted":true}"#,
    ),
    rest("GET", "/v1/rooms/r/participants/ada/quality", ""),
    rest("PUT", "/v1/drain", r#"{"within":0}"#),
];

const ONE_WAY: [(&str, &str, &str); 6] = [
    ("POST", "/whip/r", SDP),
    ("POST", "/whep/r", SDP),
    ("PATCH", "/whip/r/session", FRAGMENT),
    ("PATCH", "/whep/r/session", FRAGMENT),
    ("DELETE", "/whip/r/session", ""),
    ("DELETE", "/whep/r/session", ""),
];

fn authorization(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

fn backend(claims: &mut Claims) {
    claims.video = Grants {
        room_admin: true,
        room_create: true,
        room_list: true,
        ..Grants::default()
    };
}

/// Tokens that are accepted nowhere, with the code.
fn useless(grant: fn(&mut Claims)) -> Vec<(String, &'static str)> {
    let with = |change: &dyn Fn(&mut Claims)| {
        token("ada", |claims| {
            grant(claims);
            change(claims);
        })
    };
    let good = with(&|_| {});
    let (signed, _) = good.rsplit_once('.').unwrap();
    vec![
        (format!("{signed}.c2lnbmF0dXJl"), "tokenInvalid"),
        (format!("{signed}."), "tokenInvalid"),
        ("nonsense".to_owned(), "tokenInvalid"),
        (format!("{good}{}", "A".repeat(20_000)), "tokenInvalid"),
        (
            with(&|claims| claims.iss = "nobody".to_owned()),
            "tokenInvalid",
        ),
        (with(&|claims| claims.sub = String::new()), "tokenInvalid"),
        (with(&|claims| claims.exp -= 3_600), "tokenExpired"),
        (
            with(&|claims| claims.nbf = Some(claims.exp + 3_600)),
            "tokenNotYetValid",
        ),
    ]
}

async fn refuse_tokens(
    server: &Server,
    method: &str,
    path: &str,
    content_type: &str,
    body: &str,
    grant: fn(&mut Claims),
) {
    let content = format!("Content-Type: {content_type}");
    let headers: Vec<&str> = [content.as_str()]
        .into_iter()
        .filter(|_| !content_type.is_empty())
        .collect();
    let answer = server.ask(method, path, &headers, body).await;
    answer.assert_problem(401, "tokenMissing");
    for (token, code) in useless(grant) {
        let authorization = authorization(&token);
        let headers = [&headers[..], &[authorization.as_str()]].concat();
        let answer = server.ask(method, path, &headers, body).await;
        answer.assert_problem(401, code);
    }
}

#[tokio::test]
async fn tokens_that_are_not_valid_open_nothing() {
    let server = start(|_| {}).await;
    let _ada = server.witness("ada").await;
    for it in &REST {
        refuse_tokens(
            &server,
            it.method,
            it.path,
            it.content_type,
            it.body,
            backend,
        )
        .await;
    }
    for (method, path, content_type) in ONE_WAY {
        let sdp = offer(&[AUDIO]);
        refuse_tokens(&server, method, path, content_type, &sdp, |_| {}).await;
    }
    let rooms = authorization(&token("backend", backend));
    let room = server.ask("GET", "/v1/rooms/r", &[&rooms], "").await;
    assert_eq!(room.status, 200, "nothing has happened to it: {room:?}");
}

#[tokio::test]
async fn tokens_without_the_grant_or_for_another_room_are_refused() {
    let server = start(|_| {}).await;
    let _ada = server.witness("ada").await;
    let participant = authorization(&token("ada", |_| {}));
    let elsewhere = authorization(&token("ada", |claims| {
        claims.video = Grants {
            room_admin: true,
            ..Grants::join("other")
        };
    }));
    for it in &REST {
        let content = format!("Content-Type: {JSON}");
        for authorization in [&participant, &elsewhere] {
            let headers = [content.as_str(), authorization.as_str()];
            let answer = server.ask(it.method, it.path, &headers, it.body).await;
            answer.assert_problem(403, "notPermitted");
        }
    }
    for (path, direction, without) in [
        (
            "/whip/r",
            "sendonly",
            Grants {
                can_publish: Some(false),
                ..Grants::join("r")
            },
        ),
        (
            "/whip/r",
            "sendonly",
            Grants {
                hidden: true,
                ..Grants::join("r")
            },
        ),
        (
            "/whip/r",
            "sendonly",
            Grants {
                can_publish_sources: vec!["camera".to_owned()],
                ..Grants::join("r")
            },
        ),
        (
            "/whip/r",
            "sendonly",
            Grants {
                room_join: false,
                ..Grants::join("r")
            },
        ),
        (
            "/whep/r",
            "recvonly",
            Grants {
                can_subscribe: Some(false),
                ..Grants::join("r")
            },
        ),
    ] {
        let token = token("eve", |claims| claims.video = without);
        let headers = [authorization(&token), format!("Content-Type: {SDP}")];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let sdp = offer(&[AUDIO.direction(direction)]);
        let answer = server.ask("POST", path, &headers, &sdp).await;
        answer.assert_problem(403, "notPermitted");
        let answer = server
            .ask("POST", path.replace("/r", "/x").as_str(), &headers, &sdp)
            .await;
        assert_eq!(answer.status, 403, "another room: {answer:?}");
    }
}

#[tokio::test]
async fn bodies_that_are_wrong_are_told_apart() {
    let server = start(|config| config.limits.message_bytes = 20_000).await;
    let _ada = server.witness("ada").await;
    let authorization = authorization(&token("backend", backend));
    for it in REST.iter().filter(|it| !it.body.is_empty()) {
        for (content_type, body, status, code) in [
            ("text/plain", it.body, 415, "wrongType"),
            (JSON, "{", 400, "badBody"),
            (JSON, "[1]", 400, "badBody"),
            (JSON, r#"{"no such field":1}"#, 400, "badBody"),
        ] {
            let content = format!("Content-Type: {content_type}");
            let headers = [authorization.as_str(), content.as_str()];
            let answer = server.ask(it.method, it.path, &headers, body).await;
            assert_eq!(answer.status, status, "{} {body}: {answer:?}", it.path);
            answer.assert_problem(status, code);
        }
        let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(3_000_000));
        let content = format!("Content-Type: {JSON}");
        let headers = [authorization.as_str(), content.as_str()];
        let answer = server.ask(it.method, it.path, &headers, &large).await;
        answer.assert_problem(413, "tooLarge");
    }
}

#[tokio::test]
async fn descriptions_that_are_wrong_are_told_apart() {
    let server = start(|config| config.limits.message_bytes = 20_000).await;
    let authorization = authorization(&token("ada", |_| {}));
    for (content_type, body, status, code) in [
        ("text/plain", offer(&[AUDIO]), 415, "wrongType"),
        (SDP, String::new(), 400, "sdpInvalid"),
        (SDP, "v=0\r\nnonsense".to_owned(), 400, "sdpInvalid"),
        (
            SDP,
            offer(&[AUDIO.direction("recvonly")]),
            400,
            "sdpInvalid",
        ),
        (
            SDP,
            offer(&[AUDIO]).replace("opus/48000", "pcmu/8000"),
            422,
            "sdpNoCommonCodec",
        ),
        (SDP, "x".repeat(20_001), 413, "tooLarge"),
    ] {
        let content = format!("Content-Type: {content_type}");
        let headers = [authorization.as_str(), content.as_str()];
        let answer = server.ask("POST", "/whip/r", &headers, &body).await;
        assert_eq!(answer.status, status, "{body:.60}: {answer:?}");
        answer.assert_problem(status, code);
    }
    for (method, path) in [("PATCH", "/whip/r/nobody"), ("DELETE", "/whep/r/nobody")] {
        let headers = [
            authorization.as_str(),
            "Content-Type: application/trickle-ice-sdpfrag",
            "If-Match: *",
        ];
        let answer = server.ask(method, path, &headers, FRAGMENT_BODY).await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
}
