use super::*;
use crate::{HeaderExtensions, RtpHeader, add_padding, describe, unwrap_rtx, write_padding};
use plenum_types::{Codec, ExtensionKind, ExtensionMap, Mid, ShortText};

/// Ids of the publisher and of the subscriber.
fn maps() -> (ExtensionMap, ExtensionMap) {
    let mut from = ExtensionMap::new();
    from.set(ExtensionKind::Mid, 1);
    from.set(ExtensionKind::Rid, 2);
    from.set(ExtensionKind::VideoOrientation, 3);
    from.set(ExtensionKind::DependencyDescriptor, 4);
    let mut to = ExtensionMap::new();
    to.set(ExtensionKind::Mid, 5);
    to.set(ExtensionKind::AbsSendTime, 6);
    to.set(ExtensionKind::TransportSequence, 7);
    to.set(ExtensionKind::VideoOrientation, 8);
    to.set(ExtensionKind::DependencyDescriptor, 9);
    to.set(ExtensionKind::Rid, 10);
    (from, to)
}

fn outgoing(map: ExtensionMap) -> OutgoingExtensions {
    OutgoingExtensions {
        map,
        mid: Some(mid("42")),
        abs_send_time: 0x0a_0b_0c,
        transport_sequence: Some(0x1122),
    }
}

fn mid(text: &str) -> Mid {
    ShortText::new(text).unwrap()
}

/// VP8 with all fields; `mid` "7", `rid` "q", orientation 2, a descriptor, one of unknown id.
fn packet() -> Vec<u8> {
    let mut packet = vec![0xb1, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9];
    packet.extend([0xbe, 0xde, 0, 4]);
    packet.extend([0x10, b'7', 0x20, b'q', 0x30, 2, 0x42, 0x85, 0x00, 0x63]);
    packet.extend([0xe1, 0xee, 0xee, 0, 0, 0]);
    packet.extend([0x90, 0xf0, 0x80, 0x05, 9, 0xa7, 0x01, 0xaa]);
    packet.extend([0, 0, 3]);
    packet
}

fn parse(packet: &[u8], map: &ExtensionMap) -> PacketDescription {
    let header = RtpHeader::parse(packet).unwrap();
    let extensions = HeaderExtensions::parse(packet, &header, map).unwrap();
    describe(packet, header, extensions, Codec::Vp8).unwrap()
}

fn patch(description: &PacketDescription) -> Patch {
    Patch {
        payload_type: 120,
        ssrc: Ssrc(0xaabb),
        sequence: SequenceNumber(500),
        timestamp: RtpTimestamp(600),
        marker: true,
        picture_id: Some(0x7ffe),
        tl0_picture_index: Some(200),
        key_index: Some(0xff),
        frame_number: Some(0xcdef),
        ..Patch::identity(description)
    }
}

fn write(packet: &[u8], patch: &Patch, description: &PacketDescription) -> Vec<u8> {
    let mut out = vec![0xff; packet.len() + max_growth()];
    let len = write_packet(packet, description, patch, &outgoing(maps().1), &mut out).unwrap();
    out.truncate(len);
    out
}

#[test]
fn everything_that_changes_is_where_it_belongs() {
    let packet = packet();
    let description = parse(&packet, &maps().0);
    let out = write(&packet, &patch(&description), &description);
    let mut expected = vec![0x91, 0xf8, 0x01, 0xf4, 0, 0, 0x02, 0x58, 0, 0, 0xaa, 0xbb];
    expected.extend([9, 9, 9, 9, 0xbe, 0xde, 0, 4]);
    expected.extend([0x51, b'4', b'2', 0x62, 0x0a, 0x0b, 0x0c, 0x71, 0x11, 0x22]);
    expected.extend([0x80, 2, 0x92, 0x85, 0xcd, 0xef]);
    expected.extend([0x90, 0xf0, 0xff, 0xfe, 200, 0xbf, 0x01, 0xaa]);
    assert_eq!(out, expected);
}

#[test]
fn what_the_patch_leaves_out_stays() {
    let packet = packet();
    let description = parse(&packet, &maps().0);
    let out = write(&packet, &Patch::identity(&description), &description);
    let copy = parse(&out, &maps().1);
    assert_eq!(copy.payload, description.payload);
    assert_eq!(
        copy.header.payload(&out),
        description.header.payload(&packet)
    );
    assert_eq!(copy.header.padding_len, 0);
    assert_eq!(copy.extensions.rid(&out), None);
}

#[test]
fn a_short_picture_id_stays_short() {
    let mut packet = vec![0x80, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.extend([0x90, 0x80, 0x05, 0x01]);
    let description = parse(&packet, &maps().0);
    let out = write(&packet, &patch(&description), &description);
    assert!(out.ends_with(&[0x90, 0x80, 0x7e, 0x01]));
}

#[test]
fn a_large_id_or_a_long_value_takes_the_two_byte_form() {
    let packet = packet();
    let (from, mut to) = maps();
    let description = parse(&packet, &from);
    to.set(ExtensionKind::Mid, 15);
    let mut out = vec![0; packet.len() + max_growth()];
    let len = write_packet(
        &packet,
        &description,
        &patch(&description),
        &outgoing(to),
        &mut out,
    )
    .unwrap();
    assert_eq!(out[16..18], [0x10, 0x00]);
    let copy = parse(&out[..len], &to);
    assert_eq!(copy.extensions.mid(&out), Some(mid("42")));
    assert_eq!(copy.extensions.transport_sequence(&out), Some(0x1122));
    assert_eq!(
        copy.payload.dependency.map(|fields| fields.frame_number),
        Some(0xcdef)
    );
}

#[test]
fn without_extensions_there_is_no_block() {
    let packet = packet();
    let description = parse(&packet, &maps().0);
    let mut out = vec![0; packet.len()];
    let none = OutgoingExtensions {
        map: ExtensionMap::new(),
        ..outgoing(maps().1)
    };
    let len = write_packet(&packet, &description, &patch(&description), &none, &mut out).unwrap();
    assert_eq!(len, 16 + 8);
    assert_eq!(out[0], 0x81);
}

#[test]
fn a_retransmission_unwraps_to_the_original() {
    let packet = packet();
    let description = parse(&packet, &maps().0);
    let original = patch(&description);
    let retransmission = Patch {
        payload_type: 121,
        ssrc: Ssrc(0xccdd),
        sequence: SequenceNumber(77),
        original_sequence: Some(original.sequence),
        ..original
    };
    let plain = write(&packet, &original, &description);
    let mut wrapped = write(&packet, &retransmission, &description);
    let header = RtpHeader::parse(&wrapped).unwrap();
    assert_eq!(
        (header.ssrc, header.sequence),
        (Ssrc(0xccdd), SequenceNumber(77))
    );
    let len = unwrap_rtx(&mut wrapped, &header, original.ssrc, original.payload_type).unwrap();
    assert_eq!(wrapped[..len], plain);
}

#[test]
fn padding_survives_unwrapping() {
    let mut packet = vec![0xa0, 0xe1, 0, 9, 0, 0, 0, 2, 0, 0, 0, 4];
    packet.extend([0x01, 0x02, 0xaa, 0, 2]);
    let header = RtpHeader::parse(&packet).unwrap();
    let len = unwrap_rtx(&mut packet, &header, Ssrc(3), 96).unwrap();
    let original = RtpHeader::parse(&packet[..len]).unwrap();
    assert!(original.marker);
    assert_eq!(original.sequence, SequenceNumber(0x0102));
    assert_eq!((original.payload_type, original.ssrc), (96, Ssrc(3)));
    assert_eq!(original.payload(&packet[..len]), [0xaa]);
}

#[test]
fn a_retransmission_of_padding_has_no_original() {
    for body in [&[0, 0, 3][..], &[0xaa, 0, 2]] {
        let mut packet = [&[0xa0, 0x61, 0, 9, 0, 0, 0, 2, 0, 0, 0, 4][..], body].concat();
        let before = packet.clone();
        let header = RtpHeader::parse(&packet).unwrap();
        assert_eq!(unwrap_rtx(&mut packet, &header, Ssrc(3), 96), None);
        assert_eq!(packet, before);
    }
}

#[test]
fn padding_packets_have_extensions_and_no_payload() {
    let description = parse(&packet(), &maps().0);
    let mut out = [0xff; 300];
    let outgoing = outgoing(maps().1);
    let len = write_padding(&patch(&description), 200, &outgoing, &mut out).unwrap();
    let header = RtpHeader::parse(&out[..len]).unwrap();
    assert_eq!((header.payload_len, header.padding_len), (0, 200));
    assert_eq!(header.ssrc, Ssrc(0xaabb));
    let extensions = HeaderExtensions::parse(&out[..len], &header, &maps().1).unwrap();
    assert_eq!(extensions.transport_sequence(&out), Some(0x1122));
    let too_small = write_padding(&patch(&description), 200, &outgoing, &mut out[..200]);
    assert_eq!(too_small, Err(WriteError::BufferTooSmall));
}

#[test]
fn padding_is_added_behind_the_payload() {
    let packet = packet();
    let description = parse(&packet, &maps().0);
    let mut out = write(&packet, &patch(&description), &description);
    let len = out.len();
    out.push(0xff);
    assert_eq!(add_padding(&mut out, len, 0), Ok(len));
    assert_eq!(add_padding(&mut out, len, 1), Ok(len + 1));
    let header = RtpHeader::parse(&out).unwrap();
    assert_eq!((header.payload_len, header.padding_len), (8, 1));
    assert_eq!(
        add_padding(&mut out, len, 2),
        Err(WriteError::BufferTooSmall)
    );
}

#[test]
fn a_buffer_too_small_or_a_description_of_another_packet_is_an_error() {
    let packet = packet();
    let description = parse(&packet, &maps().0);
    let patch = patch(&description);
    let whole = write(&packet, &patch, &description);
    let outgoing = outgoing(maps().1);
    for len in 0..whole.len() {
        let mut out = vec![0; len];
        let result = write_packet(&packet, &description, &patch, &outgoing, &mut out);
        assert_eq!(result, Err(WriteError::BufferTooSmall));
    }
    let mut out = vec![0; 200];
    let result = write_packet(&packet[..20], &description, &patch, &outgoing, &mut out);
    assert_eq!(result, Err(WriteError::WrongDescription));
}
