//! Spatial layers within one stream (SVC): left out and taken up without a seam, and never a frame
//! that refers to one not sent.

use std::collections::BTreeSet;

use plenum_types::{Codec, LayerId, MediaKind, PeerIndex, PublicationId, SlotId, SlotReason};
use rand::RngExt;

use crate::packets::{AV1, VP9};
use crate::receiver::Got;
use crate::world::{World, pinned};

const PUBLISHER: u32 = 1;
const VIEWER: u32 = 9;

/// A publisher of three spatial and three temporal layers, and who watches it as `height` pixels.
fn call(seed: u64, codec: Codec, key_only: bool, height: u32) -> (World, PublicationId) {
    let mut world = World::new(seed);
    let id = world.publish(PUBLISHER, codec, 1);
    let encoder = &mut world.published(id).encoders[0];
    encoder.spatial_layers = 3;
    encoder.temporal_layers = 3;
    encoder.key_only = key_only;
    world.subscribe(VIEWER, 0, MediaKind::Video, &[codec], pinned(id, height));
    (world, id)
}

fn got(world: &World) -> Vec<&Got> {
    let receiver = world.receivers.values().next();
    receiver
        .into_iter()
        .flat_map(|found| found.got.values())
        .collect()
}

/// Layers of the newest pictures.
fn newest_layers(world: &World) -> BTreeSet<(u8, u8)> {
    let newest = got(world).into_iter().rev().take(60);
    newest
        .map(|got| (got.sent.content.spatial, got.sent.content.temporal))
        .collect()
}

/// Every frame refers to frames that came before it, and every picture ends with a marker.
fn check_pictures(world: &World) {
    let mut frames = BTreeSet::new();
    let mut picture: Option<&Got> = None;
    for got in got(world) {
        let content = got.sent.content;
        if content.first {
            if let Some(reference) = content.refers_to {
                let known = frames.contains(&(reference, content.spatial));
                assert!(known, "{content:?} refers to a picture that was not sent");
            }
            if content.refers_to_smaller() {
                let known = frames.contains(&(content.picture, content.spatial - 1));
                assert!(known, "{content:?} refers to a size that was not sent");
            }
        }
        if content.last {
            frames.insert((content.picture, content.spatial));
        }
        if let Some(before) = picture.replace(got) {
            let ended = before.description.header.marker;
            let another = before.sent.content.picture != content.picture;
            assert_eq!(ended, another, "marker at {:?}", before.sent.content);
        }
    }
}

#[test]
fn the_viewport_chooses_the_spatial_layer() {
    for (codec, key_only) in [(VP9, false), (VP9, true), (AV1, false), (AV1, true)] {
        let (mut world, id) = call(1, codec, key_only, 720);
        world.run_ms(1_500);
        assert_eq!(newest_layers(&world).last(), Some(&(2, 2)));
        for (height, spatial) in [(180, 0), (360, 1), (720, 2), (180, 0), (720, 2)] {
            world.wish(VIEWER, 0, pinned(id, height));
            world.run_ms(1_500);
            let newest = newest_layers(&world);
            assert_eq!(
                newest.last(),
                Some(&(spatial, 2)),
                "{codec:?} {height}: {newest:?}"
            );
            let layer = LayerId {
                spatial,
                temporal: 2,
            };
            assert_eq!(world.binding(VIEWER, 0).layer, Some(layer));
        }
        check_pictures(&world);
        world.check(33);
    }
}

#[test]
fn smaller_pictures_need_no_keyframe_and_larger_ones_one() {
    let (mut world, id) = call(2, VP9, false, 720);
    world.run_ms(1_000);
    let asked = world.requests.len();
    world.wish(VIEWER, 0, pinned(id, 180));
    world.run_ms(100);
    assert_eq!(newest_layers(&world).first(), Some(&(0, 0)));
    assert_eq!(world.requests.len(), asked);
    world.wish(VIEWER, 0, pinned(id, 720));
    assert_eq!(
        world.binding(VIEWER, 0).reason,
        SlotReason::WaitingForKeyframe
    );
    world.run_ms(600);
    assert_eq!(world.requests.len(), asked + 1, "asked once");
    assert_eq!(world.binding(VIEWER, 0).reason, SlotReason::Best);
}

#[test]
fn a_paused_spatial_layer_is_noticed() {
    let (mut world, id) = call(3, AV1, false, 720);
    world.run_ms(1_000);
    world.published(id).encoders[0].spatial_active = 1;
    world.run_ms(4_000);
    let binding = world.binding(VIEWER, 0);
    assert_eq!(binding.reason, SlotReason::LayerInactive);
    let encoder = &mut world.published(id).encoders[0];
    encoder.spatial_active = 2;
    encoder.keyframe_asked = true;
    world.run_ms(1_000);
    assert_eq!(world.binding(VIEWER, 0).reason, SlotReason::Best);
    check_pictures(&world);
}

#[test]
fn random_limits_leave_every_frame_decodable() {
    for seed in 0..24 {
        for (codec, key_only) in [(VP9, false), (VP9, true), (AV1, false), (AV1, true)] {
            println!("seed {seed} {codec:?} k-SVC {key_only}");
            let (mut world, id) = call(seed, codec, key_only, 720);
            for _ in 0..20 {
                let height = [180, 360, 720][world.rng.random_range(0..3)];
                world.wish(VIEWER, 0, pinned(id, height));
                let limit = [None, Some(0), Some(1)][world.rng.random_range(0..3)];
                let now = world.now();
                world
                    .router
                    .set_temporal_limit(now, PeerIndex(VIEWER), SlotId(0), limit);
                world.drain();
                if world.rng.random_range(0..8) == 0 {
                    world.published(id).encoders[0].keyframe_asked = true;
                }
                let pause = world.rng.random_range(1..700);
                world.run_ms(pause);
            }
            check_pictures(&world);
            world.check(33);
        }
    }
}

#[test]
fn losses_leave_the_numbers_continuous() {
    for seed in 100..112 {
        println!("seed {seed}");
        let (mut world, id) = call(seed, if seed % 2 == 0 { VP9 } else { AV1 }, false, 720);
        world.network.loss_percent = 3;
        for _ in 0..10 {
            let height = [180, 360, 720][world.rng.random_range(0..3)];
            world.wish(VIEWER, 0, pinned(id, height));
            world.run_ms(400);
        }
        world.check(33);
    }
}
