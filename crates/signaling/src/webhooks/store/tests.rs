use std::collections::BTreeMap;

use super::*;
use crate::messages::ParticipantKind;

const URL: &str = "http://app.example/";

/// A directory that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("plenum-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn open(&self, keep: u64) -> Store {
        Store::open(&self.0, keep).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn room(session: &str) -> EventRoom {
    EventRoom {
        id: "RM_1".to_owned(),
        name: "tea".to_owned(),
        session: session.to_owned(),
    }
}

fn ada() -> Person {
    Person {
        id: "PA_2".to_owned(),
        identity: "ada".to_owned(),
        name: "Ada".to_owned(),
        metadata: String::new(),
        attributes: BTreeMap::new(),
        kind: ParticipantKind::Standard,
    }
}

fn at(session: &str, number: u64) -> RoomEvent {
    let happening = match number {
        1 => Happening::RoomStarted {},
        2 => Happening::ParticipantJoined { participant: ada() },
        _ => Happening::ActiveSpeaker { participant: ada() },
    };
    event(&room(session), number, 1_000 + number, happening)
}

fn numbers(events: Option<Vec<RoomEvent>>) -> Option<Vec<u64>> {
    let events = events?.into_iter().map(|event| event.number);
    Some(events.collect())
}

fn addresses(urls: &[&str]) -> Vec<String> {
    urls.iter().copied().map(str::to_owned).collect()
}

#[test]
fn events_come_back_after_a_restart_in_their_order() {
    let folder = Folder::new("store-order");
    let urls = addresses(&[URL]);
    {
        let store = folder.open(100);
        store.set_addresses(&urls).unwrap();
        store.append(&[at("a", 1), at("b", 1), at("a", 2)]).unwrap();
        store.append(&[at("a", 3)]).unwrap();
        store
            .delivered(&[(URL.to_owned(), "a".to_owned(), 1)])
            .unwrap();
        // A crash may forget what was delivered, never what was recorded; this commit keeps both.
        store.append(&[at("b", 2)]).unwrap();
    }
    let store = folder.open(100);
    store.set_addresses(&urls).unwrap();
    let next = |session| store.next(URL, session).unwrap();
    assert_eq!(next("a"), Some(at("a", 2)));
    assert_eq!(next("b"), Some(at("b", 1)));
    let waiting = store.waiting(&urls).unwrap();
    assert_eq!(waiting.len(), 2);
    store
        .delivered(&[
            (URL.to_owned(), "a".to_owned(), 3),
            (URL.to_owned(), "b".to_owned(), 2),
        ])
        .unwrap();
    assert_eq!(next("a"), None);
    assert!(store.waiting(&urls).unwrap().is_empty());
}

#[test]
fn what_a_crash_left_open_is_ended() {
    let folder = Folder::new("store-crash");
    folder
        .open(100)
        .append(&[at("a", 1), at("a", 2), at("a", 3)])
        .unwrap();
    let store = folder.open(100);
    store.close_sessions(5_000).unwrap();
    let events = store.replay("a", 3, 10).unwrap().unwrap();
    let left = Happening::ParticipantLeft {
        participant: ada(),
        reason: "serverRestarted".to_owned(),
    };
    assert_eq!(events[0], event(&room("a"), 4, 5_000, left));
    assert_eq!(events[1].happening, Happening::RoomFinished {});
    assert_eq!(events.len(), 2);
    // Once.
    store.close_sessions(6_000).unwrap();
    assert_eq!(
        numbers(store.replay("a", 0, 10).unwrap()),
        Some(vec![1, 2, 3, 4, 5])
    );
}

#[test]
fn a_new_address_gets_what_happens_from_then_on() {
    let folder = Folder::new("store-address");
    let store = folder.open(100);
    store.append(&[at("a", 1), at("a", 2)]).unwrap();
    store.set_addresses(&addresses(&[URL])).unwrap();
    assert_eq!(store.next(URL, "a").unwrap(), None);
    store.append(&[at("a", 3), at("b", 1)]).unwrap();
    assert_eq!(store.next(URL, "a").unwrap(), Some(at("a", 3)));
    assert_eq!(store.next(URL, "b").unwrap(), Some(at("b", 1)));
    // One that was away is new again.
    store.set_addresses(&[]).unwrap();
    store.set_addresses(&addresses(&[URL])).unwrap();
    assert_eq!(store.next(URL, "a").unwrap(), None);
}

#[test]
fn the_oldest_go_when_there_are_too_many_and_those_not_delivered_are_counted() {
    let folder = Folder::new("store-full");
    let store = folder.open(4);
    store.set_addresses(&addresses(&[URL])).unwrap();
    store.append(&[at("a", 1), at("a", 2)]).unwrap();
    store
        .delivered(&[(URL.to_owned(), "a".to_owned(), 1)])
        .unwrap();
    let dropped = store
        .append(&[at("a", 3), at("b", 1), at("b", 2), at("b", 3)])
        .unwrap();
    assert_eq!(dropped, 1, "the second; the first was delivered");
    assert_eq!(store.replay("a", 0, 10).unwrap(), None);
    assert_eq!(numbers(store.replay("a", 2, 10).unwrap()), Some(vec![3]));
    assert_eq!(numbers(store.replay("a", 3, 10).unwrap()), Some(vec![]));
    assert_eq!(store.next(URL, "a").unwrap(), Some(at("a", 3)));
}

#[test]
fn a_name_stands_for_its_latest_room() {
    let folder = Folder::new("store-names");
    let store = folder.open(100);
    assert_eq!(store.latest("tea").unwrap(), None);
    store.append(&[at("a", 1), at("b", 1)]).unwrap();
    assert_eq!(store.latest("tea").unwrap().as_deref(), Some("b"));
    assert!(store.is_of("a", "tea").unwrap());
    assert!(!store.is_of("a", "coffee").unwrap());
    assert_eq!(store.latest("te").unwrap(), None);
}
