//! RTCP in both directions.

use bytes::Bytes;
use plenum_rtp::rtcp::{ReportBlock, RtcpPacket, RtcpPackets, RtcpWriter, SenderInfo};
use plenum_types::{Bitrate, NtpTime, RtpTimestamp, SequenceNumber, Ssrc};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use rtc_shared::marshal::Marshal;
use rtcp::goodbye::Goodbye;
use rtcp::packet::{Packet, unmarshal};
use rtcp::payload_feedbacks::full_intra_request::{FirEntry, FullIntraRequest};
use rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtcp::receiver_report::ReceiverReport;
use rtcp::reception_report::ReceptionReport;
use rtcp::sender_report::SenderReport;
use rtcp::source_description::{SdesType, SourceDescription};
use rtcp::transport_feedbacks::transport_layer_nack::{
    NackPair, TransportLayerNack, nack_pairs_from_sequence_numbers,
};

fn theirs(datagram: &[u8]) -> Vec<Box<dyn Packet>> {
    unmarshal(&mut Bytes::copy_from_slice(datagram)).expect("valid for the other crate")
}

fn only<T: Clone + 'static>(packets: &[Box<dyn Packet>]) -> T {
    assert_eq!(packets.len(), 1);
    packets[0]
        .as_any()
        .downcast_ref::<T>()
        .expect("of the expected type")
        .clone()
}

fn ours(datagram: &[u8]) -> Vec<RtcpPacket<'_>> {
    RtcpPackets::new(datagram)
        .collect::<Result<_, _>>()
        .expect("parses")
}

fn written(compose: impl FnOnce(&mut RtcpWriter<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    compose(&mut RtcpWriter::new(&mut out));
    out
}

prop_compose! {
    fn block()(
        fields in any::<(u32, u8, u32, u32, u32, u32)>(),
        lost in -(1_i32 << 23)..1 << 23,
    ) -> ReportBlock {
        let (ssrc, fraction_lost, highest_sequence, jitter, last_sr, delay) = fields;
        ReportBlock {
            ssrc: Ssrc(ssrc),
            fraction_lost,
            cumulative_lost: lost,
            highest_sequence,
            jitter,
            last_sr,
            delay_since_last_sr: delay,
        }
    }
}

/// The other crate keeps the 24 bits of the loss unsigned.
fn as_theirs(block: &ReportBlock) -> ReceptionReport {
    ReceptionReport {
        ssrc: block.ssrc.0,
        fraction_lost: block.fraction_lost,
        total_lost: block.cumulative_lost.cast_unsigned() & 0x00ff_ffff,
        last_sequence_number: block.highest_sequence,
        jitter: block.jitter,
        last_sender_report: block.last_sr,
        delay: block.delay_since_last_sr,
    }
}

proptest! {
    #[test]
    fn sender_reports(
        blocks in vec(block(), 0..32),
        fields in any::<(u32, u64, u32, u32, u32)>(),
    ) {
        let (ssrc, ntp, rtp, packets, bytes) = fields;
        let info = SenderInfo { ntp: NtpTime(ntp), rtp: RtpTimestamp(rtp), packets, bytes };
        let report = SenderReport {
            ssrc,
            ntp_time: ntp,
            rtp_time: rtp,
            packet_count: packets,
            octet_count: bytes,
            reports: blocks.iter().map(as_theirs).collect(),
            profile_extensions: Bytes::new(),
        };
        let wire = report.marshal().expect("marshals");
        let out = written(|writer| writer.sender_report(Ssrc(ssrc), &info, &blocks));
        prop_assert_eq!(&out[..], &wire[..]);
        match ours(&wire)[..] {
            [RtcpPacket::SenderReport { ssrc: read_ssrc, info: read_info, reports }] => {
                prop_assert_eq!((read_ssrc, read_info), (Ssrc(ssrc), info));
                prop_assert_eq!(reports.collect::<Vec<_>>(), blocks);
            }
            ref other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn receiver_reports(blocks in vec(block(), 0..32), ssrc: u32) {
        let report = ReceiverReport {
            ssrc,
            reports: blocks.iter().map(as_theirs).collect(),
            profile_extensions: Bytes::new(),
        };
        let out = written(|writer| writer.receiver_report(Ssrc(ssrc), &blocks));
        prop_assert_eq!(&out[..], &report.marshal().expect("marshals")[..]);
        prop_assert_eq!(only::<ReceiverReport>(&theirs(&out)), report);
    }

    #[test]
    fn nacks(lost in btree_set(any::<u16>(), 1..100), sender: u32, media: u32) {
        let lost: Vec<u16> = lost.into_iter().collect();
        let nack = TransportLayerNack {
            sender_ssrc: sender,
            media_ssrc: media,
            nacks: nack_pairs_from_sequence_numbers(&lost),
        };
        let wire = nack.marshal().expect("marshals");
        match ours(&wire)[..] {
            [RtcpPacket::Nack { sender: from, media: of, pairs }] => {
                prop_assert_eq!((from.0, of.0), (sender, media));
                prop_assert_eq!(pairs.map(|sequence| sequence.0).collect::<Vec<_>>(), lost.clone());
            }
            ref other => prop_assert!(false, "{:?}", other),
        }
        let sequences = lost.iter().copied().map(SequenceNumber);
        let out = written(|writer| writer.nack(Ssrc(sender), Ssrc(media), sequences));
        let read = only::<TransportLayerNack>(&theirs(&out));
        let named: Vec<u16> = read.nacks.iter().flat_map(NackPair::packet_list).collect();
        prop_assert_eq!(named, lost);
        prop_assert!(read.nacks.len() <= nack.nacks.len());
    }

    #[test]
    fn keyframe_requests(sender: u32, media: u32, sequence: u8) {
        let pli = PictureLossIndication { sender_ssrc: sender, media_ssrc: media };
        let out = written(|writer| writer.pli(Ssrc(sender), Ssrc(media)));
        prop_assert_eq!(&out[..], &pli.marshal().expect("marshals")[..]);

        let fir = FullIntraRequest {
            sender_ssrc: sender,
            media_ssrc: 0,
            fir: vec![FirEntry { ssrc: media, sequence_number: sequence }],
        };
        let out = written(|writer| writer.fir(Ssrc(sender), Ssrc(media), sequence));
        prop_assert_eq!(&out[..], &fir.marshal().expect("marshals")[..]);
        match ours(&out)[..] {
            [RtcpPacket::Fir { sender: from, entries }] => {
                prop_assert_eq!(from.0, sender);
                prop_assert_eq!(entries.collect::<Vec<_>>(), [(Ssrc(media), sequence)]);
            }
            ref other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn remb(sender: u32, bitrate in 0_u64..1 << 40, ssrcs in vec(any::<u32>(), 0..10)) {
        let list: Vec<Ssrc> = ssrcs.iter().copied().map(Ssrc).collect();
        let out = written(|writer| writer.remb(Ssrc(sender), Bitrate(bitrate), &list));
        let read = only::<ReceiverEstimatedMaximumBitrate>(&theirs(&out));
        prop_assert_eq!((read.sender_ssrc, &read.ssrcs), (sender, &ssrcs));
        match ours(&read.marshal().expect("marshals"))[..] {
            [RtcpPacket::Remb { sender: from, bitrate: told, ssrcs: of }] => {
                prop_assert_eq!(from.0, sender);
                prop_assert_eq!(told.0 as f32, read.bitrate);
                prop_assert!(told.0 <= bitrate && bitrate - told.0 <= bitrate >> 17);
                prop_assert_eq!(of.collect::<Vec<_>>(), list);
            }
            ref other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn goodbyes(ssrcs in vec(any::<u32>(), 1..32), reason in "[a-z]{0,40}") {
        let bye = Goodbye { sources: ssrcs.clone(), reason: Bytes::from(reason) };
        let wire = bye.marshal().expect("marshals");
        match ours(&wire)[..] {
            [RtcpPacket::Bye { ssrcs: read }] => {
                prop_assert_eq!(read.map(|ssrc| ssrc.0).collect::<Vec<_>>(), ssrcs.clone());
            }
            ref other => prop_assert!(false, "{:?}", other),
        }
        let list: Vec<Ssrc> = ssrcs.iter().copied().map(Ssrc).collect();
        let out = written(|writer| writer.bye(&list));
        prop_assert_eq!(only::<Goodbye>(&theirs(&out)).sources, ssrcs);
    }

    #[test]
    fn cnames(ssrc: u32, cname in "[ -~]{1,255}") {
        let out = written(|writer| writer.sdes_cname(Ssrc(ssrc), &cname));
        let read = only::<SourceDescription>(&theirs(&out));
        prop_assert_eq!(read.chunks.len(), 1);
        prop_assert_eq!(read.chunks[0].source, ssrc);
        prop_assert_eq!(read.chunks[0].items.len(), 1);
        prop_assert_eq!(read.chunks[0].items[0].sdes_type, SdesType::SdesCname);
        prop_assert_eq!(&read.chunks[0].items[0].text[..], cname.as_bytes());
    }
}
