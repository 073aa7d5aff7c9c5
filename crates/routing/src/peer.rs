//! A peer as the router sees it.

use plenum_types::{BandwidthEstimate, BitrateDemand, EstimateBasis};

use crate::publication::clock::PublisherClock;
use crate::{PublicationIndex, SlotIndex};

/// What a peer publishes and receives.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Key of its room.
    pub(crate) room: usize,
    /// Oldest first.
    pub(crate) slots: Vec<SlotIndex>,
    pub(crate) publications: Vec<PublicationIndex>,
    /// Its NTP clock, shared by all it publishes.
    pub(crate) clock: PublisherClock,
    /// What the network to it carries; `None` if nothing tells.
    pub(crate) estimate: Option<BandwidthEstimate>,
    /// What its slots are given and would be given.
    pub(crate) sums: BitrateDemand,
    /// What was last told of its slots' bitrates.
    pub(crate) demand: BitrateDemand,
}

/// A subscriber that is given this many times what its network carries, in percent, is in trouble.
const OVERLOAD_PERCENT: u64 = 130;

impl Peer {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            room,
            slots: Vec::new(),
            publications: Vec::new(),
            clock: PublisherClock::default(),
            estimate: None,
            sums: BitrateDemand::default(),
            demand: BitrateDemand::default(),
        }
    }

    /// Far more flows than its network carries: what is to go must go now, not at the next
    /// keyframe, which could not get through.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.estimate.is_some_and(|estimate| {
            let limit = estimate.bitrate.bits_per_second() * OVERLOAD_PERCENT / 100;
            estimate.basis == EstimateBasis::Congested
                && self.sums.allocated.bits_per_second() > limit
        })
    }

    /// What the layers of its slots may add up to; `None`: anything.
    pub(crate) fn budget(&self) -> Option<BandwidthEstimate> {
        self.estimate
    }
}
