//! A subscriber changes the size at which it shows a picture: the layer follows, at a keyframe,
//! and the stream stays one stream.

use std::time::Duration;

use plenum_testkit::media::VideoConfig;
use plenum_testkit::{ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{Pixels, SlotPolicy, SlotWish};
use rand::RngExt;

/// From the wish to the first frame of the new layer: a keyframe request, the keyframe.
const SWITCH_MAX: Duration = Duration::from_millis(700);
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

fn layer_follows(seed: u64) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::new(seed);
    let mut link = || LinkConfig {
        latency: Duration::from_millis(rng.random_range(1..60)),
        jitter: Duration::from_millis(rng.random_range(0..10)),
        ..LinkConfig::default()
    };
    let (up, down) = (link(), link());
    let config = ClientConfig::new(world.next_address()).with_video(1, VideoConfig::simulcast());
    let publisher = world.join(config, up);
    let config = ClientConfig::new(world.next_address()).with_slots(0, 1);
    let subscriber = world.join(config, down);
    show_at(&mut world, subscriber, publisher, STEPS[0].0);
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
    }
    let stream = world.client(subscriber).received(0);
    assert_eq!(stream.violations(), []);
    let stats = stream.stats();
    assert_eq!((stats.undecodable, stats.given_up), (0, 0), "{stats:?}");
    let freeze = stream.longest_freeze(seen_from, world.now());
    assert!(freeze < FREEZE_MAX, "{freeze:?}");
    assert!(
        stream.timestamp_drift() < DRIFT_MAX,
        "{:?}",
        stream.timestamp_drift()
    );
}

#[test]
fn follows_the_viewport() {
    for_seeds(layer_follows);
}
