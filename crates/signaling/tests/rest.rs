//! REST over real HTTP: every path with a right and with wrong requests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/http.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod http;
#[path = "support/offers.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod offers;

use http::{Answer, Server, bearer, start, token};
use offers::{AUDIO, VIDEO, offer};
use plenum_signaling::token::Grants;
use plenum_types::{Bitrate, MediaCommand};
use serde_json::{Value, json};

const JSON: &str = "Content-Type: application/json";

/// `Authorization` of a backend.
fn backend() -> String {
    let grants = Grants {
        room_admin: true,
        room_create: true,
        room_list: true,
        ..Grants::default()
    };
    let token = token("backend", |claims| claims.video = grants);
    format!("Authorization: Bearer {token}")
}

async fn ask(server: &Server, method: &str, path: &str, body: &Value) -> Answer {
    let text = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    server.ask(method, path, &[&backend(), JSON], &text).await
}

async fn get(server: &Server, path: &str) -> Value {
    let answer = ask(server, "GET", path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn rooms_are_opened_listed_and_closed() {
    let server = start(|_| {}).await;
    assert_eq!(get(&server, "/v1/rooms").await, json!([]));
    let spec = json!({"name": "r", "maxParticipants": 1, "emptyTimeout": 60});
    let opened = ask(&server, "POST", "/v1/rooms", &spec).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    let room: Value = serde_json::from_str(&opened.body).unwrap();
    assert_eq!(
        room,
        json!({"id": room["id"], "name": "r", "participants": 0, "publications": 0, "maxParticipants": 1, "emptyTimeout": 60, "maxSlots": 100, "codecs": []})
    );
    ask(&server, "POST", "/v1/rooms", &spec)
        .await
        .assert_problem(409, "roomExists");
    let mut ada = server.witness("ada").await;
    assert_eq!(get(&server, "/v1/rooms").await[0]["participants"], 1);
    assert_eq!(get(&server, "/v1/rooms/r").await["id"], room["id"]);
    let closed = ask(&server, "DELETE", "/v1/rooms/r", &Value::Null).await;
    assert_eq!(closed.status, 204);
    assert_eq!(ada.hear().await["reason"], "roomClosed");
    assert_eq!(get(&server, "/v1/rooms").await, json!([]));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = start(|_| {}).await;
    for (method, path, body) in [
        ("GET", "/v1/rooms/r", Value::Null),
        ("DELETE", "/v1/rooms/r", Value::Null),
        ("GET", "/v1/rooms/r/participants", Value::Null),
        ("GET", "/v1/rooms/r/participants/ada", Value::Null),
        ("PATCH", "/v1/rooms/r/participants/ada", json!({})),
        ("DELETE", "/v1/rooms/r/participants/ada", Value::Null),
        (
            "POST",
            "/v1/rooms/r/participants/ada/mute",
            json!({"publication": "TR_1", "muted": true}),
        ),
        ("GET", "/v1/rooms/r/participants/ada/quality", Value::Null),
    ] {
        let answer = ask(&server, method, path, &body).await;
        answer.assert_problem(404, "unknownRoom");
    }
    let _ada = server.witness("ada").await;
    ask(&server, "GET", "/v1/rooms/r/participants/eve", &Value::Null)
        .await
        .assert_problem(404, "unknownParticipant");
    let mute = json!({"publication": "TR_9", "muted": true});
    ask(&server, "POST", "/v1/rooms/r/participants/ada/mute", &mute)
        .await
        .assert_problem(404, "unknownPublication");
    ask(
        &server,
        "GET",
        "/v1/rooms/r/participants/ada/quality",
        &Value::Null,
    )
    .await
    .assert_problem(409, "noMedia");
}

#[tokio::test]
async fn who_may_not_ask_is_refused() {
    let server = start(|_| {}).await;
    let _ada = server.witness("ada").await;
    server
        .ask("GET", "/v1/rooms", &[], "")
        .await
        .assert_problem(401, "tokenMissing");
    for path in ["/v1/rooms", "/v1/rooms/r", "/v1/rooms/r/participants"] {
        let answer = server.ask("GET", path, &[&bearer("ada")], "").await;
        answer.assert_problem(403, "notPermitted");
    }
    let elsewhere = token("backend", |claims| {
        claims.video = Grants {
            room_admin: true,
            ..Grants::join("other")
        };
    });
    let elsewhere = format!("Authorization: Bearer {elsewhere}");
    let path = "/v1/rooms/r/participants/ada";
    let answer = server.ask("DELETE", path, &[&elsewhere], "").await;
    answer.assert_problem(403, "notPermitted");
}

#[tokio::test]
async fn bodies_that_are_not_right_are_explained() {
    let server = start(|_| {}).await;
    let post = async |headers: &[&str], body: &str| {
        let backend = backend();
        let mut all = vec![backend.as_str()];
        all.extend(headers);
        server.ask("POST", "/v1/rooms", &all, body).await
    };
    post(&[], "{}").await.assert_problem(415, "wrongType");
    for (body, told) in [
        ("{", "EOF"),
        ("{}", "missing field `name`"),
        (r#"{"name":"r","colour":1}"#, "unknown field `colour`"),
        (r#"{"name":"r","maxParticipants":-1}"#, "invalid value"),
    ] {
        let answer = post(&[JSON], body).await;
        answer.assert_problem(400, "badBody");
        assert!(answer.body.contains(told), "{answer:?}");
    }
    for body in [
        r#"{"name":""}"#.to_owned(),
        format!(r#"{{"name":"{}"}}"#, "n".repeat(129)),
        r#"{"name":"r","maxParticipants":0}"#.to_owned(),
        r#"{"name":"r","emptyTimeout":86401}"#.to_owned(),
    ] {
        post(&[JSON], &body).await.assert_problem(422, "outOfRange");
    }
    let large = format!(r#"{{"name":"{}"}}"#, "n".repeat(70_000));
    post(&[JSON], &large).await.assert_problem(413, "tooLarge");
    let answer = ask(&server, "PUT", "/v1/rooms", &Value::Null).await;
    answer.assert_problem(405, "wrongMethod");
    ask(&server, "GET", "/v1/rooms/%ff", &Value::Null)
        .await
        .assert_problem(400, "badPath");
}

#[tokio::test]
async fn who_is_removed_hears_why_and_does_not_come_back() {
    let server = start(|_| {}).await;
    let mut ada = server.witness("ada").await;
    let mut bob = server.witness("bob").await;
    assert_eq!(ada.hear().await["type"], "participantJoined");
    let path = "/v1/rooms/r/participants/bob";
    let removed = ask(&server, "DELETE", path, &Value::Null).await;
    assert_eq!(removed.status, 204);
    let closing = bob.hear().await;
    assert_eq!(
        (&closing["reason"], &closing["reconnect"]),
        (&json!("removed"), &json!(false))
    );
    assert_eq!(ada.hear().await["reason"], "removed");
    let sdp = offer(&[AUDIO, VIDEO]);
    let old = token("bob", |claims| claims.iat = Some(1));
    let old = format!("Authorization: Bearer {old}");
    let headers = [old.as_str(), "Content-Type: application/sdp"];
    let answer = server.ask("POST", "/whip/r", &headers, &sdp).await;
    answer.assert_problem(403, "removed");
    assert_eq!(server.post("/whip/r", "eve", &sdp).await.status, 201);
}

#[tokio::test]
async fn a_participant_is_changed_and_everybody_hears() {
    let server = start(|_| {}).await;
    let mut ada = server.witness("ada").await;
    let sdp = offer(&[AUDIO, VIDEO]);
    assert_eq!(server.post("/whip/r", "cam", &sdp).await.status, 201);
    assert_eq!(ada.hear().await["type"], "participantJoined");
    let path = "/v1/rooms/r/participants/cam";
    let before = get(&server, path).await;
    let publication = before["publications"][1]["id"].clone();

    server.commands();
    let change = json!({"name": "Camera 1", "metadata": "{}", "maxPublishBitrate": 500_000});
    let changed = ask(&server, "PATCH", path, &change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    while ada.hear().await["type"] != "participantUpdated" {}
    assert_eq!(get(&server, path).await["name"], "Camera 1");
    let limit = server
        .commands()
        .into_iter()
        .find_map(|command| match command {
            MediaCommand::LimitPublishing {
                max_publish_bitrate,
                ..
            } => Some(max_publish_bitrate),
            _ => None,
        });
    assert_eq!(limit, Some(Some(Bitrate(500_000))));

    let mute = json!({"publication": publication, "muted": true});
    let muted = ask(&server, "POST", &format!("{path}/mute"), &mute).await;
    assert_eq!(muted.status, 204, "{muted:?}");
    let heard = ada.hear().await;
    assert_eq!(
        (&heard["type"], &heard["muted"]),
        (&json!("muted"), &json!(true))
    );

    let forbid = json!({"canPublishSources": ["microphone"]});
    ask(&server, "PATCH", path, &forbid).await;
    let heard = ada.hear().await;
    assert_eq!(heard["type"], "unpublished");
    let left = get(&server, path).await["publications"].clone();
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["source"], "microphone");
}

#[tokio::test]
async fn a_server_that_is_emptied_lets_nobody_in_until_that_is_taken_back() {
    let server = start(|_| {}).await;
    let mut ada = server.witness("ada").await;
    let spec = json!({"within": 2, "url": "https://b.example"});
    for wrong in [json!({"within": 86_401}), json!({"within": 1, "url": "b"})] {
        ask(&server, "PUT", "/v1/drain", &wrong)
            .await
            .assert_problem(422, "outOfRange");
    }
    let begun = ask(&server, "PUT", "/v1/drain", &spec).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    assert_eq!(
        ada.hear().await,
        json!({"type": "draining", "url": "https://b.example"})
    );
    assert!(!server.signaling.is_ready());
    assert_eq!(get(&server, "/v1/drain").await["draining"], true);
    let sdp = offer(&[AUDIO]);
    let refused = server.post("/whip/r", "cam", &sdp).await;
    refused.assert_problem(503, "draining");
    refused.header("Retry-After");
    let room = json!({"name": "late"});
    ask(&server, "POST", "/v1/rooms", &room)
        .await
        .assert_problem(503, "closing");
    assert_eq!(
        ask(&server, "DELETE", "/v1/drain", &Value::Null)
            .await
            .status,
        204
    );
    assert!(server.signaling.is_ready());
    assert_eq!(server.post("/whip/r", "cam", &sdp).await.status, 201);
    let one_room = token("backend", |claims| {
        claims.video = Grants {
            room_admin: true,
            ..Grants::join("r")
        };
    });
    let one_room = format!("Authorization: Bearer {one_room}");
    let answer = server
        .ask("PUT", "/v1/drain", &[&one_room, JSON], r#"{"within":1}"#)
        .await;
    answer.assert_problem(403, "notPermitted");
}

#[tokio::test]
async fn a_backend_sends_data_to_all_or_to_some() {
    let server = start(|_| {}).await;
    let _ada = server.witness("ada").await;
    let sdp = offer(&[AUDIO]);
    assert_eq!(server.post("/whip/r", "cam", &sdp).await.status, 201);
    server.commands();
    let spec = json!({"text": "hello", "topic": "news", "to": ["ada"]});
    let sent = ask(&server, "POST", "/v1/rooms/r/data", &spec).await;
    assert_eq!(sent.status, 202, "{sent:?}");
    let delivered = server
        .commands()
        .into_iter()
        .find_map(|command| match command {
            MediaCommand::DeliverData(message) => Some(message),
            _ => None,
        });
    let message = delivered.unwrap();
    assert_eq!(
        (message.from, message.to.len(), message.reliable),
        (None, 1, true)
    );
    assert_eq!(message.payload, b"hello");
    for (spec, status, code) in [
        (
            json!({"text": "x", "to": ["eve"]}),
            404,
            "unknownParticipant",
        ),
        (
            json!({"text": "x", "topic": "t".repeat(256)}),
            422,
            "outOfRange",
        ),
        (json!({"topic": "x"}), 400, "badBody"),
    ] {
        ask(&server, "POST", "/v1/rooms/r/data", &spec)
            .await
            .assert_problem(status, code);
    }
}

#[tokio::test]
async fn the_description_names_every_path() {
    let server = start(|_| {}).await;
    let answer = server.ask("GET", "/openapi.json", &[], "").await;
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 9);
    assert!(document["components"]["securitySchemes"]["token"].is_object());
    for methods in paths.values() {
        for operation in methods.as_object().unwrap().values() {
            assert!(operation["responses"]["401"].is_object());
        }
    }
    let page = server.ask("GET", "/docs", &[], "").await;
    assert!(page.body.contains("/openapi.json"));
}
