//! Offers, and what is changed without one.

use plenum_types::{MediaCommand, Pixels, Rid, ShardId, SlotPolicy, Source, shard_of_ufrag};
use serde_json::{Value, json};

use super::harness::{CHROMIUM, FIREFOX, GSTREAMER, Server, types};
use crate::messages::ErrorCode;
use crate::token::Grants;

fn answer_of(heard: &[Value]) -> &Value {
    let mut answers = heard.iter().filter(|message| message["type"] == "answer");
    answers.next().expect("an answer")
}

/// A line of an answer, without its key.
fn line<'a>(answer: &'a Value, key: &str) -> &'a str {
    let mut lines = answer["sdp"].as_str().unwrap().lines();
    lines
        .find_map(|line| line.strip_prefix(key))
        .expect("a line")
}

#[test]
fn an_offer_makes_a_peer_publications_and_slots() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.forget();
    let layers = json!([
        {"rid": "f", "width": 1280, "height": 720},
        {"rid": "q", "width": 320, "height": 180},
        {"rid": "h", "width": 640, "height": 360},
    ]);
    server.say(
        1,
        json!({"type": "offer", "id": 7, "sdp": CHROMIUM,
            "publications": [
                {"mid": "0", "muted": true},
                {"mid": "1", "trackId": "cam", "source": "screen", "name": "s", "layers": layers},
            ],
            "slots": [{"mid": "6", "policy": "off", "priority": 3}]}),
    );
    let commands = server.commands();
    assert_eq!(commands[0], "AddPeer");
    assert_eq!(
        commands.iter().filter(|name| **name == "AddSlot").count(),
        15
    );
    let publications: Vec<_> = server
        .asked
        .iter()
        .filter_map(|(_, command)| match command {
            MediaCommand::AddPublication { publication, .. } => Some(publication),
            _ => None,
        })
        .collect();
    assert!(publications[0].muted && publications[0].source == Source::Microphone);
    let video = publications[1];
    assert_eq!(video.source, Source::Screen);
    let rids: Vec<_> = video
        .encodings
        .iter()
        .map(|encoding| encoding.rid)
        .collect();
    let sorted = ["q", "h", "f"].map(|rid| Some(Rid::new(rid).unwrap()));
    assert_eq!(rids, sorted, "smallest first");
    let smallest = Some(Pixels {
        width: 320,
        height: 180,
    });
    assert_eq!(video.encodings[0].size, smallest);
    let slots = server.slots_added();
    let slot = |mid: &str| slots.iter().find(|slot| slot.mid.as_str() == mid).unwrap();
    assert_eq!(slot("2").wish.policy, SlotPolicy::SpeakerOrder);
    assert_eq!(slot("5").wish.policy, SlotPolicy::All);
    assert_eq!(slot("6").wish.policy, SlotPolicy::Off);
    assert_eq!(slot("6").wish.priority, 3);
    assert!(slot("5").rtx_ssrc.is_some() && slot("2").rtx_ssrc.is_none());

    let heard = server.heard_json(1);
    let answer = answer_of(&heard);
    assert_eq!(answer["id"], 7);
    assert_eq!(answer["publications"].as_array().unwrap().len(), 2);
    assert_eq!(
        line(answer, "a=candidate:"),
        "1 1 udp 2130706431 192.0.2.1 7882 typ host"
    );
    assert_eq!(
        line(answer, "a=candidate:2"),
        " 1 tcp 1520435199 192.0.2.1 7881 typ host tcptype passive"
    );
    let other = server.heard_json(2);
    assert_eq!(types(&other), ["published", "published"]);
    assert_eq!(other[1]["publication"]["trackId"], "cam");
    assert_eq!(other[1]["publication"]["codec"], "vp8");
    assert_eq!(other[1]["publication"]["layers"][0]["rid"], "q");
    let gauges = server.registry.gauges();
    assert_eq!((gauges.publications, gauges.slots), (2, 15));
}

#[test]
fn the_same_offer_again_changes_nothing() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, CHROMIUM);
    let first = answer_of(&server.heard_json(1)).clone();
    server.forget();
    server.offer(1, CHROMIUM);
    assert_eq!(server.commands(), Vec::<&str>::new());
    let second = answer_of(&server.heard_json(1)).clone();
    assert_eq!(first["publications"], second["publications"]);
    let without_origin = |answer: &Value| {
        let sdp = answer["sdp"].as_str().unwrap();
        sdp.lines()
            .filter(|line| !line.starts_with("o="))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        without_origin(&first),
        without_origin(&second),
        "SSRCs are stable"
    );
    let (one, two) = (line(&first, "o=- "), line(&second, "o=- "));
    assert_ne!(one, two);
    assert_eq!(one.split(' ').next(), two.split(' ').next(), "one session");
}

#[test]
fn lines_come_and_go_by_mid() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.offer(1, FIREFOX);
    server.forget();
    // The camera stops (m-line 1), slot 3 ends.
    let fewer = FIREFOX
        .replacen("a=recvonly\na=extmap:3", "a=inactive\na=extmap:3", 1)
        .replace(
            "a=sendonly\na=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=inactive\na=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
        );
    assert_ne!(fewer, FIREFOX);
    server.offer(1, &fewer);
    assert_eq!(server.commands(), ["RemovePublication", "RemoveSlot"]);
    assert_eq!(types(&server.heard_json(2)), ["unpublished"]);
    server.forget();
    server.offer(1, FIREFOX);
    assert_eq!(server.commands(), ["AddPublication", "AddSlot"]);
    assert_eq!(types(&server.heard_json(2)), ["published"]);
    let gauges = server.registry.gauges();
    assert_eq!((gauges.publications, gauges.slots), (2, 2));
}

#[test]
fn another_track_on_a_known_line_is_another_publication() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.offer(1, GSTREAMER);
    server.forget();
    server.say(
        1,
        json!({"type": "offer", "id": 2, "sdp": GSTREAMER,
            "publications": [{"mid": "video0", "trackId": "new", "source": "screen"}]}),
    );
    assert_eq!(server.commands(), ["RemovePublication", "AddPublication"]);
    assert_eq!(types(&server.heard_json(2)), ["unpublished", "published"]);
}

#[test]
fn new_ice_credentials_restart_ice() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, CHROMIUM);
    let before = line(answer_of(&server.heard_json(1)), "a=ice-ufrag:").to_owned();
    server.forget();
    server.offer(1, &CHROMIUM.replace("a=ice-ufrag:kP7q", "a=ice-ufrag:Zx81"));
    assert_eq!(server.commands(), ["RestartIce"]);
    let after = line(answer_of(&server.heard_json(1)), "a=ice-ufrag:").to_owned();
    assert_ne!(before, after);
    let (_, MediaCommand::RestartIce { local, remote, .. }) = &server.asked[0] else {
        panic!("{:?}", server.asked);
    };
    assert_eq!(
        (local.ufrag.as_str(), remote.ufrag.as_str()),
        (after.as_str(), "Zx81")
    );
    // A check over TCP finds its shard by it.
    assert_eq!(shard_of_ufrag(&after), Some(ShardId(0)));
}

#[test]
fn another_certificate_is_another_peer() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.offer(1, GSTREAMER);
    server.forget();
    server.offer(1, &GSTREAMER.replace("3A:9C", "3B:9C"));
    assert_eq!(
        server.commands(),
        [
            "RemovePublication",
            "RemovePublication",
            "RemovePeer",
            "AddPeer",
            "SetDataAccess",
            "AddPublication",
            "AddPublication"
        ]
    );
    assert_eq!(
        types(&server.heard_json(2)),
        ["unpublished", "unpublished", "published", "published"]
    );
    assert_eq!(server.registry.gauges().publications, 2);
}

#[test]
fn a_bad_offer_changes_nothing() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, FIREFOX);
    server.forget();
    server.offer(1, "hello");
    server.offer(1, &FIREFOX.replace("BUNDLE 0 1", "BUNDLE 0"));
    let codes: Vec<ErrorCode> = server.errors(1).iter().map(|error| error.0).collect();
    assert_eq!(codes, [ErrorCode::SdpInvalid, ErrorCode::SdpNoBundle]);
    assert!(server.asked.is_empty());
    server.offer(1, FIREFOX);
    assert!(server.commands().is_empty(), "the session is still there");
}

#[test]
fn limits_of_publications_and_slots_hold() {
    let mut server = Server::with(|config| {
        config.limits.slots = 14;
        config.limits.publications = 1;
    });
    server.join(1, "ada");
    server.offer(1, CHROMIUM);
    assert_eq!(server.errors(1)[0].0, ErrorCode::TooManyPublications);
    server.offer(1, &CHROMIUM.replacen("a=sendonly", "a=inactive", 1));
    assert_eq!(server.errors(1)[0].0, ErrorCode::TooManySlots);
    assert!(server.asked.is_empty());
}

#[test]
fn what_the_token_does_not_permit_is_left_out_and_told() {
    let mut server = Server::new();
    let listener = Grants {
        can_publish: Some(false),
        ..Grants::join("r")
    };
    server.join_with(1, "ada", listener);
    server.offer(1, FIREFOX);
    assert!(!server.commands().contains(&"AddPublication"));
    let heard = server.heard_json(1);
    assert_eq!(types(&heard), ["joined", "answer", "error"]);
    assert_eq!(heard[2]["code"], "notPermitted");
    assert_eq!(heard[2]["mids"], json!(["0", "1"]));
    assert_eq!(heard[2]["ref"], 1);
    let speaker = Grants {
        can_subscribe: Some(false),
        can_publish_sources: vec!["microphone".into()],
        ..Grants::join("r")
    };
    server.forget();
    server.join_with(2, "bob", speaker);
    server.offer(2, FIREFOX);
    assert_eq!(
        server.commands(),
        ["AddPeer", "SetDataAccess", "AddPublication"]
    );
    assert_eq!(server.errors(2)[0].2, ["1", "2", "3"]);
}

#[test]
fn muting_is_told_to_all_and_unpublishing_to_the_others() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.offer(1, GSTREAMER);
    let id = answer_of(&server.heard_json(1))["publications"][1]["id"].clone();
    server.forget();
    server.say(1, json!({"type": "mute", "publication": id, "muted": true}));
    server.say(1, json!({"type": "mute", "publication": id, "muted": true}));
    assert_eq!(server.commands(), ["MutePublication"], "once");
    assert_eq!(types(&server.heard_json(1)), ["muted"]);
    assert_eq!(types(&server.heard_json(2)), ["muted"]);
    server.say(
        2,
        json!({"type": "mute", "publication": id, "muted": false}),
    );
    assert_eq!(server.errors(2)[0].0, ErrorCode::UnknownPublication);
    server.forget();
    server.say(1, json!({"type": "unpublish", "publication": id}));
    assert_eq!(server.commands(), ["RemovePublication"]);
    assert_eq!(types(&server.heard_json(2)), ["unpublished"]);
    // The m-line still says sendonly: the ended track does not come back by itself.
    server.forget();
    server.offer(1, GSTREAMER);
    assert!(server.commands().is_empty());
    let heard = server.heard_json(1);
    let sdp = answer_of(&heard)["sdp"].as_str().unwrap();
    assert!(sdp.contains("a=inactive"));
    assert_eq!(server.registry.gauges().publications, 1);
}

/// The server believes what publishers say of encryption, and remembers it.
#[test]
fn the_others_are_told_what_is_encrypted() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.forget();
    let offer = |publications| json!({"type": "offer", "id": 1, "sdp": GSTREAMER, "publications": publications});
    server.say(1, offer(json!([{"mid": "video0", "encrypted": true}])));
    let told = |server: &mut Server| -> Vec<_> {
        let heard = server.heard_json(2);
        let published = heard
            .iter()
            .filter(|message| message["type"] == "published");
        published
            .map(|message| message["publication"]["encrypted"].clone())
            .collect()
    };
    assert_eq!(told(&mut server), [false, true], "sound, picture");
    server.forget();
    server.say(1, offer(json!([])));
    assert!(told(&mut server).is_empty(), "as it was");
    server.say(1, offer(json!([{"mid": "video0", "encrypted": false}])));
    assert_eq!(told(&mut server), [false], "something else");
    assert!(server.commands().is_empty(), "no affair of the media plane");
}

#[test]
fn slots_are_steered_one_by_one() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.offer(1, GSTREAMER);
    let id = answer_of(&server.heard_json(1))["publications"][1]["id"].clone();
    server.offer(2, CHROMIUM);
    server.forget();
    server.say(
        2,
        json!({"type": "slots", "slots": [
            {"mid": "5", "publication": id, "width": 640, "height": 360},
            {"mid": "6", "publication": "TR_999999"},
            {"mid": "7", "publication": "nonsense"},
            {"mid": "99", "policy": "off"},
            {"mid": "8", "width": 1},
            {"mid": "9", "policy": "pinned"},
            {"mid": "10", "policy": "all"},
        ]}),
    );
    assert_eq!(
        server.commands(),
        ["SetSlotWish"],
        "the last one was so already"
    );
    let (_, MediaCommand::SetSlotWish { wish, .. }) = &server.asked[0] else {
        panic!("{:?}", server.asked);
    };
    assert!(matches!(wish.policy, SlotPolicy::Pinned(_)));
    assert_eq!(wish.viewport.map(|size| size.width), Some(640));
    let errors = server.errors(2);
    let summary: Vec<(ErrorCode, Vec<&str>)> = errors
        .iter()
        .map(|(code, _, mids)| (*code, mids.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        summary,
        [
            (ErrorCode::UnknownPublication, vec!["6", "7"]),
            (ErrorCode::UnknownSlot, vec!["99"]),
            (ErrorCode::BadMessage, vec!["8", "9"]),
        ]
    );
    // Left-out fields keep their value.
    server.forget();
    server.say(
        2,
        json!({"type": "slots", "slots": [{"mid": "5", "priority": 9}]}),
    );
    let (_, MediaCommand::SetSlotWish { wish, .. }) = &server.asked[0] else {
        panic!("{:?}", server.asked);
    };
    assert!(matches!(wish.policy, SlotPolicy::Pinned(_)));
    assert_eq!(
        (wish.priority, wish.viewport.map(|size| size.height)),
        (9, Some(360))
    );
}

#[test]
fn one_message_cannot_flood_the_queue_of_the_shard() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, FIREFOX);
    server.forget();
    let specs: Vec<Value> = (0..10_000)
        .map(|round| json!({"mid": "3", "priority": round % 2 + 1}))
        .collect();
    server.say(1, json!({"type": "slots", "slots": specs}));
    assert!(server.asked.is_empty(), "{} commands", server.asked.len());
    assert_eq!(server.errors(1), [(ErrorCode::TooLarge, false, vec![])]);
    server.say(
        1,
        json!({"type": "offer", "id": 2, "sdp": FIREFOX, "slots": specs}),
    );
    assert!(server.asked.is_empty());
    assert_eq!(server.errors(1), [(ErrorCode::TooLarge, false, vec![])]);
}
