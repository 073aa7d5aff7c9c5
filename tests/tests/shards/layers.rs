//! A subscriber on another shard changes the size at which it shows a picture: the layer follows,
//! at a keyframe, and only what somebody wants crosses the link.

use std::time::Duration;

use plenum_testkit::media::VideoConfig;
use plenum_testkit::{ClientConfig, ClientId, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{Pixels, RoomId, ShardId, ShardStats, SlotPolicy, SlotWish};
use rand::RngExt;

use crate::{access, connect};

/// From the wish to the first frame of the new layer: demand and keyframe request over the link,
/// the keyframe, and if one was asked for just before, the pause between two requests.
const SWITCH_MAX: Duration = Duration::from_millis(900);
/// The old layer is shown until the new one begins: two frames and some jitter.
const FREEZE_MAX: Duration = Duration::from_millis(120);
/// One frame of 30 a second.
const DRIFT_MAX: Duration = Duration::from_millis(34);

/// Width, and the encoding that suffices for it.
const STEPS: [(u32, u8); 5] = [(320, 0), (1_280, 2), (640, 1), (1_280, 2), (320, 0)];

fn show_at(world: &mut World, subscriber: ClientId, publisher: ClientId, width: u32) {
    let wish = SlotWish {
        viewport: Some(Pixels {
            width,
            height: width * 9 / 16,
        }),
        ..SlotWish::new(SlotPolicy::Pinned(world.publication(publisher, 0)))
    };
    world.set_wish(subscriber, 0, wish);
}

#[test]
fn follow_the_viewport() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 1);
        let mut world = World::with_shards(seed, 2);
        let config =
            ClientConfig::new(world.next_address()).with_video(1, VideoConfig::simulcast());
        let publisher = world.join(config, access(&mut rng));
        let config = ClientConfig::new(world.next_address()).with_slots(0, 1);
        let subscriber = world.join(config, access(&mut rng));
        show_at(&mut world, subscriber, publisher, STEPS[0].0);
        connect(&mut world);
        assert!(world.run_until(Duration::from_secs(2), |world| {
            world.client(subscriber).received(0).stats().frames > 0
        }));
        let seen_from = world.now();
        for (width, encoding) in STEPS {
            show_at(&mut world, subscriber, publisher, width);
            let switched = world.run_until(SWITCH_MAX, |world| {
                let frames = world.client(subscriber).received(0).frames();
                frames
                    .last()
                    .is_some_and(|frame| frame.stamp.encoding == encoding)
            });
            let binding = world.binding(subscriber, 0);
            assert!(switched, "{width} does not show {encoding}: {binding:?}");
            let layer = binding.and_then(|binding| binding.layer);
            assert_eq!(layer.map(|layer| layer.spatial), Some(encoding));
            world.run_for(Duration::from_millis(rng.random_range(200..700)));
            assert_eq!(world.stats_of(ShardId(0)).feeds, 1, "only what is shown");
        }
        let stream = world.client(subscriber).received(0);
        assert_eq!(stream.violations(), []);
        let stats = stream.stats();
        assert_eq!((stats.undecodable, stats.given_up), (0, 0), "{stats:?}");
        let freeze = stream.longest_freeze(seen_from, world.now());
        assert!(freeze < FREEZE_MAX, "{freeze:?}");
        let drift = stream.timestamp_drift();
        assert!(drift < DRIFT_MAX, "{drift:?}");
    });
}

#[test]
fn cross_once_for_all_who_show_them() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 1);
        let mut world = World::with_shards(seed, 2);
        let config =
            ClientConfig::new(world.next_address()).with_video(1, VideoConfig::simulcast());
        let publisher = world.join_shard(ShardId(0), RoomId(1), config, access(&mut rng));
        let widths = [320, 320, 1_280, 1_280];
        let subscribers = widths.map(|width| {
            let config = ClientConfig::new(world.next_address()).with_slots(0, 1);
            let id = world.join_shard(ShardId(1), RoomId(1), config, access(&mut rng));
            show_at(&mut world, id, publisher, width);
            id
        });
        connect(&mut world);
        world.run_for(Duration::from_secs(2));
        assert_eq!(
            world.stats_of(ShardId(0)).feeds,
            2,
            "two of three encodings"
        );
        let before = world.stats_of(ShardId(1));
        world.run_for(Duration::from_secs(1));
        let after = world.stats_of(ShardId(1));
        let crossed = after.link_packets_in - before.link_packets_in;
        let media = |stats: &ShardStats| stats.rtp_packets_out - stats.probe_packets_out;
        let sent = media(&after) - media(&before);
        assert!(
            sent.abs_diff(2 * crossed) <= 4,
            "{sent} sent, {crossed} crossed"
        );
        for (id, width) in subscribers.into_iter().zip(widths) {
            let frames = world.client(id).received(0).frames();
            let encoding = frames.last().map(|frame| frame.stamp.encoding);
            assert_eq!(encoding, Some(if width == 320 { 0 } else { 2 }));
        }
        for id in subscribers {
            world.leave(id);
        }
        world.run_for(Duration::from_millis(500));
        assert_eq!(world.stats_of(ShardId(0)).feeds, 0);
    });
}
