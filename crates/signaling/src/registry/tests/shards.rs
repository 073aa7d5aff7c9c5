//! Rooms that span shards: which shard is told what.

use plenum_types::{
    AudioLevel, CloseReason, MediaCommand, MediaEvent, PeerId, PublicationId, RoomId, Speaker,
};
use serde_json::json;

use super::harness::{FIREFOX, Server, types};

/// Participants until a room has to span both shards.
const CROWD: u64 = 40;

/// A room that spans both shards.
fn crowd() -> Server {
    let mut server = Server::new();
    for client in 1..=CROWD {
        server.join(client, &format!("person {client}"));
        server.offer(client, FIREFOX);
    }
    server
}

/// The commands to `shard` by what `pick` takes of them.
fn to<T>(server: &Server, shard: u16, pick: impl Fn(&MediaCommand) -> Option<T>) -> Vec<T> {
    let asked = server.asked.iter().filter(|(to, _)| *to == shard);
    asked.filter_map(|(_, command)| pick(command)).collect()
}

fn peer(command: &MediaCommand) -> Option<PeerId> {
    match command {
        MediaCommand::AddPeer(config) => Some(config.peer),
        _ => None,
    }
}

fn published(command: &MediaCommand) -> Option<PublicationId> {
    match command {
        MediaCommand::AddPublication { publication, .. } => Some(publication.publication),
        _ => None,
    }
}

fn replicated(command: &MediaCommand) -> Option<PublicationId> {
    match command {
        MediaCommand::AddRemotePublication { publication, .. } => Some(publication.publication),
        _ => None,
    }
}

fn removed(command: &MediaCommand) -> Option<PublicationId> {
    match command {
        MediaCommand::RemovePublication { publication } => Some(*publication),
        _ => None,
    }
}

fn forgotten(command: &MediaCommand) -> Option<RoomId> {
    match command {
        MediaCommand::ForgetRoom { room } => Some(*room),
        _ => None,
    }
}

#[test]
fn a_crowd_is_shared_out_and_every_shard_knows_every_publication() {
    let server = crowd();
    let peers = [0, 1].map(|shard| to(&server, shard, peer).len());
    assert_eq!(peers.iter().sum::<usize>(), CROWD as usize);
    assert!(peers[0].abs_diff(peers[1]) <= 4, "{peers:?}");
    for (home, other) in [(0, 1), (1, 0)] {
        let mut here = to(&server, home, published);
        let mut there = to(&server, other, replicated);
        here.sort_unstable();
        there.sort_unstable();
        assert_eq!(here, there, "each once");
    }
}

#[test]
fn muting_and_ending_are_told_to_all_shards_of_the_room() {
    let mut server = crowd();
    let publication = to(&server, 0, published)[0];
    let text = publication.to_string();
    server.forget();
    server.say(
        1,
        json!({"type": "mute", "publication": text, "muted": true}),
    );
    server.say(1, json!({"type": "unpublish", "publication": text}));
    for shard in [0, 1] {
        assert_eq!(to(&server, shard, removed), [publication]);
    }
    let names = server.commands();
    let count = |name| names.iter().filter(|found| **found == name).count();
    assert_eq!(count("MutePublication"), 2);
}

#[test]
fn a_peer_that_closed_ends_its_publications_elsewhere() {
    let mut server = crowd();
    let first = to(&server, 0, peer)[0];
    let gone: Vec<_> = to(&server, 0, published).into_iter().take(2).collect();
    server.forget();
    let reason = CloseReason::ConsentExpired;
    server.report(MediaEvent::PeerClosed {
        peer: first,
        reason,
    });
    assert!(server.asked.iter().all(|(shard, _)| *shard == 1));
    let mut ended = to(&server, 1, removed);
    ended.sort_unstable();
    assert!(!ended.is_empty() && ended.iter().all(|id| gone.contains(id)));
}

#[test]
fn a_shard_whose_last_participant_leaves_forgets_the_room_and_learns_it_anew() {
    let mut server = crowd();
    let on_one = to(&server, 1, peer);
    let clients: Vec<u64> = (1..=CROWD)
        .zip(
            server
                .asked
                .iter()
                .filter_map(|(shard, command)| peer(command).map(|_| *shard)),
        )
        .filter(|(_, shard)| *shard == 1)
        .map(|(client, _)| client)
        .collect();
    assert_eq!(clients.len(), on_one.len());
    server.forget();
    for client in &clients {
        assert_eq!(to(&server, 1, forgotten), []);
        server.say(*client, json!({"type": "leave"}));
    }
    assert_eq!(to(&server, 1, forgotten).len(), 1);
    assert_eq!(to(&server, 0, forgotten), []);
    server.forget();
    server.join(100, "new");
    server.offer(100, FIREFOX);
    assert_eq!(to(&server, 1, peer).len(), 1, "the emptier one");
    let known = to(&server, 1, replicated);
    assert!(known.len() >= (CROWD as usize - clients.len()), "{known:?}");
}

#[test]
fn speakers_of_all_shards_are_told_together() {
    let mut server = crowd();
    let room = to(&server, 0, |command| match command {
        MediaCommand::AddPeer(config) => Some(config.room),
        _ => None,
    })[0];
    let [here, there] = [0, 1].map(|shard| to(&server, shard, published)[0]);
    let speaks = |publication, level| Speaker {
        publication,
        level: AudioLevel(level),
    };
    server.forget();
    server.report_from(
        0,
        MediaEvent::SpeakersChanged {
            room,
            speakers: vec![speaks(here, 40)],
        },
    );
    server.report_from(
        1,
        MediaEvent::SpeakersChanged {
            room,
            speakers: vec![speaks(there, 30)],
        },
    );
    let heard = server.heard_json(1);
    assert_eq!(types(&heard), ["speakers", "speakers"]);
    let names = |at: usize| -> Vec<String> {
        let speakers = heard[at]["speakers"].as_array().unwrap();
        let name =
            |speaker: &serde_json::Value| speaker["publication"].as_str().unwrap().to_owned();
        speakers.iter().map(name).collect()
    };
    assert_eq!(names(0), [here.to_string()]);
    assert_eq!(
        names(1),
        [there.to_string(), here.to_string()],
        "loudest first"
    );
    // The same again is no news.
    server.report_from(
        1,
        MediaEvent::SpeakersChanged {
            room,
            speakers: vec![speaks(there, 30)],
        },
    );
    assert!(server.heard(1).is_empty());
}

#[test]
fn a_shard_that_ended_takes_its_participants_along_and_nobody_new() {
    let mut server = crowd();
    let lost = to(&server, 1, peer).len();
    let ended = to(&server, 1, published);
    server.forget();
    server.report_from(1, MediaEvent::ShardEnded { begins_anew: false });
    assert_eq!(server.closed.len(), lost);
    let mut removed = to(&server, 0, removed);
    removed.sort_unstable();
    assert_eq!(removed, ended);
    server.forget();
    server.join(100, "new");
    server.offer(100, FIREFOX);
    assert_eq!(to(&server, 0, peer).len(), 1);
    assert_eq!(to(&server, 1, peer), []);
    server.report_from(1, MediaEvent::ShardEnded { begins_anew: false });
    assert!(server.closed.is_empty(), "told twice, done once");
}

#[test]
fn a_shard_that_begins_anew_is_told_so_last_and_takes_newcomers() {
    let mut server = crowd();
    let lost = to(&server, 1, peer).len();
    server.forget();
    server.report_from(1, MediaEvent::ShardEnded { begins_anew: true });
    assert_eq!(server.closed.len(), lost);
    let last = server.asked.iter().rev().find(|(shard, _)| *shard == 1);
    assert!(matches!(last, Some((_, MediaCommand::StartAnew))));
    server.forget();
    for newcomer in 100..100 + CROWD {
        server.join(newcomer, &format!("new {newcomer}"));
        server.offer(newcomer, FIREFOX);
    }
    assert!(!to(&server, 1, peer).is_empty());
    assert!(!to(&server, 1, replicated).is_empty(), "it is told anew");
}
