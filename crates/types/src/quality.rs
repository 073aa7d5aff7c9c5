//! Why a subscriber sees what it sees: its network, its slots, and the last decisions on each.

use std::time::Duration;

use crate::{Bitrate, LayerId, Pixels, SlotBinding, SlotId, SlotReason};

/// What a peer is given and why. Answer to
/// [`MediaCommand::ExplainPeer`](crate::MediaCommand::ExplainPeer).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PeerQuality {
    /// What the way to it carries; `None` if nothing tells.
    pub estimate: Option<Bitrate>,
    /// What its slots are given, together.
    pub allocated: Bitrate,
    /// What they would be given if bandwidth were no question.
    pub wanted: Bitrate,
    /// Round trip time, once reports have told it.
    pub rtt: Option<Duration>,
    /// Fraction of its packets that were lost lately, 0 to 1.
    pub loss: f32,
    /// Its slots, oldest first.
    pub slots: Vec<SlotQuality>,
}

/// What a slot shows and how that came about.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotQuality {
    /// Which.
    pub slot: SlotId,
    /// What it shows. A layer with the reason `Bandwidth` is a lower one than wanted; no layer with
    /// that reason means that video is paused because not even the lowest fits.
    pub binding: SlotBinding,
    /// Measured bitrate of what it shows.
    pub bitrate: Option<Bitrate>,
    /// Newest first, at most [`Decision::KEPT`].
    pub decisions: Vec<Decision>,
}

/// What was decided for a slot, with what it was decided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How long ago.
    pub age: Duration,
    /// Why.
    pub reason: SlotReason,
    /// The layer that it was given; `None`: nothing.
    pub given: Option<LayerId>,
    /// The layer that suffices for its viewport; `None`: it wants nothing.
    pub wanted: Option<LayerId>,
    /// Size at which it was shown.
    pub viewport: Option<Pixels>,
    /// Its priority.
    pub priority: u8,
    /// What the way to the subscriber carried.
    pub estimate: Option<Bitrate>,
    /// What all slots of the subscriber were given together.
    pub allocated: Bitrate,
}

impl Decision {
    /// Most decisions that a slot remembers.
    pub const KEPT: usize = 8;
}
