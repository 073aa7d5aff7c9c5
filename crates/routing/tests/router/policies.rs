//! Which publication a slot shows.

use plenum_types::{
    Codec, MediaKind, PeerIndex, PublicationId, SlotId, SlotPolicy, SlotReason, SlotWish,
};

use crate::packets::VP9;
use crate::world::{World, pinned};

fn all() -> SlotWish {
    SlotWish::new(SlotPolicy::All)
}

fn shown(world: &World, peer: u32, slots: u16) -> Vec<Option<u64>> {
    (0..slots)
        .map(|slot| world.binding(peer, slot).publication.map(|id| id.0))
        .collect()
}

#[test]
fn nobody_sees_themselves() {
    let mut world = World::new(1);
    for peer in 1..4 {
        world.publish(peer, Codec::Vp8, 1);
    }
    for peer in 1..4 {
        for slot in 0..3 {
            world.subscribe(peer, slot, MediaKind::Video, &[Codec::Vp8], all());
        }
    }
    world.subscribe(
        1,
        3,
        MediaKind::Video,
        &[Codec::Vp8],
        pinned(PublicationId(1), 720),
    );
    world.run_ms(1_000);
    assert_eq!(shown(&world, 1, 4), [Some(2), Some(3), None, None]);
    assert_eq!(shown(&world, 2, 3), [Some(1), Some(3), None]);
    for (slot, receiver) in &world.receivers {
        let peer = (1..4).find(|peer| world.router.slots_of_peer(PeerIndex(*peer)).contains(slot));
        for got in receiver.got.values() {
            assert_ne!(Some(got.origin.publication as u32), peer);
        }
    }
}

#[test]
fn leaving_frees_slots_and_indexes() {
    let mut world = World::new(2);
    for peer in 1..5 {
        world.publish(peer, Codec::Vp8, 1);
    }
    for slot in 0..2 {
        world.subscribe(9, slot, MediaKind::Video, &[Codec::Vp8], all());
    }
    world.run_ms(500);
    assert_eq!(shown(&world, 9, 2), [Some(1), Some(2)]);
    let now = world.now();
    world.published(PublicationId(1)).running[0] = false;
    world.run_ms(100);
    world.router.remove_peer(now, PeerIndex(1));
    world.drain();
    world.run_ms(500);
    assert_eq!(shown(&world, 9, 2), [Some(3), Some(2)]);
    world.check(45);
    for peer in [2, 3, 4, 9] {
        let now = world.now();
        world.router.remove_peer(now, PeerIndex(peer));
    }
    assert_eq!(world.router.poll_timeout(), None);
}

#[test]
fn what_cannot_be_decoded_is_told() {
    let mut world = World::new(3);
    let id = world.publish(1, VP9, 1);
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(500);
    assert_eq!(world.binding(9, 0).reason, SlotReason::CodecNotNegotiated);
    assert!(world.receivers.is_empty());
    assert!(world.requests.is_empty());
}

#[test]
fn sound_follows_the_speakers() {
    let mut world = World::new(4);
    let ids: Vec<_> = (1..7)
        .map(|peer| world.publish(peer, Codec::Opus, 1))
        .collect();
    let cameras: Vec<_> = (1..7)
        .map(|peer| world.publish(peer, Codec::Vp8, 1))
        .collect();
    let wish = SlotWish::new(SlotPolicy::SpeakerOrder);
    for slot in 0..2 {
        world.subscribe(9, slot, MediaKind::Audio, &[Codec::Opus], wish);
    }
    world.subscribe(9, 2, MediaKind::Video, &[Codec::Vp8], wish);
    world.run_ms(1_000);
    assert_eq!(shown(&world, 9, 2), [Some(ids[0].0), Some(ids[1].0)]);
    let speak = |world: &mut World, speaker: usize| {
        for _ in 0..10 {
            world.published(ids[speaker]).encoders[0].level = 25;
            world.run_ms(200);
            world.published(ids[speaker]).encoders[0].level = 90;
            world.run_ms(60);
        }
        world.run_ms(1_500);
    };
    speak(&mut world, 4);
    assert_eq!(
        shown(&world, 9, 2),
        [Some(ids[0].0), Some(ids[4].0)].map(|id| id)
    );
    assert_eq!(world.binding(9, 2).publication, Some(cameras[4]));
    speak(&mut world, 5);
    assert_eq!(shown(&world, 9, 2), [Some(ids[5].0), Some(ids[4].0)]);
    assert_eq!(world.binding(9, 2).publication, Some(cameras[5]));
    speak(&mut world, 4);
    assert_eq!(shown(&world, 9, 2), [Some(ids[5].0), Some(ids[4].0)]);
    assert_eq!(world.binding(9, 2).publication, Some(cameras[4]));
    let told: Vec<u64> = world.speakers.iter().map(|(ms, _)| *ms).collect();
    assert!(told.windows(2).all(|pair| pair[1] - pair[0] >= 250));
    assert_eq!(
        world.speakers.last().map(|(_, speakers)| speakers.len()),
        Some(0)
    );
    // Whoever is heard from where they began is behind for a moment; that does not add up.
    world.check(60 + 400);
}

#[test]
fn removed_slots_are_forgotten() {
    let mut world = World::new(5);
    let id = world.publish(1, Codec::Vp8, 1);
    let slot = world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(300);
    let index = world.published(id).index;
    assert_eq!(world.router.slots_of(index), [slot]);
    let now = world.now();
    world.router.remove_slot(now, PeerIndex(9), SlotId(0));
    assert!(world.router.slots_of(index).is_empty());
    assert!(world.router.slots_of_encoding(index, 0).is_empty());
    assert!(world.router.slots_of_peer(PeerIndex(9)).is_empty());
    world.run_ms(300);
}
