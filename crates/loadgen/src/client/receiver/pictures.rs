//! The pictures of a stream, as far as clear headers and a few decrypted packets tell: frames that
//! came without a gap, freezes, and whether there is a keyframe to begin with.

use std::time::{Duration, Instant};

use plenum_types::Pixels;

use crate::client::Context;

/// A picture that stands still for longer is noticed.
const FREEZE: Duration = Duration::from_millis(500);
/// How long to wait for a keyframe, the first or after a loss, before asking again.
const KEYFRAME_PATIENCE: Duration = Duration::from_secs(1);

/// What is known of a video stream's pictures.
#[derive(Debug)]
pub(super) struct Pictures {
    timestamp: u32,
    frame_began: Instant,
    /// The newest packet is the first that came of its frame.
    at_start: bool,
    /// The frame under way has a gap.
    broken: bool,
    frozen: bool,
    flowing: bool,
    has_keyframe: bool,
    /// Since when a keyframe has been wanted, or last asked for.
    wanted_since: Instant,
    /// A loss has broken the picture, and no keyframe has come since.
    damaged: bool,
    size: Option<Pixels>,
}

impl Pictures {
    pub(super) fn new(now: Instant, timestamp: u32, flowing: bool) -> Self {
        Self {
            timestamp,
            frame_began: now,
            at_start: true,
            broken: false,
            frozen: false,
            flowing,
            has_keyframe: false,
            wanted_since: now,
            damaged: false,
            size: None,
        }
    }

    const fn wants_keyframe(&self) -> bool {
        !self.has_keyframe || self.damaged
    }

    /// Whether the newest packet should be decrypted to find a keyframe.
    #[inline]
    pub(super) const fn may_be_wanted_keyframe(&self) -> bool {
        self.wants_keyframe() && self.at_start
    }

    /// A packet in order; `gap`: some before it are missing.
    #[inline]
    pub(super) fn on_packet(
        &mut self,
        context: &mut Context<'_>,
        timestamp: u32,
        marker: bool,
        gap: bool,
    ) {
        self.at_start = timestamp != self.timestamp || !self.has_keyframe && self.at_start;
        if timestamp != self.timestamp {
            self.timestamp = timestamp;
            self.frame_began = context.now;
            self.frozen = false;
            self.broken = false;
        }
        self.broken |= gap;
        if marker && !self.broken {
            context.tally.counters.frames += 1;
        }
    }

    pub(super) fn on_keyframe(&mut self, context: &mut Context<'_>, size: Option<Pixels>) {
        self.has_keyframe = true;
        self.damaged = false;
        if size.is_some() && self.size.is_some() && size != self.size {
            context.tally.counters.layer_switches += 1;
        }
        self.size = size.or(self.size);
    }

    pub(super) fn set_flowing(&mut self, now: Instant, flowing: bool) {
        if flowing && !self.flowing {
            self.frame_began = now;
            self.frozen = false;
        }
        self.flowing = flowing;
    }

    /// Looks at the clock; whether a keyframe is to be asked for. `lost`: packets were given up.
    pub(super) fn handle_tick(&mut self, context: &mut Context<'_>, lost: bool) -> bool {
        if !self.flowing {
            return false;
        }
        let now = context.now;
        if !self.frozen && now.saturating_duration_since(self.frame_began) > FREEZE {
            self.frozen = true;
            context.tally.counters.freezes += 1;
        }
        if lost && !self.damaged {
            self.damaged = true;
            self.wanted_since = now;
            return true;
        }
        let late = self.wants_keyframe()
            && now.saturating_duration_since(self.wanted_since) > KEYFRAME_PATIENCE;
        if late {
            self.wanted_since = now;
        }
        late
    }
}
