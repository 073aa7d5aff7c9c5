//! How long it takes from joining to the first picture, and what that costs the publisher.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use rand::RngExt;

/// From joining to the first picture, on a way of a few milliseconds.
const MEDIAN_MAX: Duration = Duration::from_millis(250);
const WORST_MAX: Duration = Duration::from_millis(600);
/// Longest time that is waited for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// A call with one camera, which has been on for a while.
fn filming(seed: u64, video: VideoConfig, latency: Duration) -> (World, ClientId) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::new(seed);
    let config = ClientConfig::new(world.next_address()).with_video(1, video);
    let publisher = world.join(config, access(latency));
    world.run_for(Duration::from_millis(rng.random_range(3_000..6_000)));
    (world, publisher)
}

fn access(latency: Duration) -> LinkConfig {
    LinkConfig {
        latency,
        jitter: latency / 10,
        ..LinkConfig::default()
    }
}

fn join(world: &mut World, latency: Duration) -> ClientId {
    let config = ClientConfig::new(world.next_address())
        .with_slots(0, 1)
        .checking_like_browsers();
    world.join(config, access(latency))
}

fn has_picture(world: &World, id: ClientId) -> bool {
    !world.client(id).received(0).frames().is_empty()
}

fn keyframes(world: &mut World, publisher: ClientId) -> u64 {
    let camera = world.client_mut(publisher).camera(0);
    camera.expect("one").keyframes(0)
}

/// The time at a share of all, 0 to 1.
fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted[(last as f64 * share).round() as usize]
}

#[expect(clippy::print_stderr, reason = "the figure is the point of the test")]
fn report(what: &str, mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort_unstable();
    let [median, worst] = [0.5, 0.99].map(|share| percentile(&times, share));
    eprintln!("{what}: p50 {median:?}, p99 {worst:?}, of {}", times.len());
    [median, worst]
}

/// Joins one after the other, into a call that goes on.
fn alone(video: fn() -> VideoConfig, latency: Duration) -> Vec<Duration> {
    let all = for_seeds(|seed| {
        let mut rng = seed::stream(seed, 2);
        let (mut world, _) = filming(seed, video(), latency);
        let mut times = Vec::new();
        for _ in 0..5 {
            let from = world.now();
            let id = join(&mut world, latency);
            assert!(world.run_until(PATIENCE, |world| has_picture(world, id)));
            times.push(world.now() - from);
            world.run_for(Duration::from_millis(rng.random_range(500..2_500)));
            let stream = world.client(id).received(0);
            assert_eq!(stream.violations(), []);
            assert_eq!(stream.stats().undecodable, 0);
            assert!(stream.timestamp_drift() < Duration::from_millis(2));
            world.leave(id);
        }
        times
    });
    all.concat()
}

#[test]
fn of_one_who_joins() {
    const NEAR: Duration = Duration::from_millis(2);
    let single = || VideoConfig::single(VideoCodec::Vp8);
    for (what, video) in [
        ("alone, one encoding", single as fn() -> VideoConfig),
        ("alone, simulcast", VideoConfig::simulcast),
    ] {
        let [median, worst] = report(what, alone(video, NEAR));
        assert!(median <= MEDIAN_MAX && worst <= WORST_MAX);
    }
    report(
        "alone, 40 ms each way",
        alone(single, Duration::from_millis(40)),
    );
}

/// So many join at once; how long each waits. One keyframe, or two where it has to be asked for
/// again, serves them all.
fn at_once(seed: u64, count: usize) -> Vec<Duration> {
    const NEAR: Duration = Duration::from_millis(5);
    let (mut world, publisher) = filming(seed, VideoConfig::single(VideoCodec::Vp8), NEAR);
    let before = keyframes(&mut world, publisher);
    let from = world.now();
    let ids: Vec<ClientId> = (0..count).map(|_| join(&mut world, NEAR)).collect();
    world.run_for(Duration::from_millis(1_500));
    let caused = keyframes(&mut world, publisher) - before;
    assert!(caused <= 2, "{caused} keyframes");
    let first = |id: &ClientId| {
        let frames = world.client(*id).received(0).frames();
        frames.first().expect("a picture").at - from
    };
    ids.iter().map(first).collect()
}

#[test]
fn of_many_who_join_at_once() {
    for (what, times) in [
        ("50 at once", for_seeds(|seed| at_once(seed, 50)).concat()),
        ("500 at once", at_once(3, 500)),
    ] {
        let [median, worst] = report(what, times);
        assert!(median <= MEDIAN_MAX && worst <= WORST_MAX);
    }
}

/// Five hundred join within ten seconds.
#[test]
fn of_many_who_join_one_after_the_other() {
    const NEAR: Duration = Duration::from_millis(2);
    let (mut world, publisher) = filming(7, VideoConfig::single(VideoCodec::Vp8), NEAR);
    let before = keyframes(&mut world, publisher);
    let mut joined = Vec::new();
    for _ in 0..500 {
        let from = world.now();
        joined.push((from, join(&mut world, NEAR)));
        world.run_for(Duration::from_millis(20));
    }
    world.run_for(Duration::from_secs(1));
    let times: Vec<Duration> = joined
        .iter()
        .map(|(from, id)| world.client(*id).received(0).frames()[0].at - *from)
        .collect();
    let caused = keyframes(&mut world, publisher) - before;
    let [median, worst] = report(&format!("500 in 10 s, {caused} keyframes"), times);
    assert!(median <= MEDIAN_MAX && worst <= WORST_MAX);
    assert!(caused <= 22, "{caused} keyframes");
}
