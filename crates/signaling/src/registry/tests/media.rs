//! What shards report.

use std::time::Duration;

use plenum_types::{
    AudioLevel, Bitrate, CloseReason, Decision, LayerId, MediaCommand, MediaEvent, PeerQuality,
    PublicationId, RoomId, SlotBinding, SlotQuality, SlotReason, Speaker, SrtpProfile,
};
use serde_json::json;

use crate::messages::ErrorCode;

use super::harness::{FIREFOX, Server, types};

/// Two participants with peers; returns the room and the first one's audio publication.
fn call(server: &mut Server) -> (RoomId, PublicationId) {
    server.join(1, "ada");
    server.join(2, "bob");
    server.offer(1, FIREFOX);
    let mut found = None;
    for (_, command) in &server.asked {
        match command {
            MediaCommand::AddPeer(config) => found = Some((config.room, PublicationId(0))),
            MediaCommand::AddPublication { publication, .. } if publication.mid.as_str() == "0" => {
                found.as_mut().unwrap().1 = publication.publication;
            }
            _ => {}
        }
    }
    server.offer(2, FIREFOX);
    found.unwrap()
}

#[test]
fn the_state_of_the_connection_is_passed_on() {
    let mut server = Server::new();
    call(&mut server);
    let peer = server.last_peer();
    server.forget();
    let profile = SrtpProfile::AeadAes128Gcm;
    server.report(MediaEvent::PeerConnected { peer, profile });
    server.report(MediaEvent::PeerInterrupted { peer });
    server.report(MediaEvent::PeerResumed { peer });
    let states: Vec<_> = server
        .heard_json(2)
        .iter()
        .map(|message| message["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["connected", "interrupted", "resumed"]);
    assert!(server.heard(1).is_empty(), "nobody else's business");
}

#[test]
fn a_closed_peer_takes_its_participant_along() {
    let mut server = Server::new();
    call(&mut server);
    let peer = server.last_peer();
    server.forget();
    let reason = CloseReason::ConsentExpired;
    server.report(MediaEvent::PeerClosed { peer, reason });
    let own = server.heard_json(2);
    assert_eq!(types(&own), ["connection", "closing"]);
    assert_eq!(own[0]["reason"], "consentExpired");
    assert_eq!(own[1]["reason"], "connectionLost");
    assert_eq!(own[1]["reconnect"], true);
    assert_eq!(server.closed, [(2, 4408)]);
    let other = server.heard_json(1);
    assert_eq!(types(&other), ["participantLeft"]);
    assert_eq!(other[0]["reason"], "connectionLost");
    assert!(server.commands().is_empty(), "the shard knows already");
    server.report(MediaEvent::PeerClosed { peer, reason });
    assert!(server.sent.is_empty());
}

#[test]
fn bindings_are_told_by_mid_with_owner_and_reason() {
    let mut server = Server::new();
    let (_, publication) = call(&mut server);
    let peer = server.last_peer();
    let slot = server.slots_added().last().unwrap().clone();
    server.forget();
    let layer = LayerId {
        spatial: 1,
        temporal: 2,
    };
    let mut binding = SlotBinding {
        publication: Some(publication),
        layer: Some(layer),
        reason: SlotReason::WaitingForKeyframe,
    };
    let slot_id = slot.slot;
    server.report(MediaEvent::SlotChanged {
        peer,
        slot: slot_id,
        binding,
    });
    let heard = server.heard_json(2);
    assert_eq!(heard[0]["mid"], slot.mid.as_str());
    assert_eq!(heard[0]["publication"], publication.to_string());
    assert_eq!(heard[0]["layer"], json!({"spatial": 1, "temporal": 2}));
    assert_eq!(heard[0]["reason"], "waitingForKeyframe");
    assert!(heard[0]["participant"].as_str().unwrap().starts_with("PA_"));
    binding.publication = Some(PublicationId(9_999));
    server.report(MediaEvent::SlotChanged {
        peer,
        slot: slot_id,
        binding,
    });
    assert_eq!(server.heard_json(2)[0]["publication"], json!(null));
}

#[test]
fn a_publisher_hears_which_of_its_layers_anybody_wants() {
    let mut server = Server::new();
    let (_, publication) = call(&mut server);
    server.forget();
    server.report(MediaEvent::LayersWanted {
        publication,
        encodings: vec![true],
    });
    let heard = server.heard_json(1);
    assert_eq!(types(&heard), ["layersWanted"]);
    assert_eq!(heard[0]["publication"], publication.to_string());
    assert_eq!(heard[0]["layers"], json!([{"wanted": true}]));
    assert_eq!(types(&server.heard_json(2)), [""; 0]);
    server.report(MediaEvent::LayersWanted {
        publication: PublicationId(9_999),
        encodings: vec![false],
    });
    assert_eq!(types(&server.heard_json(1)), [""; 0]);
}

#[test]
fn who_asks_hears_why_its_slots_show_what_they_show() {
    let mut server = Server::new();
    server.join(3, "eve");
    server.say(3, json!({"type": "explain", "id": 1}));
    assert_eq!(server.errors(3)[0].0, ErrorCode::UnknownSlot);
    call(&mut server);
    let peer = server.last_peer();
    let slot = server.slots_added().last().unwrap().clone();
    server.forget();
    server.say(2, json!({"type": "explain", "id": 4}));
    assert_eq!(server.commands(), ["ExplainPeer"]);
    let decision = Decision {
        age: Duration::from_secs(2),
        reason: SlotReason::Bandwidth,
        given: None,
        wanted: Some(LayerId::default()),
        viewport: None,
        priority: 1,
        estimate: Some(Bitrate::kbps(90)),
        allocated: Bitrate::kbps(40),
    };
    let explained = SlotQuality {
        slot: slot.slot,
        binding: SlotBinding {
            publication: None,
            layer: None,
            reason: SlotReason::Bandwidth,
        },
        bitrate: None,
        decisions: vec![decision],
    };
    let quality = Box::new(PeerQuality {
        estimate: Some(Bitrate::kbps(90)),
        rtt: Some(Duration::from_millis(40)),
        loss: 0.021_4,
        slots: vec![explained],
        ..PeerQuality::default()
    });
    server.report(MediaEvent::PeerExplained {
        peer,
        request: 4,
        quality,
    });
    let heard = server.heard_json(2);
    assert_eq!(types(&heard), ["quality"]);
    assert_eq!(heard[0]["id"], 4);
    assert_eq!(heard[0]["network"]["estimate"], 90_000);
    assert_eq!(heard[0]["network"]["loss"], 0.021);
    let told = &heard[0]["slots"][0];
    assert_eq!(told["mid"], slot.mid.as_str());
    assert_eq!(told["decisions"][0]["reason"], "bandwidth");
    assert_eq!(told["decisions"][0]["age"], 2_000);
    assert_eq!(types(&server.heard_json(1)), [""; 0]);
}

#[test]
fn speakers_are_told_to_all_and_to_newcomers() {
    let mut server = Server::new();
    let (room, publication) = call(&mut server);
    server.forget();
    let speakers = vec![Speaker {
        publication,
        level: AudioLevel(30),
    }];
    server.report(MediaEvent::SpeakersChanged { room, speakers });
    for client in [1, 2] {
        let heard = server.heard_json(client);
        assert_eq!(types(&heard), ["speakers"]);
        assert_eq!(heard[0]["speakers"][0]["level"], 30);
    }
    server.join(3, "eve");
    assert_eq!(types(&server.heard_json(3)), ["joined", "speakers"]);
}
