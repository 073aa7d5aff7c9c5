//! A participant restarts ICE, from the same address or from a new one: media goes on with the
//! keys that it has.

use std::net::SocketAddr;
use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::MediaEvent;
use rand::RngExt;

/// New checks take a few round trips; meanwhile the old path carries what it can.
const FREEZE_MAX: Duration = Duration::from_millis(700);

fn media_goes_on(seed: u64, moves: bool) {
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
    world.run_for(Duration::from_millis(rng.random_range(100..1_000)));

    let who = if rng.random() { publisher } else { subscriber };
    let restarted_at = world.now();
    if moves {
        let elsewhere = SocketAddr::from(([203, 0, 113, 7], rng.random_range(10_000..60_000)));
        let home = world.client(who).address();
        world.network.rebind(home, elsewhere);
    }
    world.restart_ice(who);
    world.run_for(Duration::from_millis(1_500));
    let settled_at = world.now();
    world.run_for(Duration::from_secs(1));

    let stream = world.client(subscriber).received(0);
    let freeze = stream.longest_freeze(restarted_at, settled_at);
    assert!(freeze < FREEZE_MAX, "{freeze:?}, {:?}", stream.stats());
    let freeze = stream.longest_freeze(settled_at, world.now());
    assert!(
        freeze < Duration::from_millis(120),
        "{freeze:?}, {:?}",
        stream.stats()
    );
    assert_eq!(stream.violations(), []);
    assert!(world.client(who).is_connected());
    for event in world.events() {
        assert!(
            !matches!(event.event, MediaEvent::PeerClosed { .. }),
            "{event:?}"
        );
    }
}

#[test]
fn from_the_same_address() {
    for_seeds(|seed| media_goes_on(seed, false));
}

#[test]
fn from_a_new_address() {
    for_seeds(|seed| media_goes_on(seed, true));
}
