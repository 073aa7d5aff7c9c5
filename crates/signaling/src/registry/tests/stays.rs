//! Coming, staying, being replaced and leaving.

use serde_json::json;

use super::harness::{FIREFOX, Server, types};
use crate::connection::Ending;
use crate::messages::ErrorCode;
use crate::token::Grants;

#[test]
fn newcomers_and_those_there_hear_of_each_other() {
    let mut server = Server::new();
    server.join(1, "ada");
    let heard = server.heard_json(1);
    assert_eq!(types(&heard), ["joined"]);
    assert_eq!(heard[0]["participant"]["identity"], "ada");
    assert_eq!(heard[0]["participant"]["name"], "ada");
    assert_eq!(heard[0]["participants"], json!([]));
    server.join(2, "bob");
    let joined = &server.heard_json(2)[0];
    assert_eq!(joined["participants"][0]["identity"], "ada");
    let heard = server.heard_json(1);
    assert_eq!(types(&heard), ["participantJoined"]);
    assert_eq!(heard[0]["participant"]["identity"], "bob");
    assert_eq!(server.registry.gauges().participants, 2);
}

#[test]
fn the_same_identity_replaces_and_the_first_is_told() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.forget();
    server.join(3, "ada");
    let first = server.heard_json(1);
    assert_eq!(types(&first), ["closing"]);
    assert_eq!(first[0]["reason"], "replaced");
    assert_eq!(first[0]["reconnect"], false);
    assert_eq!(server.closed, [(1, 4409)]);
    let other = server.heard_json(2);
    assert_eq!(types(&other), ["participantLeft", "participantJoined"]);
    assert_eq!(other[0]["reason"], "replaced");
    // The late end of the first socket changes nothing.
    server.lose(1, Ending::Lost);
    server.wait(60_000);
    assert_eq!(server.registry.gauges().participants, 2);
    assert_eq!(server.registry.gauges().joins.replaced, 1);
}

#[test]
fn a_lone_participant_that_is_replaced_keeps_its_room() {
    let mut server = Server::new();
    server.join(1, "ada");
    let room = server.heard_json(1)[0]["room"]["id"].clone();
    server.join(2, "ada");
    assert_eq!(server.heard_json(2)[0]["room"]["id"], room);
}

#[test]
fn full_rooms_and_servers_refuse() {
    let mut server = Server::with(|config| {
        config.limits.participants = 1;
        config.limits.rooms = 1;
        config.limits.connections = 3;
    });
    server.join(1, "ada");
    server.join(2, "bob");
    assert_eq!(server.errors(2), [(ErrorCode::RoomFull, true, vec![])]);
    assert_eq!(server.closed, [(2, 4503)]);
    server.join(3, "ada");
    assert!(server.errors(3).is_empty(), "a replacement needs no room");
    server.join_with(4, "eve", Grants::join("another"));
    assert_eq!(server.errors(4), [(ErrorCode::ServerFull, true, vec![])]);
    server.connect(5, "x", Grants::join("r"));
    server.connect(6, "y", Grants::join("r"));
    server.connect(7, "z", Grants::join("r"));
    assert_eq!(server.errors(7), [(ErrorCode::ServerFull, true, vec![])]);
    assert_eq!(server.registry.gauges().joins.refused, 2);
}

#[test]
fn the_first_message_must_be_join_and_only_that() {
    let mut server = Server::new();
    server.connect(1, "ada", Grants::join("r"));
    server.say(1, json!({"type": "ping", "at": 5}));
    assert_eq!(types(&server.heard_json(1)), ["pong"]);
    server.say(1, json!({"type": "slots", "slots": []}));
    assert_eq!(server.errors(1), [(ErrorCode::NotJoined, false, vec![])]);
    server.say(1, json!({"type": "join", "room": "other"}));
    assert_eq!(server.errors(1), [(ErrorCode::WrongRoom, true, vec![])]);
    server.join(2, "bob");
    server.forget();
    server.say(2, json!({"type": "join"}));
    assert_eq!(
        server.errors(2),
        [(ErrorCode::AlreadyJoined, false, vec![])]
    );
}

#[test]
fn who_does_not_join_is_sent_away() {
    let mut server = Server::new();
    server.connect(1, "ada", Grants::join("r"));
    server.join(2, "bob");
    server.wait(9_999);
    assert!(server.closed.is_empty());
    server.wait(1);
    assert_eq!(server.closed, [(1, 4400)]);
    server.say(2, json!({"type": "leave"}));
    assert_eq!(server.registry.poll_timeout(), None);
}

#[test]
fn leaving_is_told_and_empties_the_room() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.forget();
    server.say(2, json!({"type": "leave"}));
    assert_eq!(server.heard_json(2)[0]["reason"], "left");
    assert_eq!(server.closed, [(2, 1000)]);
    assert_eq!(server.heard_json(1)[0]["reason"], "left");
    server.lose(1, Ending::Left);
    assert_eq!(server.registry.gauges().rooms, 0);
    server.join(3, "ada");
    let joined = &server.heard_json(3)[0];
    assert_eq!(joined["participants"], json!([]));
}

#[test]
fn a_lost_socket_leaves_a_grace_period() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.offer(1, FIREFOX);
    server.forget();
    server.lose(1, Ending::Lost);
    server.wait(9_999);
    assert!(
        server.sent.is_empty() && server.asked.is_empty(),
        "media flows"
    );
    server.wait(1);
    let heard = server.heard_json(2);
    assert_eq!(types(&heard), ["participantLeft"]);
    assert_eq!(heard[0]["reason"], "connectionLost");
    assert_eq!(server.commands(), ["RemovePeer"]);
    assert_eq!(server.registry.gauges().slots, 0);
    assert_eq!(server.registry.gauges().publications, 0);
}

#[test]
fn coming_back_within_the_grace_period_replaces_at_once() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.join(2, "bob");
    server.lose(1, Ending::Lost);
    server.wait(5_000);
    server.forget();
    server.join(3, "ada");
    let heard = server.heard_json(2);
    assert_eq!(types(&heard), ["participantLeft", "participantJoined"]);
    assert!(server.closed.is_empty(), "there is no socket to close");
    server.forget();
    server.wait(60_000);
    assert!(server.sent.is_empty(), "the old timer is gone");
}

#[test]
fn hidden_participants_are_not_announced() {
    let mut server = Server::new();
    server.join(1, "ada");
    let hidden = Grants {
        hidden: true,
        ..Grants::join("r")
    };
    server.join_with(2, "ghost", hidden);
    server.join(3, "bob");
    assert_eq!(
        types(&server.heard_json(1)),
        ["joined", "participantJoined"]
    );
    let joined = &server.heard_json(3)[0];
    assert_eq!(joined["participants"].as_array().unwrap().len(), 1);
    let ghost = server.heard_json(2);
    assert_eq!(types(&ghost), ["joined", "participantJoined"]);
    assert_eq!(ghost[0]["grants"]["canPublish"], false);
    server.say(2, json!({"type": "leave"}));
    assert!(server.heard(1).is_empty());
}

#[test]
fn rooms_are_spread_over_shards() {
    let mut server = Server::new();
    for (client, room) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        server.join_with(client, "ada", Grants::join(room));
        server.offer(client, FIREFOX);
    }
    let mut shards = [0; 2];
    for (shard, _) in &server.asked {
        shards[usize::from(*shard)] += 1;
    }
    assert_eq!(shards[0], shards[1], "two rooms each");
}

#[test]
fn shutdown_tells_everybody() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, FIREFOX);
    server.connect(2, "late", Grants::join("r"));
    server.forget();
    server.shut_down();
    for client in [1, 2] {
        let heard = server.heard_json(client);
        assert_eq!(types(&heard), ["closing"]);
        assert_eq!(heard[0]["reconnect"], true);
    }
    assert_eq!(server.closed, [(1, 1001), (2, 1001)]);
    assert_eq!(server.commands(), ["RemovePeer"]);
    server.connect(3, "later", Grants::join("r"));
    assert_eq!(server.closed.last(), Some(&(3, 1001)));
    server.lose(1, Ending::Lost);
    server.wait(60_000);
    assert_eq!(server.registry.gauges().participants, 0);
}

#[test]
fn ten_thousand_stays_leave_nothing_behind() {
    let mut server = Server::new();
    for round in 0..10_000 {
        server.join(round, if round % 3 == 0 { "ada" } else { "bob" });
        match round % 4 {
            0 => server.lose(round, Ending::Left),
            1 => server.lose(round, Ending::Lost),
            _ => server.say(round, json!({"type": "leave"})),
        }
        server.wait(1_000);
        server.forget();
    }
    server.wait(60_000);
    assert_eq!(server.registry.gauges().rooms, 0);
    assert_eq!(server.registry.gauges().connections, 0);
    assert_eq!(server.registry.poll_timeout(), None);
}
