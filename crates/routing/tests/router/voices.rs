//! Sound: who is heard, from where on, and whom a change concerns.

use plenum_routing::SlotIndex;
use plenum_types::{Codec, MediaKind, PublicationId, SlotPolicy, SlotWish};

use crate::publisher::Sent;
use crate::world::World;

/// Syllables of 160 ms, with pauses of 60 ms.
fn speak(world: &mut World, ids: &[PublicationId], ms: u64) {
    let end = world.now_ms + ms;
    while world.now_ms < end {
        let loud = world.now_ms % 220 < 160;
        for id in ids {
            world.published(*id).encoders[0].level = if loud { 25 } else { 90 };
        }
        world.run_ms(20);
    }
    for id in ids {
        world.published(*id).encoders[0].level = 90;
    }
}

fn listen(world: &mut World, peer: u32, slots: u16) -> Vec<SlotIndex> {
    let wish = SlotWish::new(SlotPolicy::SpeakerOrder);
    let slots = 0..slots;
    slots
        .map(|slot| world.subscribe(peer, slot, MediaKind::Audio, &[Codec::Opus], wish))
        .collect()
}

/// What a slot got of a publication: outgoing number, packet, when it came.
fn got(world: &World, slot: SlotIndex, id: PublicationId) -> Vec<(u64, Sent, u64)> {
    let all = world.receivers.get(&slot).into_iter();
    let mut got: Vec<_> = all
        .flat_map(|receiver| &receiver.got)
        .filter(|(_, got)| got.origin.publication == id.0)
        .map(|(number, got)| (*number, got.sent.clone(), got.arrived_ms))
        .collect();
    got.sort_by_key(|(_, _, arrived)| *arrived);
    got
}

#[test]
fn the_first_syllable_is_heard_and_nobody_stays_behind() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        let ids: Vec<_> = (1..5)
            .map(|peer| world.publish(peer, Codec::Opus, 1))
            .collect();
        let slots = listen(&mut world, 9, 2);
        world.run_ms(3_000);
        // Two who are shown because they are oldest; the fourth begins to speak.
        let (began, speaker) = (world.now_ms, ids[3]);
        speak(&mut world, &[speaker], 3_000);
        let slot = slots
            .into_iter()
            .find(|slot| !got(&world, *slot, speaker).is_empty())
            .expect("is heard");
        let got = got(&world, slot, speaker);
        assert!(world.late >= 15, "{} from the store", world.late);
        assert!(world.held > 0);
        // In order, nothing left out, from before the first loud packet on.
        assert!(got.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1));
        let loud = got.iter().position(|(_, sent, _)| sent.content.level == 25);
        assert!(loud.is_some_and(|loud| (1..=5).contains(&loud)), "{loud:?}");
        let delay = world.publications[3].delay_ms;
        let behind = |at: usize| got[at].2 - got[at].1.captured_ms - delay;
        let (first, last) = (behind(0), behind(got.len() - 1));
        assert!((200..=480).contains(&first), "first {first} ms late");
        assert!(
            got[0].2 - began <= 480,
            "heard after {} ms",
            got[0].2 - began
        );
        assert_eq!(last, 0, "still behind");
        let caught_up = got
            .iter()
            .find(|(number, ..)| behind((number - got[0].0) as usize) == 0);
        let took = caught_up.expect("catches up").2 - got[0].2;
        assert!(took <= 200, "took {took} ms");
        // Not at once: a burst of half a second of sound is none.
        let at_once = got.iter().filter(|(_, _, at)| *at == got[0].2).count();
        assert!(at_once <= 4, "{at_once} at once");
        world.check(60 + first);
    }
}

#[test]
fn nothing_said_before_muting_is_heard_after() {
    let mut world = World::new(1);
    let ids: Vec<_> = (1..4)
        .map(|peer| world.publish(peer, Codec::Opus, 1))
        .collect();
    let slots = listen(&mut world, 9, 1);
    world.run_ms(1_000);
    speak(&mut world, &[ids[2]], 1_500);
    assert_eq!(world.binding(9, 0).publication, Some(ids[2]));
    let before = got(&world, slots[0], ids[2]).len();
    world.mute(ids[2], true);
    speak(&mut world, &[ids[2]], 2_000);
    assert_eq!(
        got(&world, slots[0], ids[2]).len(),
        before,
        "heard while muted"
    );
    let unmuted = world.now_ms;
    world.mute(ids[2], false);
    speak(&mut world, &[ids[2]], 2_000);
    let after = got(&world, slots[0], ids[2]).split_off(before);
    assert!(after.len() > 50);
    for (_, sent, _) in after {
        // What was on its way while muted may come a moment later.
        assert!(
            sent.captured_ms + 40 >= unmuted,
            "captured at {}",
            sent.captured_ms
        );
    }
}

/// With so many listeners of the same order, one more speaker costs those only who hear somebody
/// else then.
#[test]
fn a_change_touches_only_whom_it_concerns() {
    const LISTENERS: u32 = 300;
    let mut world = World::new(2);
    let ids: Vec<_> = (1..7)
        .map(|peer| world.publish(peer, Codec::Opus, 1))
        .collect();
    for listener in 0..LISTENERS {
        // Every tenth hears four, the others three.
        let slots = if listener % 10 == 0 { 4 } else { 3 };
        listen(&mut world, 100 + listener, slots);
    }
    world.run_ms(500);
    speak(&mut world, &ids[..3], 1_500);
    world.bindings.clear();
    // A fourth speaks while the three go on: it comes fourth.
    speak(&mut world, &[ids[0], ids[1], ids[2], ids[4]], 1_000);
    let told: u32 = world.bindings.values().map(|told| told.len() as u32).sum();
    assert_eq!(told, LISTENERS / 10);
    let packets: u32 = world.late + world.held;
    // Those only catch up: nobody else was sent anything from the store.
    assert!(packets <= LISTENERS / 10 * 60, "{packets}");
    world.bindings.clear();
    // Once the three are silent it is the first; that moves nobody who hears it already.
    speak(&mut world, &[ids[4]], 2_000);
    let moved: Vec<_> = world.bindings.keys().collect();
    assert_eq!(moved.len() as u32, LISTENERS * 9 / 10);
}

#[test]
fn who_speaks_more_goes_before_who_began_first() {
    let mut world = World::new(3);
    let ids: Vec<_> = (1..4)
        .map(|peer| world.publish(peer, Codec::Opus, 1))
        .collect();
    let cameras: Vec<_> = (1..4)
        .map(|peer| world.publish(peer, Codec::Vp8, 1))
        .collect();
    let wish = SlotWish::new(SlotPolicy::SpeakerOrder);
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], wish);
    world.run_ms(500);
    speak(&mut world, &[ids[1]], 2_000);
    assert_eq!(world.binding(9, 0).publication, Some(cameras[1]));
    // It mumbles on, a short sound now and then; another one talks.
    for _ in 0..4 {
        world.published(ids[1]).encoders[0].level = 45;
        speak(&mut world, &[ids[2]], 60);
        world.published(ids[1]).encoders[0].level = 90;
        speak(&mut world, &[ids[2]], 380);
    }
    assert_eq!(world.binding(9, 0).publication, Some(cameras[2]));
}
