//! Receiver reports against values worked out by hand.

use super::*;
use plenum_types::NtpTime;
use rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtcp::receiver_report::ReceiverReport;
use rtcp::reception_report::ReceptionReport;
use rtcp::source_description::SourceDescription;

fn block(packets: &[Box<dyn RtcpPacket>]) -> ReceptionReport {
    only::<ReceiverReport>(packets)
        .into_iter()
        .find_map(|report| report.reports.first().cloned())
        .unwrap()
}

/// A packet whose timestamp is `media_ms` on the media clock.
fn packet(sequence: u16, media_ms: u32) -> Vec<u8> {
    Packet {
        timestamp: media_ms * 90,
        ..Packet::video(1, sequence)
    }
    .bytes()
}

#[test]
fn fraction_and_sum_of_lost_packets() {
    let mut receiver = receiver(&[camera()]);
    // 10 expected, 2 lost: 2 × 256 / 10 = 51.
    for sequence in [100, 101, 103, 104, 105, 107, 108, 109] {
        let mut packet = packet(sequence, 0);
        receiver.handle_rtp(at(0), &mut packet).unwrap();
    }
    let first = block(&drain(&mut receiver, at(100)));
    assert_eq!(first.ssrc, 1);
    assert_eq!((first.fraction_lost, first.total_lost), (51, 2));
    assert_eq!(first.last_sequence_number, 109);
    // 4 expected, 1 lost: 64. One of the earlier comes late: it counts as received now.
    for sequence in [102, 110, 112, 113] {
        let mut packet = packet(sequence, 0);
        receiver.handle_rtp(at(200), &mut packet).unwrap();
    }
    let second = block(&drain(&mut receiver, at(1_100)));
    assert_eq!((second.fraction_lost, second.total_lost), (0, 2));
    // A retransmission repairs, but the network had lost it.
    let mut repaired = Packet::video(1, 111).retransmitted(2, 1);
    receiver.handle_rtp(at(1_200), &mut repaired).unwrap();
    let third = block(&drain(&mut receiver, at(2_100)));
    assert_eq!((third.fraction_lost, third.total_lost), (0, 2));
}

#[test]
fn cycles_are_counted_from_zero() {
    let mut receiver = receiver(&[camera()]);
    for sequence in [65_534, 65_535, 0, 1] {
        let mut packet = packet(sequence, 0);
        receiver.handle_rtp(at(0), &mut packet).unwrap();
    }
    let block = block(&drain(&mut receiver, at(100)));
    assert_eq!(block.last_sequence_number, 0x1_0001);
    assert_eq!(block.total_lost, 0);
}

#[test]
fn jitter_follows_rfc_3550() {
    let mut receiver = receiver(&[camera()]);
    // Sent every 20 ms; transit differences +10 ms, −10 ms, +10 ms: 900 ticks each.
    let arrivals = [(1, 0, 0), (2, 20, 30), (3, 40, 40), (4, 60, 70)];
    for (sequence, media_ms, ms) in arrivals {
        let mut packet = packet(sequence, media_ms);
        receiver.handle_rtp(at(ms), &mut packet).unwrap();
    }
    // A.8 with J scaled by 16: 900; 900 + 900 − (908 >> 4) = 1744; 1744 + 900 − 109 = 2535.
    let block = block(&drain(&mut receiver, at(100)));
    assert_eq!(block.jitter, 2_535 >> 4);
}

#[test]
fn packets_of_one_picture_say_nothing_of_jitter() {
    let mut receiver = receiver(&[camera()]);
    for (sequence, ms) in [(1, 0), (2, 5), (3, 15)] {
        let mut packet = packet(sequence, 0);
        receiver.handle_rtp(at(ms), &mut packet).unwrap();
    }
    assert_eq!(block(&drain(&mut receiver, at(100))).jitter, 0);
}

#[test]
fn the_last_sender_report_is_echoed_with_its_age() {
    let mut receiver = receiver(&[camera()]);
    receiver.handle_rtp(at(0), &mut packet(1, 0)).unwrap();
    let info = SenderInfo {
        ntp: NtpTime(0x1111_2222_3333_4444),
        rtp: plenum_types::RtpTimestamp(0),
        packets: 1,
        bytes: 1,
    };
    assert_eq!(
        receiver.on_sender_report(at(50), Ssrc(1), &info),
        Some(source(0))
    );
    assert_eq!(receiver.on_sender_report(at(50), Ssrc(2), &info), None);
    assert_eq!(receiver.on_sender_report(at(50), Ssrc(77), &info), None);
    let block = block(&drain(&mut receiver, at(550)));
    assert_eq!(block.last_sender_report, 0x2222_3333);
    assert_eq!(block.delay, 32_768);
}

#[test]
fn reports_come_every_second_with_a_name() {
    let mut receiver = receiver(&[camera()]);
    let mut times = Vec::new();
    for ms in 0..3_000 {
        if ms % 20 == 0 {
            let mut packet = packet(ms as u16 / 20, ms as u32);
            receiver.handle_rtp(at(ms), &mut packet).unwrap();
        }
        let packets = drain(&mut receiver, at(ms));
        if let [name] = only::<SourceDescription>(&packets).as_slice() {
            assert_eq!(name.chunks[0].source, OURS.0);
            assert_eq!(&name.chunks[0].items[0].text[..], b"plenum");
            times.push(ms);
        }
    }
    assert_eq!(times, [100, 1_100, 2_100]);
}

#[test]
fn remb_goes_to_publishers_that_know_nothing_better() {
    let mut config = camera();
    config.codecs[0].remb = true;
    for (transport_cc, expected) in [(true, 0), (false, 1)] {
        config.codecs[0].transport_cc = transport_cc;
        let mut receiver = receiver(&[config.clone()]);
        receiver.handle_rtp(at(0), &mut packet(1, 0)).unwrap();
        let packets = drain(&mut receiver, at(100));
        let remb = only::<ReceiverEstimatedMaximumBitrate>(&packets);
        assert_eq!(remb.len(), expected);
        assert!(
            remb.iter()
                .all(|remb| remb.ssrcs == [1] && remb.bitrate > 1e6)
        );
    }
}

/// A limit is told whatever else was negotiated, at once and with every report, until it is lifted.
#[test]
fn a_limit_is_told_to_the_publisher() {
    for transport_cc in [true, false] {
        let mut config = camera();
        config.codecs[0].remb = !transport_cc;
        config.codecs[0].transport_cc = transport_cc;
        let mut receiver = receiver(&[config]);
        receiver.set_publish_limit(at(0), Some(Bitrate::kbps(800)));
        receiver.handle_rtp(at(0), &mut packet(1, 0)).unwrap();
        let mut told = Vec::new();
        for ms in (0..4_000).step_by(10) {
            if ms == 1_500 {
                receiver.set_publish_limit(at(ms), Some(Bitrate::kbps(300)));
            } else if ms == 3_000 {
                receiver.set_publish_limit(at(ms), None);
            }
            let packets = drain(&mut receiver, at(ms));
            let rembs = only::<ReceiverEstimatedMaximumBitrate>(&packets);
            told.extend(rembs.iter().map(|remb| (ms, remb.bitrate as u64 / 1_000)));
        }
        let mut expected = vec![
            (100, 800),
            (1_100, 800),
            (1_500, 300),
            (2_500, 300),
            (3_000, 20_000),
        ];
        if transport_cc {
            assert_eq!(told, expected);
        } else {
            // Who relies on REMB is told on.
            expected.push((4_000, 20_000));
            assert!(expected.starts_with(&told), "{told:?}");
        }
    }
}

#[test]
fn forty_streams_share_the_reports() {
    let mut configs = Vec::new();
    for id in 0..40_u32 {
        let mut config = camera();
        config.publication = PublicationId(u64::from(id));
        config.mid = text(&id.to_string());
        config.encodings[0].ssrc = Some(Ssrc(1_000 + id));
        config.encodings[0].rtx_ssrc = None;
        configs.push(config);
    }
    let mut receiver = receiver(&configs);
    for id in 0..40 {
        let mut packet = Packet::video(1_000 + id, 1).bytes();
        receiver.handle_rtp(at(0), &mut packet).unwrap();
    }
    let mut told = std::collections::BTreeSet::new();
    for ms in [100, 1_100] {
        for report in only::<ReceiverReport>(&drain(&mut receiver, at(ms))) {
            told.extend(report.reports.iter().map(|block| block.ssrc));
        }
    }
    assert_eq!(told.len(), 40);
}
