//! Participants over TCP: a connection that breaks and comes back, one that does not, and the move
//! to UDP.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{CloseReason, DropReason, MediaEvent};
use rand::RngExt;

/// The client's stack sends a check every 2 s, and one is enough; what was lost meanwhile is given
/// up after another second, then a keyframe is asked for.
const FREEZE_MAX: Duration = Duration::from_millis(4_300);
/// After a change; from here on nothing is lost.
const SETTLED: Duration = Duration::from_millis(4_500);

/// A publisher and a subscriber, one of them over TCP, with pictures flowing.
fn call(seed: u64, publisher_on_tcp: bool) -> (World, ClientId, ClientId) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::new(seed);
    let config =
        ClientConfig::new(world.next_address()).with_video(1, VideoConfig::single(VideoCodec::Vp8));
    let publisher = world.join(config, LinkConfig::default());
    let config = ClientConfig::new(world.next_address()).with_slots(0, 1);
    let subscriber = world.join(config, LinkConfig::default());
    let on_tcp = if publisher_on_tcp {
        publisher
    } else {
        subscriber
    };
    world.connect_tcp(on_tcp);
    assert!(world.run_until(Duration::from_secs(2), |world| {
        world.client(subscriber).received(0).stats().frames > 0
    }));
    world.run_for(Duration::from_millis(rng.random_range(100..2_500)));
    (world, on_tcp, subscriber)
}

fn freezes_at_most_once(world: &mut World, subscriber: ClientId) {
    let changed_at = world.now();
    world.run_for(SETTLED);
    let settled_at = world.now();
    world.run_for(Duration::from_secs(1));
    let stream = world.client(subscriber).received(0);
    let freeze = stream.longest_freeze(changed_at, settled_at);
    assert!(freeze < FREEZE_MAX, "{freeze:?}, {:?}", stream.stats());
    let freeze = stream.longest_freeze(settled_at, world.now());
    assert!(freeze < Duration::from_millis(120), "{freeze:?}");
    assert_eq!(stream.violations(), []);
    for event in world.events() {
        let closed = matches!(event.event, MediaEvent::PeerClosed { .. });
        assert!(!closed, "{event:?}");
    }
}

#[test]
fn a_connection_that_breaks_is_replaced_by_the_next() {
    for_seeds(|seed| {
        for publisher_on_tcp in [true, false] {
            let (mut world, on_tcp, subscriber) = call(seed, publisher_on_tcp);
            world.break_tcp(on_tcp);
            world.connect_tcp(on_tcp);
            freezes_at_most_once(&mut world, subscriber);
        }
    });
}

#[test]
fn who_comes_to_have_udp_moves_there() {
    for_seeds(|seed| {
        for publisher_on_tcp in [true, false] {
            let (mut world, on_tcp, subscriber) = call(seed, publisher_on_tcp);
            world.use_udp(on_tcp);
            freezes_at_most_once(&mut world, subscriber);
        }
    });
}

/// RFC 7675: the peer waits for consent, sends nothing without a path, and then ends.
#[test]
fn a_client_that_does_not_come_back_is_gone_with_its_consent() {
    for_seeds(|seed| {
        let (mut world, subscriber, _) = call(seed, false);
        world.break_tcp(subscriber);
        let before = world.stats();
        world.run_for(Duration::from_secs(20));
        let after = world.stats();
        assert_eq!(after.rtp_packets_out, before.rtp_packets_out);
        let withheld = |reason| after.drops.get(reason) - before.drops.get(reason);
        assert!(withheld(DropReason::SubscriberNotReady) > 0);
        world.run_for(Duration::from_secs(11));
        let peer = world.peer(subscriber);
        assert!(world.events().iter().any(|event| matches!(
            event.event,
            MediaEvent::PeerClosed { peer: of, reason: CloseReason::ConsentExpired } if of == peer
        )));
    });
}
