//! Who speaks is the same everywhere: slots in speaker order show the same people on all shards.

use std::collections::BTreeSet;
use std::time::Duration;

use plenum_testkit::{ClientConfig, ClientId, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{MediaEvent, PublicationId, ShardId};
use rand::RngExt;

use crate::{access, connect};

const PEOPLE: usize = 7;
const SHARDS: u16 = 3;
/// Level of a voice and of a room.
const VOICE: u8 = 28;
const QUIET: u8 = 90;
/// Until speech is recognised, told to the other shards, and slots have followed.
const SETTLED: Duration = Duration::from_millis(2_500);

fn say(world: &mut World, id: ClientId, level: u8) {
    let microphone = world.client_mut(id).microphone(0).expect("a microphone");
    microphone.level = level;
}

/// What the two slots of a participant show.
fn shown(world: &World, id: ClientId) -> BTreeSet<PublicationId> {
    [0, 1]
        .iter()
        .filter_map(|index| world.binding(id, *index)?.publication)
        .collect()
}

/// Who speaks, by the last event of each shard.
fn speaking(world: &World) -> BTreeSet<PublicationId> {
    let last = |shard| {
        let events = world.events().iter().rev();
        events
            .filter(|event| event.shard == ShardId(shard))
            .find_map(|event| match &event.event {
                MediaEvent::SpeakersChanged { speakers, .. } => Some(speakers.clone()),
                _ => None,
            })
    };
    let all = (0..SHARDS).filter_map(last).flatten();
    all.map(|speaker| speaker.publication).collect()
}

#[test]
fn are_agreed_upon() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 1);
        let mut world = World::with_shards(seed, SHARDS);
        let people: Vec<ClientId> = (0..PEOPLE)
            .map(|number| {
                let config = ClientConfig::new(world.next_address())
                    .with_audio(number as u32)
                    .with_slots(2, 0);
                world.join(config, access(&mut rng))
            })
            .collect();
        connect(&mut world);
        for id in &people {
            say(&mut world, *id, QUIET);
        }
        world.run_for(SETTLED);
        for _ in 0..4 {
            let first = people[rng.random_range(0..PEOPLE)];
            let second = people[(first.0 + rng.random_range(1..PEOPLE)) % PEOPLE];
            say(&mut world, first, VOICE);
            world.run_for(Duration::from_millis(rng.random_range(0..400)));
            say(&mut world, second, VOICE);
            world.run_for(SETTLED);
            let voices = [first, second].map(|id| world.publication(id, 0));
            let voices = BTreeSet::from(voices);
            assert_eq!(speaking(&world), voices);
            for id in &people {
                let shown = shown(&world, *id);
                if *id == first || *id == second {
                    assert_eq!(voices.intersection(&shown).count(), 1, "{id:?}: {shown:?}");
                } else {
                    assert_eq!(shown, voices, "{id:?}");
                }
            }
            // Whoever spoke last is still shown once it is quiet, to all the same.
            say(&mut world, first, QUIET);
            world.run_for(Duration::from_millis(rng.random_range(0..1_000)));
            say(&mut world, second, QUIET);
            world.run_for(SETTLED);
            assert_eq!(speaking(&world), BTreeSet::new());
            for id in people.iter().filter(|id| **id != first && **id != second) {
                assert_eq!(shown(&world, *id), voices, "{id:?}");
            }
        }
    });
}
