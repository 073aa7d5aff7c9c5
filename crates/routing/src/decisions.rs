//! The last decisions on a slot, kept to explain them.

use std::collections::VecDeque;
use std::time::Instant;

use plenum_types::{Bitrate, Decision, LayerId, Pixels, SlotWish};

use crate::allocate::Target;

/// What was known of the subscriber's network, and given to all its slots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bandwidth {
    pub(crate) estimate: Option<Bitrate>,
    pub(crate) allocated: Bitrate,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    at: Instant,
    target: Target,
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
        wish: &SlotWish,
        bandwidth: Bandwidth,
    ) {
        let same = self.0.back().is_some_and(|last| {
            last.target == *target
                && last.viewport == wish.viewport
                && last.priority == wish.priority
        });
        if same {
            return;
        }
        if self.0.len() == Decision::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Kept {
            at: now,
            target: *target,
            viewport: wish.viewport,
            priority: wish.priority,
            bandwidth,
        });
    }

    /// Newest first.
    pub(crate) fn tell(&self, now: Instant) -> Vec<Decision> {
        self.0.iter().rev().map(|kept| kept.tell(now)).collect()
    }
}

impl Kept {
    fn tell(&self, now: Instant) -> Decision {
        let layer = |spatial: u8| LayerId {
            spatial,
            temporal: self.target.temporal,
        };
        Decision {
            age: now.saturating_duration_since(self.at),
            reason: self.target.reason,
            given: self.target.encoding.map(layer),
            wanted: self.target.wanted.map(layer),
            viewport: self.viewport,
            priority: self.priority,
            estimate: self.bandwidth.estimate,
            allocated: self.bandwidth.allocated,
        }
    }
}
