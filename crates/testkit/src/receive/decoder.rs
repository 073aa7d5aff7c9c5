//! Assembles frames from packets in order and tells whether a decoder could show them.

use std::collections::BTreeSet;
use std::time::Instant;

use plenum_types::RtpTimestamp;
use rtp::codec::vp8::Vp8Packet;
use rtp::codec::vp9::Vp9Packet;
use rtp::packetizer::Depacketizer;

use super::stream::IncomingPacket;
use super::violation::Violation;
use crate::media::{Stamp, VideoCodec};

/// A frame that a decoder has shown, or an audio frame that was played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodedFrame {
    /// When it was complete.
    pub at: Instant,
    /// Its media time as received.
    pub timestamp: RtpTimestamp,
    /// Its last packet's stamp.
    pub stamp: Stamp,
}

/// Picture id and TL0PICIDX of a packet.
#[derive(Clone, Copy, Debug)]
struct PictureNumbers {
    picture_id: u16,
    tl0: u8,
}

/// The frame of the packet before.
#[derive(Clone, Copy, Debug)]
struct Current {
    stamp: Stamp,
    timestamp: RtpTimestamp,
    numbers: Option<PictureNumbers>,
    /// All parts up to `stamp.part` were there.
    whole: bool,
}

/// A decoder in the wide sense.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    current: Option<Current>,
    /// Packets are missing just before the next one.
    gap: bool,
    /// A packet was missing since the last keyframe was shown.
    damaged: bool,
    /// Source and encoding being shown.
    showing: Option<(u32, u8)>,
    shown: BTreeSet<u32>,
    /// Frames that could not be shown.
    pub(crate) undecodable: u64,
    /// The decoder waits for a keyframe.
    pub(crate) keyframe_wanted: bool,
    pub(crate) violations: Vec<Violation>,
}

impl Decoder {
    /// Packets are missing here.
    pub(crate) const fn on_gap(&mut self) {
        self.gap = true;
        self.damaged = true;
    }

    /// The next packet; returns the frame that it completes, if that can be shown.
    pub(crate) fn on_packet(
        &mut self,
        now: Instant,
        sequence: u64,
        packet: &IncomingPacket,
    ) -> Option<DecodedFrame> {
        let gap = std::mem::take(&mut self.gap);
        let Some(stamp) = Stamp::read(&packet.payload) else {
            self.violations.push(Violation::PayloadAltered { sequence });
            return None;
        };
        let numbers = picture_numbers(packet);
        let mut current = Current {
            stamp,
            timestamp: packet.timestamp,
            numbers,
            whole: stamp.part == 0,
        };
        if let Some(last) = self.current {
            self.check_against(sequence, gap, &last, &current);
            if same_frame(&last.stamp, &stamp) {
                current.whole = last.whole && !gap && stamp.part == last.stamp.part + 1;
            }
        }
        self.current = Some(current);
        let ends = stamp.part + 1 == stamp.parts;
        if packet.codec.is_some() && packet.marker != ends {
            self.violations.push(Violation::Marker { sequence });
        }
        if !ends {
            return None;
        }
        let shown = if packet.codec.is_none() {
            true
        } else {
            self.show(sequence, &current)
        };
        shown.then_some(DecodedFrame {
            at: now,
            timestamp: packet.timestamp,
            stamp,
        })
    }

    /// What must hold between neighbours in the stream.
    fn check_against(&mut self, sequence: u64, gap: bool, last: &Current, current: &Current) {
        let ticks = current.timestamp.distance_from(last.timestamp);
        if same_frame(&last.stamp, &current.stamp) {
            if ticks != 0 {
                self.violations.push(Violation::FrameTimestamp { sequence });
            }
            if !gap && current.stamp.part != last.stamp.part + 1 {
                self.violations.push(Violation::FrameCut { sequence });
            }
            return;
        }
        if ticks == 0 {
            self.violations.push(Violation::FrameTimestamp { sequence });
        } else if ticks < 0 {
            self.violations
                .push(Violation::TimestampNotMonotonic { sequence, ticks });
        }
        if gap {
            return;
        }
        let ended = last.stamp.part + 1 == last.stamp.parts;
        let other = (last.stamp.source, last.stamp.encoding)
            != (current.stamp.source, current.stamp.encoding);
        let paused = current.stamp.frame > last.stamp.frame + 1;
        // A keyframe of another source, or after a pause, may come while a frame is under way: that
        // frame is given up, which costs nothing but itself.
        let switch = (other || paused) && current.stamp.keyframe();
        if current.stamp.part != 0 || !(ended || switch) {
            self.violations.push(Violation::FrameCut { sequence });
        }
        if let (Some(before), Some(numbers)) = (last.numbers, current.numbers) {
            self.check_numbers(sequence, before, numbers, current.stamp.temporal);
        }
    }

    fn check_numbers(
        &mut self,
        sequence: u64,
        before: PictureNumbers,
        numbers: PictureNumbers,
        temporal: u8,
    ) {
        let expected = (before.picture_id + 1) & 0x7fff;
        if numbers.picture_id != expected {
            self.violations.push(Violation::PictureId {
                sequence,
                expected,
                found: numbers.picture_id,
            });
        }
        let expected = before.tl0.wrapping_add(u8::from(temporal == 0));
        if numbers.tl0 != expected {
            self.violations.push(Violation::Tl0PictureIndex {
                sequence,
                expected,
                found: numbers.tl0,
            });
        }
    }

    /// Shows a frame whose last packet has come, if it can be shown.
    fn show(&mut self, sequence: u64, current: &Current) -> bool {
        let stamp = &current.stamp;
        let source = (stamp.source, stamp.encoding);
        if !current.whole {
            self.fail();
            return false;
        }
        let Some(reference) = stamp.reference else {
            self.showing = Some(source);
            self.shown = BTreeSet::from([stamp.frame]);
            self.damaged = false;
            self.keyframe_wanted = false;
            return true;
        };
        if self.showing == Some(source) && self.shown.contains(&reference) {
            self.shown.insert(stamp.frame);
            return true;
        }
        if !self.damaged && self.showing.is_some() {
            self.violations.push(if self.showing == Some(source) {
                Violation::ReferenceNotSent { sequence }
            } else {
                Violation::SwitchWithoutKeyframe { sequence }
            });
            self.damaged = true;
        }
        self.fail();
        false
    }

    const fn fail(&mut self) {
        self.undecodable += 1;
        self.keyframe_wanted = true;
    }
}

fn same_frame(a: &Stamp, b: &Stamp) -> bool {
    (a.source, a.encoding, a.frame) == (b.source, b.encoding, b.frame)
}

fn picture_numbers(packet: &IncomingPacket) -> Option<PictureNumbers> {
    match packet.codec? {
        VideoCodec::Vp8 => {
            let mut header = Vp8Packet::default();
            header.depacketize(&packet.payload).ok()?;
            (header.i == 1 && header.l == 1).then_some(PictureNumbers {
                picture_id: header.picture_id,
                tl0: header.tl0_pic_idx,
            })
        }
        VideoCodec::Vp9 => {
            let mut header = Vp9Packet::default();
            header.depacketize(&packet.payload).ok()?;
            (header.i && header.l).then_some(PictureNumbers {
                picture_id: header.picture_id,
                tl0: header.tl0picidx,
            })
        }
        VideoCodec::H264 | VideoCodec::Av1 => None,
    }
}
