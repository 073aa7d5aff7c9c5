//! A model of a subscriber's receiver: knows the truth about each packet, and checks that what
//! comes is one continuous stream.

use std::collections::BTreeMap;

use plenum_rtp::{
    CodecFields, HeaderExtensions, PacketDescription, RtpHeader, Templates, describe_in_stream,
};
use plenum_types::{Codec, MediaKind, SequenceExtender};

use crate::packets::extensions;
use crate::publisher::Sent;

/// Where a packet came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) publication: u64,
    pub(crate) encoding: u8,
}

/// A packet as the subscriber got it.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) origin: Origin,
    pub(crate) sent: Sent,
    pub(crate) arrived_ms: u64,
    pub(crate) description: PacketDescription,
    pub(crate) bytes: Vec<u8>,
}

/// Everything one slot sent, by extended sequence number.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    extender: SequenceExtender,
    pub(crate) got: BTreeMap<u64, Got>,
}

/// What was not to be forwarded between two packets of an encoding.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LeftOut {
    pub(crate) packets: u64,
    pub(crate) pictures: u32,
}

/// Earlier packet, later packet.
type LeftOutBetween<'f> = &'f dyn Fn(Origin, &Sent, &Sent) -> LeftOut;

/// A stretch of packets from one encoding.
struct Stretch<'r> {
    origin: Origin,
    packets: Vec<(u64, &'r Got)>,
}

impl Receiver {
    pub(crate) fn receive(&mut self, origin: Origin, sent: &Sent, bytes: Vec<u8>, now_ms: u64) {
        let description = parse(&bytes, sent.content.codec, &mut Templates::default());
        let number = self.extender.extend(description.header.sequence);
        let got = Got {
            origin,
            sent: sent.clone(),
            arrived_ms: now_ms,
            description,
            bytes,
        };
        let before = self.got.insert(number, got);
        assert!(before.is_none(), "number {number} was sent twice");
    }

    /// Checks the whole stream. `left_out` tells how many packets between two of an encoding were
    /// not to be forwarded: first the earlier, then the later.
    pub(crate) fn check(&self, left_out: LeftOutBetween<'_>, drift_ms: u64) {
        let stretches = self.stretches();
        for stretch in &stretches {
            check_within(stretch, left_out);
        }
        for pair in stretches.windows(2) {
            check_switch(&pair[0], &pair[1], left_out);
        }
        self.check_alignment(drift_ms);
    }

    pub(crate) fn stretch_count(&self) -> usize {
        self.stretches().len()
    }

    /// In order of numbers; a new one where the origin changes or a gap in the source shows that
    /// the slot paused (the next begins with a keyframe or, for sound, the marker).
    fn stretches(&self) -> Vec<Stretch<'_>> {
        let mut stretches: Vec<Stretch<'_>> = Vec::new();
        for (number, got) in &self.got {
            let starts = if got.sent.content.codec == Codec::Opus {
                got.description.header.marker
            } else {
                got.description.payload.keyframe && got.description.payload.starts_frame
            };
            match stretches.last_mut() {
                Some(stretch) if stretch.origin == got.origin && !starts => {
                    stretch.packets.push((*number, got));
                }
                _ => stretches.push(Stretch {
                    origin: got.origin,
                    packets: vec![(*number, got)],
                }),
            }
        }
        stretches
    }

    /// Timestamps stay where capture times put them.
    fn check_alignment(&self, drift_ms: u64) {
        let mut offsets: Vec<i64> = Vec::new();
        let Some(first) = self.got.values().next() else {
            return;
        };
        let rate = u64::from(first.sent.content.codec.clock_rate());
        for got in self.got.values() {
            let due = (got.sent.captured_ms * rate / 1_000) as u32;
            let since_first = got.description.header.timestamp.0.wrapping_sub(due);
            let base = first
                .description
                .header
                .timestamp
                .0
                .wrapping_sub((first.sent.captured_ms * rate / 1_000) as u32);
            offsets.push(i64::from(since_first.wrapping_sub(base).cast_signed()));
        }
        let spread = offsets
            .iter()
            .max()
            .zip(offsets.iter().min())
            .map_or(0, |(a, b)| a - b);
        let spread_ms = spread.unsigned_abs() * 1_000 / rate;
        assert!(
            spread_ms <= drift_ms,
            "timestamps drifted by {spread_ms} ms"
        );
    }
}

/// One to one, but for what was left out on purpose.
fn check_within(stretch: &Stretch<'_>, left_out: LeftOutBetween<'_>) {
    for pair in stretch.packets.windows(2) {
        let left = left_out(stretch.origin, &pair[0].1.sent, &pair[1].1.sent);
        check_step(pair[0], pair[1], left);
    }
}

/// From one packet of an encoding to the next that came.
fn check_step((earlier, a): (u64, &Got), (later, b): (u64, &Got), left: LeftOut) {
    let source_step = b
        .sent
        .content
        .sequence
        .wrapping_sub(a.sent.content.sequence);
    let expected = u64::from(source_step) - left.packets;
    assert_eq!(later - earlier, expected, "gap between {a:?} and {b:?}");
    let ticks = |got: &Got| got.description.header.timestamp.0;
    assert_eq!(
        ticks(b).wrapping_sub(ticks(a)),
        b.sent
            .content
            .timestamp
            .wrapping_sub(a.sent.content.timestamp),
    );
    check_pictures(a, b, left.pictures);
}

/// Picture ids count what is forwarded where the receiver waits for each, and what was sent where
/// frames refer to each other by them.
fn check_pictures(a: &Got, b: &Got, left_out: u32) {
    let sent = b.sent.content.frame.wrapping_sub(a.sent.content.frame);
    let expected = match a.sent.content.codec {
        Codec::Vp8 => sent - left_out,
        _ => sent,
    };
    let [old, .., old_frame] = counters(a);
    let [new, .., new_frame] = counters(b);
    for (old, new) in [(old, new), (old_frame, new_frame)] {
        if let (Some((old, mask)), Some((new, _))) = (old, new) {
            assert_eq!(
                new.wrapping_sub(old) & mask,
                expected,
                "picture ids of {a:?} {b:?}"
            );
        }
    }
}

/// Nothing between the last of one source and the first of the next, and counters go on by one.
/// A keyframe amid a stream is no switch.
fn check_switch(before: &Stretch<'_>, after: &Stretch<'_>, left_out: LeftOutBetween<'_>) {
    let (last_number, last) = before.packets[before.packets.len() - 1];
    let (first_number, first) = after.packets[0];
    let frames = first
        .sent
        .content
        .frame
        .wrapping_sub(last.sent.content.frame);
    let goes_on = before.origin == after.origin
        && last.sent.content.ssrc == first.sent.content.ssrc
        && frames < 1_000
        && {
            let left = left_out(before.origin, &last.sent, &first.sent);
            frames.saturating_sub(left.pictures) <= 1
        };
    if !goes_on {
        assert_eq!(first_number, last_number + 1, "gap at {last:?} {first:?}");
    }
    let newer = first
        .description
        .header
        .timestamp
        .is_newer_than(last.description.header.timestamp);
    assert!(newer, "timestamp stands still at {last:?} {first:?}");
    if last.sent.content.codec.kind() == MediaKind::Video {
        assert!(
            first.description.payload.keyframe,
            "switch without a keyframe at {first:?}"
        );
    }
    if last.sent.content.codec == first.sent.content.codec && !goes_on {
        for (old, new, mask) in counters(last)
            .into_iter()
            .zip(counters(first))
            .filter_map(|(old, new)| Some((old?.0, new?.0, new?.1)))
        {
            assert_eq!((old + 1) & mask, new, "counter jumps at {last:?} {first:?}");
        }
    }
}

/// Picture id, TL0PICIDX, KEYIDX, frame number, each with its mask.
fn counters(got: &Got) -> [Option<(u32, u32)>; 4] {
    let payload = &got.description.payload;
    let wide = |value: Option<u16>, mask| value.map(|value| (u32::from(value), mask));
    let narrow = |value: Option<u8>, mask| value.map(|value| (u32::from(value), mask));
    let frame_number = wide(payload.dependency.map(|fields| fields.frame_number), 0xffff);
    match payload.fields {
        CodecFields::Vp8(vp8) => [
            wide(vp8.picture_id, 0x7fff),
            narrow(vp8.tl0_picture_index, 0xff),
            narrow(vp8.key_index, 0x1f),
            frame_number,
        ],
        CodecFields::Vp9(vp9) => [
            wide(vp9.picture_id, 0x7fff),
            narrow(vp9.tl0_picture_index, 0xff),
            None,
            frame_number,
        ],
        CodecFields::None | CodecFields::Red(_) => [None, None, None, frame_number],
    }
}

pub(crate) fn parse(bytes: &[u8], codec: Codec, templates: &mut Templates) -> PacketDescription {
    let header = RtpHeader::parse(bytes).expect("header");
    let found = HeaderExtensions::parse(bytes, &header, &extensions()).expect("extensions");
    describe_in_stream(bytes, header, found, codec, templates).expect("payload")
}
