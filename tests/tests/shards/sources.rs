//! A slot is pinned to participants on other shards and its own in turn: the picture changes, the
//! stream stays one stream.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{RoomId, ShardId, SlotPolicy, SlotWish};
use rand::RngExt;

use crate::{access, connect};

/// From the wish to the first picture of the other participant.
const SWITCH_MAX: Duration = Duration::from_millis(900);
/// The old source is shown until the new one begins.
const FREEZE_MAX: Duration = Duration::from_millis(160);

fn picture_changes(seed: u64, codec: VideoCodec) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::with_shards(seed, 3);
    let publishers = [100, 200, 300].map(|source| {
        let config =
            ClientConfig::new(world.next_address()).with_video(source, VideoConfig::single(codec));
        (source, world.join(config, access(&mut rng)))
    });
    let config = ClientConfig::new(world.next_address()).with_slots(0, 1);
    let subscriber = world.join_shard(ShardId(2), RoomId(1), config, access(&mut rng));
    connect(&mut world);
    world.run_for(Duration::from_millis(300));
    let mut seen_from = None;
    for (source, publisher) in publishers.into_iter().cycle().take(7) {
        let policy = SlotPolicy::Pinned(world.publication(publisher, 0));
        world.set_wish(subscriber, 0, SlotWish::new(policy));
        let switched = world.run_until(SWITCH_MAX, |world| {
            let frames = world.client(subscriber).received(0).frames();
            frames
                .last()
                .is_some_and(|frame| frame.stamp.source == source)
        });
        let binding = world.binding(subscriber, 0);
        assert!(switched, "{source} not shown: {binding:?}");
        seen_from.get_or_insert(world.now());
        world.run_for(Duration::from_millis(rng.random_range(200..600)));
    }
    let stream = world.client(subscriber).received(0);
    assert_eq!(stream.violations(), []);
    let stats = stream.stats();
    assert_eq!((stats.undecodable, stats.given_up), (0, 0), "{stats:?}");
    let freeze = stream.longest_freeze(seen_from.expect("a source was shown"), world.now());
    assert!(freeze < FREEZE_MAX, "{freeze:?}");
}

#[test]
fn of_vp8() {
    for_seeds(|seed| picture_changes(seed, VideoCodec::Vp8));
}

#[test]
fn of_vp9() {
    for_seeds(|seed| picture_changes(seed, VideoCodec::Vp9));
}

#[test]
fn of_h264() {
    for_seeds(|seed| picture_changes(seed, VideoCodec::H264));
}
