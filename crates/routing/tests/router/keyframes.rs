//! Keyframe requests: few, and repeated until answered.

use plenum_types::{Codec, KeyframeCause, MediaKind, SlotReason};

use crate::world::{World, pinned};

#[test]
fn five_hundred_joins_cause_two_keyframes() {
    let mut world = World::new(1);
    let id = world.publish(1, Codec::Vp8, 1);
    world.run_ms(1_000);
    let before = world.requests.len();
    for peer in 10..510 {
        world.subscribe(peer, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
        if peer % 5 == 0 {
            world.run_ms(1);
        }
    }
    world.run_ms(900);
    assert!(world.requests.len() - before <= 2, "{:?}", world.requests);
    for peer in 10..510 {
        assert_eq!(world.binding(peer, 0).reason, SlotReason::Best);
    }
}

#[test]
fn pli_storms_cause_two_a_second() {
    let mut world = World::new(2);
    let id = world.publish(1, Codec::Vp8, 1);
    let slots: Vec<_> = (10..510)
        .map(|peer| world.subscribe(peer, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720)))
        .collect();
    world.run_ms(1_000);
    world.requests.clear();
    for step in 0..100 {
        for slot in &slots[step * 5..step * 5 + 5] {
            let now = world.now();
            world.router.on_keyframe_request(now, *slot);
        }
        world.drain();
        world.run_ms(100);
    }
    let times: Vec<u64> = world.requests.iter().map(|request| request.0).collect();
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] >= 500),
        "{times:?}"
    );
    assert!(times.len() >= 15, "{times:?}");
    assert!(
        world
            .requests
            .iter()
            .all(|request| request.3 == KeyframeCause::SubscriberRequest)
    );
}

#[test]
fn an_unanswered_request_is_repeated_until_nobody_waits() {
    let mut world = World::new(3);
    let id = world.publish(1, Codec::Vp8, 1);
    world.published(id).running[0] = false;
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(3_500);
    let causes: Vec<_> = world.requests.iter().map(|request| request.3).collect();
    assert_eq!(
        causes,
        [
            KeyframeCause::SlotSwitch,
            KeyframeCause::Retry,
            KeyframeCause::Retry,
            KeyframeCause::Retry
        ]
    );
    world.wish(9, 0, pinned(id, 0));
    world.run_ms(10_000);
    assert_eq!(world.requests.len(), 4);
}

#[test]
fn sound_has_no_keyframes_to_ask_for() {
    let mut world = World::new(5);
    let id = world.publish(1, Codec::Opus, 1);
    let slot = world.subscribe(9, 0, MediaKind::Audio, &[Codec::Opus], pinned(id, 0));
    world.run_ms(500);
    let now = world.now();
    world.router.on_keyframe_request(now, slot);
    world.run_ms(2_000);
    assert_eq!(world.requests, []);
}

#[test]
fn a_silent_layer_is_left_and_taken_up_again() {
    let mut world = World::new(4);
    let id = world.publish(1, Codec::Vp8, 3);
    world.published(id).running[2] = false;
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    let shown = |world: &World| {
        let binding = world.binding(9, 0);
        (binding.layer.map(|layer| layer.spatial), binding.reason)
    };
    world.run_ms(1_000);
    assert_eq!(shown(&world), (Some(1), SlotReason::LayerInactive));
    world.published(id).running[2] = true;
    world.run_ms(1_000);
    assert_eq!(shown(&world), (Some(2), SlotReason::Best));
    world.published(id).running[2] = false;
    world.run_ms(2_500);
    assert_eq!(shown(&world), (Some(1), SlotReason::LayerInactive));
    world.check(33);
}
