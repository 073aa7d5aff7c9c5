//! Whoever begins to speak is heard from the first syllable on, on every shard, and is not behind
//! for long.

use std::time::Duration;

use plenum_testkit::{ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{RoomId, ShardId};
use rand::RngExt;

const VOICE: u8 = 28;
const QUIET: u8 = 90;
/// Once a speaker is known, the beginning takes a third of the time that it took to be spoken.
const CAUGHT_UP: Duration = Duration::from_millis(700);

fn link(rng: &mut seed::SimRng) -> LinkConfig {
    LinkConfig {
        latency: Duration::from_millis(rng.random_range(1..60)),
        jitter: Duration::from_millis(rng.random_range(0..10)),
        ..LinkConfig::default()
    }
}

#[test]
fn is_heard_on_every_shard() {
    for_seeds(|seed| {
        let mut rng = seed::stream(seed, 1);
        let mut world = World::with_shards(seed, 2);
        let people: Vec<ClientId> = (0..5)
            .map(|number| {
                let config = ClientConfig::new(world.next_address()).with_audio(number);
                let link = link(&mut rng);
                world.join_shard(ShardId(0), RoomId(1), config, link)
            })
            .collect();
        let listeners: Vec<ClientId> = (0..2)
            .map(|shard| {
                let config = ClientConfig::new(world.next_address()).with_slots(2, 0);
                let link = link(&mut rng);
                world.join_shard(ShardId(shard), RoomId(1), config, link)
            })
            .collect();
        let connected = world.run_until(Duration::from_secs(2), |world| {
            world.clients().all(plenum_testkit::Client::is_connected)
        });
        assert!(connected);
        for id in &people {
            world.client_mut(*id).microphone(0).expect("one").level = QUIET;
        }
        world.run_for(Duration::from_secs(3));
        // The last two are in nobody's slots: only who speaks gets one.
        let speaker = rng.random_range(3..5_u32);
        let began = world.elapsed();
        let microphone = world.client_mut(people[speaker as usize]).microphone(0);
        microphone.expect("one").level = VOICE;
        world.run_for(CAUGHT_UP);
        let caught_up = world.now();
        world.run_for(Duration::from_secs(1));
        for listener in listeners {
            let client = world.client(listener);
            let heard: Vec<_> = (0..2)
                .flat_map(|slot| client.received(slot).frames())
                .filter(|frame| frame.stamp.source == speaker)
                .collect();
            let captured = |at: usize| Duration::from_micros(heard[at].stamp.captured_us);
            let shard = world.shard_of(listener);
            assert!(!heard.is_empty(), "{shard:?}: not heard");
            assert!(
                captured(0) <= began + Duration::from_millis(20),
                "{shard:?}: heard {:?} after the beginning",
                captured(0).saturating_sub(began)
            );
            let numbers = heard.iter().map(|frame| frame.stamp.frame);
            let first = heard[0].stamp.frame;
            assert!(numbers.eq(first..first + heard.len() as u32), "{shard:?}");
            let origin = world.now() - world.elapsed();
            let most = heard
                .iter()
                .filter(|frame| frame.at > caught_up)
                .map(|frame| {
                    let captured = Duration::from_micros(frame.stamp.captured_us);
                    (frame.at - origin).saturating_sub(captured)
                })
                .max();
            // Two ways and their jitter, and sound that waits for company.
            let most = most.expect("goes on");
            assert!(
                most < Duration::from_millis(150),
                "{shard:?}: {most:?} behind"
            );
            for slot in 0..2 {
                let stream = client.received(slot);
                assert_eq!(stream.violations(), [], "{shard:?}");
                assert_eq!(stream.stats().residual_loss(), 0.0, "{shard:?}");
            }
        }
    });
}
