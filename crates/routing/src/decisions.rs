//! The last decisions on a slot, kept to explain them.

use std::collections::VecDeque;
use std::time::Instant;

use plenum_types::{Bitrate, Decision, LayerId, Pixels, SlotReason, SlotWish};

use crate::allocate::{Choice, Target};

/// What was known of the subscriber's network, and given to all its slots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bandwidth {
    pub(crate) estimate: Option<Bitrate>,
    pub(crate) allocated: Bitrate,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    at: Instant,
    reason: SlotReason,
    given: Option<LayerId>,
    wanted: Option<LayerId>,
    viewport: Option<Pixels>,
    priority: u8,
    bandwidth: Bandwidth,
}

/// The last decisions, oldest first. At most [`Decision::KEPT`]; a new one takes the place of the
/// oldest.
#[derive(Debug, Default)]
pub(crate) struct Decisions(VecDeque<Kept>);

impl Decisions {
    /// Keeps a decision, unless it is the one before again. The bandwidth alone makes none: the
    /// estimate moves many times a second.
    pub(crate) fn record(
        &mut self,
        now: Instant,
        target: &Target,
        choices: &[Choice],
        wish: &SlotWish,
        bandwidth: Bandwidth,
    ) {
        let layer = |at: Option<u8>| Some(choices.get(usize::from(at?))?.layer);
        let new = Kept {
            at: now,
            reason: target.reason,
            given: layer(target.choice),
            wanted: layer(target.wanted),
            viewport: wish.viewport,
            priority: wish.priority,
            bandwidth,
        };
        if self.0.back().is_some_and(|last| last.is_same_as(&new)) {
            return;
        }
        if self.0.len() == Decision::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(new);
    }

    /// Newest first.
    pub(crate) fn tell(&self, now: Instant) -> Vec<Decision> {
        self.0.iter().rev().map(|kept| kept.tell(now)).collect()
    }
}

impl Kept {
    fn is_same_as(&self, other: &Self) -> bool {
        let inputs = |kept: &Self| (kept.viewport, kept.priority);
        (self.reason, self.given, self.wanted) == (other.reason, other.given, other.wanted)
            && inputs(self) == inputs(other)
    }

    fn tell(&self, now: Instant) -> Decision {
        Decision {
            age: now.saturating_duration_since(self.at),
            reason: self.reason,
            given: self.given,
            wanted: self.wanted,
            viewport: self.viewport,
            priority: self.priority,
            estimate: self.bandwidth.estimate,
            allocated: self.bandwidth.allocated,
        }
    }
}
