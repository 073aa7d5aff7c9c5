//! A panic over one peer ends that peer: the others of its room go on without a lost packet, its
//! tracks end, and it is told as closed. Only builds with debug assertions panic on demand.
#![cfg(debug_assertions)]

use std::time::Duration;

use plenum_engine::Fault;
use plenum_testkit::media::VideoConfig;
use plenum_testkit::{ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{CloseReason, MediaEvent, PeerId, RoomId, ShardId};
use rand::RngExt;

const PEOPLE: u32 = 4;

/// Everybody publishes sound and pictures and takes those of all others.
fn meeting(seed: u64, shards: u16) -> (World, Vec<ClientId>) {
    let mut world = World::with_shards(seed, shards);
    let people = (0..PEOPLE).map(|number| {
        let others = PEOPLE as usize - 1;
        let config = ClientConfig::new(world.next_address())
            .with_audio(10 * number)
            .with_video(10 * number + 1, VideoConfig::simulcast())
            .with_slots(others, others);
        world.join(config, LinkConfig::default())
    });
    let people = people.collect();
    world.run_for(Duration::from_secs(3));
    (world, people)
}

/// Who was closed, and why.
fn closed(world: &World) -> Vec<(PeerId, CloseReason)> {
    let events = world.events().iter();
    let closed = events.filter_map(|event| match event.event {
        MediaEvent::PeerClosed { peer, reason } => Some((peer, reason)),
        _ => None,
    });
    closed.collect()
}

fn one_breaks(seed: u64, shards: u16, fault: Fault) {
    let mut rng = seed::stream(seed, 7);
    let (mut world, people) = meeting(seed, shards);
    let victim = people[rng.random_range(0..people.len())];
    let peer = world.peer(victim);
    world.run_for(Duration::from_micros(rng.random_range(0..200_000)));

    world.inject_fault(victim, fault);
    if fault == Fault::Command {
        world.limit_publishing(victim, None);
    }
    let gone = world.run_until(Duration::from_secs(4), |world| !closed(world).is_empty());
    assert!(gone, "{fault:?} strikes");
    assert_eq!(closed(&world), [(peer, CloseReason::InternalError)]);
    // As the control plane does.
    world.leave(victim);
    world.run_for(Duration::from_secs(3));

    let panics: u64 = world
        .all_stats()
        .iter()
        .map(|stats| stats.peer_panics)
        .sum();
    assert_eq!(panics, 1);
    assert_eq!(closed(&world).len(), 1, "nobody else goes");
    for id in people.iter().filter(|id| **id != victim) {
        for stream in world.client(*id).received_all() {
            assert_eq!(stream.violations(), [], "{fault:?}");
            let stats = stream.stats();
            assert_eq!(
                (stats.given_up, stats.nacks),
                (0, 0),
                "{fault:?}: {stats:?}"
            );
        }
        let flowing = world.client(*id).received_all().filter(|stream| {
            let since = world.now() - Duration::from_secs(1);
            stream.longest_freeze(since, world.now()) < Duration::from_millis(200)
        });
        // Sound and pictures of the two others.
        assert!(
            flowing.count() >= 4,
            "{fault:?}: the others are seen and heard"
        );
    }
}

#[test]
fn over_one_peer_ends_that_peer_alone() {
    for_seeds(|seed| {
        let faults = Fault::ALL.into_iter();
        let faults: Vec<Fault> = faults.filter(|fault| *fault != Fault::Shard).collect();
        one_breaks(seed, 1, faults[seed as usize % faults.len()]);
    });
}

#[test]
fn in_a_room_that_spans_shards_too() {
    for_seeds(|seed| {
        let fault = [Fault::Copy, Fault::Datagram][seed as usize % 2];
        one_breaks(seed, 2, fault);
    });
}

/// Two people on each of two shards; those of one leave with their shard and come back to the new
/// one. What it has to know of the others it is told anew, and they see and hear it.
#[test]
fn a_shard_that_begins_anew_takes_part_in_rooms_that_span_shards() {
    for_seeds(|seed| {
        let (mut world, people) = meeting(seed, 2);
        let failed = ShardId((seed % 2) as u16);
        let (lost, stayed): (Vec<_>, Vec<_>) =
            people.iter().partition(|id| world.shard_of(**id) == failed);
        let before = world.stats_of(failed);
        world.begin_anew(failed);
        let after = world.stats_of(failed);
        assert_eq!(after.rtp_packets_out, before.rtp_packets_out, "counted on");
        world.run_for(Duration::from_millis(200));
        let back = (0..lost.len() as u32).map(|number| {
            let others = PEOPLE as usize - 1;
            let config = ClientConfig::new(world.next_address())
                .with_audio(100 + 10 * number)
                .with_video(101 + 10 * number, VideoConfig::simulcast())
                .with_slots(others, others);
            world.join_shard(failed, RoomId(1), config, LinkConfig::default())
        });
        let back: Vec<ClientId> = back.collect();
        world.run_for(Duration::from_secs(4));
        for id in back.iter().chain(&stayed) {
            let since = world.now() - Duration::from_secs(1);
            let flowing = world.client(*id).received_all().filter(|stream| {
                stream.longest_freeze(since, world.now()) < Duration::from_millis(200)
            });
            // Sound and pictures of the three others.
            assert_eq!(flowing.count(), 6);
        }
    });
}
