//! People come and go on several shards: those who stay go on seeing each other, and when all have
//! left nothing is left behind.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, ClientId, LinkPlan, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{RoomId, ShardId, SlotPolicy, SlotWish};
use rand::RngExt;

use crate::{access, connect};

/// Comings, goings and the like in one run.
const STEPS: usize = 24;
/// Most guests at a time.
const GUESTS_MAX: usize = 5;
/// Until the last command has been carried out and the last note has been told.
const QUIET: Duration = Duration::from_millis(800);
/// Two frames of video and some jitter.
const FREEZE_MAX: Duration = Duration::from_millis(150);

/// Two who see and hear each other all the time.
fn stayers(world: &mut World, rng: &mut seed::SimRng) -> [ClientId; 2] {
    let stayers = [0, 1].map(|number| {
        let config = ClientConfig::new(world.next_address())
            .with_audio(10 + number)
            .with_video(20 + number, VideoConfig::single(VideoCodec::Vp8))
            .with_slots(1, 1);
        world.join(config, access(rng))
    });
    for (id, other) in [(stayers[0], stayers[1]), (stayers[1], stayers[0])] {
        for index in [0, 1] {
            let policy = SlotPolicy::Pinned(world.publication(other, index));
            world.set_wish(id, index, SlotWish::new(policy));
        }
    }
    stayers
}

fn guest(world: &mut World, rng: &mut seed::SimRng, shards: u16) -> ClientId {
    let number = rng.random_range(100..200);
    let config = ClientConfig::new(world.next_address()).with_slots(2, 2);
    let config = match rng.random_range(0..4) {
        0 => config,
        1 => config.with_audio(number),
        2 => config
            .with_audio(number)
            .with_video(number, VideoConfig::simulcast()),
        _ => config.with_video(number, VideoConfig::single(VideoCodec::Vp8)),
    };
    let shard = ShardId(rng.random_range(0..shards));
    let room = RoomId(if rng.random_range(0..5) == 0 { 2 } else { 1 });
    let link = access(rng);
    world.join_shard(shard, room, config, link)
}

fn step(world: &mut World, rng: &mut seed::SimRng, guests: &mut Vec<ClientId>, shards: u16) {
    match rng.random_range(0..10) {
        0..4 if guests.len() < GUESTS_MAX => guests.push(guest(world, rng, shards)),
        4..7 if !guests.is_empty() => {
            let guest = guests.swap_remove(rng.random_range(0..guests.len()));
            world.leave(guest);
        }
        7 | 8 => {
            if let Some(publication) = some_publication(world, rng, guests) {
                world.mute(publication, rng.random());
            }
        }
        9 => {
            if let Some(publication) = some_publication(world, rng, guests) {
                world.republish(publication);
            }
        }
        _ => {}
    }
    let pause = Duration::from_millis(rng.random_range(0..400));
    world.run_for(pause);
}

fn some_publication(
    world: &World,
    rng: &mut seed::SimRng,
    guests: &[ClientId],
) -> Option<plenum_types::PublicationId> {
    if guests.is_empty() {
        return None;
    }
    let guest = guests[rng.random_range(0..guests.len())];
    world.publications(guest).first().copied()
}

fn come_and_go(seed: u64, shards: u16, plan: LinkPlan) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::with_shards(seed, shards);
    world.links.plan = plan;
    let stayers = stayers(&mut world, &mut rng);
    connect(&mut world);
    world.run_for(Duration::from_millis(1_500));
    let seen_from = world.now();
    let mut guests = Vec::new();
    for _ in 0..STEPS {
        step(&mut world, &mut rng, &mut guests, shards);
    }
    for guest in guests {
        world.leave(guest);
    }
    world.run_for(QUIET);
    for (id, other) in [(stayers[0], 1), (stayers[1], 0)] {
        for (index, source) in [(0, 10 + other), (1, 20 + other)] {
            let stream = world.client(id).received(index);
            assert_eq!(stream.violations(), []);
            let freeze = stream.longest_freeze(seen_from, world.now());
            assert!(freeze < FREEZE_MAX, "{id:?} {index}: {freeze:?}");
            let frames = stream.frames();
            assert!(frames.iter().all(|frame| frame.stamp.source == source));
        }
    }
    let all = world.all_stats();
    let sum = |read: fn(&plenum_types::ShardStats) -> u64| all.iter().map(read).sum::<u64>();
    assert_eq!(sum(|stats| stats.publications), 4);
    assert_eq!(sum(|stats| stats.replicas), 4);
    assert_eq!(sum(|stats| stats.feeds), 4);
    for stayer in stayers {
        world.leave(stayer);
    }
    world.run_for(QUIET);
    for stats in world.all_stats() {
        let left = (stats.peers, stats.publications, stats.replicas, stats.feeds);
        assert_eq!(left, (0, 0, 0, 0));
    }
}

#[test]
fn on_two_shards() {
    for_seeds(|seed| come_and_go(seed, 2, LinkPlan::default()));
}

#[test]
fn on_four_shards() {
    for_seeds(|seed| come_and_go(seed, 4, LinkPlan::default()));
}

#[test]
fn with_little_room_for_notes() {
    let plan = LinkPlan {
        notes: 1,
        delay: Duration::from_millis(2),
        ..LinkPlan::default()
    };
    for_seeds(|seed| come_and_go(seed, 3, plan));
}
