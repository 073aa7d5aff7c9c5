//! The reasons that a subscriber is told, and the decisions behind them.

use plenum_types::{
    BandwidthEstimate, Bitrate, Codec, Decision, EstimateBasis, MediaKind, PeerIndex, SlotQuality,
    SlotReason,
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
