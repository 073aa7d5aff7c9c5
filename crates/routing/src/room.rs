//! A room: who is in it, what is published, who speaks.

use plenum_types::{PeerIndex, RoomId};

use crate::PublicationIndex;
use crate::speakers::SpeakerOrder;

/// One room, as far as this shard knows it. It is there as long as anybody or anything is in it.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    /// Of this shard, in the order in which they came.
    pub(crate) peers: Vec<PeerIndex>,
    /// By whomever, oldest first: ordered by id, so that all shards have the same order.
    pub(crate) publications: Vec<PublicationIndex>,
    pub(crate) speakers: SpeakerOrder,
}

impl Room {
    pub(crate) fn new(id: RoomId) -> Self {
        Self {
            id,
            peers: Vec::new(),
            publications: Vec::new(),
            speakers: SpeakerOrder::default(),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.peers.is_empty() && self.publications.is_empty()
    }
}
