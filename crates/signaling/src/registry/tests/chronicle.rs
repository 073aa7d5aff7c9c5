//! What is noted for webhooks: numbers without gaps, and everything that begins ends.

use std::collections::{BTreeMap, BTreeSet};

use plenum_types::{AudioLevel, CloseReason, MediaEvent, PublicationId, RoomId, Speaker};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::harness::{CHROMIUM, Server};
use crate::connection::Ending;
use crate::room::{Happening, Noted};
use crate::token::Grants;

const SEEDS: u64 = 60;

fn names(noted: &[Noted]) -> Vec<String> {
    let name = |noted: &Noted| {
        let value = serde_json::to_value(&noted.happening).unwrap();
        value["event"].as_str().unwrap().to_owned()
    };
    noted.iter().map(name).collect()
}

#[test]
fn a_call_from_its_start_to_its_end() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, CHROMIUM);
    server.say(1, json!({"type": "leave"}));
    assert_eq!(
        names(&server.noted),
        [
            "roomStarted",
            "participantJoined",
            "publicationStarted",
            "publicationStarted",
            "publicationEnded",
            "publicationEnded",
            "participantLeft",
            "roomFinished"
        ]
    );
    let numbers: Vec<u64> = server.noted.iter().map(|noted| noted.number).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
}

#[test]
fn speakers_are_told_when_they_change_and_at_most_once_a_second() {
    let mut server = Server::new();
    for (client, identity) in [(1, "ada"), (2, "bob")] {
        server.join(client, identity);
        server.offer(client, CHROMIUM);
    }
    let started = server
        .noted
        .iter()
        .filter_map(|noted| match &noted.happening {
            Happening::PublicationStarted { publication, .. } if publication.codec == "opus" => {
                publication.id[3..].parse().ok().map(PublicationId)
            }
            _ => None,
        });
    let voices: Vec<PublicationId> = started.collect();
    let shard_of = |server: &Server, at: usize| server.shard_of_publication(voices[at]);
    let speak = |server: &mut Server, at: usize| {
        for other in 0..2 {
            let shard = shard_of(server, other);
            let speakers = (other == at).then_some(Speaker {
                publication: voices[at],
                level: AudioLevel(10),
            });
            let room = server.noted[0].room;
            let speakers = speakers.into_iter().collect();
            server.report_from(shard, MediaEvent::SpeakersChanged { room, speakers });
        }
    };
    server.noted.truncate(1);
    speak(&mut server, 0);
    speak(&mut server, 0);
    speak(&mut server, 1);
    assert_eq!(names(&server.noted[1..]), ["activeSpeaker"], "too early");
    server.wait(1_000);
    speak(&mut server, 0);
    speak(&mut server, 1);
    assert_eq!(
        names(&server.noted[1..]),
        ["activeSpeaker", "activeSpeaker"]
    );
}

#[test]
fn a_connection_that_fails_is_told_before_its_participant_leaves() {
    let mut server = Server::new();
    server.join(1, "ada");
    server.offer(1, CHROMIUM);
    let peer = server.last_peer();
    server.noted.clear();
    let reason = CloseReason::ConsentExpired;
    server.report(MediaEvent::PeerClosed { peer, reason });
    let told = names(&server.noted);
    assert_eq!(told.first().map(String::as_str), Some("connectionFailed"));
    assert_eq!(told.last().map(String::as_str), Some("roomFinished"));
}

/// What a backend believes that hears only events.
#[derive(Default)]
struct Backend {
    numbers: BTreeMap<RoomId, u64>,
    people: BTreeSet<(RoomId, String)>,
    publications: BTreeMap<(RoomId, String), String>,
    finished: BTreeSet<RoomId>,
}

impl Backend {
    fn hear(&mut self, noted: &Noted) {
        let room = noted.room;
        let number = self.numbers.entry(room).or_default();
        *number += 1;
        assert_eq!(*number, noted.number, "{noted:?}");
        assert!(!self.finished.contains(&room), "{noted:?}");
        match &noted.happening {
            Happening::RoomStarted {} => assert_eq!(noted.number, 1),
            Happening::RoomFinished {} => {
                assert!(!self.people.iter().any(|(of, _)| *of == room), "{noted:?}");
                self.finished.insert(room);
            }
            Happening::ParticipantJoined { participant } => {
                assert!(
                    self.people.insert((room, participant.id.clone())),
                    "{noted:?}"
                );
            }
            Happening::ParticipantLeft { participant, .. } => {
                assert!(
                    self.people.remove(&(room, participant.id.clone())),
                    "{noted:?}"
                );
                let theirs = self
                    .publications
                    .values()
                    .any(|owner| *owner == participant.id);
                assert!(!theirs, "{noted:?}");
            }
            Happening::PublicationStarted {
                participant,
                publication,
            } => {
                assert!(
                    self.people.contains(&(room, participant.id.clone())),
                    "{noted:?}"
                );
                let key = (room, publication.id.clone());
                let before = self.publications.insert(key, participant.id.clone());
                assert_eq!(before, None, "{noted:?}");
            }
            Happening::PublicationEnded { publication, .. } => {
                let key = (room, publication.id.clone());
                assert!(self.publications.remove(&key).is_some(), "{noted:?}");
            }
            Happening::ActiveSpeaker { participant }
            | Happening::ConnectionFailed { participant, .. } => {
                assert!(
                    self.people.contains(&(room, participant.id.clone())),
                    "{noted:?}"
                );
            }
        }
    }
}

#[test]
fn over_random_calls_everything_that_begins_ends() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let mut server = Server::new();
        let mut clients = 0;
        for _ in 0..60 {
            let client = rng.random_range(1..=clients.max(1));
            match rng.random_range(0..9) {
                0..3 => {
                    clients += 1;
                    let identity = ["ada", "bob", "eve", "kim"][rng.random_range(0..4)];
                    let room = ["r", "s"][rng.random_range(0..2)];
                    let grants = Grants {
                        hidden: rng.random_ratio(1, 8),
                        ..Grants::join(room)
                    };
                    server.join_with(clients, identity, grants);
                    if rng.random_ratio(3, 4) {
                        server.offer(clients, CHROMIUM);
                    }
                }
                3 => server.say(client, json!({"type": "leave"})),
                4 => server.lose(client, Ending::Lost),
                5 => server.lose(client, Ending::Left),
                6 => server.wait(rng.random_range(0..12_000)),
                7 => {
                    let id = format!("TR_{}", rng.random_range(1..40));
                    server.say(client, json!({"type": "unpublish", "publication": id}));
                }
                _ => {
                    let sdp = CHROMIUM.replace("a=msid:", "a=msid:x");
                    server.offer(client, &sdp);
                }
            }
        }
        if rng.random_ratio(1, 2) {
            server.shut_down();
        } else {
            for client in 1..=clients {
                server.lose(client, Ending::Left);
            }
            server.wait(60_000);
        }
        let mut backend = Backend::default();
        for noted in &server.noted {
            backend.hear(noted);
        }
        assert!(backend.people.is_empty() && backend.publications.is_empty());
        assert_eq!(backend.finished.len(), backend.numbers.len());
        assert!(backend.numbers.len() > 1);
    }
}
