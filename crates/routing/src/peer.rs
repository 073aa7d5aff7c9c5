//! A peer as the router sees it.

use plenum_types::{BandwidthEstimate, BitrateDemand};

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

    /// What the layers of its slots may add up to; `None`: anything.
    pub(crate) fn budget(&self) -> Option<BandwidthEstimate> {
        self.estimate
    }
}
