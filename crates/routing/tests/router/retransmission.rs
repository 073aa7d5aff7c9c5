//! What is sent again is what was sent.

use std::time::Duration;

use plenum_rtp::{RtpHeader, max_growth, unwrap_rtx, write_packet};
use plenum_types::{Codec, DropReason, MediaKind, SequenceNumber, Ssrc};
use rand::RngExt;

use crate::packets::{AV1, H264, VP9, payload_type};
use crate::world::{Network, World, outgoing, pinned};

const SLOT_SSRC: Ssrc = Ssrc(9_000);

/// Asks again for everything that a slot got, and compares.
pub(crate) fn ask_for_all(world: &mut World, slot: plenum_routing::SlotIndex) -> usize {
    let got: Vec<(u64, u64, Vec<u8>, Codec)> = world.receivers[&slot]
        .got
        .iter()
        .map(|(number, got)| {
            (
                *number,
                got.arrived_ms,
                got.bytes.clone(),
                got.sent.content.codec,
            )
        })
        .collect();
    let now = world.now();
    let mut answered = 0;
    for (number, arrived_ms, original, codec) in got {
        let sequence = SequenceNumber(number as u16);
        let fresh = world.now_ms - arrived_ms <= 1_000;
        match world.router.retransmit(now, slot, sequence, None) {
            Ok(found) => {
                let mut out = vec![0; found.packet.len() + max_growth()];
                let patch = found.forward.patch;
                let length = write_packet(
                    found.packet,
                    &found.description,
                    &patch,
                    &outgoing(&found.forward),
                    &mut out,
                )
                .expect("fits");
                out.truncate(length);
                assert_eq!(patch.original_sequence, Some(sequence));
                let header = RtpHeader::parse(&out).expect("header");
                assert_eq!(header.ssrc, Ssrc(SLOT_SSRC.0 + 1));
                let length = unwrap_rtx(&mut out, &header, SLOT_SSRC, payload_type(codec))
                    .expect("an original inside");
                out.truncate(length);
                assert_eq!(out, original, "number {number}");
                answered += 1;
                let again = world.router.retransmit(now, slot, sequence, None);
                assert!(matches!(again, Err(DropReason::Duplicate)));
            }
            Err(reason) => {
                assert_eq!(reason, DropReason::NotStored);
                assert!(
                    !fresh || arrived_ms + 1_000 < world.now_ms + 400,
                    "lost {number}"
                );
            }
        }
    }
    answered
}

#[test]
fn sent_again_equals_sent() {
    for (seed, codec) in [(1, Codec::Vp8), (2, VP9), (3, H264), (4, AV1)] {
        println!("seed {seed}");
        let mut world = World::new(seed);
        world.network = Network {
            jitter_ms: 10,
            loss_percent: 2,
            in_order: false,
        };
        let ids = [world.publish(1, codec, 3), world.publish(2, codec, 1)];
        let slot = world.subscribe(9, 0, MediaKind::Video, &[codec], pinned(ids[0], 180));
        for _ in 0..6 {
            let id = ids[world.rng.random_range(0..2)];
            let height = [180, 360, 720][world.rng.random_range(0..3)];
            world.wish(9, 0, pinned(id, height));
            world.run_ms(500);
        }
        let answered = ask_for_all(&mut world, slot);
        assert!(answered >= 60, "only {answered} of {codec:?}");
    }
}

#[test]
fn asking_for_many_in_turn_gets_round_no_limit() {
    let mut world = World::new(11);
    let id = world.publish(1, Codec::Vp8, 1);
    world.published(id).encoders[0].packets_per_frame = 16;
    let slot = world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(2_000);
    let numbers: Vec<u64> = world.receivers[&slot].got.keys().copied().collect();
    let now = world.now();
    let mut ask = || {
        let stored = &numbers[numbers.len() - 400..];
        let answered = stored.iter().filter(|number| {
            let sequence = SequenceNumber(**number as u16);
            world.router.retransmit(now, slot, sequence, None).is_ok()
        });
        answered.count()
    };
    assert_eq!(ask(), 256);
    assert_eq!(ask(), 0);
}

#[test]
fn what_was_never_sent_is_not_sent_again() {
    let mut world = World::new(9);
    let id = world.publish(1, Codec::Vp8, 1);
    let slot = world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(500);
    let (first, last) = {
        let got = &world.receivers[&slot].got;
        (
            *got.keys().next().expect("some"),
            *got.keys().next_back().expect("some"),
        )
    };
    let now = world.now();
    for number in [first - 1, last + 1, last + 1_000] {
        let asked = world
            .router
            .retransmit(now, slot, SequenceNumber(number as u16), None);
        assert!(matches!(asked, Err(DropReason::NotStored)));
    }
    world.router.remove_publication(now, id);
    let asked = world
        .router
        .retransmit(now, slot, SequenceNumber(last as u16), None);
    assert!(matches!(asked, Err(DropReason::NotStored)));
}

#[test]
fn a_packet_is_not_repeated_within_a_round_trip() {
    let mut world = World::new(10);
    let id = world.publish(1, Codec::Vp8, 1);
    let slot = world.subscribe(9, 0, MediaKind::Video, &[Codec::Vp8], pinned(id, 720));
    world.run_ms(500);
    let last = *world.receivers[&slot].got.keys().next_back().expect("some");
    let sequence = SequenceNumber(last as u16);
    let rtt = Some(Duration::from_millis(80));
    let mut ask = |ms: u64| {
        world.now_ms += ms;
        let now = world.now();
        let answer = world.router.retransmit(now, slot, sequence, rtt);
        answer.map(|found| found.forward.patch.sequence)
    };
    let too_early = ask(0);
    assert_eq!(too_early, Err(DropReason::Duplicate), "still on its way");
    let first = ask(80).expect("answered");
    assert_eq!(ask(40), Err(DropReason::Duplicate));
    assert_eq!(ask(41), Ok(first.plus(1)));
}
