//! Packets that are nearly right, and what may be done to them.

use plenum_rtp::{OutgoingExtensions, Patch};
use plenum_types::{
    Codec, ExtensionKind, ExtensionMap, RtpTimestamp, SequenceNumber, ShortText, Ssrc,
};
use proptest::collection::vec;
use proptest::prelude::*;

pub(crate) fn codec() -> impl Strategy<Value = Codec> {
    prop_oneof![
        Just(Codec::Opus),
        Just(Codec::Vp8),
        Just(Codec::Vp9 { profile: 0 }),
        Just(Codec::H264 {
            profile: 0x42e0,
            packetization_mode: 1
        }),
        Just(Codec::Av1 { profile: 0 }),
    ]
}

/// Distinct ids, small or up to 255; some extensions not negotiated.
pub(crate) fn extension_map() -> impl Strategy<Value = ExtensionMap> {
    let kinds = Just(ExtensionKind::ALL.to_vec()).prop_shuffle();
    let first = prop_oneof![4 => Just(1_u8), 1 => 1_u8..=240];
    (kinds, 0..=ExtensionKind::COUNT, first).prop_map(|(kinds, count, first)| {
        let mut map = ExtensionMap::new();
        for (kind, id) in kinds.into_iter().take(count).zip(first..) {
            map.set(kind, id);
        }
        map
    })
}

/// Elements with ids that [`extension_map`] knows, in one of the two forms, or any bytes.
fn extension_block() -> impl Strategy<Value = Vec<u8>> {
    let one_byte = vec((1_u8..12, vec(any::<u8>(), 1..17)), 0..6).prop_map(|elements| {
        let mut bytes = vec![];
        for (id, value) in elements {
            bytes.push(id << 4 | (value.len() - 1) as u8);
            bytes.extend(value);
        }
        block(0xbede, bytes)
    });
    let two_byte = vec((1_u8..12, vec(any::<u8>(), 0..40)), 0..6).prop_map(|elements| {
        let mut bytes = vec![];
        for (id, value) in elements {
            bytes.extend([id, value.len() as u8]);
            bytes.extend(value);
        }
        block(0x1000, bytes)
    });
    let profile = prop_oneof![Just(0xbede), Just(0x1005), any::<u16>()];
    let any_bytes =
        (profile, vec(any::<u8>(), 0..40)).prop_map(|(profile, bytes)| block(profile, bytes));
    prop_oneof![3 => one_byte, 3 => two_byte, 1 => any_bytes]
}

fn block(profile: u16, mut elements: Vec<u8>) -> Vec<u8> {
    elements.resize(elements.len().next_multiple_of(4), 0);
    let mut bytes = profile.to_be_bytes().to_vec();
    bytes.extend((elements.len() as u16 / 4).to_be_bytes());
    bytes.extend(elements);
    bytes
}

/// A packet with CSRCs, extensions, any payload, and padding.
pub(crate) fn mangled_packet() -> impl Strategy<Value = Vec<u8>> {
    let parts = (
        vec(any::<[u8; 4]>(), 0..4),
        proptest::option::of(extension_block()),
        vec(any::<u8>(), 0..60),
        proptest::option::of(1_u8..20),
    );
    (any::<[u8; 11]>(), parts).prop_map(|(fixed, (csrcs, extensions, payload, padding))| {
        let flags = u8::from(padding.is_some()) << 5 | u8::from(extensions.is_some()) << 4;
        let mut packet = vec![0x80 | flags | csrcs.len() as u8];
        packet.extend(fixed);
        packet.extend(csrcs.into_iter().flatten());
        packet.extend(extensions.into_iter().flatten());
        packet.extend(payload);
        if let Some(padding) = padding {
            packet.resize(packet.len() + usize::from(padding), padding);
        }
        packet
    })
}

prop_compose! {
    pub(crate) fn patch()(
        payload_type in 0_u8..128,
        header in any::<(u32, u16, u32, bool)>(),
        fields in any::<(Option<u16>, Option<u8>, Option<u8>, Option<u16>, Option<u16>)>(),
    ) -> Patch {
        let (ssrc, sequence, timestamp, marker) = header;
        let (picture_id, tl0_picture_index, key_index, frame_number, original) = fields;
        Patch {
            payload_type,
            ssrc: Ssrc(ssrc),
            sequence: SequenceNumber(sequence),
            timestamp: RtpTimestamp(timestamp),
            marker,
            picture_id,
            tl0_picture_index,
            key_index,
            frame_number,
            red: None,
            original_sequence: original.map(SequenceNumber),
        }
    }
}

prop_compose! {
    pub(crate) fn outgoing()(
        map in extension_map(),
        mid in proptest::option::of("[a-z0-9]{1,16}"),
        abs_send_time in 0_u32..1 << 24,
        transport_sequence: Option<u16>,
    ) -> OutgoingExtensions {
        OutgoingExtensions {
            map,
            mid: mid.and_then(|mid| ShortText::new(&mid).ok()),
            abs_send_time,
            transport_sequence,
        }
    }
}
