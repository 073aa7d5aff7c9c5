//! Which packets of an encoding go to another shard when the link there is filling up.
//!
//! Whole frames are left out, those first that are missed least: above one half frames that no
//! other needs, above three quarters all but the lowest encoding, above seven eighths all video.
//! Sound goes until there is no room at all. What a frame's first packet was told holds to its
//! end. Where a frame was left out that others need, the encoding stays cut until a keyframe,
//! which is asked for once the link has room for it.
//!
//! Everything here is a function of packets and fill levels.

use plenum_rtp::PacketDescription;
use plenum_types::{LinkFill, RtpTimestamp};

/// Eighths of the link above which frames that no other needs are left out.
const FULL_FOR_DISCARDABLE: usize = 4;
/// Eighths above which only the lowest encoding is let through.
const FULL_FOR_HIGHER: usize = 6;
/// Eighths above which no video is let through.
const FULL_FOR_VIDEO: usize = 7;
/// Eighths below which a keyframe is asked for: it has to find the link below
/// [`FULL_FOR_DISCARDABLE`] when it comes.
const ROOM_FOR_KEYFRAME: usize = 2;
/// Frames left out that are remembered, so that their late packets are left out too.
const FRAMES: usize = 16;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes.
    Keep,
    /// It goes, and starts the stream again after a cut.
    Resume,
    /// It is left out.
    Drop {
        /// The encoding is cut, and there is room for a keyframe.
        ask: bool,
    },
}

/// What the gate has to know of the encoding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rank {
    /// The encoding with the smallest picture.
    pub(crate) lowest: bool,
    /// Its highest temporal layer.
    pub(crate) temporal_top: u8,
}

/// Decides for one encoding and one link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    newest: Option<RtpTimestamp>,
    left_out: [Option<RtpTimestamp>; FRAMES],
    next: usize,
    cut: Option<Cut>,
    /// A frame of the highest temporal layer was left out that others of it may need.
    top_cut: bool,
}

/// Nothing goes until a keyframe.
#[derive(Clone, Copy, Debug, Default)]
struct Cut {
    asked: bool,
}

impl Gate {
    /// Decides about the next packet.
    pub(crate) fn judge(&mut self, d: &PacketDescription, rank: Rank, fill: LinkFill) -> Verdict {
        let frame = d.header.timestamp;
        if self.is_left_out(frame) {
            return self.leave_out_again(d);
        }
        let is_new = self
            .newest
            .is_none_or(|newest| frame.distance_from(newest) > 0);
        if !is_new {
            return Verdict::Keep;
        }
        self.newest = Some(frame);
        if self.cut.is_some() {
            return self.judge_cut(d, fill);
        }
        let top = rank.temporal_top > 0 && d.payload.layer.temporal >= rank.temporal_top;
        let optional = top || d.payload.discardable;
        let full = match (optional, rank.lowest) {
            (true, _) => FULL_FOR_DISCARDABLE,
            (false, false) => FULL_FOR_HIGHER,
            (false, true) => FULL_FOR_VIDEO,
        };
        let opens_top = !top && d.payload.opens.top_temporal() >= Some(rank.temporal_top);
        if self.top_cut && opens_top && !fill.exceeds(FULL_FOR_DISCARDABLE) {
            self.top_cut = false;
        }
        if top && self.top_cut {
            if !d.payload.switching_point || fill.exceeds(full) {
                return self.leave_out(frame);
            }
            self.top_cut = false;
        }
        if !fill.exceeds(full) {
            return Verdict::Keep;
        }
        if !optional {
            self.cut = Some(Cut::default());
        } else if !d.payload.discardable {
            self.top_cut = true;
        }
        self.leave_out(frame)
    }

    /// A packet that was to go found no room: what follows of its frame would be of no use.
    pub(crate) fn on_refused(&mut self, frame: RtpTimestamp) {
        self.cut.get_or_insert_default();
        self.leave_out(frame);
    }

    fn judge_cut(&mut self, d: &PacketDescription, fill: LinkFill) -> Verdict {
        let starts = d.payload.keyframe && d.payload.starts_frame;
        if starts && !fill.exceeds(FULL_FOR_DISCARDABLE) {
            self.cut = None;
            self.top_cut = false;
            return Verdict::Resume;
        }
        self.leave_out(d.header.timestamp);
        let Some(cut) = &mut self.cut else {
            return Verdict::Drop { ask: false };
        };
        // A keyframe in vain: the next has to be asked for anew.
        cut.asked &= !d.payload.keyframe;
        let ask = !cut.asked && !fill.exceeds(ROOM_FOR_KEYFRAME);
        cut.asked |= ask;
        Verdict::Drop { ask }
    }

    /// A packet of a frame that is left out. It may tell that the frame is a keyframe.
    fn leave_out_again(&mut self, d: &PacketDescription) -> Verdict {
        if let Some(cut) = &mut self.cut {
            cut.asked &= !d.payload.keyframe;
        }
        Verdict::Drop { ask: false }
    }

    fn leave_out(&mut self, frame: RtpTimestamp) -> Verdict {
        self.left_out[self.next] = Some(frame);
        self.next = (self.next + 1) % FRAMES;
        Verdict::Drop { ask: false }
    }

    fn is_left_out(&self, frame: RtpTimestamp) -> bool {
        self.left_out.contains(&Some(frame))
    }
}

#[cfg(test)]
mod tests;
