//! Layers that only the stream's template structure tells.

use super::*;
use plenum_rtp::PayloadDescription;

const AV1: u8 = 45;

/// Frame 1, a keyframe, with two templates: S0T0, and S0T1 that nothing refers to. Two decode
/// targets, no chains, no sizes.
const KEYFRAME: &[u8] = &[
    // Start and end of frame, template 0, frame number 1.
    0b1100_0000,
    0,
    1,
    // Structure; offset 0, two targets; layers: next temporal, end.
    0b1000_0000,
    0b0000_0001,
    0b0111_1010,
    // (Indications: switch, switch,) not present, discardable; differences: none, one of 1; no
    // chains (two bits); no sizes.
    0b0001_0100,
    0b0000_0000,
];

/// A later frame with `template`.
const fn frame(template: u8, number: u8) -> [u8; 3] {
    [0b1100_0000 | template, 0, number]
}

/// A camera in two encodings, SSRCs 1 and 3.
fn camera() -> PublicationConfig {
    let mut config = publication(10, "0", codec(Codec::Av1 { profile: 0 }, AV1));
    config.encodings = [1, 3]
        .map(|ssrc| Encoding {
            ssrc: Some(Ssrc(ssrc)),
            ..Encoding::default()
        })
        .to_vec();
    config
}

/// The payload is encrypted from end to end: nothing in it means anything.
fn feed(
    receiver: &mut Receiver,
    ssrc: u32,
    sequence: u16,
    descriptor: &[u8],
) -> Result<PayloadDescription, DropReason> {
    let packet = Packet {
        payload_type: AV1,
        dependency_descriptor: Some(descriptor),
        payload: &[0x98, 0xff, 0xff],
        ..Packet::video(ssrc, sequence)
    };
    receiver
        .handle_rtp(at(u64::from(sequence)), &mut packet.bytes())
        .map(|received| received.description.payload)
}

#[test]
fn each_stream_keeps_its_templates() {
    let mut receiver = receiver(&[camera()]);
    let keyframe = feed(&mut receiver, 1, 10, KEYFRAME).unwrap();
    assert!(keyframe.keyframe);
    assert_eq!(
        (keyframe.layer.temporal, keyframe.opens.top_temporal()),
        (0, Some(1))
    );
    let upper = feed(&mut receiver, 1, 11, &frame(1, 2)).unwrap();
    assert!(upper.discardable && !upper.switching_point);
    assert_eq!(
        (upper.layer.temporal, upper.opens.top_temporal()),
        (1, None)
    );
    // The other encoding has not told its templates.
    let unknown = feed(&mut receiver, 3, 11, &frame(1, 2)).unwrap();
    assert!(!unknown.discardable);
    assert_eq!(unknown.layer.temporal, 0);
}

#[test]
fn a_template_that_is_not_known_is_of_the_lowest_layer() {
    let mut receiver = receiver(&[camera()]);
    feed(&mut receiver, 1, 10, KEYFRAME).unwrap();
    let unknown = feed(&mut receiver, 1, 11, &frame(2, 2)).unwrap();
    assert_eq!(unknown.layer.temporal, 0);
    assert!(!unknown.keyframe && !unknown.discardable);
}

#[test]
fn a_descriptor_that_does_not_parse_is_refused_and_closes_up() {
    let mut receiver = receiver(&[camera()]);
    feed(&mut receiver, 1, 10, KEYFRAME).unwrap();
    // A mask of decode targets is announced and custom indications, and then there are none.
    let cut = [frame(1, 2).as_slice(), &[0b0111_0000]].concat();
    assert_eq!(
        feed(&mut receiver, 1, 11, &cut),
        Err(DropReason::DescriptorMalformed)
    );
    assert_eq!(
        receiver.take_skipped(),
        Some((source(0), SequenceNumber(11)))
    );
    let upper = feed(&mut receiver, 1, 12, &frame(1, 3)).unwrap();
    assert_eq!(upper.layer.temporal, 1);
}

#[test]
fn a_stream_that_begins_anew_has_no_templates_yet() {
    let mut receiver = receiver(&[camera()]);
    feed(&mut receiver, 1, 30_000, KEYFRAME).unwrap();
    // The third packet from far behind is believed, the next one taken.
    for sequence in 10..13 {
        let refused = feed(&mut receiver, 1, sequence, &frame(1, 2));
        assert_eq!(refused, Err(DropReason::Duplicate));
    }
    let unknown = feed(&mut receiver, 1, 13, &frame(1, 2)).unwrap();
    assert_eq!(unknown.layer.temporal, 0);
}
