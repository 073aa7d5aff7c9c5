use super::*;
use crate::ParseError;
use plenum_types::{Bitrate, NtpTime, RtpTimestamp, SequenceNumber, Ssrc};

const A: Ssrc = Ssrc(0x0102_0304);
const B: Ssrc = Ssrc(0x0506_0708);

fn block(ssrc: u32) -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(ssrc),
        fraction_lost: 77,
        cumulative_lost: -2,
        highest_sequence: 0x0001_fffe,
        jitter: 31,
        last_sr: 0x1234_5678,
        delay_since_last_sr: 65_536,
    }
}

fn write(compose: impl FnOnce(&mut RtcpWriter<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    compose(&mut RtcpWriter::new(&mut out));
    out
}

fn read(datagram: &[u8]) -> Vec<RtcpPacket<'_>> {
    RtcpPackets::new(datagram).map(Result::unwrap).collect()
}

#[test]
fn a_nack_lies_on_the_wire_as_the_rfc_draws_it() {
    let bytes = [
        0x81, 205, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xfe, 0x80, 0x05,
    ];
    let lost: Vec<u16> = match read(&bytes)[..] {
        [
            RtcpPacket::Nack {
                sender: A,
                media: B,
                pairs,
            },
        ] => pairs.map(|s| s.0).collect(),
        ref other => panic!("{other:?}"),
    };
    assert_eq!(lost, [65_534, 65_535, 1, 14]);
    let sequences = lost.into_iter().map(SequenceNumber);
    assert_eq!(write(|writer| writer.nack(A, B, sequences)), bytes);
}

#[test]
fn a_nack_of_nothing_is_not_written() {
    assert_eq!(write(|writer| writer.nack(A, B, [])), [0_u8; 0]);
}

#[test]
fn many_losses_take_several_nacks() {
    let lost: Vec<SequenceNumber> = (0..600)
        .map(|n| SequenceNumber(60_000).plus(100 * n))
        .collect();
    let bytes = write(|writer| writer.nack(A, B, lost.iter().copied()));
    let packets = read(&bytes);
    assert_eq!(packets.len(), 3);
    let read: Vec<SequenceNumber> = packets
        .into_iter()
        .flat_map(|packet| match packet {
            RtcpPacket::Nack { pairs, .. } => pairs,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(read, lost);
}

#[test]
fn pli_and_fir_lie_on_the_wire_as_the_rfcs_draw_them() {
    let bytes = write(|writer| {
        writer.pli(A, B);
        writer.fir(A, B, 9);
    });
    let mut expected = vec![0x81, 206, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
    expected.extend([
        0x84, 206, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 7, 8, 9, 0, 0, 0,
    ]);
    assert_eq!(bytes, expected);
    match read(&bytes)[..] {
        [
            RtcpPacket::Pli {
                sender: A,
                media: B,
            },
            RtcpPacket::Fir { sender: A, entries },
        ] => {
            assert_eq!(entries.collect::<Vec<_>>(), [(B, 9)]);
        }
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn remb_is_read_as_the_draft_draws_it() {
    // Mantissa 0x3ffff, exponent 2, two streams.
    let mut bytes = vec![0x8f, 206, 0, 6, 1, 2, 3, 4, 0, 0, 0, 0];
    bytes.extend(*b"REMB");
    bytes.extend([2, 0x0b, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8]);
    match read(&bytes)[..] {
        [
            RtcpPacket::Remb {
                sender: A,
                bitrate,
                ssrcs,
            },
        ] => {
            assert_eq!(bitrate, Bitrate(0x3ffff << 2));
            assert_eq!(ssrcs.collect::<Vec<_>>(), [A, B]);
        }
        ref other => panic!("{other:?}"),
    }
    assert_eq!(
        write(|writer| writer.remb(A, Bitrate(0x3ffff << 2), &[A, B])),
        bytes
    );
}

#[test]
fn remb_rounds_down_and_saturates() {
    let bitrate = |bytes: &[u8]| match read(bytes)[..] {
        [RtcpPacket::Remb { bitrate, .. }] => bitrate.0,
        ref other => panic!("{other:?}"),
    };
    for asked in [0, 1, 262_143, 262_144, 262_145, 2_500_001, u64::MAX] {
        let told = bitrate(&write(|writer| writer.remb(A, Bitrate(asked), &[B])));
        assert!(
            told <= asked && asked - told <= asked >> 17,
            "{asked} {told}"
        );
    }
    let mut bytes = write(|writer| writer.remb(A, Bitrate(u64::MAX), &[B]));
    bytes[17] = 0xff;
    assert_eq!(bitrate(&bytes), u64::MAX);
}

#[test]
fn application_feedback_of_another_kind_is_passed_over() {
    let bytes = [
        0x8f, 206, 0, 3, 1, 2, 3, 4, 0, 0, 0, 0, b'A', b'B', b'C', b'D',
    ];
    assert_eq!(read(&bytes), [RtcpPacket::Other]);
}

#[test]
fn a_compound_of_reports_is_read_back() {
    let info = SenderInfo {
        ntp: NtpTime(0x0102_0304_0506_0708),
        rtp: RtpTimestamp(90_000),
        packets: 10,
        bytes: 1_000,
    };
    let bytes = write(|writer| {
        writer.sender_report(A, &info, &[block(1)]);
        writer.receiver_report(B, &[block(2), block(3)]);
        writer.sdes_cname(A, "plenum");
        writer.bye(&[A, B]);
        assert_eq!(writer.len(), 52 + 56 + 20 + 12);
        assert!(!writer.is_empty());
    });
    let packets = read(&bytes);
    match packets[0] {
        RtcpPacket::SenderReport {
            ssrc: A,
            info: read,
            reports,
        } => {
            assert_eq!(read, info);
            assert_eq!(reports.collect::<Vec<_>>(), [block(1)]);
        }
        other => panic!("{other:?}"),
    }
    match packets[1] {
        RtcpPacket::ReceiverReport { ssrc: B, reports } => {
            assert_eq!(reports.collect::<Vec<_>>(), [block(2), block(3)]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(packets[2], RtcpPacket::SourceDescription);
    match packets[3] {
        RtcpPacket::Bye { ssrcs } => assert_eq!(ssrcs.collect::<Vec<_>>(), [A, B]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn more_blocks_than_fit_continue_in_another_report() {
    let blocks: Vec<ReportBlock> = (0..70).map(block).collect();
    let info = SenderInfo {
        ntp: NtpTime(0),
        rtp: RtpTimestamp(0),
        packets: 0,
        bytes: 0,
    };
    let bytes = write(|writer| writer.sender_report(A, &info, &blocks));
    let read: Vec<ReportBlock> = read(&bytes)
        .into_iter()
        .flat_map(|packet| match packet {
            RtcpPacket::SenderReport { reports, .. }
            | RtcpPacket::ReceiverReport { reports, .. } => reports,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(read, blocks);
}

#[test]
fn losses_are_clamped_to_24_bits() {
    let extreme = ReportBlock {
        cumulative_lost: i32::MAX,
        ..block(1)
    };
    let bytes = write(|writer| writer.receiver_report(A, &[extreme]));
    match read(&bytes)[..] {
        [RtcpPacket::ReceiverReport { mut reports, .. }] => {
            assert_eq!(reports.next().unwrap().cumulative_lost, (1 << 23) - 1);
        }
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_long_cname_is_cut() {
    let bytes = write(|writer| writer.sdes_cname(A, &"x".repeat(300)));
    assert_eq!(bytes.len() % 4, 0);
    assert_eq!((bytes[9], bytes.len()), (255, 268));
    assert_eq!(read(&bytes), [RtcpPacket::SourceDescription]);
}

#[test]
fn transport_wide_feedback_is_handed_out_whole() {
    let bytes = [
        0x8f, 205, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 1, 0, 0, 2, 0, 0x20, 0x01, 0x04, 0,
    ];
    assert_eq!(
        read(&bytes),
        [RtcpPacket::TransportFeedback { raw: &bytes }]
    );
    assert_eq!(write(|writer| writer.raw(&bytes)), bytes);
}

#[test]
fn padding_is_taken_off() {
    let mut bytes = write(|writer| writer.bye(&[A]));
    bytes.extend([0, 0, 0, 4]);
    bytes[0] |= 0x20;
    bytes[3] += 1;
    bytes.extend(write(|writer| writer.bye(&[B])));
    assert!(matches!(
        read(&bytes)[..],
        [RtcpPacket::Bye { .. }, RtcpPacket::Bye { .. }]
    ));
    for impossible in [0, 9, 255] {
        bytes[11] = impossible;
        let first = RtcpPackets::new(&bytes).next();
        assert_eq!(first, Some(Err(ParseError::BadPadding)));
    }
}

#[test]
fn feedback_may_be_padded_to_alignment() {
    let bytes = [
        0xaf, 205, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 1, 0, 0, 2, 0, 0x20, 0x01, 0x04, 1,
    ];
    assert_eq!(
        read(&bytes),
        [RtcpPacket::TransportFeedback { raw: &bytes }]
    );
}

#[test]
fn reading_ends_at_the_first_error() {
    let bye = write(|writer| writer.bye(&[A]));
    let mut bytes = bye.clone();
    // A receiver report that promises a block it does not have, then another BYE.
    bytes.extend([0x81, 201, 0, 1, 1, 2, 3, 4]);
    bytes.extend(&bye);
    let packets: Vec<_> = RtcpPackets::new(&bytes).collect();
    assert!(matches!(
        packets[..],
        [Ok(RtcpPacket::Bye { .. }), Err(ParseError::BadRtcp)]
    ));
    let cut: Vec<_> = RtcpPackets::new(&bye[..6]).collect();
    assert_eq!(cut, [Err(ParseError::Truncated)]);
    let version: Vec<_> = RtcpPackets::new(&[0x41, 203, 0, 0]).collect();
    assert_eq!(version, [Err(ParseError::WrongVersion)]);
}

#[test]
fn unknown_types_are_passed_over() {
    assert_eq!(read(&[0x80, 207, 0, 1, 1, 2, 3, 4]), [RtcpPacket::Other]);
}
