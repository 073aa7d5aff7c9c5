//! What the router tells the engine, and what it answers on the packet path.

use plenum_rtp::{PacketDescription, Patch};
use plenum_types::{
    BitrateDemand, DropReason, ExtensionMap, KeyframeCause, Mid, PeerIndex, PublicationId, RoomId,
    RoomIndex, ShardId, SlotBinding, SlotId, Speaker,
};

use crate::fields::Fields;
use crate::index::EncodingRef;
use crate::{PublicationIndex, SlotIndex};

/// A fact or a wish of the router, drained by [`Router::poll_event`](crate::Router::poll_event).
#[derive(Clone, Debug, PartialEq)]
pub enum RouterEvent {
    /// Ask a publisher for a keyframe. At most two a second per encoding.
    RequestKeyframe {
        /// Of which publication.
        publication: PublicationIndex,
        /// Its id.
        id: PublicationId,
        /// Who publishes it.
        peer: PeerIndex,
        /// Which encoding.
        encoding: u8,
        /// Why.
        cause: KeyframeCause,
    },
    /// A slot shows something else, or for another reason.
    SlotChanged {
        /// Whose.
        peer: PeerIndex,
        /// Which.
        slot: SlotId,
        /// What it shows now.
        binding: SlotBinding,
    },
    /// Which encodings of a publication of this shard anybody wants has changed.
    LayersWanted {
        /// Of what.
        publication: PublicationId,
        /// By encoding, smallest first.
        encodings: Vec<bool>,
    },
    /// The bitrates that a peer's slots get and would get have changed.
    DemandChanged {
        /// Whose.
        peer: PeerIndex,
        /// What they are now.
        demand: BitrateDemand,
    },
    /// The active speakers of a room among those who publish here, loudest first; at most four
    /// times a second.
    SpeakersChanged {
        /// Where.
        room: RoomId,
        /// Who.
        speakers: Vec<Speaker>,
    },
}

/// A packet that was taken: what [`Router::forward`](crate::Router::forward) needs to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub(crate) source: EncodingRef,
    /// Of the stream that `source` was then.
    pub(crate) generation: u32,
    pub(crate) room: RoomIndex,
    /// Extended sequence number.
    pub(crate) number: u64,
    /// What slots rewrite.
    pub(crate) fields: Fields,
}

impl Arrival {
    /// Of which publication.
    pub const fn publication(&self) -> PublicationIndex {
        self.source.publication
    }

    /// Of which of its encodings.
    pub const fn encoding(&self) -> u8 {
        self.source.encoding
    }

    /// In which room.
    pub const fn room(&self) -> RoomIndex {
        self.room
    }

    /// Whether both are of one encoding.
    pub fn is_of_same_encoding(&self, other: &Self) -> bool {
        self.source == other.source && self.generation == other.generation
    }
}

/// A slot, and the peer whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerSlot {
    /// Whose.
    pub peer: PeerIndex,
    /// Which.
    pub slot: SlotIndex,
}

/// How one subscriber's copy of a packet differs from the packet.
#[derive(Clone, Copy, Debug)]
pub struct Forward {
    /// Who gets it.
    pub peer: PeerIndex,
    /// On which slot.
    pub slot: SlotIndex,
    /// What changes.
    pub patch: Patch,
    /// The m-line that it leaves on.
    pub mid: Mid,
    /// The subscriber's extension ids.
    pub extensions: ExtensionMap,
}

/// Why a packet is not forwarded now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// The slot does not get it.
    Dropped(DropReason),
    /// The slot is behind, and gets it from the store in its turn.
    Later,
}

/// A packet for a slot that is behind.
#[derive(Clone, Copy, Debug)]
pub struct Late<'p> {
    /// The packet as the publisher sent it.
    pub packet: &'p [u8],
    /// Its description.
    pub description: PacketDescription,
    /// What changes in the subscriber's copy, or why there is none.
    pub forward: Result<Forward, DropReason>,
}

/// Stored packets that go to another shard before those that come.
#[derive(Clone, Copy, Debug)]
pub struct Backfill {
    pub(crate) source: EncodingRef,
    pub(crate) generation: u32,
    /// Of which publication.
    pub id: PublicationId,
    /// To which shard.
    pub to: ShardId,
    /// The next number, and the first that is not of it.
    pub(crate) next: u64,
    pub(crate) end: u64,
}

/// A packet of a backfill.
#[derive(Clone, Copy, Debug)]
pub struct BackfillPacket<'p> {
    /// As it was taken.
    pub arrival: Arrival,
    /// As the publisher sent it.
    pub packet: &'p [u8],
    /// Its description.
    pub description: PacketDescription,
    /// Where the shard stands among those that want its encoding.
    pub position: usize,
}

/// Where a packet of a replica stands among those that its publisher's shard has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkPosition {
    /// Which of the encoding's streams it is of: another number is another stream.
    pub generation: u32,
    /// Which feed it came by: packets between two feeds are missing.
    pub feed: u32,
    /// What went before it was left out on the way, and it starts a keyframe.
    pub resumes: bool,
}

/// How a packet goes to another shard.
#[derive(Clone, Copy, Debug)]
pub struct Crossing {
    /// Which.
    pub to: ShardId,
    /// Where it stands for the other shard.
    pub position: LinkPosition,
    /// As the other shard is to see it.
    pub description: PacketDescription,
}

/// A packet to send again.
#[derive(Clone, Copy, Debug)]
pub struct Retransmission<'p> {
    /// The packet as the publisher sent it.
    pub packet: &'p [u8],
    /// Its description.
    pub description: PacketDescription,
    /// What changes in the subscriber's copy.
    pub forward: Forward,
    /// It is part of what the slot shows now. What was shown before a switch can do without.
    pub is_current: bool,
}
