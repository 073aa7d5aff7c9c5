//! RFC 9725, rule by rule, over real HTTP. Each test names the section whose rules it walks; what
//! the RFC asks of clients or of media is not here (`tests/interop` has both).

#[path = "support/http.rs"]
mod http;
#[path = "support/offers.rs"]
mod offers;

use http::{Answer, CANDIDATES, Server, bearer, start, stun, token, turn};
use offers::{AUDIO, Line, RESTART, TRICKLE, VIDEO, offer};
use plenum_types::{CloseReason, MediaCommand, MediaEvent, PeerId, ShardId};

/// A session of `ada` with sound and a picture.
async fn open(server: &Server) -> Answer {
    let answer = server.post("/whip/r", "ada", &offer(&[AUDIO, VIDEO])).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

fn peer_added(commands: &[MediaCommand]) -> PeerId {
    let mut peers = commands.iter().filter_map(|command| match command {
        MediaCommand::AddPeer(config) => Some(config.peer),
        _ => None,
    });
    peers.next().expect("a peer")
}

fn removes(commands: &[MediaCommand], ended: PeerId) -> bool {
    commands
        .iter()
        .any(|command| matches!(command, MediaCommand::RemovePeer { peer } if *peer == ended))
}

#[tokio::test]
async fn section_4_1_resources_have_no_representation() {
    let server = start(|_| {}).await;
    let session = open(&server).await.header("Location").to_owned();
    for path in ["/whip/r", &session] {
        for method in ["GET", "HEAD"] {
            let answer = server.ask(method, path, &[&bearer("ada")], "").await;
            assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        }
    }
    for (method, path) in [
        ("PUT", "/whip/r"),
        ("DELETE", "/whip/r"),
        ("POST", &session),
    ] {
        let answer = server.ask(method, path, &[&bearer("ada")], "").await;
        answer.assert_problem(405, "wrongMethod");
        assert!(answer.header("Allow").contains("OPTIONS"));
    }
}

#[tokio::test]
async fn section_4_2_an_offer_is_answered_with_a_session() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    assert_eq!(answer.header("Content-Type"), "application/sdp");
    let location = answer.header("Location");
    let key = location.strip_prefix("/whip/r/").unwrap();
    assert!(key.len() >= 20 && !key.contains('/'), "{location}");
    assert!(answer.body.starts_with("v=0\r\n"));
    // The client sends, whatever else it offered; we only receive.
    assert_eq!(answer.lines("a=recvonly").len(), 2);
    let both = [AUDIO.direction("sendrecv"), VIDEO.direction("sendrecv")];
    let answer = server.post("/whip/r", "bob", &offer(&both)).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.lines("a=recvonly").len(), 2);
    assert!(answer.lines("a=ssrc:").is_empty());
    // Rooms are named by their percent-encoded names, and addresses are built from what was sent.
    let token = token("eve", |claims| claims.video.room = Some("a/b c".into()));
    let headers = [
        &format!("Authorization: bearer {token}"),
        "Content-Type: application/sdp; charset=utf-8",
    ];
    let answer = server
        .ask("POST", "/whip/a%2Fb%20c", &headers, &offer(&[AUDIO]))
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(answer.header("Location").starts_with("/whip/a%2Fb%20c/"));
}

#[tokio::test]
async fn section_4_2_other_types_and_malformed_offers_are_rejected() {
    let server = start(|_| {}).await;
    let whole = offer(&[AUDIO, VIDEO]);
    for kind in ["text/plain", "application/json", "application/sdpx"] {
        let kind = format!("Content-Type: {kind}");
        let headers = [&bearer("ada"), kind.as_str()];
        let answer = server.ask("POST", "/whip/r", &headers, &whole).await;
        answer.assert_problem(415, "wrongType");
    }
    let answer = server
        .ask("POST", "/whip/r", &[&bearer("ada")], &whole)
        .await;
    answer.assert_problem(415, "wrongType");
    let without = |start: &str| {
        let lines = whole.lines().filter(|line| !line.starts_with(start));
        lines.collect::<Vec<_>>().join("\r\n")
    };
    for (offer, code) in [
        (String::new(), "sdpInvalid"),
        ("hello".to_owned(), "sdpInvalid"),
        ("v=0\r\nnonsense".to_owned(), "sdpInvalid"),
        (without("m="), "sdpInvalid"),
        (without("a=ice-pwd"), "sdpNoIce"),
        (without("a=fingerprint"), "sdpNoFingerprint"),
    ] {
        let answer = server.post("/whip/r", "ada", &offer).await;
        answer.assert_problem(400, code);
    }
    // Directions in which nothing would come are not taken.
    for direction in ["recvonly", "inactive"] {
        let lines = [AUDIO, VIDEO.direction(direction)];
        let answer = server.post("/whip/r", "ada", &offer(&lines)).await;
        answer.assert_problem(400, "sdpInvalid");
        assert!(answer.body.contains("a=sendonly on m-line 1"), "{answer:?}");
    }
    assert_eq!(server.signaling.stats().rooms, 0);
    assert!(server.commands().is_empty());
}

#[tokio::test]
async fn section_4_2_delete_ends_the_session_at_once() {
    let server = start(|_| {}).await;
    let session = open(&server).await.header("Location").to_owned();
    let peer = peer_added(&server.commands());
    let answer = server.ask("DELETE", &session, &[&bearer("ada")], "").await;
    assert_eq!(answer.status, 200);
    // The shard closes DTLS and takes no more checks: consent is revoked (RFC 7675 §5.2).
    assert!(removes(&server.commands(), peer));
    for method in ["DELETE", "GET"] {
        let answer = server.ask(method, &session, &[&bearer("ada")], "").await;
        answer.assert_problem(404, "unknownSession");
    }
    let answer = server.patch(&session, "ada", Some("*"), RESTART).await;
    answer.assert_problem(404, "unknownSession");
    assert_eq!(server.signaling.stats().participants, 0);
}

#[tokio::test]
async fn section_4_2_the_session_ends_with_its_transport() {
    let server = start(|_| {}).await;
    let mut witness = server.witness("bob").await;
    for reason in [CloseReason::ConsentExpired, CloseReason::ClosedByClient] {
        let session = open(&server).await.header("Location").to_owned();
        let peer = peer_added(&server.commands());
        let joined = witness.hear().await;
        assert_eq!(joined["type"], "participantJoined");
        assert_eq!(joined["participant"]["kind"], "ingress");
        assert_eq!(joined["participant"]["identity"], "ada");
        for _ in 0..2 {
            assert_eq!(witness.hear().await["type"], "published");
        }
        let event = MediaEvent::PeerClosed { peer, reason };
        server.signaling.handle_media_event(ShardId(0), event);
        assert_eq!(witness.hear().await["type"], "participantLeft");
        let answer = server.ask("GET", &session, &[&bearer("ada")], "").await;
        answer.assert_problem(404, "unknownSession");
    }
}

#[tokio::test]
async fn section_4_2_options_answer_pages_of_other_origins() {
    let ice = turn("turn:t.example.net", "u", "c");
    let server = start(|config| config.ice_servers = vec![ice]).await;
    let preflight = [
        "Origin: https://app.example.net",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization,content-type",
    ];
    for (path, method) in [("/whip/r", "POST"), ("/whip/r/any", "PATCH")] {
        let answer = server.ask("OPTIONS", path, &preflight, "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("Accept-Post"), "application/sdp");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), "*");
        let methods = answer.header("Access-Control-Allow-Methods");
        assert!(methods.contains(method), "{methods}");
        let allowed = answer.header("Access-Control-Allow-Headers");
        for header in ["Authorization", "Content-Type", "If-Match"] {
            assert!(allowed.contains(header), "{allowed}");
        }
        // Anybody may ask this: nothing secret is in it.
        assert!(answer.all("Link").is_empty());
        assert!(answer.all("Access-Control-Allow-Credentials").is_empty());
    }
    let answer = open(&server).await;
    let exposed = answer.header("Access-Control-Expose-Headers");
    for header in ["Location", "Link", "ETag"] {
        assert!(exposed.contains(header), "{exposed}");
    }
}

#[tokio::test]
async fn section_4_3_1_sessions_have_strong_entity_tags() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    let tag = answer.header("ETag").to_owned();
    let inner = tag.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    assert!(!inner.is_empty() && !inner.contains('"'));
    assert_eq!(
        answer.header("Accept-Patch"),
        "application/trickle-ice-sdpfrag"
    );
    let session = answer.header("Location").to_owned();
    let patch =
        async |condition: Option<&str>| server.patch(&session, "ada", condition, TRICKLE).await;
    patch(None).await.assert_problem(428, "unconditional");
    patch(Some("\"other\"")).await.assert_problem(412, "stale");
    let weak = format!("W/{tag}");
    patch(Some(&weak)).await.assert_problem(412, "stale");
    patch(Some(inner)).await.assert_problem(400, "badCondition");
    let several = format!("\"other\", {tag}");
    assert_eq!(patch(Some(&several)).await.status, 204);
    // DELETE is about the session, whichever ICE session it has.
    let headers = [&bearer("ada"), "If-Match: \"other\""];
    let answer = server.ask("DELETE", &session, &headers, "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn section_4_3_1_other_types_and_malformed_fragments_are_rejected() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    let session = answer.header("Location");
    let condition = format!("If-Match: {}", answer.header("ETag"));
    for kind in ["application/sdp", "text/plain"] {
        let kind = format!("Content-Type: {kind}");
        let headers = [&bearer("ada"), condition.as_str(), &kind];
        let answer = server.ask("PATCH", session, &headers, TRICKLE).await;
        answer.assert_problem(415, "wrongType");
    }
    for (fragment, code) in [
        ("hello", "sdpInvalid"),
        ("a=candidate:1 1 udp", "sdpInvalid"),
        ("a=ice-ufrag:ysXw", "sdpNoIce"),
    ] {
        let answer = server
            .patch(session, "ada", Some(answer.header("ETag")), fragment)
            .await;
        answer.assert_problem(400, code);
    }
}

#[tokio::test]
async fn section_4_3_2_the_answer_has_all_candidates() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    let candidates = answer.lines("a=candidate:");
    assert_eq!(candidates.len(), CANDIDATES);
    assert!(candidates[0].ends_with("192.0.2.1 7882 typ host"));
    assert!(candidates[1].ends_with("2001:db8::1 7882 typ host"));
    assert!(candidates[2].ends_with("192.0.2.1 7881 typ host tcptype passive"));
    assert!(candidates[3].ends_with("2001:db8::1 7881 typ host tcptype passive"));
    assert_eq!(answer.lines("a=end-of-candidates").len(), 1);
    assert_eq!(answer.lines("a=ice-lite").len(), 1);
}

#[tokio::test]
async fn section_4_3_2_candidates_are_taken_without_a_body_or_a_tag() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    let (session, tag) = (answer.header("Location"), answer.header("ETag"));
    server.commands();
    // Transports and addresses that are of no use are passed over.
    for fragment in [TRICKLE, "a=end-of-candidates\r\n", ""] {
        let answer = server.patch(session, "ada", Some(tag), fragment).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        assert!(answer.all("ETag").is_empty());
    }
    assert!(server.commands().is_empty());
}

#[tokio::test]
async fn section_4_3_3_new_credentials_restart_ice() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    let (session, tag) = (answer.header("Location"), answer.header("ETag"));
    let peer = peer_added(&server.commands());
    let before = answer.lines("a=ice-ufrag:")[0].to_owned();
    let restarted = server.patch(session, "ada", Some("*"), RESTART).await;
    assert_eq!(restarted.status, 200);
    assert_eq!(
        restarted.header("Content-Type"),
        "application/trickle-ice-sdpfrag"
    );
    let [ufrag] = restarted.lines("a=ice-ufrag:")[..] else {
        panic!("{restarted:?}");
    };
    assert_ne!(ufrag, before);
    assert_eq!(restarted.lines("a=ice-pwd:").len(), 1);
    assert_eq!(restarted.lines("a=candidate:").len(), CANDIDATES);
    // The same options as in the answer.
    assert_eq!(restarted.lines("a=ice-lite").len(), 1);
    assert_eq!(restarted.lines("a=ice-options:"), ["trickle ice2"]);
    let commands = server.commands();
    let [
        MediaCommand::RestartIce {
            peer: whose,
            local,
            remote,
        },
    ] = &commands[..]
    else {
        panic!("{commands:?}");
    };
    assert_eq!((*whose, local.ufrag.as_str()), (peer, ufrag));
    assert_eq!(remote.ufrag, "ysXw");
    // The tag stands for the new ICE session from here on.
    let new_tag = restarted.header("ETag");
    assert_ne!(new_tag, tag);
    let late = server.patch(session, "ada", Some(tag), TRICKLE).await;
    late.assert_problem(412, "stale");
    let trickle = server.patch(session, "ada", Some(new_tag), RESTART).await;
    assert_eq!(trickle.status, 204);
}

#[tokio::test]
async fn section_4_3_3_a_failed_restart_leaves_the_session_running() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    let (session, tag) = (answer.header("Location"), answer.header("ETag"));
    server.commands();
    let short = "a=ice-ufrag:ysXw\r\na=ice-pwd:short\r\n";
    let failed = server.patch(session, "ada", Some("*"), short).await;
    failed.assert_problem(400, "sdpNoIce");
    let failed = server.patch(session, "ada", Some("\"x\""), RESTART).await;
    failed.assert_problem(412, "stale");
    let failed = server.patch(session, "ada", None, RESTART).await;
    failed.assert_problem(428, "unconditional");
    assert!(server.commands().is_empty());
    let trickle = server.patch(session, "ada", Some(tag), TRICKLE).await;
    assert_eq!(trickle.status, 204);
}

#[tokio::test]
async fn section_4_4_1_everything_is_bundled_and_multiplexed() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    assert_eq!(answer.lines("a=group:"), ["BUNDLE 0 1"]);
    assert_eq!(answer.lines("a=rtcp-mux-only").len(), 2);
    assert_eq!(answer.lines("a=rtcp-mux").len(), 4);
    // A lone m-line as well.
    let answer = server.post("/whip/r", "bob", &offer(&[VIDEO])).await;
    assert_eq!(answer.lines("a=rtcp-mux-only").len(), 1);
    let whole = offer(&[AUDIO, VIDEO]);
    let apart = whole.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0");
    let answer = server.post("/whip/r", "eve", &apart).await;
    answer.assert_problem(400, "sdpNoBundle");
    let answer = server
        .post("/whip/r", "eve", &whole.replace("a=rtcp-mux\r\n", ""))
        .await;
    answer.assert_problem(400, "sdpNoRtcpMux");
}

#[tokio::test]
async fn section_4_4_2_more_tracks_than_are_supported_are_rejected() {
    let server = start(|config| config.limits.publications = 3).await;
    // More than the RFC has clients send is no error as long as it is supported.
    let three = offer(&[AUDIO, VIDEO, VIDEO]);
    let answer = server.post("/whip/r", "ada", &three).await;
    assert_eq!(answer.status, 201);
    let four = offer(&[AUDIO, VIDEO, VIDEO, VIDEO]);
    let answer = server.post("/whip/r", "ada", &four).await;
    answer.assert_problem(422, "tooManyPublications");
    // The refused one replaced nobody.
    assert_eq!(server.signaling.stats().publications, 3);
}

#[tokio::test]
async fn section_4_4_3_no_answer_is_a_partial_success() {
    let server = start(|_| {}).await;
    let whole = offer(&[AUDIO, VIDEO]);
    let foreign = whole.replace("VP8", "VP7");
    let answer = server.post("/whip/r", "ada", &foreign).await;
    answer.assert_problem(422, "sdpNoCommonCodec");
    let text = format!("{whole}m=text 9 RTP/SAVPF 98\r\na=mid:2\r\n")
        .replace("BUNDLE 0 1", "BUNDLE 0 1 2");
    let answer = server.post("/whip/r", "ada", &text).await;
    answer.assert_problem(400, "sdpInvalid");
    // A token for sound alone does not make a broadcast without a picture.
    let microphone = token("ada", |claims| {
        claims.video.can_publish_sources = vec!["microphone".into()];
    });
    let headers = [
        &format!("Authorization: Bearer {microphone}"),
        "Content-Type: application/sdp",
    ];
    let answer = server.ask("POST", "/whip/r", &headers, &whole).await;
    answer.assert_problem(403, "notPermitted");
    let sound = offer(&[AUDIO]);
    let answer = server.ask("POST", "/whip/r", &headers, &sound).await;
    assert_eq!(answer.status, 201);
    // What the client itself gave up is no error.
    let given_up = format!("{whole}m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\n");
    let answer = server.post("/whip/r", "bob", &given_up).await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn section_4_4_4_the_server_is_passive() {
    let server = start(|_| {}).await;
    for role in ["actpass", "active"] {
        let offer = offer(&[AUDIO, VIDEO]).replace("actpass", role);
        let answer = server.post("/whip/r", "ada", &offer).await;
        assert_eq!(answer.lines("a=setup:"), ["passive", "passive"]);
    }
    let passive = offer(&[AUDIO, VIDEO]).replace("actpass", "passive");
    let answer = server.post("/whip/r", "ada", &passive).await;
    answer.assert_problem(400, "sdpInvalid");
}

#[tokio::test]
async fn section_4_5_a_full_server_says_when_to_come_again() {
    let server = start(|config| config.limits.participants = 1).await;
    let session = open(&server).await.header("Location").to_owned();
    let answer = server.post("/whip/r", "bob", &offer(&[AUDIO])).await;
    answer.assert_problem(503, "roomFull");
    let after: u32 = answer.header("Retry-After").parse().unwrap();
    assert!(after > 0);
    // The same identity takes its own place: an encoder that comes back finds its room open.
    open(&server).await;
    let answer = server.ask("GET", &session, &[&bearer("ada")], "").await;
    answer.assert_problem(404, "unknownSession");
    assert_eq!(server.signaling.stats().participants, 1);
    let full = start(|config| config.limits.connections = 0).await;
    let answer = full.post("/whip/r", "ada", &offer(&[AUDIO])).await;
    answer.assert_problem(503, "serverFull");
    answer.header("Retry-After");
    full.signaling
        .close(std::time::Duration::from_secs(1))
        .await;
    let answer = full.post("/whip/r", "ada", &offer(&[AUDIO])).await;
    answer.assert_problem(503, "closing");
    answer.header("Retry-After");
}

#[tokio::test]
async fn section_4_6_ice_servers_come_as_links() {
    let servers = vec![
        stun("stun:stun.example.net"),
        turn("turn:turn.example.net?transport=udp", "user", "secret"),
    ];
    let server = start(|config| config.ice_servers = servers).await;
    let answer = open(&server).await;
    assert_eq!(
        answer.all("Link"),
        [
            "<stun:stun.example.net>; rel=\"ice-server\"",
            "<turn:turn.example.net?transport=udp>; rel=\"ice-server\"; username=\"user\"; \
             credential=\"secret\"; credential-type=\"password\"",
        ]
    );
}

#[tokio::test]
async fn section_4_7_1_every_request_needs_a_bearer_token() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    let session = answer.header("Location");
    let ways = [
        ("POST", "/whip/r"),
        ("GET", "/whip/r"),
        ("PATCH", session),
        ("DELETE", session),
        ("GET", session),
    ];
    let expired = token("ada", |claims| claims.exp = 1);
    let kinds = "Content-Type: application/sdp";
    for (method, path) in ways {
        for header in [
            "X-Nothing: 1",
            "Authorization: Basic YTpi",
            "Authorization: Bearer ",
        ] {
            let answer = server.ask(method, path, &[header, kinds], "").await;
            answer.assert_problem(401, "tokenMissing");
            // RFC 6750 §3.1: without a token there is no error to tell.
            assert_eq!(answer.header("WWW-Authenticate"), "Bearer realm=\"plenum\"");
        }
        for (token, code) in [
            ("a.b.c", "tokenInvalid"),
            (expired.as_str(), "tokenExpired"),
        ] {
            let header = format!("Authorization: Bearer {token}");
            let answer = server.ask(method, path, &[&header, kinds], "").await;
            answer.assert_problem(401, code);
            let challenge = answer.header("WWW-Authenticate");
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        }
    }
}

#[tokio::test]
async fn section_4_7_1_tokens_are_held_to_their_grants() {
    let server = start(|_| {}).await;
    let answer = open(&server).await;
    let session = answer.header("Location");
    let wrong_room = token("ada", |claims| claims.video.room = Some("other".into()));
    let no_join = token("ada", |claims| claims.video.room_join = false);
    let no_publish = token("ada", |claims| claims.video.can_publish = Some(false));
    let hidden = token("ada", |claims| claims.video.hidden = true);
    for (token, code) in [
        (&wrong_room, "wrongRoom"),
        (&no_join, "notPermitted"),
        (&no_publish, "notPermitted"),
        (&hidden, "notPermitted"),
    ] {
        let header = format!("Authorization: Bearer {token}");
        let post = [header.as_str(), "Content-Type: application/sdp"];
        let answer = server.ask("POST", "/whip/r", &post, &offer(&[AUDIO])).await;
        answer.assert_problem(403, code);
        let challenge = answer.header("WWW-Authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\""));
        let answer = server.ask("DELETE", session, &[&header], "").await;
        answer.assert_problem(403, code);
    }
    // Nor does anybody else's token end the session, nor its key in another room or protocol.
    let answer = server.ask("DELETE", session, &[&bearer("bob")], "").await;
    answer.assert_problem(403, "notPermitted");
    let key = session.rsplit_once('/').unwrap().1;
    let other = format!("/whep/r/{key}");
    let answer = server.ask("DELETE", &other, &[&bearer("ada")], "").await;
    answer.assert_problem(404, "unknownSession");
    let answer = server.ask("GET", session, &[&bearer("ada")], "").await;
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn section_4_8_simulcast_is_answered_as_offered() {
    let server = start(|_| {}).await;
    let simulcast = Line {
        rids: &["q", "h", "f"],
        ..VIDEO
    };
    let answer = server
        .post("/whip/r", "ada", &offer(&[AUDIO, simulcast]))
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.lines("a=rid:"), ["q recv", "h recv", "f recv"]);
    assert_eq!(answer.lines("a=simulcast:"), ["recv q;h;f"]);
    assert!(
        answer
            .lines("a=extmap:")
            .contains(&"10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id")
    );
    let commands = server.commands();
    let encodings = commands.iter().find_map(|command| match command {
        MediaCommand::AddPublication { publication, .. } if publication.encodings.len() > 1 => {
            Some(&publication.encodings)
        }
        _ => None,
    });
    let rids: Vec<String> = encodings
        .unwrap()
        .iter()
        .map(|encoding| encoding.rid.unwrap().to_string())
        .collect();
    assert_eq!(rids, ["q", "h", "f"]);
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused() {
    let server = start(|config| config.limits.message_bytes = 4_096).await;
    let large = offer(&[AUDIO, VIDEO]) + &"a=x\r\n".repeat(2_000);
    let answer = server.post("/whip/r", "ada", &large).await;
    answer.assert_problem(413, "tooLarge");
    let headers = [&bearer("ada"), "Content-Type: application/sdp"];
    let answer = server
        .ask("POST", "/whip/%FF", &headers, &offer(&[AUDIO]))
        .await;
    answer.assert_problem(400, "badPath");
}

/// Cuts, repeats and swaps pieces of `text` in a way that `seed` repeats.
fn garble(text: &str, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % most.max(1) as u64) as usize
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=draw(4) {
        let (from, to) = (draw(lines.len()), draw(lines.len()));
        match draw(5) {
            0 => drop(lines.remove(from)),
            1 => lines.swap(from, to),
            2 => lines.insert(to, lines[from].clone()),
            3 => {
                let cut = draw(lines[from].len());
                lines[from].truncate(cut);
            }
            _ => {
                let value = ["0", "-1", "99999999999", "\u{0}", "é", ""][draw(6)];
                let key = lines[from].split_once(':').map(|(key, _)| key.to_owned());
                lines[from] = format!("{}:{value}", key.unwrap_or_default());
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.join("\r\n")
}

/// Whatever is sent, it is answered, and never by a failure of the server.
#[tokio::test]
async fn garbled_bodies_are_refused_and_leave_nothing_behind() {
    let server = start(|_| {}).await;
    let mut opened = 0;
    for seed in 0..400 {
        let body = garble(&offer(&[AUDIO, VIDEO]), seed);
        let answer = server.post("/whip/r", "ada", &body).await;
        match answer.status {
            201 => opened += 1,
            400 | 422 => assert!(answer.body.contains("/problems/"), "{seed}: {answer:?}"),
            _ => panic!("{seed}: {answer:?}\n{body}"),
        }
    }
    // Some changes do no harm, but not most; and each session took the place of the one before.
    assert!((20..300).contains(&opened), "{opened}");
    assert_eq!(server.signaling.stats().participants, 1);
    let answer = open(&server).await;
    let session = answer.header("Location");
    for seed in 0..200 {
        let body = garble(&format!("{TRICKLE}{RESTART}"), seed);
        let answer = server.patch(session, "ada", Some("*"), &body).await;
        assert!(
            matches!(answer.status, 200 | 204 | 400),
            "{seed}: {answer:?}\n{body}"
        );
    }
    let answer = server.ask("GET", session, &[&bearer("ada")], "").await;
    assert_eq!(answer.status, 204);
}
