//! Pictures that are held back, because too much would leave at once.

use plenum_types::{Bitrate, Codec, KeyframeCause, MediaKind, PeerIndex, PublicationId};

use crate::packets::{AV1, H264, VP9};
use crate::world::{World, pinned};

/// As slow as steps of a packet are.
const SLOW: Bitrate = Bitrate(1);

fn filming(seed: u64, codec: Codec) -> (World, PublicationId, PublicationId) {
    let mut world = World::new(seed);
    let camera = world.publish(1, codec, 1);
    let sound = world.publish(1, Codec::Opus, 1);
    world.subscribe(9, 0, MediaKind::Video, &[codec], pinned(camera, 720));
    world.subscribe(9, 1, MediaKind::Audio, &[Codec::Opus], pinned(sound, 720));
    world.run_ms(1_000);
    (world, camera, sound)
}

#[test]
fn what_is_held_back_keeps_its_order_and_catches_up() {
    for (seed, codec) in (0..).zip([Codec::Vp8, VP9, H264, AV1]) {
        let (mut world, camera, sound) = filming(seed, codec);
        for _ in 0..20 {
            world.hold = Some(SLOW);
            world.run_ms(60);
            world.hold = None;
            world.run_ms(140);
        }
        assert!(
            world.held > 20 && world.late > 20,
            "{} held, {} late",
            world.held,
            world.late
        );
        for receiver in world.receivers.values() {
            let all: Vec<_> = receiver.got.values().collect();
            assert!(
                all.windows(2)
                    .all(|pair| pair[0].arrived_ms <= pair[1].arrived_ms)
            );
            for got in &all {
                let delay = world.publications[got.origin.publication as usize - 1].delay_ms;
                let behind = got.arrived_ms - got.sent.captured_ms - delay;
                let limit = if got.origin.publication == sound.0 {
                    0
                } else {
                    100
                };
                assert!(behind <= limit, "{codec:?}: {behind} ms behind");
            }
        }
        assert_eq!(
            world.requests.len(),
            1,
            "{codec:?}: {:?}",
            world.published(camera).id
        );
        world.check(40);
    }
}

/// A shard that could not send for long: the pictures of that time are left out, whole ones, and a
/// keyframe is asked for.
#[test]
fn what_has_waited_for_too_long_is_left_out_up_to_a_keyframe() {
    let (mut world, camera, _) = filming(7, Codec::Vp8);
    let asked = world.requests.len();
    world.hold = Some(SLOW);
    world.stalled = true;
    world.run_ms(900);
    world.hold = None;
    world.stalled = false;
    world.run_ms(20);
    let dropped = world.drops.get("held_too_long").copied().unwrap_or(0);
    assert!((40..=90).contains(&dropped), "{dropped} packets left out");
    assert_eq!(world.requests.len(), asked + 1);
    let (_, id, _, cause) = world.requests[asked];
    assert_eq!((id, cause), (camera, KeyframeCause::SlotSwitch));
    world.run_ms(1_000);
    let slot = world.router.slots_of_peer(PeerIndex(9))[0];
    let receiver = &world.receivers[&slot];
    assert_eq!(receiver.stretch_count(), 2);
    let newest = receiver.got.values().last().expect("goes on");
    assert!(newest.sent.captured_ms + 100 > world.now_ms);
    world.check(60);
}
