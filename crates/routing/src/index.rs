//! Dense indexes. The packet path finds publications and slots by array access.

use plenum_types::PeerIndex;

/// Dense index of a publication inside a [`Router`](crate::Router); reused after it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicationIndex(pub u32);

/// Dense index of a slot inside a [`Router`](crate::Router); reused after it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotIndex(pub u32);

impl PublicationIndex {
    pub(crate) fn from_key(key: usize) -> Self {
        Self(u32::try_from(key).unwrap_or(u32::MAX))
    }

    pub(crate) const fn key(self) -> usize {
        self.0 as usize
    }
}

impl SlotIndex {
    pub(crate) fn from_key(key: usize) -> Self {
        Self(u32::try_from(key).unwrap_or(u32::MAX))
    }

    pub(crate) const fn key(self) -> usize {
        self.0 as usize
    }
}

/// Who publishes a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Publisher {
    /// A peer of this shard.
    Local(PeerIndex),
    /// A peer of another shard, by its key among those.
    Remote(usize),
}

/// One encoding of one publication: what a slot shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EncodingRef {
    pub(crate) publication: PublicationIndex,
    pub(crate) encoding: u8,
}
