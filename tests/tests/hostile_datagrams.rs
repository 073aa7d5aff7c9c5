//! Datagrams that are no protocol of ours, or ours and damaged: each is dropped and counted, the
//! call goes on, and nothing is sent to an address that has proved nothing.

use std::net::SocketAddr;
use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, Direction, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{DropReason, ShardStats};
use rand::RngExt;

/// Between two hostile datagrams: a tenth of the traffic of a call of two.
const INTERVAL: Duration = Duration::from_millis(20);
const DATAGRAMS: u64 = 100;

/// A call of a publisher and a subscriber that has settled.
fn call(seed: u64) -> (World, plenum_testkit::ClientId) {
    let mut world = World::new(seed);
    let config =
        ClientConfig::new(world.next_address()).with_video(1, VideoConfig::single(VideoCodec::Vp8));
    world.join(config, LinkConfig::default());
    let config = ClientConfig::new(world.next_address()).with_slots(0, 1);
    let subscriber = world.join(config, LinkConfig::default());
    assert!(world.run_until(Duration::from_secs(2), |world| {
        world.client(subscriber).received(0).stats().frames > 0
    }));
    (world, subscriber)
}

/// Sends what `hostile` makes from `from`, at its interval, and checks that the subscriber does
/// not notice. Returns the shard's counters before and after.
fn attack(
    world: &mut World,
    subscriber: plenum_testkit::ClientId,
    from: SocketAddr,
    mut hostile: impl FnMut() -> Vec<u8>,
) -> (ShardStats, ShardStats) {
    let before = world.stats();
    let started = world.now();
    for _ in 0..DATAGRAMS {
        let (now, to) = (world.now(), world.shard_address());
        world.network.send(now, from, to, hostile());
        world.run_for(INTERVAL);
    }
    world.run_for(Duration::from_millis(500));
    let stream = world.client(subscriber).received(0);
    let freeze = stream.longest_freeze(started, world.now());
    assert!(freeze < Duration::from_millis(120), "{freeze:?}");
    assert_eq!(stream.violations(), []);
    (before, world.stats())
}

/// How many of the hostile datagrams were counted, for whatever reason a stranger can cause.
fn counted(before: &ShardStats, after: &ShardStats, reasons: &[DropReason]) -> u64 {
    let count = |stats: &ShardStats| reasons.iter().map(|r| stats.drops.get(*r)).sum::<u64>();
    count(after) - count(before)
}

#[test]
fn a_strangers_noise_is_dropped_and_counted() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 1);
        let (mut world, subscriber) = call(seed);
        let stranger = SocketAddr::from(([198, 51, 100, 9], 4_444));
        world
            .network
            .add_host(stranger, LinkConfig::default(), LinkConfig::default());
        let (before, after) = attack(&mut world, subscriber, stranger, || {
            let length = rng.random_range(0..1_400);
            (0..length).map(|_| rng.random()).collect()
        });
        let reasons = [
            DropReason::UnknownProtocol,
            DropReason::UnknownAddress,
            DropReason::UnknownUfrag,
        ];
        assert_eq!(counted(&before, &after, &reasons), DATAGRAMS);
        let answered = world.network.link_stats(stranger, Direction::Down);
        assert_eq!(answered.entered, 0);
    });
}

/// Noise from the publisher's own address, in the shape of media: it passes demux and fails
/// authentication.
#[test]
fn forged_media_is_dropped_and_counted() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 2);
        let (mut world, subscriber) = call(seed);
        let publisher = SocketAddr::from(([10, 1, 0, 1], 5_000));
        let (before, after) = attack(&mut world, subscriber, publisher, || {
            let length = rng.random_range(40..1_200);
            let mut forged: Vec<u8> = (0..length).map(|_| rng.random()).collect();
            // Version 2, no CSRCs, no extension; a payload type that is not RTCP's.
            forged[0] = 0x80;
            forged[1] = rng.random_range(96..127);
            forged
        });
        let reasons = [
            DropReason::SrtpAuthentication,
            DropReason::SrtpTooShort,
            DropReason::SrtpReplay,
        ];
        assert_eq!(counted(&before, &after, &reasons), DATAGRAMS);
    });
}
