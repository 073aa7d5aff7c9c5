//! Two participants join and see and hear each other, whatever their distance from the server.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use rand::RngExt;

/// From the offer to ICE and DTLS: at most this many one-way delays, and the pause before a
/// repeated check.
const JOIN_MAX: Duration = Duration::from_millis(1_000);
/// From the connection to the first picture: a keyframe request and the keyframe.
const FIRST_PICTURE_MAX: Duration = Duration::from_millis(600);
/// Two frames of video and some jitter.
const FREEZE_MAX: Duration = Duration::from_millis(120);

fn call(seed: u64, codec: VideoCodec) -> (World, [ClientId; 2]) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::new(seed);
    let ids = [1_u32, 2].map(|number| {
        let config = ClientConfig::new(world.next_address())
            .with_audio(10 * number)
            .with_video(10 * number + 1, VideoConfig::single(codec))
            .with_slots(1, 1);
        let link = LinkConfig {
            latency: Duration::from_millis(rng.random_range(1..80)),
            jitter: Duration::from_millis(rng.random_range(0..20)),
            ..LinkConfig::default()
        };
        world.join(config, link)
    });
    (world, ids)
}

fn both_see_each_other(seed: u64, codec: VideoCodec) {
    let (mut world, ids) = call(seed, codec);
    let connected = world.run_until(JOIN_MAX, |world| {
        world.clients().all(plenum_testkit::Client::is_connected)
    });
    assert!(connected, "not connected after {:?}", world.elapsed());
    world.run_for(FIRST_PICTURE_MAX);
    let seen_from = world.now();
    world.run_for(Duration::from_secs(2));
    for (id, other) in [(ids[0], 2), (ids[1], 1)] {
        let client = world.client(id);
        assert_eq!(client.errors(), 0);
        for (index, source) in [(0, 10 * other), (1, 10 * other + 1)] {
            let stream = client.received(index);
            assert_eq!(stream.violations(), [], "{index}");
            let stats = stream.stats();
            assert_eq!(stats.residual_loss(), 0.0, "{stats:?}");
            assert_eq!(stats.duplicates, 0, "{stats:?}");
            assert_eq!(stats.undecodable, 0, "{stats:?}");
            let freeze = stream.longest_freeze(seen_from, world.now());
            assert!(freeze < FREEZE_MAX, "{index}: {freeze:?}, {stats:?}");
            let frames = stream.frames();
            assert!(frames.iter().all(|frame| frame.stamp.source == source));
            assert!(stream.timestamp_drift() < Duration::from_millis(2));
        }
    }
}

#[test]
fn with_vp8() {
    for_seeds(|seed| both_see_each_other(seed, VideoCodec::Vp8));
}

#[test]
fn with_vp9() {
    for_seeds(|seed| both_see_each_other(seed, VideoCodec::Vp9));
}

#[test]
fn with_h264() {
    for_seeds(|seed| both_see_each_other(seed, VideoCodec::H264));
}

#[test]
fn with_av1() {
    for_seeds(|seed| both_see_each_other(seed, VideoCodec::Av1));
}
