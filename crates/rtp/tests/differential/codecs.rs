//! Payload descriptors against the other crate's packetizers and depacketizers.

use bytes::Bytes;
use plenum_rtp::{CodecFields, HeaderExtensions, PayloadDescription, RtpHeader, describe};
use plenum_types::Codec;
use proptest::collection::vec;
use proptest::prelude::*;
use rtp::codec::av1::Av1Payloader;
use rtp::codec::h264::H264Payloader;
use rtp::codec::vp8::{Vp8Packet, Vp8Payloader};
use rtp::codec::vp9::{Vp9Packet, Vp9Payloader};
use rtp::packetizer::{Depacketizer, Payloader};

const VP9: Codec = Codec::Vp9 { profile: 0 };
const H264: Codec = Codec::H264 {
    profile: 0x42e0,
    packetization_mode: 1,
};
const AV1: Codec = Codec::Av1 { profile: 0 };

/// Described as the payload of a packet; `None` if refused.
fn ours(codec: Codec, payload: &[u8], marker: bool) -> Option<PayloadDescription> {
    let mut packet = vec![0x80, u8::from(marker) << 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    packet.extend_from_slice(payload);
    let header = RtpHeader::parse(&packet).expect("a valid header");
    let described = describe(&packet, header, HeaderExtensions::default(), codec);
    described.ok().map(|description| description.payload)
}

/// Packetizes `frame` and describes each packet.
fn packetized(
    payloader: &mut dyn Payloader,
    codec: Codec,
    frame: &[u8],
) -> Vec<PayloadDescription> {
    let payloads = payloader
        .payload(200, &Bytes::copy_from_slice(frame))
        .expect("packetizes");
    let last = payloads.len() - 1;
    let describe =
        |(index, payload): (usize, &Bytes)| ours(codec, payload, index == last).expect("describes");
    payloads.iter().enumerate().map(describe).collect()
}

/// Only the first packet starts the frame and, if it is one, the keyframe; only the last ends it.
fn assert_one_frame(packets: &[PayloadDescription], keyframe: bool) {
    let last = packets.len() - 1;
    for (index, packet) in packets.iter().enumerate() {
        assert_eq!(packet.starts_frame, index == 0, "packet {index}");
        assert_eq!(packet.keyframe, keyframe && index == 0, "packet {index}");
        assert_eq!(packet.ends_frame, index == last, "packet {index}");
    }
}

#[test]
fn vp8_frames() {
    let mut payloader = Vp8Payloader::default();
    payloader.enable_picture_id = true;
    for (number, keyframe) in [true, false, false, true].into_iter().enumerate() {
        let mut frame = vec![0xaa; 1000];
        frame[0] = if keyframe { 0x10 } else { 0x11 };
        frame[3..10].copy_from_slice(&[0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00]);
        let packets = packetized(&mut payloader, Codec::Vp8, &frame);
        assert_one_frame(&packets, keyframe);
        let size = packets[0].size().map(|size| (size.width, size.height));
        assert_eq!(size, keyframe.then_some((320, 240)));
        for packet in packets {
            match packet.fields {
                CodecFields::Vp8(fields) => assert_eq!(fields.picture_id, Some(number as u16)),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn vp9_frames() {
    let mut payloader = Vp9Payloader::default();
    payloader.initial_picture_id_fn = Some(std::sync::Arc::new(|| 77));
    let packets = packetized(&mut payloader, VP9, &[0xaa; 1000]);
    let last = packets.len() - 1;
    for (index, packet) in packets.iter().enumerate() {
        assert_eq!(packet.starts_frame, index == 0);
        assert_eq!(packet.ends_frame, index == last);
        assert!(matches!(packet.fields, CodecFields::Vp9(f) if f.picture_id == Some(77)));
    }
}

#[test]
fn h264_frames() {
    let start_code = [0, 0, 0, 1];
    let parameters = [
        &start_code[..],
        &[
            0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x3d, 0xb0, 0x11, 0x00,
        ],
        &start_code,
        &[0x68, 0xce, 0x3c, 0x80],
    ]
    .concat();
    let slice = |header: u8| [&start_code[..], &[header], &[0x9a; 1000]].concat();
    let mut payloader = H264Payloader::default();
    let packets = packetized(&mut payloader, H264, &[parameters, slice(0x65)].concat());
    assert!(packets.len() > 5);
    // Decoding can start at the aggregate of parameter sets, not at the slice behind it.
    let keyframes: Vec<bool> = packets.iter().map(|packet| packet.keyframe).collect();
    assert!(keyframes[0] && keyframes[1..].iter().all(|keyframe| !keyframe));
    assert_eq!(
        packets[0].size().map(|size| (size.width, size.height)),
        Some((640, 480))
    );
    assert_one_frame(&packetized(&mut payloader, H264, &slice(0x41)), false);
}

#[test]
fn av1_temporal_units() {
    // A sequence header of 4 bytes and a frame of 1,000, both with their sizes.
    let frame = [&[0x32, 0xe8, 0x07][..], &[0xaa; 1000]].concat();
    let keyframe = [&[0x0a, 0x04, 0x18, 0x00, 0x00, 0x00][..], &frame].concat();
    assert_one_frame(
        &packetized(&mut Av1Payloader::default(), AV1, &keyframe),
        true,
    );
    assert_one_frame(
        &packetized(&mut Av1Payloader::default(), AV1, &frame),
        false,
    );
}

proptest! {
    /// Bytes as they come; the frame behind the descriptor is long enough for the other crate.
    #[test]
    fn vp8_descriptors(mut payload in vec(any::<u8>(), 1..8), frame in vec(any::<u8>(), 8)) {
        payload.extend(frame);
        let mut theirs = Vp8Packet::default();
        let rest = theirs.depacketize(&Bytes::copy_from_slice(&payload)).expect("long enough");
        let ours = ours(Codec::Vp8, &payload, false).expect("long enough");
        let CodecFields::Vp8(fields) = ours.fields else {
            panic!("{:?}", ours.fields);
        };
        prop_assert_eq!(fields.picture_id, (theirs.i == 1).then_some(theirs.picture_id));
        prop_assert_eq!(fields.tl0_picture_index, (theirs.l == 1).then_some(theirs.tl0_pic_idx));
        prop_assert_eq!(fields.key_index, (theirs.k == 1).then_some(theirs.key_idx));
        prop_assert_eq!(ours.layer.temporal, theirs.tid);
        prop_assert_eq!(ours.discardable, theirs.n == 1);
        prop_assert_eq!(ours.starts_frame, theirs.s == 1 && theirs.pid == 0);
        prop_assert_eq!(ours.keyframe, ours.starts_frame && rest[0] & 1 == 0);
    }

    #[test]
    fn vp9_descriptors(payload in vec(any::<u8>(), 1..300)) {
        let mut theirs = Vp9Packet::default();
        let parsed = theirs.depacketize(&Bytes::copy_from_slice(&payload)).is_ok();
        // The other crate refuses spatial ids above 4 and counts layers its own way.
        prop_assume!(parsed);
        let ours = ours(VP9, &payload, false).expect("valid for the other crate");
        let CodecFields::Vp9(fields) = ours.fields else {
            panic!("{:?}", ours.fields);
        };
        prop_assert_eq!(fields.picture_id, theirs.i.then_some(theirs.picture_id));
        let has_tl0 = theirs.l && !theirs.f;
        prop_assert_eq!(fields.tl0_picture_index, has_tl0.then_some(theirs.tl0picidx));
        prop_assert_eq!((ours.layer.spatial, ours.layer.temporal), (theirs.sid, theirs.tid));
        prop_assert_eq!((ours.starts_frame, ours.ends_frame), (theirs.b, theirs.e));
        prop_assert_eq!(
            (fields.inter_picture, fields.inter_layer, fields.not_inter_layer_reference),
            (theirs.p, theirs.d, theirs.z)
        );
        prop_assert_eq!(ours.keyframe, theirs.b && !theirs.p && theirs.sid == 0);
        let largest = theirs.width.last().copied().zip(theirs.height.last().copied());
        let size = ours.size().map(|size| (size.width as u16, size.height as u16));
        prop_assert_eq!(size, largest);
        prop_assert_eq!(fields.spatial_layers, theirs.v.then_some(theirs.ns + 1));
    }
}
