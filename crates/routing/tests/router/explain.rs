//! The reasons that a subscriber is told, and the decisions behind them.

use plenum_types::{
    BandwidthEstimate, Bitrate, Codec, Decision, EstimateBasis, MediaKind, PeerIndex, SlotBinding,
    SlotId, SlotQuality, SlotReason, SlotWish,
};

use crate::world::{World, pinned};

fn explained(world: &World) -> SlotQuality {
    let quality = world.router.explain(world.now(), PeerIndex(9));
    assert_eq!(quality.slots.len(), 1);
    quality.slots[0].clone()
}

fn latest(world: &World) -> (SlotReason, Option<u8>, Option<u8>) {
    let decision = explained(world).decisions[0];
    (
        decision.reason,
        decision.given.map(|layer| layer.spatial),
        decision.wanted.map(|layer| layer.spatial),
    )
}

fn set_estimate(world: &mut World, kbps: u64) {
    let estimate = BandwidthEstimate {
        bitrate: Bitrate::kbps(kbps),
        basis: EstimateBasis::Congested,
    };
    let now = world.now();
    world.router.set_estimate(now, PeerIndex(9), estimate);
    world.drain();
}

#[test]
fn each_reason_is_told() {
    let mut world = World::new(1);
    let id = world.publish(1, Codec::Vp8, 3);
    world.run_ms(500);
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    let waiting = explained(&world).binding;
    assert_eq!(waiting.reason, SlotReason::WaitingForKeyframe);
    world.run_ms(2_000);
    assert_eq!(latest(&world), (SlotReason::Best, Some(2), Some(2)));
    assert!(explained(&world).bitrate.is_some());

    world.wish(9, 0, pinned(id, 180));
    assert_eq!(latest(&world), (SlotReason::Viewport, Some(0), Some(0)));
    world.wish(9, 0, pinned(id, 720));
    set_estimate(&mut world, 1);
    assert_eq!(latest(&world), (SlotReason::Bandwidth, None, Some(2)));
    let paused = explained(&world);
    assert_eq!(paused.binding.layer, None);
    assert_eq!(paused.binding.reason, SlotReason::Bandwidth);
    assert_eq!(paused.decisions[0].estimate, Some(Bitrate::kbps(1)));
    assert_eq!(paused.decisions[0].allocated, Bitrate(0));

    set_estimate(&mut world, 100_000);
    assert_eq!(latest(&world), (SlotReason::Best, Some(2), Some(2)));
    world.published(id).running[2] = false;
    world.run_ms(5_000);
    assert_eq!(
        latest(&world),
        (SlotReason::LayerInactive, Some(1), Some(2))
    );
    world.mute(id, true);
    assert_eq!(latest(&world), (SlotReason::Muted, None, None));
    let all = explained(&world).decisions;
    assert!(all.windows(2).all(|pair| pair[0].age <= pair[1].age));
    assert_eq!(all[1].reason, SlotReason::LayerInactive);
}

const VP9: Codec = Codec::Vp9 { profile: 0 };

/// With simulcast and within one stream, at any size; a limit that comes later counts as well.
#[test]
fn a_slot_with_a_ceiling_is_never_given_more() {
    for (codec, encodings) in [(Codec::Vp8, 3), (VP9, 1)] {
        let mut world = World::new(3);
        let id = world.publish(1, codec, encodings);
        world.run_ms(500);
        let limited = SlotWish {
            ceiling: Some(1),
            ..pinned(id, 720)
        };
        world.subscribe(9, 0, MediaKind::Video, &[codec], limited);
        world.run_ms(3_000);
        let bindings = |world: &World| world.bindings[&(PeerIndex(9), SlotId(0))].clone();
        let layers = |bindings: &[SlotBinding]| {
            let layers = bindings.iter().filter_map(|binding| binding.layer);
            layers.map(|layer| layer.spatial).max()
        };
        assert!(layers(&bindings(&world)) <= Some(1), "{codec:?}");
        if encodings == 3 {
            assert_eq!(latest(&world), (SlotReason::Limited, Some(1), Some(1)));
        }

        world.wish(9, 0, pinned(id, 720));
        world.run_ms(3_000);
        let top = layers(&bindings(&world));
        let told = bindings(&world).len();
        let lowest = SlotWish {
            ceiling: Some(0),
            ..pinned(id, 720)
        };
        world.wish(9, 0, lowest);
        world.run_ms(3_000);
        // What flowed before flows on until the next keyframe of what is left.
        let lowered = |binding: &&SlotBinding| binding.layer.is_some_and(|it| it.spatial == 0);
        let told = bindings(&world).split_off(told);
        let after: Vec<SlotBinding> = told
            .iter()
            .skip_while(|binding| !lowered(binding))
            .copied()
            .collect();
        assert_eq!(
            explained(&world).binding.layer.map(|layer| layer.spatial),
            Some(0)
        );
        if top > Some(0) {
            assert_eq!(layers(&after), Some(0), "{codec:?}");
        }
    }
}

#[test]
fn decisions_are_bounded_and_not_repeated() {
    let mut world = World::new(2);
    let id = world.publish(1, Codec::Vp8, 3);
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(1_000);
    let before = explained(&world).decisions.len();
    for kbps in 0..100 {
        set_estimate(&mut world, 100_000 + kbps);
    }
    assert_eq!(explained(&world).decisions.len(), before);
    for at in 0..20 {
        world.wish(9, 0, pinned(id, 100 + at));
    }
    assert_eq!(explained(&world).decisions.len(), Decision::KEPT);
    let newest = explained(&world).decisions[0].viewport.unwrap();
    assert_eq!(newest.height, 119);
}
