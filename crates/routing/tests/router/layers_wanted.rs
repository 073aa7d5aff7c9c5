//! Publishers are told which of their encodings anybody wants.

use plenum_types::{Codec, LinkFact, LinkNote, MediaKind, PeerIndex, ShardId, SlotId};

use crate::world::{World, pinned};

fn told(world: &World) -> Vec<(u64, Vec<bool>)> {
    let told = world.layers_wanted.iter();
    told.map(|(at, _, encodings)| (*at, encodings.clone()))
        .collect()
}

#[test]
fn off_after_a_while_and_on_at_once() {
    let mut world = World::new(1);
    let id = world.publish(1, Codec::Vp8, 3);
    world.run_ms(4_900);
    assert_eq!(told(&world), []);
    world.run_ms(200);
    assert_eq!(told(&world), [(5_000, vec![true, false, false])]);
    let now = world.now_ms;
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 360));
    assert_eq!(told(&world)[1], (now, vec![true, true, false]));
    world.wish(9, 0, pinned(id, 720));
    assert_eq!(told(&world)[2], (now, vec![true, true, true]));
    // Back and forth within the while changes nothing.
    for _ in 0..10 {
        world.wish(9, 0, pinned(id, 180));
        world.run_ms(3_000);
        world.wish(9, 0, pinned(id, 720));
        world.run_ms(3_000);
    }
    assert_eq!(told(&world).len(), 3);
    let left = world.now();
    let left_ms = world.now_ms;
    world.router.remove_slot(left, PeerIndex(9), SlotId(0));
    world.drain();
    world.run_ms(6_000);
    assert_eq!(
        told(&world)[3..],
        [(left_ms + 5_000, vec![true, false, false])]
    );
}

#[test]
fn a_muted_publication_keeps_what_it_has() {
    let mut world = World::new(2);
    let id = world.publish(1, Codec::Vp8, 3);
    world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(1_000);
    world.mute(id, true);
    world.run_ms(20_000);
    world.mute(id, false);
    world.run_ms(20_000);
    assert_eq!(told(&world), []);
}

#[test]
fn other_shards_count() {
    let mut world = World::new(3);
    let id = world.publish(1, Codec::Vp8, 3);
    let other = ShardId(1);
    let hear = |world: &mut World, fact| {
        let note = LinkNote {
            publication: id,
            fact,
        };
        let now = world.now();
        world.router.handle_note(now, other, &note);
        world.drain();
    };
    let demand = LinkFact::Demand {
        encodings: 0,
        fresh: true,
    };
    hear(&mut world, demand);
    world.run_ms(20_000);
    assert_eq!(told(&world), [], "it has not said what it wants");
    hear(&mut world, LinkFact::LayersWanted { top: 1 });
    world.run_ms(6_000);
    assert_eq!(told(&world), [(25_000, vec![true, true, false])]);
    hear(&mut world, LinkFact::LayersWanted { top: 2 });
    assert_eq!(told(&world)[1], (26_000, vec![true, true, true]));
    hear(&mut world, LinkFact::Unwanted);
    world.run_ms(6_000);
    assert_eq!(told(&world)[2], (31_000, vec![true, false, false]));
}
