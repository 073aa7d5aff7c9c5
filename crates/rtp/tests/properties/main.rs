//! What must hold for any bytes.

use plenum_rtp::rtcp::{RtcpPacket, RtcpPackets};
use plenum_rtp::{
    DependencyDescriptor, HeaderExtensions, OutgoingExtensions, PacketDescription, Patch,
    RtpHeader, TemplateStructure, Templates, WriteError, add_padding, describe, is_rtcp,
    max_growth, unwrap_rtx, write_packet,
};
use plenum_types::{
    Codec, ExtensionKind, ExtensionMap, RtpTimestamp, SequenceNumber, ShortText, Ssrc,
};
use proptest::collection::vec;
use proptest::prelude::*;

mod strategies;

use strategies::{codec, extension_map, mangled_packet, outgoing, patch};

/// Parses and describes, if it can be.
fn parse(packet: &[u8], map: &ExtensionMap, codec: Codec) -> Option<PacketDescription> {
    let header = RtpHeader::parse(packet).ok()?;
    let extensions = HeaderExtensions::parse(packet, &header, map).ok()?;
    describe(packet, header, extensions, codec).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_a_parser_panic(
        bytes in vec(any::<u8>(), 0..200),
        map in extension_map(),
        codec in codec(),
    ) {
        parse(&bytes, &map, codec);
        let _ = RtpHeader::length_of(&bytes);
        let _ = DependencyDescriptor::parse(&bytes);
        if let Ok(Some((structure, _))) = TemplateStructure::parse(&bytes) {
            let _ = structure.frame(&bytes[..3]);
        }
        is_rtcp(&bytes);
    }

    #[test]
    fn no_descriptors_make_the_templates_panic(
        descriptors in vec((any::<bool>(), vec(any::<u8>(), 0..60)), 1..12),
    ) {
        let mut templates = Templates::default();
        for (structure, mut bytes) in descriptors {
            // Three bytes of mandatory fields, then the flag of a structure.
            if structure && bytes.len() > 3 {
                bytes[3] |= 0x80;
            }
            if let Ok(Some(role)) = templates.on_descriptor(&bytes) {
                let structure = templates.structure().expect("what gives frames their role");
                prop_assert!(role.layer.spatial < 4 && role.layer.temporal < 8);
                prop_assert!(structure.decode_targets() <= 32);
            }
        }
    }

    #[test]
    fn no_bytes_make_the_rtcp_reader_panic_or_hang(bytes in vec(any::<u8>(), 0..300)) {
        drain(&bytes);
    }

    #[test]
    fn no_rtcp_body_makes_its_reader_panic_or_hang(
        packet_type in 199_u8..210,
        count in 0_u8..64,
        body in vec(any::<u8>(), 0..200),
    ) {
        let words = body.len() / 4;
        let mut bytes = vec![0x80 | count, packet_type, 0, words as u8];
        bytes.extend_from_slice(&body[..4 * words]);
        drain(&bytes);
    }

    #[test]
    fn no_packet_makes_a_parser_panic(
        packet in mangled_packet(),
        map in extension_map(),
        codec in codec(),
    ) {
        if let Some(description) = parse(&packet, &map, codec) {
            let header = description.header;
            prop_assert_eq!(
                header.payload_offset + header.payload_len + header.padding_len,
                packet.len()
            );
            for kind in ExtensionKind::ALL {
                if let Some(bytes) = description.extensions.bytes(&packet, kind) {
                    prop_assert!(bytes.len() < header.payload_offset);
                }
            }
        }
    }

    #[test]
    fn a_copy_says_what_the_patch_said(
        packet in mangled_packet(),
        maps in (extension_map(), extension_map()),
        codec in codec(),
        patch in patch(),
        outgoing in outgoing(),
    ) {
        let Some(description) = parse(&packet, &maps.0, codec) else {
            return Ok(());
        };
        let outgoing = OutgoingExtensions { map: maps.1, ..outgoing };
        let mut out = vec![0xff; packet.len() + max_growth()];
        let written = write_packet(&packet, &description, &patch, &outgoing, &mut out);
        let len = written.expect("fits by the promise of max_growth");
        let copy = &out[..len];
        let header = RtpHeader::parse(copy).expect("valid");
        assert_header(&header, &patch);
        let extensions = HeaderExtensions::parse(copy, &header, &outgoing.map).expect("valid");
        assert_extensions(&packet, &description, copy, &extensions, &outgoing, &patch);
        let prefix = patch.original_sequence.map_or(0, |_| 2);
        prop_assert_eq!(header.payload_len, description.header.payload_len + prefix);

        let mut small = vec![0; len - 1];
        let result = write_packet(&packet, &description, &patch, &outgoing, &mut small);
        prop_assert_eq!(result, Err(WriteError::BufferTooSmall));
    }

    #[test]
    fn a_copy_is_described_like_the_original(
        packet in mangled_packet(),
        maps in (extension_map(), extension_map()),
        codec in codec(),
        patch in patch(),
        outgoing in outgoing(),
    ) {
        let Some(description) = parse(&packet, &maps.0, codec) else {
            return Ok(());
        };
        // What describes the payload must reach the subscriber.
        let mut map = maps.1;
        map.set(ExtensionKind::DependencyDescriptor, 251);
        let outgoing = OutgoingExtensions { map, ..outgoing };
        let patch = Patch { marker: description.header.marker, original_sequence: None, ..patch };
        let mut out = vec![0; packet.len() + max_growth()];
        let written = write_packet(&packet, &description, &patch, &outgoing, &mut out);
        let len = written.expect("fits");
        let copy = parse(&out[..len], &map, codec).expect("describes").payload;
        let original = description.payload;
        prop_assert_eq!(
            (copy.keyframe, copy.starts_frame, copy.ends_frame, copy.layer, copy.sizes),
            (original.keyframe, original.starts_frame, original.ends_frame, original.layer, original.sizes)
        );
        prop_assert_eq!(copy.switching_point, original.switching_point);
        let number = original.dependency.map(|fields| patch.frame_number.unwrap_or(fields.frame_number));
        prop_assert_eq!(copy.dependency.map(|fields| fields.frame_number), number);
    }

    #[test]
    fn retransmissions_unwrap_to_the_original(
        packet in mangled_packet(),
        patch in patch(),
        outgoing in outgoing(),
        padding: u8,
    ) {
        let Some(description) = parse(&packet, &ExtensionMap::new(), Codec::Opus) else {
            return Ok(());
        };
        let original = Patch { original_sequence: None, ..patch };
        let retransmission = Patch {
            ssrc: Ssrc(patch.ssrc.0.wrapping_add(1)),
            payload_type: 1,
            sequence: SequenceNumber(7),
            original_sequence: Some(patch.sequence),
            ..patch
        };
        let room = packet.len() + max_growth() + 255;
        let (mut plain, mut wrapped) = (vec![0; room], vec![0; room]);
        let plain_len = write_packet(&packet, &description, &original, &outgoing, &mut plain);
        let plain_len = plain_len.expect("fits");
        let len = write_packet(&packet, &description, &retransmission, &outgoing, &mut wrapped);
        let len = add_padding(&mut wrapped, len.expect("fits"), padding).expect("fits");
        let wrapped = &mut wrapped[..len];
        let header = RtpHeader::parse(wrapped).expect("valid");
        let len = unwrap_rtx(wrapped, &header, patch.ssrc, patch.payload_type);
        let unwrapped = &wrapped[..len.expect("has an original")];
        let plain_len = add_padding(&mut plain, plain_len, padding).expect("fits");
        prop_assert_eq!(unwrapped, &plain[..plain_len]);
    }
}

/// Reads a compound to its end, which must come.
fn drain(datagram: &[u8]) {
    let mut packets = 0;
    for packet in RtcpPackets::new(datagram) {
        packets += 1;
        let items = match packet {
            Ok(
                RtcpPacket::SenderReport { reports, .. }
                | RtcpPacket::ReceiverReport { reports, .. },
            ) => reports.count(),
            Ok(RtcpPacket::Nack { pairs, .. }) => pairs.count() / 17,
            Ok(RtcpPacket::Fir { entries, .. }) => entries.count(),
            Ok(RtcpPacket::Remb { ssrcs, .. } | RtcpPacket::Bye { ssrcs }) => ssrcs.count(),
            Ok(RtcpPacket::TransportFeedback { raw }) => raw.len() / 4,
            _ => 0,
        };
        assert!(items <= datagram.len() / 4);
    }
    assert!(packets <= datagram.len() / 4 + 1);
}

fn assert_header(header: &RtpHeader, patch: &Patch) {
    assert_eq!(header.marker, patch.marker);
    assert_eq!(header.payload_type, patch.payload_type);
    assert_eq!(header.sequence, patch.sequence);
    assert_eq!(header.timestamp, patch.timestamp);
    assert_eq!(header.ssrc, patch.ssrc);
    assert_eq!(header.padding_len, 0);
}

fn assert_extensions(
    packet: &[u8],
    description: &PacketDescription,
    copy: &[u8],
    extensions: &HeaderExtensions,
    outgoing: &OutgoingExtensions,
    patch: &Patch,
) {
    for kind in ExtensionKind::ALL {
        let source = description.extensions.bytes(packet, kind);
        let mut expected = match kind {
            ExtensionKind::Mid => outgoing.mid.map(|mid| mid.as_str().as_bytes().to_vec()),
            ExtensionKind::AbsSendTime => Some(outgoing.abs_send_time.to_be_bytes()[1..].to_vec()),
            ExtensionKind::TransportSequence => outgoing
                .transport_sequence
                .map(|sequence| sequence.to_be_bytes().to_vec()),
            ExtensionKind::Rid | ExtensionKind::RepairedRid => None,
            _ => source.map(<[u8]>::to_vec),
        };
        if outgoing.map.id(kind).is_none() {
            expected = None;
        }
        if kind == ExtensionKind::DependencyDescriptor
            && let (Some(bytes), Some(number)) = (&mut expected, patch.frame_number)
            && let Some(field) = bytes.get_mut(1..3)
        {
            field.copy_from_slice(&number.to_be_bytes());
        }
        assert_eq!(
            extensions.bytes(copy, kind),
            expected.as_deref(),
            "{kind:?}"
        );
    }
}

#[test]
fn the_largest_growth_is_within_the_promise() {
    // A packet without extensions gains all of ours, in the two-byte form.
    let packet = [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xaa];
    let description = parse(&packet, &ExtensionMap::new(), Codec::Opus).expect("valid");
    let mut map = ExtensionMap::new();
    for (kind, id) in ExtensionKind::ALL.into_iter().zip(240..) {
        map.set(kind, id);
    }
    let outgoing = OutgoingExtensions {
        map,
        mid: ShortText::new("0123456789abcdef").ok(),
        abs_send_time: 0,
        transport_sequence: Some(0),
    };
    let patch = Patch {
        timestamp: RtpTimestamp(0),
        original_sequence: Some(SequenceNumber(0)),
        ..Patch::identity(&description)
    };
    let mut out = vec![0; packet.len() + max_growth()];
    let len = write_packet(&packet, &description, &patch, &outgoing, &mut out).expect("fits");
    assert_eq!(len, packet.len() + 4 + 28 + 2);
}
