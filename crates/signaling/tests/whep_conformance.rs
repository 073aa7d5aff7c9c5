//! The rules of WHEP (draft-ietf-wish-whep) that are not those of WHIP, over real HTTP, by the
//! headings of the draft; and whom a viewer sees.

#[path = "support/http.rs"]
mod http;
#[path = "support/offers.rs"]
mod offers;

use http::{Answer, CANDIDATES, Server, bearer, start, stun, token, turn};
use offers::{AUDIO, Line, RESTART, TRICKLE, VIDEO, offer};
use plenum_types::{MediaCommand, MediaKind, PublicationId, SlotPolicy};

const HEAR: Line = Line {
    direction: "recvonly",
    ..AUDIO
};
const SEE: Line = Line {
    direction: "recvonly",
    ..VIDEO
};

/// `identity` publishes these lines.
async fn publish(server: &Server, identity: &str, lines: &[Line]) -> Answer {
    let answer = server.post("/whip/r", identity, &offer(lines)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

async fn play(server: &Server, query: &str, lines: &[Line]) -> Answer {
    let path = format!("/whep/r{query}");
    let answer = server.post(&path, "viewer", &offer(lines)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

/// What the slots that were added show, in the order of the offer.
fn policies(commands: &[MediaCommand]) -> Vec<SlotPolicy> {
    let mut slots: Vec<_> = commands
        .iter()
        .filter_map(|command| match command {
            MediaCommand::AddSlot { slot, .. } => Some((slot.slot, slot.wish.policy)),
            _ => None,
        })
        .collect();
    slots.sort_unstable_by_key(|(slot, _)| *slot);
    slots.into_iter().map(|(_, policy)| policy).collect()
}

/// The publications that were added of a kind, oldest first.
fn published(commands: &[MediaCommand], kind: MediaKind) -> Vec<PublicationId> {
    commands
        .iter()
        .filter_map(|command| match command {
            MediaCommand::AddPublication { publication, .. } if publication.kind == kind => {
                Some(publication.publication)
            }
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn http_usage_resources_have_no_representation() {
    let server = start(|_| {}).await;
    publish(&server, "ada", &[AUDIO]).await;
    let session = play(&server, "", &[HEAR]).await;
    let session = session.header("Location");
    for path in ["/whep/r", session] {
        let answer = server.ask("GET", path, &[&bearer("viewer")], "").await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        let answer = server.ask("PUT", path, &[&bearer("viewer")], "").await;
        answer.assert_problem(405, "wrongMethod");
    }
}

#[tokio::test]
async fn playback_session_set_up_the_offer_is_answered() {
    let server = start(|_| {}).await;
    publish(&server, "ada", &[AUDIO, VIDEO]).await;
    let answer = play(&server, "", &[HEAR, SEE]).await;
    assert_eq!(answer.header("Content-Type"), "application/sdp");
    assert!(answer.header("Location").starts_with("/whep/r/"));
    assert!(answer.header("ETag").starts_with('"'));
    assert_eq!(
        answer.header("Accept-Patch"),
        "application/trickle-ice-sdpfrag"
    );
    assert_eq!(answer.lines("a=sendonly").len(), 2);
    assert_eq!(answer.lines("a=rtcp-mux-only").len(), 2);
    assert_eq!(answer.lines("a=msid:").len(), 2);
    assert_eq!(answer.lines("a=candidate:").len(), CANDIDATES);
    assert_eq!(answer.lines("a=end-of-candidates").len(), 1);
    // What the player offered to send is not taken.
    let both = [HEAR.direction("sendrecv"), SEE.direction("sendrecv")];
    let answer = play(&server, "", &both).await;
    assert_eq!(answer.lines("a=sendonly").len(), 2);
    assert_eq!(server.signaling.stats().publications, 2);
}

#[tokio::test]
async fn playback_session_set_up_bad_offers_are_rejected() {
    let server = start(|config| config.limits.slots = 2).await;
    publish(&server, "ada", &[AUDIO, VIDEO]).await;
    let post = async |offer: &str| server.post("/whep/r", "viewer", offer).await;
    for direction in ["sendonly", "inactive"] {
        let answer = post(&offer(&[HEAR, SEE.direction(direction)])).await;
        answer.assert_problem(400, "sdpInvalid");
        assert!(answer.body.contains("a=recvonly on m-line 1"), "{answer:?}");
    }
    post("v=0\r\n").await.assert_problem(400, "sdpInvalid");
    post(&offer(&[HEAR, SEE, SEE]))
        .await
        .assert_problem(422, "tooManySlots");
    let headers = [&bearer("viewer"), "Content-Type: text/plain"];
    let answer = server
        .ask("POST", "/whep/r", &headers, &offer(&[HEAR]))
        .await;
    answer.assert_problem(415, "wrongType");
    let twice = "/whep/r?participant=a&participant=b";
    let answer = server.post(twice, "viewer", &offer(&[HEAR])).await;
    answer.assert_problem(400, "badQuery");
    assert_eq!(server.signaling.stats().participants, 1);
}

#[tokio::test]
async fn session_management_nothing_live_is_a_conflict() {
    let server = start(|_| {}).await;
    let waits = async |path: &str| {
        let answer = server.post(path, "viewer", &offer(&[HEAR, SEE])).await;
        answer.assert_problem(409, "nothingLive");
        let after: u32 = answer.header("Retry-After").parse().unwrap();
        assert!(after > 0);
    };
    waits("/whep/r").await;
    // Nobody has made a room by waiting for it; a room without publications is not live either.
    assert_eq!(server.signaling.stats().rooms, 0);
    let _listener = server.witness("bob").await;
    waits("/whep/r").await;
    waits("/whep/r?participant=bob").await;
    let live = publish(&server, "ada", &[AUDIO]).await;
    play(&server, "", &[HEAR, SEE]).await;
    waits("/whep/r?participant=bob").await;
    waits("/whep/r?participant=nobody").await;
    let session = live.header("Location");
    server.ask("DELETE", session, &[&bearer("ada")], "").await;
    waits("/whep/r").await;
}

#[tokio::test]
async fn playback_session_termination_by_delete() {
    let server = start(|_| {}).await;
    publish(&server, "ada", &[AUDIO, VIDEO]).await;
    let answer = play(&server, "", &[HEAR, SEE]).await;
    let session = answer.header("Location");
    server.commands();
    let headers = [&bearer("viewer"), "If-Match: \"other\""];
    let answer = server.ask("DELETE", session, &headers, "").await;
    assert_eq!(answer.status, 200);
    let commands = server.commands();
    assert!(matches!(commands[..], [MediaCommand::RemovePeer { .. }]));
    let answer = server.ask("DELETE", session, &headers, "").await;
    answer.assert_problem(404, "unknownSession");
    assert_eq!(server.signaling.stats().slots, 0);
}

#[tokio::test]
async fn playback_session_termination_options_for_cors() {
    let ice = turn("turn:t.example.net", "u", "c");
    let server = start(|config| config.ice_servers = vec![ice, stun("stun:s.example.net")]).await;
    for path in ["/whep/r", "/whep/r/any"] {
        let answer = server.ask("OPTIONS", path, &[], "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("Accept-Post"), "application/sdp");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), "*");
        assert!(answer.all("Link").is_empty());
    }
    publish(&server, "ada", &[AUDIO]).await;
    let answer = play(&server, "", &[HEAR]).await;
    assert_eq!(answer.all("Link").len(), 2);
    let exposed = answer.header("Access-Control-Expose-Headers");
    assert!(exposed.contains("Location") && exposed.contains("ETag"));
}

#[tokio::test]
async fn ice_support_patches_are_conditional() {
    let server = start(|_| {}).await;
    publish(&server, "ada", &[AUDIO, VIDEO]).await;
    let answer = play(&server, "", &[HEAR, SEE]).await;
    let (session, tag) = (answer.header("Location"), answer.header("ETag"));
    let patch = async |condition: Option<&str>, fragment: &str| {
        server.patch(session, "viewer", condition, fragment).await
    };
    patch(None, TRICKLE)
        .await
        .assert_problem(428, "unconditional");
    patch(Some("\"x\""), TRICKLE)
        .await
        .assert_problem(412, "stale");
    let trickled = patch(Some(tag), TRICKLE).await;
    assert_eq!((trickled.status, trickled.body.as_str()), (204, ""));
    assert!(trickled.all("ETag").is_empty());
    let restarted = patch(Some("*"), RESTART).await;
    assert_eq!(restarted.status, 200);
    assert_eq!(restarted.lines("a=group:"), ["BUNDLE 0 1"]);
    assert_eq!(restarted.lines("a=mid:"), ["0"]);
    assert_eq!(restarted.lines("a=ice-ufrag:").len(), 1);
    assert_ne!(restarted.header("ETag"), tag);
    patch(Some(tag), TRICKLE).await.assert_problem(412, "stale");
}

#[tokio::test]
async fn authentication_viewers_need_a_token_that_lets_them_subscribe() {
    let server = start(|_| {}).await;
    publish(&server, "ada", &[AUDIO]).await;
    let kind = "Content-Type: application/sdp";
    let offer = offer(&[HEAR]);
    let answer = server.ask("POST", "/whep/r", &[kind], &offer).await;
    answer.assert_problem(401, "tokenMissing");
    answer.header("WWW-Authenticate");
    for (token, status) in [
        (
            token("v", |claims| claims.video.can_subscribe = Some(false)),
            403,
        ),
        (
            token("v", |claims| claims.video.room = Some("x".into())),
            403,
        ),
        (token("v", |claims| claims.exp = 1), 401),
        // Who may not publish may play, hidden or not.
        (
            token("v", |claims| claims.video.can_publish = Some(false)),
            201,
        ),
        (token("v", |claims| claims.video.hidden = true), 201),
    ] {
        let bearer = format!("Authorization: Bearer {token}");
        let answer = server
            .ask("POST", "/whep/r", &[&bearer, kind], &offer)
            .await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn viewers_are_hidden_and_replace_nobody() {
    let server = start(|_| {}).await;
    let mut witness = server.witness("ada").await;
    publish(&server, "bob", &[AUDIO]).await;
    assert_eq!(witness.hear().await["type"], "participantJoined");
    assert_eq!(witness.hear().await["type"], "published");
    // One token, as a page that many open has it; even that of somebody in the room.
    for _ in 0..3 {
        let answer = server.post("/whep/r", "ada", &offer(&[HEAR, SEE])).await;
        assert_eq!(answer.status, 201);
    }
    let stats = server.signaling.stats();
    assert_eq!((stats.participants, stats.slots), (5, 6));
    witness.say(r#"{"type":"ping","at":1}"#).await;
    assert_eq!(witness.hear().await["type"], "pong");
}

#[tokio::test]
async fn slots_follow_who_speaks() {
    let server = start(|_| {}).await;
    publish(&server, "ada", &[AUDIO, VIDEO]).await;
    server.commands();
    // As many slots as are offered.
    play(&server, "", &[HEAR, SEE, SEE, HEAR]).await;
    assert_eq!(policies(&server.commands()), [SlotPolicy::SpeakerOrder; 4]);
}

#[tokio::test]
async fn slots_follow_a_participant_through_all_it_publishes() {
    let server = start(|_| {}).await;
    publish(&server, "bob", &[AUDIO, VIDEO]).await;
    server.commands();
    let session = publish(&server, "ada", &[AUDIO, VIDEO]).await;
    let commands = server.commands();
    let voice = published(&commands, MediaKind::Audio)[0];
    let camera = published(&commands, MediaKind::Video)[0];
    play(&server, "?participant=ada", &[HEAR, SEE, SEE]).await;
    assert_eq!(
        policies(&server.commands()),
        [
            SlotPolicy::Pinned(voice),
            SlotPolicy::Pinned(camera),
            SlotPolicy::Off
        ]
    );
    // Ada comes back with two pictures: her viewers are there already.
    let session = session.header("Location");
    server.ask("DELETE", session, &[&bearer("ada")], "").await;
    server.commands();
    publish(&server, "ada", &[VIDEO, VIDEO]).await;
    let commands = server.commands();
    let pictures = published(&commands, MediaKind::Video);
    let mut wishes: Vec<_> = commands
        .iter()
        .filter_map(|command| match command {
            MediaCommand::SetSlotWish { slot, wish, .. } => Some((*slot, wish.policy)),
            _ => None,
        })
        .collect();
    wishes.sort_unstable_by_key(|(slot, _)| *slot);
    let policies: Vec<_> = wishes.into_iter().map(|(_, policy)| policy).collect();
    assert_eq!(
        policies,
        [
            SlotPolicy::Off,
            SlotPolicy::Pinned(pictures[0]),
            SlotPolicy::Pinned(pictures[1])
        ]
    );
    // What others publish concerns nobody here.
    publish(&server, "eve", &[VIDEO]).await;
    let commands = server.commands();
    assert!(
        !commands
            .iter()
            .any(|command| matches!(command, MediaCommand::SetSlotWish { .. }))
    );
}
