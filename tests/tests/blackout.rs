//! For some seconds nothing passes a participant's link: when it is back, so is media, without a
//! rejoin. The server tells of an interruption that is longer than two checks of a browser.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::MediaEvent;
use rand::RngExt;

/// Shorter than what counts as an interruption.
const SHORT: Duration = Duration::from_millis(3_000);
/// Longer than that, whenever the last check went through.
const LONG: Duration = Duration::from_millis(7_500);
/// From the end of the blackout to the next picture: gaps are given up after a second, then a
/// keyframe is asked for.
const RECOVERY_MAX: Duration = Duration::from_millis(2_000);

/// What the server told of the connection of `id`.
fn connection_events(world: &World, id: ClientId) -> Vec<&'static str> {
    let own = world.peer(id);
    world
        .events()
        .iter()
        .filter_map(|event| match event.event {
            MediaEvent::PeerConnected { peer, .. } if peer == own => Some("connected"),
            MediaEvent::PeerInterrupted { peer } if peer == own => Some("interrupted"),
            MediaEvent::PeerResumed { peer } if peer == own => Some("resumed"),
            MediaEvent::PeerClosed { peer, .. } if peer == own => Some("closed"),
            _ => None,
        })
        .collect()
}

fn media_comes_back(seed: u64, publisher_suffers: bool, blackout: Duration) -> Vec<&'static str> {
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

    let who = if publisher_suffers {
        publisher
    } else {
        subscriber
    };
    let home = world.client(who).address();
    let over_at = world.now() + blackout;
    world.network.black_out(home, over_at);
    world.run_for(blackout);
    world.run_for(RECOVERY_MAX);
    let recovered_at = world.now();
    world.run_for(Duration::from_secs(1));

    let stream = world.client(subscriber).received(0);
    let freeze = stream.longest_freeze(recovered_at, world.now());
    assert!(
        freeze < Duration::from_millis(120),
        "{freeze:?}, {:?}",
        stream.stats()
    );
    assert_eq!(stream.violations(), []);
    connection_events(&world, who)
}

#[test]
fn of_the_publisher() {
    for_seeds(|seed| {
        assert!(!media_comes_back(seed, true, SHORT).contains(&"closed"));
    });
}

#[test]
fn of_the_subscriber() {
    for_seeds(|seed| {
        assert!(!media_comes_back(seed, false, SHORT).contains(&"closed"));
    });
}

#[test]
fn long_ones_are_told() {
    for_seeds(|seed| {
        let events = media_comes_back(seed, seed % 2 == 0, LONG);
        assert_eq!(events, ["connected", "interrupted", "resumed"]);
    });
}
