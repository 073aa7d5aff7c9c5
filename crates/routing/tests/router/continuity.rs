//! One continuous stream, whatever is switched.

use plenum_types::{Codec, MediaKind, PeerIndex, SlotId, SlotPolicy, SlotReason, SlotWish};
use rand::RngExt;

use crate::packets::{AV1, H264, VP9};
use crate::world::{Network, World, pinned};

const VIDEO: [Codec; 4] = [Codec::Vp8, VP9, H264, AV1];

/// The encoding shown last.
fn shown(world: &World) -> Option<u8> {
    world.binding(9, 0).layer.map(|layer| layer.spatial)
}

#[test]
fn layers_switch_without_a_seam() {
    for codec in VIDEO {
        let mut world = World::new(1);
        let id = world.publish(1, codec, 3);
        let slot = world.subscribe(9, 0, MediaKind::Video, &[codec], pinned(id, 180));
        world.run_ms(2_000);
        assert_eq!(shown(&world), Some(0), "{codec:?}");
        for (height, layer) in [(720, 2), (360, 1), (180, 0), (720, 2)] {
            world.wish(9, 0, pinned(id, height));
            world.run_ms(1_500);
            assert_eq!(shown(&world), Some(layer), "{codec:?}");
        }
        assert!(world.receivers[&slot].stretch_count() >= 5);
        world.check(33);
        assert_no_freeze(&world, 100);
    }
}

/// No pause in arrivals longer than `ms`.
fn assert_no_freeze(world: &World, ms: u64) {
    for receiver in world.receivers.values() {
        let times: Vec<u64> = receiver.got.values().map(|got| got.arrived_ms).collect();
        for pair in times.windows(2) {
            assert!(
                pair[1] <= pair[0] + ms,
                "froze from {} to {}",
                pair[0],
                pair[1]
            );
        }
    }
}

#[test]
fn sources_switch_without_a_seam() {
    for codec in VIDEO {
        let mut world = World::new(2);
        let first = world.publish(1, codec, 1);
        let second = world.publish(2, codec, 3);
        world.subscribe(9, 0, MediaKind::Video, &[codec], pinned(first, 720));
        for id in [first, second, first, second] {
            world.wish(9, 0, pinned(id, 720));
            world.run_ms(2_000);
            assert_eq!(world.binding(9, 0).publication, Some(id));
            assert_eq!(world.binding(9, 0).reason, SlotReason::Best);
        }
        world.check(45);
        assert_no_freeze(&world, 120);
    }
}

#[test]
fn without_sender_reports_arrival_aligns() {
    let mut world = World::new(3);
    let id = world.publish(1, Codec::Vp8, 3);
    world.published(id).reports = false;
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 180));
    for height in [180, 720, 180, 720] {
        world.wish(9, 0, pinned(id, height));
        world.run_ms(1_500);
    }
    world.check(33);
}

#[test]
fn many_switches_do_not_add_up() {
    for seed in 0..3 {
        println!("seed {seed}");
        let mut world = World::new(seed);
        world.network = Network {
            jitter_ms: 60,
            in_order: true,
            ..Network::default()
        };
        let id = world.publish(1, Codec::Vp8, 3);
        world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 180));
        for height in [180, 720].repeat(30) {
            world.wish(9, 0, pinned(id, height));
            world.run_ms(1_000);
        }
        world.check(33);
    }
}

#[test]
fn muting_and_hiding_resume_at_a_keyframe() {
    for codec in VIDEO {
        let mut world = World::new(4);
        let id = world.publish(1, codec, 1);
        let slot = world.subscribe(9, 0, MediaKind::Video, &[codec], pinned(id, 360));
        world.run_ms(1_000);
        world.mute(id, true);
        assert_eq!(world.binding(9, 0).reason, SlotReason::Muted);
        assert_eq!(world.binding(9, 0).layer, None);
        let before = world.receivers[&slot].got.len();
        world.run_ms(3_000);
        assert_eq!(world.receivers[&slot].got.len(), before);
        world.mute(id, false);
        world.run_ms(1_000);
        world.wish(9, 0, pinned(id, 0));
        assert_eq!(world.binding(9, 0).reason, SlotReason::NotVisible);
        world.run_ms(1_000);
        world.wish(9, 0, pinned(id, 360));
        world.run_ms(1_000);
        world.wish(9, 0, SlotWish::new(SlotPolicy::Off));
        assert_eq!(world.binding(9, 0).reason, SlotReason::Off);
        world.run_ms(500);
        world.wish(9, 0, pinned(id, 360));
        world.run_ms(1_000);
        assert_eq!(world.binding(9, 0).reason, SlotReason::Best);
        world.check(33);
    }
}

#[test]
fn sound_switches_at_once() {
    let mut world = World::new(5);
    let first = world.publish(1, Codec::Opus, 1);
    let second = world.publish(2, Codec::Opus, 1);
    let wish = |id| SlotWish::new(SlotPolicy::Pinned(id));
    let slot = world.subscribe(9, 0, MediaKind::Audio, &[Codec::Opus], wish(first));
    for id in [first, second, first, second] {
        world.wish(9, 0, wish(id));
        world.run_ms(2_000);
        world.mute(id, true);
        world.run_ms(400);
        world.mute(id, false);
        world.run_ms(400);
    }
    assert!(world.receivers[&slot].stretch_count() >= 8);
    world.check(45);
}

#[test]
fn a_restarted_stream_goes_on() {
    let mut world = World::new(6);
    let id = world.publish(1, Codec::Vp8, 1);
    let slot = world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(1_000);
    let mut rng_ssrc = 77;
    for _ in 0..3 {
        rng_ssrc += 1;
        let encoder = crate::publisher::Encoder::new(Codec::Vp8, rng_ssrc, &mut world.rng);
        world.published(id).encoders[0] = encoder;
        world.published(id).encoders[0].keyframe_asked = false;
        world.run_ms(1_500);
    }
    assert!(world.receivers[&slot].stretch_count() >= 4);
    world.check(60);
}

/// Random wishes, mutes and layers that come and go, over a bad network.
fn random_call(seed: u64, codec: Codec) {
    let mut world = World::new(seed);
    world.network = Network {
        jitter_ms: world.rng.random_range(0..30),
        loss_percent: world.rng.random_range(0..6),
        in_order: world.rng.random(),
    };
    let encodings = if codec.kind() == MediaKind::Audio {
        1
    } else {
        3
    };
    let ids = [
        world.publish(1, codec, encodings),
        world.publish(2, codec, encodings),
    ];
    for id in ids {
        world.published(id).pads = world.network.jitter_ms == 0 && world.rng.random();
    }
    for slot in 0..3 {
        world.subscribe(9, slot, codec.kind(), &[codec], pinned(ids[0], 180));
    }
    for _ in 0..40 {
        let id = ids[world.rng.random_range(0..2)];
        let slot = world.rng.random_range(0..3);
        match world.rng.random_range(0..8) {
            0 => world.mute(id, true),
            1 => world.mute(id, false),
            2 => world.wish(9, slot, SlotWish::new(SlotPolicy::Off)),
            3 => {
                let layer = world.rng.random_range(0..encodings);
                let running = &mut world.published(id).running[layer];
                *running = !*running;
            }
            _ => {
                let height = [0, 180, 360, 720][world.rng.random_range(0..4)];
                world.wish(9, slot, pinned(id, height));
            }
        }
        let pause = world.rng.random_range(1..900);
        world.run_ms(pause);
    }
    world.check(1_100);
}

#[test]
fn random_calls_stay_continuous() {
    for seed in 0..12 {
        for codec in VIDEO {
            println!("seed {seed} {codec:?}");
            random_call(seed, codec);
        }
        println!("seed {seed} sound");
        random_call(seed, Codec::Opus);
    }
}

/// Frames of each temporal layer among the newest 60 packets of the first slot.
fn layers_seen(world: &World, slot: plenum_routing::SlotIndex) -> [usize; 3] {
    let mut seen = [0; 3];
    for got in world.receivers[&slot].got.values().rev().take(60) {
        seen[usize::from(got.sent.content.temporal)] += 1;
    }
    seen
}

#[test]
fn temporal_layers_are_left_out_without_a_seam() {
    let runs = [Codec::Vp8, VP9, AV1, Codec::Vp8, VP9, AV1];
    for (seed, codec) in (1..).zip(runs) {
        println!("seed {seed} {codec:?}");
        let mut world = World::new(seed);
        world.network.loss_percent = if seed > 3 { 3 } else { 0 };
        let id = world.publish(1, codec, 1);
        world.published(id).pads = true;
        world.published(id).encoders[0].temporal_layers = 3;
        let slot = world.subscribe(9, 0, MediaKind::Video, &[codec], pinned(id, 720));
        world.run_ms(1_000);
        for limit in [Some(0), None, Some(1), Some(0), Some(1), None, Some(0)] {
            let now = world.now();
            let (peer, id) = (PeerIndex(9), SlotId(0));
            world.router.set_temporal_limit(now, peer, id, limit);
            world.drain();
            world.run_ms(4_000);
            let highest = usize::from(limit.unwrap_or(2).min(2));
            let seen = layers_seen(&world, slot);
            assert!(
                seen[..=highest].iter().all(|frames| *frames > 0),
                "{limit:?}: {seen:?}"
            );
            assert!(
                seen[highest + 1..].iter().all(|frames| *frames == 0),
                "{limit:?}: {seen:?}"
            );
        }
        assert_eq!(world.requests.len(), 1, "temporal layers need no keyframe");
        world.check(33);
        assert!(crate::retransmission::ask_for_all(&mut world, slot) > 20);
    }
}

#[test]
fn a_publisher_that_numbers_anew_under_its_ssrc_is_followed() {
    let mut world = World::new(12);
    let id = world.publish(1, Codec::Vp8, 1);
    let slot = world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(1_000);
    let encoder = &mut world.published(id).encoders[0];
    encoder.sequence = encoder.sequence.wrapping_sub(20_000);
    encoder.keyframe_asked = true;
    world.run_ms(1_000);
    let numbers: Vec<u64> = world.receivers[&slot].got.keys().copied().collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    let newest = world.receivers[&slot].got.values().next_back();
    assert!(newest.is_some_and(|got| got.arrived_ms > world.now_ms - 100));
    assert_no_freeze(&world, 100);
    world.check(33);
}

#[test]
fn a_publisher_that_changes_with_every_frame_floods_nobody() {
    let mut world = World::new(13);
    let id = world.publish(1, Codec::Vp8, 1);
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(3_000);
    let told = |world: &World| world.bindings[&(PeerIndex(9), SlotId(0))].len();
    let before = told(&world);
    for _ in 0..30 {
        let encoder = &mut world.published(id).encoders[0];
        encoder.ssrc = encoder.ssrc.wrapping_add(1);
        encoder.keyframe_asked = true;
        world.run_ms(33);
    }
    let changes = told(&world) - before;
    assert!(changes <= 2 * 16, "told {changes} times");
    world.run_ms(2_000);
    assert_eq!(world.binding(9, 0).reason, SlotReason::Best);
    world.check(33);
}
