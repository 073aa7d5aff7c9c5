//! Ids. Each is a newtype, so that one cannot be passed for another.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(/// One thread's share of the media plane; also the offset of its UDP port.
    ShardId(u16), "shard-");
id!(/// A room, for as long as it exists. The same name opened again has another id.
    RoomId(u64), "RM_");
id!(/// A person in a room, for one stay. Made by the server; the identity is the client's.
    ParticipantId(u64), "PA_");
id!(/// A peer connection: one ICE, one DTLS, one owner thread.
    PeerId(u64), "PE_");
id!(/// A published track. Unique over the whole server.
    PublicationId(u64), "TR_");
id!(/// One outgoing stream of a subscriber. Unique within its peer.
    SlotId(u16), "slot-");
id!(/// RTP synchronisation source (RFC 3550 §3).
    Ssrc(u32), "");

/// Dense index of a room inside its shard; reused after the room is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomIndex(pub u32);

/// Dense index of a peer inside its shard; reused after the peer is gone.
///
/// The packet path uses it instead of [`PeerId`], so that finding a peer is an array access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIndex(pub u32);
