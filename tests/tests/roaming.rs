//! A participant's address changes under it (another NAT binding, another network): media goes on
//! without signaling having to know.

use std::net::SocketAddr;
use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::MediaEvent;
use rand::RngExt;

/// The client's next keepalive proves its new address (the stack sends one every 2 s), its next
/// report shows that it lives there (every second). What was lost meanwhile is given up after
/// another second, then a keyframe is asked for.
const FREEZE_MAX: Duration = Duration::from_millis(4_300);
/// After the change; from here on nothing is lost.
const SETTLED: Duration = Duration::from_millis(4_500);

fn media_goes_on(seed: u64, publisher_moves: bool) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::new(seed);
    let config =
        ClientConfig::new(world.next_address()).with_video(1, VideoConfig::single(VideoCodec::Vp8));
    let publisher = world.join(config, LinkConfig::default());
    let config = ClientConfig::new(world.next_address()).with_slots(0, 1);
    let subscriber = world.join(config, LinkConfig::default());
    assert!(world.run_until(Duration::from_secs(2), |world| {
        world.client(subscriber).received(0).stats().frames > 0
    }));
    world.run_for(Duration::from_millis(rng.random_range(100..2_500)));

    let mover = if publisher_moves {
        publisher
    } else {
        subscriber
    };
    let home = world.client(mover).address();
    let elsewhere = SocketAddr::from(([203, 0, 113, 7], rng.random_range(10_000..60_000)));
    world.network.rebind(home, elsewhere);
    let moved_at = world.now();
    world.run_for(SETTLED);
    let settled_at = world.now();
    world.run_for(Duration::from_secs(1));

    let stream = world.client(subscriber).received(0);
    let freeze = stream.longest_freeze(moved_at, settled_at);
    assert!(freeze < FREEZE_MAX, "{freeze:?}, {:?}", stream.stats());
    let freeze = stream.longest_freeze(settled_at, world.now());
    assert!(
        freeze < Duration::from_millis(120),
        "{freeze:?}, {:?}",
        stream.stats()
    );
    assert_eq!(stream.violations(), []);
    for event in world.events() {
        assert!(
            !matches!(event.event, MediaEvent::PeerClosed { .. }),
            "{event:?}"
        );
    }
}

#[test]
fn of_the_publisher() {
    for_seeds(|seed| media_goes_on(seed, true));
}

#[test]
fn of_the_subscriber() {
    for_seeds(|seed| media_goes_on(seed, false));
}
