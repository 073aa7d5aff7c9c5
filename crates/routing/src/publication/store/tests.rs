use super::*;
use crate::testing::at;
use plenum_rtp::{HeaderExtensions, RtpHeader, describe};
use plenum_types::{Codec, ExtensionMap};

/// A packet whose bytes tell its number.
fn packet(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![number as u8; length];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// What it says does not matter to the store.
fn describe_sound() -> PacketDescription {
    let bytes = [0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];
    let header = RtpHeader::parse(&bytes).unwrap();
    let extensions = HeaderExtensions::parse(&bytes, &header, &ExtensionMap::default()).unwrap();
    describe(&bytes, header, extensions, Codec::Opus).unwrap()
}

struct Feed {
    store: PacketStore,
    description: PacketDescription,
}

impl Feed {
    fn new() -> Self {
        Self {
            store: PacketStore::default(),
            description: describe_sound(),
        }
    }

    fn push(&mut self, ms: u64, number: u64, length: usize) {
        self.store
            .push(at(ms), number, &packet(number, length), &self.description);
    }

    fn has(&self, ms: u64, number: u64, length: usize) -> bool {
        self.store
            .find(at(ms), number)
            .is_some_and(|found| found.packet == packet(number, length))
    }
}

#[test]
fn a_second_of_packets_is_kept_whatever_the_rate() {
    for (interval_ms, length) in [(20, 100), (7, 1_200), (1, 1_200)] {
        let mut feed = Feed::new();
        let packets = 5_000 / interval_ms;
        for number in 0..packets {
            feed.push(number * interval_ms, 70_000 + number, length);
        }
        let now = (packets - 1) * interval_ms;
        for number in 0..packets {
            let age = now - number * interval_ms;
            let found = feed.has(now, 70_000 + number, length);
            assert_eq!(found, age <= 1_000, "age {age} ms, every {interval_ms} ms");
        }
    }
}

#[test]
fn memory_follows_the_rate_up_and_down() {
    let mut feed = Feed::new();
    for number in 0..3_000 {
        feed.push(number, number, 1_200);
    }
    let busy = feed.store.bytes.wanted_size(at(3_000), 0);
    assert_eq!(busy, None, "a steady rate changes nothing");
    let large = feed.store.memory();
    assert!((1_200_000..=4_300_000).contains(&large), "{large} bytes");
    for number in 0..250 {
        feed.push(3_000 + number * 20, 3_000 + number, 100);
    }
    let small = feed.store.memory();
    assert!(small < large / 4, "{small} of {large} bytes");
    assert!(feed.has(7_980, 3_249, 100));
    assert!(feed.has(7_980, 3_200, 100));
}

#[test]
fn late_packets_find_their_place_and_the_ancient_none() {
    let mut feed = Feed::new();
    feed.push(0, 100, 200);
    feed.push(1, 103, 200);
    feed.push(2, 101, 200);
    assert!(feed.has(3, 101, 200));
    assert!(!feed.has(3, 102, 200));
    for number in 104..400 {
        feed.push(number, number, 200);
    }
    feed.push(1_500, 2_000, 200);
    feed.push(1_500, 300, 200);
    assert!(!feed.has(1_500, 300, 200));
}

#[test]
fn a_flood_is_kept_within_bounds() {
    let mut feed = Feed::new();
    for number in 0..100_000 {
        feed.push(number / 1_000, number, 1_400);
    }
    let memory = feed.store.memory();
    assert!(memory < 6 << 20, "{memory} bytes");
    assert!(feed.has(100, 99_999, 1_400));
}

#[test]
fn cleared_it_holds_nothing() {
    let mut feed = Feed::new();
    feed.push(0, 5, 100);
    feed.store.clear();
    assert!(!feed.has(0, 5, 100));
    assert_eq!(feed.store.memory(), 0);
    feed.push(1, 6, 100);
    assert!(feed.has(1, 6, 100));
}
