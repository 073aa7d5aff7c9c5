//! What participants say by RTCP: less than we would like, nothing that is true, and what they are
//! told.

use std::time::Duration;

use plenum_testkit::media::VideoConfig;
use plenum_testkit::{Claim, ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{Bitrate, SequenceNumber};
use rand::RngExt;

/// Bitrates of the publisher's layers: 150, 400 and 1,000 kbit/s.
const TOP: Option<u8> = Some(2);

fn link(rng: &mut seed::SimRng) -> LinkConfig {
    LinkConfig {
        latency: Duration::from_millis(rng.random_range(1..40)),
        jitter: Duration::from_millis(rng.random_range(0..5)),
        ..LinkConfig::default()
    }
}

fn publisher(world: &mut World, rng: &mut seed::SimRng) -> ClientId {
    let config = ClientConfig::new(world.next_address())
        .with_audio(1)
        .with_video(2, VideoConfig::simulcast());
    world.join(config, link(rng))
}

/// The layer of the picture, if there is one.
fn layer(world: &World, id: ClientId) -> Option<u8> {
    let layer = world.binding(id, 1)?.layer?;
    Some(layer.spatial)
}

#[test]
fn remb_alone_chooses_the_layer() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 1);
        let mut world = World::new(seed);
        publisher(&mut world, &mut rng);
        let config = ClientConfig::new(world.next_address())
            .with_slots(1, 1)
            .without_transport_cc();
        let subscriber = world.join(config, link(&mut rng));
        world.run_for(Duration::from_secs(3));
        // Without any estimate nothing is held back.
        assert_eq!(layer(&world, subscriber), TOP);
        for (claimed, expected) in [
            (Bitrate::kbps(750), Some(1)),
            (Bitrate::kbps(300), Some(0)),
            (Bitrate(0), None),
            (Bitrate(1), None),
            (Bitrate::kbps(300), Some(0)),
            (Bitrate::kbps(u64::from(u32::MAX)), TOP),
        ] {
            for _ in 0..25 {
                world.claim(subscriber, 1, Claim::Carries(claimed));
                world.run_for(Duration::from_secs(1));
            }
            assert_eq!(layer(&world, subscriber), expected, "{claimed:?}");
        }
        let sound = world.client(subscriber).received(0);
        let from = world.now() - Duration::from_secs(140);
        let gap = sound.longest_freeze(from, world.now());
        assert!(gap < Duration::from_millis(150), "no sound for {gap:?}");
    });
}

#[test]
fn lies_spoil_nobody_elses_picture() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 1);
        let mut world = World::new(seed);
        let source = publisher(&mut world, &mut rng);
        let [honest, liar] = [0, 1].map(|_| {
            let config = ClientConfig::new(world.next_address()).with_slots(1, 1);
            world.join(config, link(&mut rng))
        });
        world.run_for(Duration::from_secs(10));
        assert_eq!(layer(&world, honest), TOP);
        let keyframes = |world: &mut World| {
            let camera = world.client_mut(source).camera(1).expect("one");
            (0..3)
                .map(|encoding| camera.keyframes(encoding))
                .sum::<u64>()
        };
        let (from, before) = (world.now(), keyframes(&mut world));
        let sent_before = world.stats();
        for _ in 0..2_000 {
            let claim = match rng.random_range(0..5) {
                0 => Claim::Carries(Bitrate(rng.random())),
                1 => Claim::Misses(SequenceNumber(rng.random())),
                2 => Claim::NeedsKeyframe,
                _ => Claim::Got(rng.random(), rng.random()),
            };
            let slot = rng.random_range(0..2);
            for _ in 0..rng.random_range(1..4) {
                world.claim(liar, slot, claim);
            }
            world.run_for(Duration::from_millis(5));
        }
        let seconds = (world.now() - from).as_secs_f64();
        // Two a second for each layer at the most.
        let asked = (keyframes(&mut world) - before) as f64;
        assert!(
            asked <= 6.0 * (seconds + 1.0),
            "{asked} keyframes in {seconds} s"
        );
        // What is asked for again is sent once a round trip at the most, and not for ever.
        let sent = world.stats().rtx_packets_out - sent_before.rtx_packets_out;
        let packets = world.stats().rtp_packets_out - sent_before.rtp_packets_out;
        assert!(
            2 * sent < packets,
            "{sent} of {packets} packets were sent again"
        );
        assert_eq!(layer(&world, honest), TOP);
        for slot in 0..2 {
            let stream = world.client(honest).received(slot);
            let freeze = stream.longest_freeze(from, world.now());
            assert!(freeze < Duration::from_millis(150), "{slot}: {freeze:?}");
            assert_eq!(stream.violations(), []);
        }
        // Honest again, and served again.
        world.run_for(Duration::from_secs(60));
        assert_eq!(layer(&world, liar), TOP);
        assert_eq!(world.client(liar).received(1).violations(), []);
    });
}

#[test]
fn a_publisher_hears_its_limit() {
    let mut world = World::new(1);
    let mut rng = seed::stream(1, 1);
    let id = publisher(&mut world, &mut rng);
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.client(id).wire_log().limit, None);
    for kbps in [800, 250] {
        world.limit_publishing(id, Some(Bitrate::kbps(kbps)));
        world.run_for(Duration::from_millis(300));
        let told = world.client(id).wire_log().limit.expect("is told");
        assert!(
            told.bits_per_second().abs_diff(kbps * 1_000) < 1_000,
            "{told:?}"
        );
    }
    world.limit_publishing(id, None);
    world.run_for(Duration::from_millis(300));
    let told = world.client(id).wire_log().limit.expect("is told");
    assert!(told >= Bitrate::kbps(10_000), "{told:?}");
}
