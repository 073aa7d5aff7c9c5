//! A room: who is in it, what is published, who speaks.

use plenum_types::{PeerIndex, RoomId};

use crate::PublicationIndex;
use crate::speakers::SpeakerOrder;

/// One room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    /// In the order in which they came.
    pub(crate) peers: Vec<PeerIndex>,
    /// Oldest first.
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
}
