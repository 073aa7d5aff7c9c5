//! A publisher mutes, or begins anew: subscribers on other shards see that and nothing else.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::receive::Violation;
use plenum_testkit::{ClientConfig, ClientId, World, seed};
use plenum_tests::for_seeds;
use plenum_types::SlotReason;
use rand::RngExt;

use crate::{access, connect};

/// From unmuting to the first picture: a keyframe request and the keyframe.
const BACK_MAX: Duration = Duration::from_millis(1_200);

fn call(seed: u64) -> (World, ClientId, ClientId) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::with_shards(seed, 2);
    let config = ClientConfig::new(world.next_address())
        .with_audio(1)
        .with_video(2, VideoConfig::single(VideoCodec::Vp8));
    let publisher = world.join(config, access(&mut rng));
    let config = ClientConfig::new(world.next_address()).with_slots(1, 1);
    let subscriber = world.join(config, access(&mut rng));
    connect(&mut world);
    world.run_for(Duration::from_millis(1_000));
    (world, publisher, subscriber)
}

fn frames(world: &World, id: ClientId) -> [u64; 2] {
    [0, 1].map(|index| world.client(id).received(index).stats().frames)
}

fn come_back(world: &mut World, subscriber: ClientId) {
    let before = frames(world, subscriber);
    let back = world.run_until(BACK_MAX, |world| {
        let now = frames(world, subscriber);
        now[0] > before[0] && now[1] > before[1]
    });
    assert!(back, "{:?}", world.binding(subscriber, 1));
    for index in [0, 1] {
        let stream = world.client(subscriber).received(index);
        // The frame that was under way when the publisher muted or ended is cut.
        let mut violations = stream.violations().iter();
        let only_cut = violations.all(|fault| matches!(fault, Violation::FrameCut { .. }));
        assert!(only_cut, "{:?}", stream.violations());
        assert_eq!(stream.stats().given_up, 0);
    }
}

#[test]
fn is_seen_on_other_shards() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 2);
        let (mut world, publisher, subscriber) = call(seed);
        for _ in 0..3 {
            for track in [0, 1] {
                let publication = world.publication(publisher, track);
                world.mute(publication, true);
            }
            world.run_for(Duration::from_millis(200));
            let muted = frames(&world, subscriber);
            world.run_for(Duration::from_millis(rng.random_range(100..800)));
            assert_eq!(frames(&world, subscriber), muted);
            let reason = world.binding(subscriber, 1).map(|binding| binding.reason);
            assert_eq!(reason, Some(SlotReason::Muted));
            for track in [0, 1] {
                let publication = world.publication(publisher, track);
                world.mute(publication, false);
            }
            come_back(&mut world, subscriber);
            world.run_for(Duration::from_millis(rng.random_range(100..800)));
        }
    });
}

#[test]
fn publishing_anew_is_taken_up() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 2);
        let (mut world, publisher, subscriber) = call(seed);
        for _ in 0..3 {
            for track in [0, 1] {
                let publication = world.publication(publisher, track);
                world.republish(publication);
            }
            world.run_for(Duration::from_millis(100));
            come_back(&mut world, subscriber);
            world.run_for(Duration::from_millis(rng.random_range(100..800)));
        }
        for stats in world.all_stats() {
            assert_eq!(stats.publications + stats.replicas, 2);
        }
    });
}
