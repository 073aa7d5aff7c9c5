//! Headers, extensions and padding, in both directions.

use bytes::Bytes;
use plenum_rtp::{
    HeaderExtensions, OutgoingExtensions, Patch, RtpHeader, describe, max_growth, write_packet,
    write_padding,
};
use plenum_types::{
    Codec, ExtensionKind, ExtensionMap, RtpTimestamp, SequenceNumber, ShortText, Ssrc,
};
use proptest::collection::vec;
use proptest::prelude::*;
use rtc_shared::marshal::{Marshal, Unmarshal};
use rtp::header::{EXTENSION_PROFILE_ONE_BYTE, EXTENSION_PROFILE_TWO_BYTE, Extension};

/// A packet as the other crate makes it, with `extensions` of one form.
fn their_packet() -> impl Strategy<Value = rtp::Packet> {
    let one_byte = vec((1_u8..15, vec(any::<u8>(), 1..17)), 0..5);
    let two_byte = vec((1_u8..=255, vec(any::<u8>(), 0..40)), 0..5);
    let extensions = prop_oneof![
        one_byte.prop_map(|list| (EXTENSION_PROFILE_ONE_BYTE, list)),
        two_byte.prop_map(|list| (EXTENSION_PROFILE_TWO_BYTE, list)),
    ];
    let header = (
        any::<(bool, bool, u16, u32, u32)>(),
        0_u8..128,
        vec(any::<u32>(), 0..16),
        extensions,
    );
    (header, vec(any::<u8>(), 1..50)).prop_map(
        |((fields, payload_type, csrc, extensions), payload)| {
            let (marker, padding, sequence_number, timestamp, ssrc) = fields;
            let (extension_profile, list) = extensions;
            let extensions: Vec<Extension> = list
                .into_iter()
                .map(|(id, value)| Extension {
                    id,
                    payload: value.into(),
                })
                .collect();
            rtp::Packet {
                header: rtp::Header {
                    version: 2,
                    padding,
                    extension: !extensions.is_empty(),
                    marker,
                    payload_type,
                    sequence_number,
                    timestamp,
                    ssrc,
                    csrc,
                    extension_profile,
                    extensions,
                    extensions_padding: 0,
                },
                payload: payload.into(),
            }
        },
    )
}

fn their_view(packet: &[u8]) -> rtp::Packet {
    rtp::Packet::unmarshal(&mut Bytes::copy_from_slice(packet)).expect("valid for the other crate")
}

proptest! {
    #[test]
    fn their_packets_are_read_alike(theirs in their_packet(), id in 1_u8..=255) {
        let bytes = theirs.marshal().expect("marshals");
        let ours = RtpHeader::parse(&bytes).expect("parses");
        prop_assert_eq!(ours.marker, theirs.header.marker);
        prop_assert_eq!(ours.payload_type, theirs.header.payload_type);
        prop_assert_eq!(ours.sequence.0, theirs.header.sequence_number);
        prop_assert_eq!(ours.timestamp.0, theirs.header.timestamp);
        prop_assert_eq!(ours.ssrc.0, theirs.header.ssrc);
        prop_assert_eq!(ours.payload(&bytes), &theirs.payload[..]);
        prop_assert_eq!(RtpHeader::length_of(&bytes), Ok(ours.payload_offset));

        // Any id may stand for any extension; take one that is there if possible.
        let id = theirs.header.extensions.first().map_or(id, |extension| extension.id);
        let mut map = ExtensionMap::new();
        map.set(ExtensionKind::PlayoutDelay, id);
        let found = HeaderExtensions::parse(&bytes, &ours, &map).expect("parses");
        let expected = theirs.header.extensions.iter().find(|extension| extension.id == id);
        prop_assert_eq!(
            found.bytes(&bytes, ExtensionKind::PlayoutDelay),
            expected.map(|extension| &extension.payload[..])
        );
    }

    #[test]
    fn our_packets_are_read_alike(
        theirs in their_packet(),
        ids in (1_u8..50, 50_u8..100, 100_u8..150),
        large_ids: bool,
        sequence: u16,
        osn: Option<u16>,
    ) {
        let bytes = theirs.marshal().expect("marshals");
        let header = RtpHeader::parse(&bytes).expect("parses");
        let extensions = HeaderExtensions::parse(&bytes, &header, &ExtensionMap::new());
        let description = describe(&bytes, header, extensions.expect("parses"), Codec::Opus);
        let description = description.expect("describes");
        let (mid, time, transport) = if large_ids { ids } else { (3, 1, 2) };
        let mut map = ExtensionMap::new();
        map.set(ExtensionKind::Mid, mid);
        map.set(ExtensionKind::AbsSendTime, time);
        map.set(ExtensionKind::TransportSequence, transport);
        let outgoing = OutgoingExtensions {
            map,
            mid: ShortText::new("audio").ok(),
            abs_send_time: 0x12_3456,
            transport_sequence: Some(0x789a),
        };
        let patch = Patch {
            payload_type: 100,
            ssrc: Ssrc(1),
            sequence: SequenceNumber(sequence),
            timestamp: RtpTimestamp(3),
            original_sequence: osn.map(SequenceNumber),
            ..Patch::identity(&description)
        };
        let mut out = vec![0; bytes.len() + max_growth()];
        let len = write_packet(&bytes, &description, &patch, &outgoing, &mut out).expect("fits");
        let copy = their_view(&out[..len]);
        prop_assert_eq!(copy.header.csrc, theirs.header.csrc);
        prop_assert_eq!(copy.header.marker, theirs.header.marker);
        prop_assert_eq!(copy.header.payload_type, 100);
        prop_assert_eq!(copy.header.sequence_number, sequence);
        prop_assert_eq!((copy.header.timestamp, copy.header.ssrc), (3, 1));
        let mut expected_payload = osn.map_or(vec![], |osn| osn.to_be_bytes().to_vec());
        expected_payload.extend(&theirs.payload);
        prop_assert_eq!(&copy.payload[..], &expected_payload[..]);
        let extensions: Vec<(u8, &[u8])> = copy
            .header
            .extensions
            .iter()
            .map(|extension| (extension.id, &extension.payload[..]))
            .collect();
        prop_assert_eq!(
            extensions,
            [(mid, &b"audio"[..]), (time, &[0x12, 0x34, 0x56]), (transport, &[0x78, 0x9a])]
        );
    }

    #[test]
    fn our_padding_packets_are_read_alike(theirs in their_packet(), padding: u8) {
        let bytes = theirs.marshal().expect("marshals");
        let header = RtpHeader::parse(&bytes).expect("parses");
        let description = describe(&bytes, header, HeaderExtensions::default(), Codec::Opus);
        let patch = Patch::identity(&description.expect("describes"));
        let outgoing = OutgoingExtensions {
            map: ExtensionMap::new(),
            mid: None,
            abs_send_time: 0,
            transport_sequence: None,
        };
        let mut out = [0; 300];
        let len = write_padding(&patch, padding, &outgoing, &mut out).expect("fits");
        prop_assert_eq!(len, 12 + usize::from(padding.max(1)));
        let copy = their_view(&out[..len]);
        prop_assert!(copy.header.padding && copy.payload.is_empty());
        prop_assert_eq!(copy.header.sequence_number, theirs.header.sequence_number);
    }
}
