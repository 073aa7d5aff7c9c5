//! Accounting of sequence numbers.

use super::*;
use crate::client::{Clock, Identity, Outbox, Tally};
use std::time::Duration;

struct World {
    now: Instant,
    clock: Clock,
    identity: Identity,
    outbox: Outbox,
    tally: Tally,
}

impl World {
    fn new() -> Self {

        let now = Instant::now();
        Self {
            now,
            clock: Clock::new(now),
            identity: Identity::generate().unwrap(),
            outbox: Outbox::default(),
            tally: Tally::new(1),
        }
    }

    fn context(&mut self) -> Context<'_> {
        Context {
            now: self.now,
            clock: &self.clock,
            identity: &self.identity,
            outbox: &mut self.outbox,
            tally: &mut self.tally,
        }
    }
}

fn clear(sequence: u16, timestamp: u32, marker: bool) -> Clear {
    Clear {
        marker,
        payload_type: 96,
        sequence,
        timestamp,
        ssrc: 7,
    }
}

fn stream(world: &World) -> Stream {
    Stream::new(world.now, &clear(0, 0, false), 0, Codec::Vp8, true)
}

#[test]
fn gaps_reordering_and_duplicates_are_told_apart_over_the_wrap() {
    let mut world = World::new();
    let mut stream = stream(&world);
    let arrivals = [65_534_u16, 65_535, 2, 0, 0, 2]
        .map(|sequence| stream.on_packet(&mut world.context(), 0, &clear(sequence, 0, false)));
    use Arrival::{Duplicate, InOrder, Late};
    assert_eq!(
        arrivals,
        [InOrder, InOrder, InOrder, Late, Duplicate, Duplicate]
    );
    let later = world.now + Duration::from_secs(1);
    assert_eq!(stream.missing.give_up(later), 1);
    let block = stream.report(world.now);
    assert_eq!(block.cumulative_lost, 1);
    assert_eq!(block.fraction_lost, (256 / 5) as u8);
    assert_eq!(block.highest_sequence as u16, 2);
    assert_eq!(stream.report(world.now).fraction_lost, 0);
}

#[test]
fn frames_count_when_they_are_whole() {
    let mut world = World::new();
    let mut stream = stream(&world);
    for (sequence, timestamp, marker) in [
        (1, 0, false),
        (2, 0, true),
        (3, 9, false),
        (5, 9, true),
        (6, 18, true),
    ] {
        stream.on_packet(&mut world.context(), 0, &clear(sequence, timestamp, marker));
    }
    assert_eq!(world.tally.counters.frames, 2);
}

#[test]
fn a_picture_that_stands_still_is_one_freeze() {
    let mut world = World::new();
    let mut stream = stream(&world);
    stream.on_packet(&mut world.context(), 0, &clear(1, 0, true));
    for _ in 0..20 {
        world.now += Duration::from_millis(100);
        stream.pictures.handle_tick(&mut world.context(), false);
    }
    assert_eq!(world.tally.counters.freezes, 1);
    stream.pictures.set_flowing(world.now, false);
    stream.on_packet(&mut world.context(), 0, &clear(2, 9, true));
    world.now += Duration::from_secs(5);
    stream.pictures.handle_tick(&mut world.context(), false);
    assert_eq!(world.tally.counters.freezes, 1, "nothing is expected");
}

#[test]
fn a_keyframe_is_asked_for_when_it_is_late_or_a_loss_broke_the_picture() {
    let mut world = World::new();
    let mut stream = stream(&world);
    let pictures = &mut stream.pictures;
    assert!(!pictures.handle_tick(&mut world.context(), false));
    world.now += Duration::from_millis(1_100);
    assert!(pictures.handle_tick(&mut world.context(), false));
    assert!(!pictures.handle_tick(&mut world.context(), false));
    pictures.on_keyframe(&mut world.context(), None);
    world.now += Duration::from_secs(3);
    assert!(!pictures.handle_tick(&mut world.context(), false));
    assert!(pictures.handle_tick(&mut world.context(), true));
    assert!(!pictures.handle_tick(&mut world.context(), true));
}

#[test]
fn jitter_is_that_of_the_rfc() {
    let mut jitter = Jitter::default();
    for n in 0..100_u64 {
        // Every other packet is 10 ms late: 900 ticks of the 90 kHz clock.
        let late_us = if n % 2 == 0 { 0 } else { 10_000 };
        jitter.on_packet(n * 20_000 + late_us, (n * 1_800) as u32, 90_000);
    }
    let value = jitter.value();
    assert!((850..=900).contains(&value), "{value}");
}
