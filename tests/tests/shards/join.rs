//! A room spans shards: everybody sees and hears everybody, wherever they are.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{Client, ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::DropReason;
use rand::RngExt;

/// From the offer to ICE and DTLS, commands that take a while included.
const JOIN_MAX: Duration = Duration::from_millis(1_200);
/// From the connection to the first picture: a keyframe request over a link, and the keyframe.
const FIRST_PICTURE_MAX: Duration = Duration::from_millis(800);
/// Two frames of video and some jitter.
const FREEZE_MAX: Duration = Duration::from_millis(120);

fn call(seed: u64, shards: u16, codec: VideoCodec) -> (World, Vec<ClientId>) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::with_shards(seed, shards);
    let people = u32::from(shards) + 1;
    let ids = (1..=people)
        .map(|number| {
            let others = people as usize - 1;
            let config = ClientConfig::new(world.next_address())
                .with_audio(10 * number)
                .with_video(10 * number + 1, VideoConfig::single(codec))
                .with_slots(others, others);
            let link = LinkConfig {
                latency: Duration::from_millis(rng.random_range(1..80)),
                jitter: Duration::from_millis(rng.random_range(0..20)),
                ..LinkConfig::default()
            };
            world.join(config, link)
        })
        .collect();
    (world, ids)
}

fn all_see_each_other(seed: u64, shards: u16, codec: VideoCodec) {
    let (mut world, ids) = call(seed, shards, codec);
    let connected = world.run_until(JOIN_MAX, |world| world.clients().all(Client::is_connected));
    assert!(connected, "not connected after {:?}", world.elapsed());
    world.run_for(FIRST_PICTURE_MAX);
    let seen_from = world.now();
    world.run_for(Duration::from_secs(2));
    let others = ids.len() - 1;
    for id in &ids {
        let client = world.client(*id);
        assert_eq!(client.errors(), 0);
        let mut sources = Vec::new();
        for index in 0..2 * others {
            let stream = client.received(index);
            assert_eq!(stream.violations(), [], "{index}");
            let stats = stream.stats();
            assert_eq!(stats.residual_loss(), 0.0, "{stats:?}");
            assert_eq!(stats.duplicates, 0, "{stats:?}");
            assert_eq!(stats.undecodable, 0, "{stats:?}");
            let freeze = stream.longest_freeze(seen_from, world.now());
            assert!(freeze < FREEZE_MAX, "{index}: {freeze:?}, {stats:?}");
            assert!(stream.timestamp_drift() < Duration::from_millis(2));
            sources.extend(stream.frames().last().map(|frame| frame.stamp.source));
        }
        sources.sort_unstable();
        let expected: Vec<u32> = (1..=ids.len())
            .filter(|number| number - 1 != id.0)
            .flat_map(|number| [10 * number as u32, 10 * number as u32 + 1])
            .collect();
        assert_eq!(sources, expected);
    }
    for stats in world.all_stats() {
        assert_eq!(stats.drops.get(DropReason::LinkFull), 0);
        assert!(stats.link_packets_in > 0 && stats.link_packets_out > 0);
    }
}

#[test]
fn with_vp8_on_two() {
    for_seeds(|seed| all_see_each_other(seed, 2, VideoCodec::Vp8));
}

#[test]
fn with_vp9_on_three() {
    for_seeds(|seed| all_see_each_other(seed, 3, VideoCodec::Vp9));
}

#[test]
fn with_h264_on_four() {
    for_seeds(|seed| all_see_each_other(seed, 4, VideoCodec::H264));
}

#[test]
fn with_av1_on_two() {
    for_seeds(|seed| all_see_each_other(seed, 2, VideoCodec::Av1));
}
