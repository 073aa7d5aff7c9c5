//! A first picture from what is there already: the newest group of pictures is sent again, if it is
//! young, instead of a request for another keyframe.
//!
//! Only to a slot that shows nothing: where pictures have been shown, those from before would put
//! its clock ahead of the publisher's for good.

use std::time::{Duration, Instant};

use plenum_types::{Bitrate, EstimateBasis, MediaKind};

use crate::peer::Peer;
use crate::publication::Group;
use crate::slot::{Allowance, Pace, Slot};
use crate::{Router, SlotIndex};

/// A keyframe that was asked for, or came, so recently serves whoever is still connecting. Less
/// than the age at which groups are sent again, so that it will still do then.
const AHEAD: Duration = Duration::from_millis(500);
/// How much faster than they came pictures are sent again. More is a higher burst.
const SPEED: u64 = 3;
/// What the way must carry of that for it to be done at all.
const SPEED_MIN: u64 = 2;
/// The rate of an encoding before it was measured.
const UNMEASURED: Bitrate = Bitrate::kbps(1_000);
/// Time between two steps, and the least bytes of one: a packet.
const PAUSE: Duration = Duration::from_millis(5);
const STEP_MIN: u64 = 1_200;

impl Router {
    /// Whether a slot that waits for a keyframe gets one without asking for it.
    pub(super) fn start_replay(&mut self, now: Instant, index: SlotIndex) -> bool {
        let slot = &mut self.slots[index.key()];
        let Some(target) = slot.target.filter(|_| slot.kind == MediaKind::Video) else {
            return false;
        };
        let source = target.source;
        if slot.lag.is_some_and(|lag| lag.source == source) {
            return true;
        }
        if slot.shown().is_none() {
            slot.lag = None;
        }
        let slot = &self.slots[index.key()];
        let Some(group) = self
            .encoding(source)
            .and_then(|encoding| encoding.group.fresh(now))
        else {
            return false;
        };
        if slot.asleep {
            return now.saturating_duration_since(group.at) <= AHEAD;
        }
        let bitrate = self
            .encoding(source)
            .and_then(|encoding| encoding.activity.bitrate())
            .unwrap_or(UNMEASURED);
        if !self.can_replay(slot, &group, bitrate) {
            return false;
        }
        self.put_behind(now, index, source, group.first, pace(&group, bitrate));
        true
    }

    fn can_replay(&self, slot: &Slot, group: &Group, bitrate: Bitrate) -> bool {
        let shows_later = slot.sent_at().is_some_and(|at| at > group.at);
        let budget = self.peer(slot.peer).and_then(Peer::budget);
        let carries = budget.is_none_or(|budget| {
            budget.basis == EstimateBasis::Assumed
                || budget.bitrate.bits_per_second() >= SPEED_MIN * bitrate.bits_per_second()
        });
        slot.shown().is_none() && !shows_later && carries
    }
}

/// The keyframe at once, as it would leave if it came now; what follows it at [`SPEED`].
fn pace(group: &Group, bitrate: Bitrate) -> (Allowance, Pace) {
    let step = SPEED * bitrate.bits_per_second() / 8 * PAUSE.as_millis() as u64 / 1_000;
    let allow = |bytes| Allowance {
        packets: u32::MAX,
        bytes,
    };
    let pace = Pace {
        step: allow(step.max(STEP_MIN).min(u64::from(u32::MAX)) as u32),
        pause: PAUSE,
    };
    (allow(group.keyframe), pace)
}
