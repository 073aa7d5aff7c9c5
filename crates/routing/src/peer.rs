//! A peer as the router sees it.

use plenum_types::Bitrate;

use crate::publication::clock::PublisherClock;
use crate::{PublicationIndex, SlotIndex};

/// Whether layers follow the bandwidth estimate. Off until the sender probes for bandwidth: an
/// estimate that follows what is sent would never let a slot leave its lowest layer.
const FOLLOW_ESTIMATE: bool = false;

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
    pub(crate) estimate: Option<Bitrate>,
}

impl Peer {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            room,
            slots: Vec::new(),
            publications: Vec::new(),
            clock: PublisherClock::default(),
            estimate: None,
        }
    }

    /// What the layers of its slots may add up to; `None`: anything.
    pub(crate) fn budget(&self) -> Option<Bitrate> {
        self.estimate.filter(|_| FOLLOW_ESTIMATE)
    }
}
