//! Data messages: who may send, and which shards are told.

use plenum_types::{
    DataAccess, DataLoss, DataMessage, MediaCommand, MediaEvent, ParticipantId, RoomId,
};
use serde_json::json;

use super::harness::{FIREFOX, Server};

fn accesses(server: &Server) -> Vec<DataAccess> {
    let asked = server.asked.iter();
    asked
        .filter_map(|(_, command)| match command {
            MediaCommand::SetDataAccess { access, .. } => Some(*access),
            _ => None,
        })
        .collect()
}

fn room_of(server: &Server) -> RoomId {
    let mut asked = server.asked.iter();
    asked
        .find_map(|(_, command)| match command {
            MediaCommand::AddPeer(config) => Some(config.room),
            _ => None,
        })
        .expect("a peer")
}

fn message(room: RoomId) -> Box<DataMessage> {
    Box::new(DataMessage {
        room,
        from: Some(ParticipantId(1)),
        to: Vec::new(),
        reliable: true,
        text: true,
        topic: Vec::new(),
        payload: b"hello".to_vec(),
    })
}

/// Shards that are to deliver a message.
fn delivering(server: &Server) -> Vec<u16> {
    let asked = server.asked.iter();
    asked
        .filter(|(_, command)| matches!(command, MediaCommand::DeliverData(_)))
        .map(|(shard, _)| *shard)
        .collect()
}

#[test]
fn a_shard_is_told_who_a_peer_is_and_what_it_may_send() {
    let mut server = Server::new();
    server.join(1, "ada");
    let own_id = server.heard_json(1)[0]["participant"]["id"].clone();
    server.offer(1, FIREFOX);
    let [access] = accesses(&server)[..] else {
        panic!("{:?}", server.commands());
    };
    assert_eq!(json!(access.participant.to_string()), own_id);
    assert!(access.may_send);
    assert_eq!(access.limits, crate::Limits::default().data());
}

#[test]
fn a_message_goes_to_the_other_shards_of_its_room() {
    let mut server = Server::new();
    for client in 1..=40 {
        server.join(client, &format!("person {client}"));
        server.offer(client, FIREFOX);
    }
    let room = room_of(&server);
    server.forget();
    server.report(MediaEvent::DataSent(message(room)));
    let first = delivering(&server);
    assert_eq!(first.len(), 1, "one shard of two has delivered it");
    server.report(MediaEvent::DataSent(message(RoomId(999))));
    assert_eq!(delivering(&server), first, "a room that is gone");
}

#[test]
fn a_room_on_one_shard_needs_no_messenger() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, FIREFOX);
    let room = room_of(&server);
    server.report(MediaEvent::DataSent(message(room)));
    assert!(delivering(&server).is_empty());
}

#[test]
fn losses_are_told_to_whom_they_concern() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, FIREFOX);
    let peer = server.last_peer();
    for (cause, expected) in [
        (DataLoss::NotPermitted, "notPermitted"),
        (DataLoss::TooLarge, "tooLarge"),
        (DataLoss::TooFast, "tooManyMessages"),
        (DataLoss::Malformed, "badMessage"),
    ] {
        server.forget();
        server.report(MediaEvent::DataLost {
            peer,
            cause,
            messages: 3,
        });
        let told = server.heard_json(1);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["code"], json!(expected));
        assert_eq!(told[0]["fatal"], json!(false));
    }
    server.forget();
    server.report(MediaEvent::DataLost {
        peer,
        cause: DataLoss::SlowReceiver,
        messages: 3,
    });
    let expected = json!({"type": "dataDropped", "messages": 3});
    assert_eq!(server.heard_json(1), [expected]);
}
