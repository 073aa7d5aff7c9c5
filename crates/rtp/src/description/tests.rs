use super::*;
use crate::bits::writer::BitWriter;
use plenum_types::ExtensionMap;

const AV1: Codec = Codec::Av1 { profile: 0 };
const DESCRIPTOR_ID: u8 = 12;

/// The start of a keyframe: one template of the lowest layer, one decode target, 640 × 360.
fn keyframe_descriptor() -> Vec<u8> {
    let mandatory = BitWriter::new().bits(0b10, 2).bits(5, 6).bits(0x0102, 16);
    let structure = mandatory.bits(0b10000, 5).bits(5, 6).bits(0, 5);
    // One template, switch, no differences, ns(2): no chains, one size.
    let structure = structure.bits(3, 2).bits(2, 2).bits(0, 1).bits(0, 1);
    structure.bits(1, 1).bits(639, 16).bits(359, 16).bytes()
}

fn with_descriptor(
    codec: Codec,
    descriptor: &[u8],
    payload: &[u8],
) -> Result<PayloadDescription, ParseError> {
    let mut packet = vec![0x90, 0xe0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x10, 0];
    let block_len = (2 + descriptor.len()).next_multiple_of(4);
    packet.extend((block_len as u16 / 4).to_be_bytes());
    packet.extend([DESCRIPTOR_ID, descriptor.len() as u8]);
    packet.extend(descriptor);
    packet.resize(16 + block_len, 0);
    packet.extend(payload);
    let mut map = ExtensionMap::new();
    map.set(ExtensionKind::DependencyDescriptor, DESCRIPTOR_ID);
    let header = RtpHeader::parse(&packet)?;
    let extensions = HeaderExtensions::parse(&packet, &header, &map)?;
    describe(&packet, header, extensions, codec).map(|d| d.payload)
}

#[test]
fn the_descriptor_is_believed_and_the_payload_not_looked_at() {
    // The payload claims to continue an OBU.
    let payload = with_descriptor(AV1, &keyframe_descriptor(), &[0x80, 0xff]).unwrap();
    assert!(payload.keyframe && payload.starts_frame && !payload.ends_frame);
    assert!(payload.switching_point);
    assert_eq!(
        payload.size(),
        Some(Pixels {
            width: 640,
            height: 360
        })
    );
    let expected = DependencyFields {
        frame_number: 0x0102,
        template_id: 5,
        has_structure: true,
    };
    assert_eq!(payload.dependency, Some(expected));
}

#[test]
fn a_descriptor_without_structure_is_no_keyframe() {
    // The payload claims to be one.
    let payload = with_descriptor(AV1, &[0xc5, 1, 3], &[0x18, 0x08]).unwrap();
    assert!(!payload.keyframe && payload.starts_frame && payload.ends_frame);
    assert_eq!(payload.layer, LayerId::default());
}

#[test]
fn vp8_fields_are_still_found_behind_a_descriptor() {
    // S, TID 1 without Y, KEYIDX absent; then what would be a keyframe, were it not encrypted.
    let vp8 = [0x90, 0xa0, 0x07, 0x40, 0x00];
    let payload = with_descriptor(Codec::Vp8, &[0x85, 1, 3], &vp8).unwrap();
    assert!(!payload.keyframe && !payload.switching_point);
    assert_eq!(payload.layer.temporal, 1);
    assert!(matches!(payload.fields, CodecFields::Vp8(fields) if fields.picture_id == Some(7)));
}

#[test]
fn a_payload_that_does_not_parse_is_no_error_behind_a_descriptor() {
    let payload = with_descriptor(Codec::Vp8, &[0x85, 1, 3], &[0x80]).unwrap();
    assert_eq!(payload.fields, CodecFields::None);
}

#[test]
fn a_malformed_descriptor_is_an_error() {
    for descriptor in [&[0x85, 1][..], &[0x85, 1, 3, 0x80]] {
        assert_eq!(
            with_descriptor(AV1, descriptor, &[0x10, 0x30]),
            Err(ParseError::BadDependencyDescriptor)
        );
    }
}

#[test]
fn audio_ignores_the_descriptor() {
    let payload = with_descriptor(Codec::Opus, &[0x05, 1, 3], &[0xfc]).unwrap();
    assert!(payload.keyframe && payload.starts_frame && payload.ends_frame);
    assert_eq!(payload.dependency, None);
}

#[test]
fn no_payload_is_an_error() {
    let result = with_descriptor(Codec::Opus, &[0x85, 1, 3], &[]);
    assert_eq!(result, Err(ParseError::EmptyPayload));
}
