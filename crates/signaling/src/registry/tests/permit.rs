//! What grants and room settings leave of what clients want.

use plenum_types::{Bitrate, MediaCommand, SlotPolicy, SlotWish};
use serde_json::{Value, json};

use super::harness::{CHROMIUM, FIREFOX, Server, types};
use crate::admin::{AdminAct, AdminRequest};
use crate::messages::ErrorCode;
use crate::token::Grants;

fn wishes(server: &Server) -> Vec<SlotWish> {
    let wishes = server
        .asked
        .iter()
        .filter_map(|(_, command)| match command {
            MediaCommand::SetSlotWish { wish, .. } => Some(*wish),
            _ => None,
        });
    wishes.collect()
}

fn open_room(server: &mut Server, spec: Value) {
    let act = AdminAct::CreateRoom(serde_json::from_value(spec).unwrap());
    let request = AdminRequest { now_s: 0, act };
    server.registry.handle_admin(&request).unwrap();
}

#[test]
fn the_ceiling_of_the_token_goes_to_every_slot_and_can_be_changed() {
    let mut server = Server::new();
    let grants = Grants {
        max_subscribe_layer: Some(1),
        ..Grants::join("r")
    };
    server.join_with(1, "ada", grants);
    server.offer(1, CHROMIUM);
    let slots = server.slots_added();
    assert_eq!(slots.len(), 15);
    assert!(slots.iter().all(|slot| slot.wish.ceiling == Some(1)));
    server.forget();
    server.say(
        1,
        json!({"type": "slots", "slots": [{"mid": "5", "width": 1280, "height": 720}]}),
    );
    assert_eq!(wishes(&server)[0].ceiling, Some(1));

    server.forget();
    server.moderate("ada", 1, json!({"maxSubscribeLayer": 0}));
    let changed = wishes(&server);
    assert_eq!(changed.len(), 15);
    assert!(changed.iter().all(|wish| wish.ceiling == Some(0)));
    let told = server.heard_json(1);
    assert_eq!(told[0]["grants"]["maxSubscribeLayer"], 0);
}

#[test]
fn slots_show_nothing_without_the_grant_and_what_they_showed_when_it_is_back() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, CHROMIUM);
    server.forget();
    server.moderate("ada", 1, json!({"canSubscribe": false}));
    let off = wishes(&server);
    assert_eq!(off.len(), 15);
    assert!(off.iter().all(|wish| wish.policy == SlotPolicy::Off));
    server.forget();
    // What is wished meanwhile is remembered, and not done.
    server.say(
        1,
        json!({"type": "slots", "slots": [{"mid": "5", "policy": "speaker", "width": 1, "height": 1}]}),
    );
    assert!(
        wishes(&server)
            .iter()
            .all(|wish| wish.policy == SlotPolicy::Off)
    );
    server.forget();
    server.moderate("ada", 2, json!({"canSubscribe": true}));
    let on = wishes(&server);
    assert_eq!(on.len(), 15);
    assert!(on.iter().all(|wish| wish.policy != SlotPolicy::Off));
    assert!(on.iter().any(|wish| wish.viewport.is_some()));
}

#[test]
fn tracks_beyond_the_token_are_refused_and_those_beyond_a_lower_limit_end() {
    let mut server = Server::new();
    let grants = Grants {
        max_publish_tracks: Some(1),
        ..Grants::join("r")
    };
    server.join_with(1, "ada", grants);
    server.offer(1, CHROMIUM);
    let refused = vec!["1".to_owned()];
    assert_eq!(
        server.errors(1),
        [(ErrorCode::NotPermitted, false, refused)]
    );
    assert_eq!(server.registry.gauges().publications, 1);

    server.moderate("ada", 1, json!({"maxPublishTracks": 2}));
    server.offer(1, CHROMIUM);
    assert_eq!(server.registry.gauges().publications, 2);
    server.forget();
    server.moderate("ada", 2, json!({"maxPublishTracks": 1}));
    assert_eq!(
        types(&server.heard_json(1)),
        ["unpublished", "grantsChanged"]
    );
    assert_eq!(server.registry.gauges().publications, 1);
}

#[test]
fn a_bitrate_of_a_new_token_is_told_to_the_shard() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, CHROMIUM);
    server.forget();
    server.moderate("ada", 1, json!({"maxPublishBitrate": 500_000}));
    let limits = server
        .asked
        .iter()
        .filter_map(|(_, command)| match command {
            MediaCommand::LimitPublishing {
                max_publish_bitrate,
                ..
            } => Some(*max_publish_bitrate),
            _ => None,
        });
    assert_eq!(limits.collect::<Vec<_>>(), [Some(Bitrate::kbps(500))]);
    server.forget();
    server.moderate("ada", 2, json!({"maxPublishBitrate": 0}));
    assert_eq!(server.commands(), ["LimitPublishing"]);
}

#[test]
fn rooms_may_allow_some_codecs_only() {
    let mut server = Server::new();
    open_room(
        &mut server,
        json!({"name": "r", "codecs": ["vp8"], "maxSlots": 20}),
    );
    server.join(1, "ada");
    server.offer(1, CHROMIUM);
    for slot in server.slots_added() {
        let names: Vec<String> = slot
            .codecs
            .iter()
            .map(|codec| format!("{:?}", codec.codec))
            .collect();
        assert!(names == ["Vp8"] || names == ["Opus"], "{names:?}");
    }
    let mut strict = Server::new();
    open_room(&mut strict, json!({"name": "r", "codecs": ["av1"]}));
    strict.join(1, "ada");
    let sdp = FIREFOX.replace("AV1/90000", "AV9/90000");
    strict.offer(1, &sdp);
    let (code, fatal, mids) = strict.errors(1).remove(0);
    assert_eq!((code, fatal), (ErrorCode::SdpNoCommonCodec, false));
    assert_eq!(mids.len(), 1);
}

#[test]
fn rooms_may_allow_fewer_slots_than_the_server() {
    let mut server = Server::new();
    open_room(&mut server, json!({"name": "r", "maxSlots": 3}));
    server.join(1, "ada");
    server.offer(1, CHROMIUM);
    assert_eq!(server.errors(1), [(ErrorCode::TooManySlots, false, vec![])]);
}
