//! Transport-wide feedback: what the publisher reads is what arrived.

use super::*;
use proptest::prelude::*;
use rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use std::collections::BTreeMap;

/// Arrivals told, by sequence number, in microseconds.
fn told(packets: &[Box<dyn RtcpPacket>]) -> Vec<(u16, Option<u64>)> {
    only::<TransportLayerCc>(packets)
        .iter()
        .flat_map(|feedback| {
            assert_eq!(feedback.sender_ssrc, OURS.0);
            let count = usize::from(feedback.packet_status_count);
            interceptor::convert_twcc(feedback).into_iter().take(count)
        })
        .map(|packet| {
            let arrival = packet.arrival.map(|arrival| arrival.as_micros() as u64);
            (packet.sequence_number, arrival)
        })
        .collect()
}

fn probe(sequence: u16) -> Vec<u8> {
    Packet {
        transport_sequence: Some(sequence),
        ..Packet::video(1, sequence)
    }
    .bytes()
}

#[test]
fn feedback_waits_for_a_batch_or_a_tenth_of_a_second() {
    let mut receiver = receiver(&[camera()]);
    receiver.handle_rtp(at(0), &mut probe(0)).unwrap();
    assert!(told(&drain(&mut receiver, at(99))).is_empty());
    assert_eq!(told(&drain(&mut receiver, at(100))), [(0, Some(0))]);
    for sequence in 1..=19 {
        receiver.handle_rtp(at(110), &mut probe(sequence)).unwrap();
    }
    assert!(told(&drain(&mut receiver, at(150))).is_empty());
    receiver.handle_rtp(at(150), &mut probe(20)).unwrap();
    assert_eq!(told(&drain(&mut receiver, at(150))).len(), 20);
}

#[test]
fn packets_of_unknown_streams_and_duplicates_are_told_of() {
    let mut receiver = receiver(&[simulcast()]);
    assert!(receiver.handle_rtp(at(0), &mut probe(7)).is_err());
    assert_eq!(told(&drain(&mut receiver, at(100))), [(7, Some(0))]);
}

#[test]
fn a_late_packet_is_told_of_in_the_next_feedback() {
    let mut receiver = receiver(&[camera()]);
    for sequence in [5, 7] {
        receiver.handle_rtp(at(0), &mut probe(sequence)).unwrap();
    }
    let first = told(&drain(&mut receiver, at(100)));
    assert_eq!(first, [(5, Some(0)), (6, None), (7, Some(0))]);
    receiver.handle_rtp(at(120), &mut probe(6)).unwrap();
    let second = told(&drain(&mut receiver, at(220)));
    assert_eq!(second[0], (6, Some(120_000)));
}

#[test]
fn a_gap_of_thousands_and_a_restart_are_survived() {
    let mut receiver = receiver(&[camera()]);
    for (ms, sequence) in [(0, 5), (200, 9_000), (400, 9_001), (600, 3), (800, 4)] {
        let _ = receiver.handle_rtp(at(ms), &mut probe(sequence));
        let told = told(&drain(&mut receiver, at(ms + 100)));
        assert_eq!(
            told.last(),
            Some(&(sequence, Some(ms * 1_000))),
            "{sequence}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_arrival_is_told_to_a_quarter_of_a_millisecond(
        start: u16,
        packets in proptest::collection::vec((0_u64..3_000, 0_u64..12, 0_u8..10), 1..800),
    ) {
        let mut receiver = receiver(&[camera()]);
        // Send order with gaps in time, then loss, then reordering by up to some packets.
        let mut schedule: Vec<(u64, u16)> = Vec::new();
        let mut us = 0;
        for (place, (gap, delay, fate)) in packets.into_iter().enumerate() {
            us += gap;
            if fate > 0 {
                schedule.push((us + delay * 1_500, start.wrapping_add(place as u16)));
            }
        }
        schedule.sort_by_key(|(us, _)| *us);
        let mut heard = BTreeMap::new();
        let mut hear = |packets: &[Box<dyn RtcpPacket>]| {
            for (sequence, arrival) in told(packets) {
                // Later feedback may complete what earlier said, not contradict it.
                let before = heard.insert(sequence, arrival).flatten();
                assert!(before.is_none() || before == arrival);
            }
        };
        for (us, sequence) in &schedule {
            let _ = receiver.handle_rtp(at_us(*us), &mut probe(*sequence));
            hear(&drain(&mut receiver, at_us(*us)));
        }
        hear(&drain(&mut receiver, at_us(us + 1_000_000)));
        let zero = schedule.first().map_or(0, |(us, _)| *us);
        for (us, sequence) in schedule {
            let expected = (us - zero) / 250 * 250;
            prop_assert_eq!(heard.get(&sequence).copied().flatten(), Some(expected));
        }
    }
}
