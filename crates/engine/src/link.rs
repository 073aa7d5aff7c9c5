//! What the engine needs of the way to other shards.
//!
//! A replica is fed through this contract and knows nothing of what is behind it: a ring between
//! two threads, a simulated link, or one day a network.

use plenum_routing::LinkPosition;
use plenum_rtp::PacketDescription;
use plenum_types::{LinkFill, LinkNote, PublicationId, ShardId};

/// What one shard hands to another.
#[derive(Clone, Copy, Debug)]
pub enum LinkMessage<'a> {
    /// Media, as its publisher sent it.
    Packet(LinkPacket, &'a [u8]),
    /// Anything else.
    Note(LinkNote),
}

/// What goes with the bytes of a packet.
#[derive(Clone, Copy, Debug)]
pub struct LinkPacket {
    /// Of which publication.
    pub publication: PublicationId,
    /// Which of its encodings.
    pub encoding: u8,
    /// It came as a retransmission.
    pub retransmitted: bool,
    /// Where it stands among those sent before.
    pub position: LinkPosition,
    /// What it says.
    pub description: PacketDescription,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRefused {
    /// There is no room for it now.
    Full,
    /// Nobody will ever read it.
    Gone,
}

/// The ways to all other shards. Never blocks, never loses what it has taken.
pub trait Links {
    /// How much of the room for media on the way to `to` is used.
    fn fill(&self, to: ShardId) -> LinkFill;

    /// Hands a message over. Notes have room of their own, so that media cannot crowd them out;
    /// within each kind messages arrive in order.
    fn try_send(&mut self, to: ShardId, message: LinkMessage<'_>) -> Result<(), LinkRefused>;
}

/// A shard that is alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLinks;

impl Links for NoLinks {
    fn fill(&self, _: ShardId) -> LinkFill {
        LinkFill::default()
    }

    fn try_send(&mut self, _: ShardId, _: LinkMessage<'_>) -> Result<(), LinkRefused> {
        Err(LinkRefused::Gone)
    }
}
