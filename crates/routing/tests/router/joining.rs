//! Subscribers who come: asking ahead, and the newest group of pictures for a first picture.

use plenum_routing::SlotIndex;
use plenum_types::{
    BandwidthEstimate, Bitrate, Codec, EstimateBasis, MediaKind, PeerIndex, PublicationId,
    SlotPolicy, SlotReason, SlotWish,
};

use crate::packets::{AV1, H264, VP9};
use crate::world::{World, pinned};

/// How long after the keyframe each packet of a slot was captured, and when it came.
fn got(world: &World, slot: SlotIndex) -> Vec<(u64, u64)> {
    let all = world.receivers.get(&slot).into_iter();
    all.flat_map(|receiver| receiver.got.values())
        .map(|got| (got.sent.captured_ms, got.arrived_ms))
        .collect()
}

fn all() -> SlotWish {
    SlotWish::new(SlotPolicy::All)
}

#[test]
fn a_keyframe_is_asked_for_before_it_can_be_sent_and_sent_then() {
    for (seed, codec) in (0..).zip([Codec::Vp8, VP9, H264, AV1]) {
        for temporal_layers in [1, 3] {
            let mut world = World::new(seed);
            let id = world.publish(1, codec, 1);
            world.published(id).encoders[0].temporal_layers = temporal_layers;
            world.run_ms(3_000);
            let joined = world.now_ms;
            let slot = world.subscribe_asleep(9, codec, all());
            let asked = world.requests.clone();
            assert_eq!(asked.len(), 1);
            world.run_ms(300);
            assert!(got(&world, slot).is_empty(), "sent before it can be read");
            assert!(world.bindings.is_empty(), "told before it is connected");
            let woken = world.now_ms;
            world.wake(9);
            world.run_ms(2_000);
            let got = got(&world, slot);
            let (captured, arrived) = got[0];
            assert!(
                captured >= joined && captured < woken,
                "captured at {captured}"
            );
            assert_eq!(arrived, woken + 1, "waits for nothing");
            assert_eq!(world.requests, asked, "asks again");
            // It catches up: three times as fast as it was filmed.
            let delay = world.published(id).delay_ms;
            let late = got
                .iter()
                .find(|(captured, arrived)| arrived - captured <= delay);
            let caught_up = late.expect("catches up").1 - woken;
            assert!(caught_up <= 200, "{codec:?}: took {caught_up} ms");
            assert_eq!(world.receivers[&slot].stretch_count(), 1);
            world.check(40);
        }
    }
}

#[test]
fn what_was_lost_on_the_way_is_repaired_in_what_is_sent_again() {
    let mut world = World::new(5);
    let id = world.publish(1, Codec::Vp8, 1);
    world.network.loss_percent = 10;
    world.run_ms(2_000);
    let slot = world.subscribe_asleep(9, Codec::Vp8, all());
    world.run_ms(250);
    world.wake(9);
    world.run_ms(1_500);
    assert_eq!(world.binding(9, 0).publication, Some(id));
    assert!(got(&world, slot).len() > 100);
    world.check(40);
}

#[test]
fn an_old_keyframe_is_not_sent_again() {
    let mut world = World::new(1);
    world.publish(1, Codec::Vp8, 1);
    let slot = world.subscribe_asleep(9, Codec::Vp8, all());
    world.run_ms(2_000);
    let before = world.requests.len();
    world.wake(9);
    assert_eq!(world.requests.len(), before + 1);
    assert_eq!(world.binding(9, 0).reason, SlotReason::WaitingForKeyframe);
    let woken = world.now_ms;
    world.run_ms(500);
    assert!(
        got(&world, slot)
            .iter()
            .all(|(captured, _)| *captured >= woken)
    );
    world.check(40);
}

#[test]
fn nothing_is_sent_again_on_a_way_that_does_not_carry_it() {
    let mut world = World::new(2);
    world.publish(1, Codec::Vp8, 1);
    world.run_ms(3_000);
    let slot = world.subscribe_asleep(9, Codec::Vp8, all());
    let estimate = BandwidthEstimate {
        bitrate: Bitrate::kbps(60),
        basis: EstimateBasis::Proven,
    };
    let now = world.now();
    world.router.set_estimate(now, PeerIndex(9), estimate);
    world.run_ms(200);
    world.wake(9);
    let woken = world.now_ms;
    world.run_ms(1_000);
    assert!(
        got(&world, slot)
            .iter()
            .all(|(captured, _)| *captured + 40 >= woken)
    );
}

#[test]
fn five_hundred_who_join_cost_two_keyframes() {
    for spread in [0, 1] {
        let mut world = World::new(3);
        let id = world.publish(1, Codec::Vp8, 1);
        world.run_ms(4_000);
        let before = world.requests.len();
        let slots: Vec<SlotIndex> = (0..500)
            .map(|number| {
                world.run_ms(spread * u64::from(number % 2 == 0));
                world.subscribe_asleep(100 + number, Codec::Vp8, all())
            })
            .collect();
        // Handshakes of 100 to 350 ms.
        for number in 0..500 {
            world.run_ms(u64::from(number % 2 == 0));
            world.wake(100 + number);
        }
        world.run_ms(400);
        assert!(slots.iter().all(|slot| !got(&world, *slot).is_empty()));
        let keyframes = world.requests.len() - before;
        assert!(keyframes <= 2, "{keyframes} keyframes");
        assert!(world.published(id).encoders[0].keyframes <= 3);
    }
}

/// Where pictures were shown, older ones would put the slot's clock ahead: it waits.
#[test]
fn a_slot_that_showed_something_waits_for_a_new_keyframe() {
    let mut world = World::new(4);
    let ids: Vec<PublicationId> = (1..3)
        .map(|peer| world.publish(peer, Codec::Vp8, 1))
        .collect();
    world.subscribe(8, 0, MediaKind::Video, &[Codec::Vp8], pinned(ids[1], 720));
    let slot = world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(ids[0], 720));
    world.run_ms(2_000);
    world.published(ids[1]).encoders[0].keyframe_asked = true;
    world.run_ms(200);
    let switched = world.now_ms;
    world.wish(9, 0, pinned(ids[1], 720));
    world.run_ms(500);
    let second = world.receivers[&slot].got.values();
    let mut second = second.filter(|got| got.origin.publication == ids[1].0);
    assert!(second.all(|got| got.sent.captured_ms >= switched));
    world.check(60);
}

#[test]
fn muting_and_leaving_while_asleep() {
    let mut world = World::new(6);
    let id = world.publish(1, Codec::Vp8, 1);
    world.run_ms(1_000);
    let slot = world.subscribe_asleep(9, Codec::Vp8, all());
    world.run_ms(100);
    world.mute(id, true);
    world.run_ms(100);
    world.mute(id, false);
    world.wake(9);
    let woken = world.now_ms;
    world.run_ms(700);
    // Nothing from before it was muted.
    assert!(
        got(&world, slot)
            .iter()
            .all(|(captured, _)| *captured + 150 >= woken)
    );
    assert!(!got(&world, slot).is_empty());
    world.subscribe_asleep(10, Codec::Vp8, all());
    let now = world.now();
    for peer in [10, 9, 1] {
        world.router.remove_peer(now, PeerIndex(peer));
    }
    world.drain();
    assert!(world.router.poll_timeout().is_none_or(|due| due <= now));
    world.router.handle_timeout(now);
    assert!(world.router.take_late(now).is_none());
    assert_eq!(world.router.poll_timeout(), None);
}
