//! What is written is what the server's parsers read.

use super::*;
use plenum_rtp::{HeaderExtensions, PayloadDescription, RtpHeader, describe};

const SIZE: Pixels = Pixels {
    width: 640,
    height: 360,
};
const H264: Codec = Codec::H264 {
    profile: 0x42e0,
    packetization_mode: 1,
};

fn described(codec: Codec, keyframe: bool, index: u8, count: u8) -> PayloadDescription {
    let part = Part {
        codec,
        keyframe,
        index,
        count,
        picture: 0x7fff,
        size: SIZE,
        stamp: Stamp { sent_us: 77 },
        length: PAYLOAD_MIN,
    };
    let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.resize(12 + part.length, 0);
    if part.is_last() {
        packet[1] |= 0x80;
    }
    part.write(&mut packet[12..]);
    assert_eq!(Stamp::find(&packet[12..]), Some(part.stamp));
    let header = RtpHeader::parse(&packet).unwrap();
    describe(&packet, header, HeaderExtensions::default(), codec)
        .unwrap()
        .payload
}

#[test]
fn keyframes_are_told_by_their_first_packet_alone() {
    for codec in [Codec::Vp8, H264] {
        for count in [1, 2, 3, 5] {
            for index in 0..count {
                let key = described(codec, true, index, count);
                assert_eq!(key.keyframe, index == 0, "{codec:?} {index}/{count}");
                assert_eq!(key.size(), (index == 0).then_some(SIZE));
                assert_eq!(key.ends_frame, index + 1 == count);
                let other = described(codec, false, index, count);
                assert!(!other.keyframe);
                assert_eq!(other.starts_frame, index == 0, "{codec:?} {index}/{count}");
            }
        }
    }
}

#[test]
fn sound_is_sound() {
    assert!(described(Codec::Opus, false, 0, 1).starts_frame);
}
