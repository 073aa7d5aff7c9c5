//! The encoder against our decoder and against the `rtcp` crate's.

use super::*;
use plenum_types::Ssrc;
use proptest::prelude::*;
use rtc_shared::marshal::Unmarshal;
use rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;

fn encoded(base: u16, arrivals: &[Option<u32>]) -> Option<(Vec<u8>, usize)> {
    let mut out = vec![1, 2, 3, 4];
    let told = encode(
        Ssrc(1),
        Ssrc(2),
        9,
        base,
        arrivals.iter().copied(),
        1_000,
        &mut out,
    )?;
    Some((out.split_off(4), usize::from(told.statuses)))
}

/// What the `rtcp` crate and rtc-interceptor read from it, with times in ticks.
fn read_by_others(packet: &[u8]) -> Vec<(u16, Option<u32>)> {
    let mut bytes = bytes::Bytes::copy_from_slice(packet);
    let feedback = TransportLayerCc::unmarshal(&mut bytes).unwrap();
    assert_eq!(feedback.fb_pkt_count, 9);
    let count = usize::from(feedback.packet_status_count);
    interceptor::convert_twcc(&feedback)
        .into_iter()
        .take(count)
        .map(|acknowledgement| {
            let ticks = acknowledgement
                .arrival
                .map(|arrival| (arrival.as_micros() / u128::from(TICK_US)) as u32);
            (acknowledgement.sequence_number, ticks)
        })
        .collect()
}

proptest! {
    #[test]
    fn others_read_the_arrivals_that_were_written(
        base: u16,
        first in 0_u32..100_000_000,
        steps in proptest::collection::vec(
            (prop_oneof![4 => Just(true), 1 => Just(false)], prop_oneof![
                6 => 0_i32..200, 2 => -300_i32..2_000, 1 => -20_000_i32..20_000]),
            1..600,
        ),
    ) {
        let mut at = first + 10_000_000;
        let arrivals: Vec<_> = steps
            .into_iter()
            .map(|(received, step)| {
                at = at.wrapping_add_signed(step);
                received.then_some(at)
            })
            .collect();
        let Some((packet, told)) = encoded(base, &arrivals) else {
            prop_assert!(arrivals.iter().all(Option::is_none));
            return Ok(());
        };
        prop_assert!(packet.len() <= 1_000 && packet.len() % 4 == 0);
        prop_assert!(arrivals[told - 1].is_some());
        let expected: Vec<_> = arrivals[..told]
            .iter()
            .enumerate()
            .map(|(place, arrival)| (base.wrapping_add(place as u16), *arrival))
            .collect();
        prop_assert_eq!(&read_by_others(&packet), &expected);
        let ours: Vec<_> = Statuses::new(&packet)
            .unwrap()
            .map(|status| (status.sequence, status.arrival))
            .collect();
        prop_assert_eq!(ours, expected);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Some(first) = bytes.first_mut() {
            *first = 0x8f | (*first & 0x20);
        }
        if let Some(second) = bytes.get_mut(1) {
            *second = 205;
        }
        if let Some(statuses) = Statuses::new(&bytes) {
            prop_assert!(statuses.count() <= 4_096);
        }
    }
}

#[test]
fn a_long_run_takes_one_chunk() {
    let arrivals: Vec<_> = (0..200).map(|n| Some(1_000 + 4 * n)).collect();
    let (packet, told) = encoded(0, &arrivals).unwrap();
    assert_eq!(told, 200);
    assert_eq!(packet.len(), 20 + 2 + 200 + 2);
}

#[test]
fn a_gap_that_no_delta_can_span_ends_the_feedback() {
    let (_, told) = encoded(0, &[Some(0), None, Some(1), Some(40_000)]).unwrap();
    assert_eq!(told, 3);
}
