//! Publishers that change mid-stream, or do not do what they are asked.

use plenum_routing::SlotIndex;
use plenum_types::{Codec, KeyframeCause, MediaKind, PeerIndex, SlotId, SlotReason};

use crate::packets::{AV1, H264, VP9};
use crate::world::{World, pinned};

const VIDEO: [Codec; 4] = [Codec::Vp8, VP9, H264, AV1];

fn subscribe(world: &mut World, codec: Codec, encodings: usize, height: u32) -> SlotIndex {
    let id = world.publish(1, codec, encodings);
    world.subscribe(9, 0, MediaKind::Video, &[codec], pinned(id, height))
}

/// The encoding shown, and why.
fn shown(world: &World) -> (Option<u8>, SlotReason) {
    let binding = world.binding(9, 0);
    (binding.layer.map(|layer| layer.spatial), binding.reason)
}

/// Longest pause in what a slot got.
fn longest_pause(world: &World, slot: SlotIndex) -> u64 {
    let got = world.receivers[&slot].got.values();
    let times: Vec<u64> = got.map(|got| got.arrived_ms).collect();
    let last = world.now_ms - times.last().expect("something came");
    let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
    pauses.chain([last]).max().unwrap_or(0)
}

#[test]
fn a_keyframe_that_never_comes_freezes_nothing() {
    for codec in VIDEO {
        let mut world = World::new(1);
        let slot = subscribe(&mut world, codec, 3, 180);
        let id = world.publications[0].id;
        world.run_ms(1_000);
        world.requests.clear();
        world.published(id).encoders[2].deaf = true;
        let asked_at = world.now_ms;
        world.wish(9, 0, pinned(id, 720));
        world.run_ms(14_000);
        assert_eq!(shown(&world), (Some(0), SlotReason::WaitingForKeyframe));
        assert!(longest_pause(&world, slot) <= 100, "{codec:?}");
        let times: Vec<u64> = world
            .requests
            .iter()
            .map(|(at, ..)| at - asked_at)
            .collect();
        assert_eq!(times, [0, 1_000, 2_000, 3_000, 4_000, 5_000, 9_000, 13_000]);
        let causes = world.requests[1..].iter().map(|request| request.3);
        assert!(
            causes
                .into_iter()
                .all(|cause| cause == KeyframeCause::Retry)
        );
        world.published(id).encoders[2].deaf = false;
        world.run_ms(1_000);
        assert_eq!(shown(&world), (Some(2), SlotReason::Best), "{codec:?}");
        world.check(33);
    }
}

#[test]
fn a_layer_that_comes_later_needs_one_keyframe() {
    for codec in VIDEO {
        let mut world = World::new(2);
        let slot = subscribe(&mut world, codec, 3, 720);
        let id = world.publications[0].id;
        world.published(id).running = vec![true, false, false];
        world.run_ms(2_000);
        assert_eq!(shown(&world), (Some(0), SlotReason::LayerInactive));
        for (layer, reason) in [(1, SlotReason::LayerInactive), (2, SlotReason::Best)] {
            world.requests.clear();
            let encoder = &mut world.published(id).encoders[usize::from(layer)];
            encoder.keyframe_asked = false;
            world.published(id).running[usize::from(layer)] = true;
            world.run_ms(1_500);
            assert_eq!(shown(&world), (Some(layer), reason), "{codec:?}");
            assert_eq!(world.requests.len(), 1, "{codec:?}");
        }
        assert!(longest_pause(&world, slot) <= 100, "{codec:?}");
        world.check(33);
    }
}

#[test]
fn another_picture_size_is_one_stream() {
    for codec in VIDEO {
        let mut world = World::new(3);
        let slot = subscribe(&mut world, codec, 1, 720);
        let id = world.publications[0].id;
        for scale in [2, 0, 1, 2] {
            let encoder = &mut world.published(id).encoders[0];
            encoder.scale = scale;
            encoder.keyframe_asked = true;
            world.run_ms(1_000);
            assert_eq!(shown(&world), (Some(0), SlotReason::Best), "{codec:?}");
        }
        assert!(longest_pause(&world, slot) <= 100, "{codec:?}");
        world.check(33);
    }
}

#[test]
fn numbers_and_timestamps_wrap_in_the_middle_of_switches() {
    for codec in VIDEO {
        let mut world = World::new(4);
        let slot = subscribe(&mut world, codec, 3, 180);
        let id = world.publications[0].id;
        for (at, encoder) in (0..).zip(&mut world.published(id).encoders) {
            // Some 90 packets a second: each wraps within the first switches.
            encoder.sequence = 0_u16.wrapping_sub(100 + 120 * at);
            encoder.timestamp_offset = 0_u32.wrapping_sub(90_000 * (1 + u32::from(at)));
        }
        for height in [180, 720, 360, 720, 180, 360] {
            world.wish(9, 0, pinned(id, height));
            world.run_ms(700);
        }
        assert!(longest_pause(&world, slot) <= 100, "{codec:?}");
        world.check(33);
    }
}

#[test]
fn another_number_of_temporal_layers_is_followed_from_its_keyframe() {
    for codec in [Codec::Vp8, VP9, AV1] {
        let mut world = World::new(5);
        let slot = subscribe(&mut world, codec, 1, 720);
        let id = world.publications[0].id;
        for (layers, limit, highest) in [
            (3, Some(0), 0),
            (1, Some(0), 0),
            (3, Some(1), 1),
            (3, None, 2),
        ] {
            let encoder = &mut world.published(id).encoders[0];
            encoder.keyframe_asked = encoder.temporal_layers != layers;
            encoder.temporal_layers = layers;
            let now = world.now();
            world
                .router
                .set_temporal_limit(now, PeerIndex(9), SlotId(0), limit);
            world.drain();
            world.run_ms(3_000);
            let newest = world.receivers[&slot].got.values().rev().take(40);
            let seen = newest.map(|got| got.sent.content.temporal).max();
            assert_eq!(seen, Some(highest), "{codec:?}: {layers}, {limit:?}");
        }
        world.check(33);
    }
}
