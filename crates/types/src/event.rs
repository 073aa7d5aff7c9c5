//! What a shard tells the control plane.

use crate::{
    AudioLevel, DataLoss, DataMessage, PeerId, PeerQuality, PublicationId, RoomId, ShardStats,
    SlotBinding, SlotId, SrtpProfile,
};

/// A fact of the media plane that the control plane acts on or passes on.
#[derive(Clone, Debug)]
pub enum MediaEvent {
    /// ICE and DTLS are up; media flows from here on.
    PeerConnected {
        /// Who.
        peer: PeerId,
        /// Negotiated cipher.
        profile: SrtpProfile,
    },
    /// Nothing valid has come from the peer for a while. It may come back.
    PeerInterrupted {
        /// Who.
        peer: PeerId,
    },
    /// An interrupted peer is back.
    PeerResumed {
        /// Who.
        peer: PeerId,
    },
    /// The peer is gone from the shard, with its publications and slots. Sent once per peer.
    PeerClosed {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// A slot shows something else, or for another reason.
    SlotChanged {
        /// Whose.
        peer: PeerId,
        /// Which.
        slot: SlotId,
        /// What it shows.
        binding: SlotBinding,
    },
    /// The active speakers of a room among those whose tracks arrive at this shard, loudest first.
    /// Sent on change, at most a few times a second.
    SpeakersChanged {
        /// Where.
        room: RoomId,
        /// Who.
        speakers: Vec<Speaker>,
    },
    /// Which encodings of a publication anybody wants has changed. What nobody wants need not be
    /// sent; until this is told, everything is wanted. The smallest is always wanted, so that a
    /// first subscriber gets a picture at once.
    LayersWanted {
        /// Of what.
        publication: PublicationId,
        /// By encoding, smallest first.
        encodings: Vec<bool>,
    },
    /// A participant sent a message. It has been delivered on this shard; the others of the room
    /// are to be given it, in this order.
    DataSent(Box<DataMessage>),
    /// Data messages from or to a peer were dropped. At most once a second per peer and cause.
    DataLost {
        /// Whose, or to whom.
        peer: PeerId,
        /// Why.
        cause: DataLoss,
        /// How many since this was told last.
        messages: u64,
    },
    /// Answer to [`MediaCommand::ExplainPeer`](crate::MediaCommand::ExplainPeer).
    PeerExplained {
        /// Who.
        peer: PeerId,
        /// The number that the question had.
        request: u64,
        /// What it is given and why.
        quality: Box<PeerQuality>,
    },
    /// Answer to [`MediaCommand::ReportStats`](crate::MediaCommand::ReportStats).
    Stats(Box<ShardStats>),
    /// The shard is gone with all its peers.
    ShardEnded {
        /// Another one takes its place, and carries out commands from
        /// [`MediaCommand::StartAnew`](crate::MediaCommand::StartAnew) on. Told again until that
        /// comes. Otherwise no more are carried out.
        begins_anew: bool,
    },
}

/// An active speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// The audio publication that is heard.
    pub publication: PublicationId,
    /// Its smoothed level.
    pub level: AudioLevel,
}

/// Why a peer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The control plane asked for it.
    Removed,
    /// The client closed DTLS.
    ClosedByClient,
    /// ICE or DTLS did not come up in time.
    ConnectTimeout,
    /// Nothing valid came for too long (RFC 7675).
    ConsentExpired,
    /// DTLS failed, for example because the certificate is not the one signalled.
    DtlsFailed,
    /// Handling its datagrams failed in a way that should not happen.
    InternalError,
}

impl CloseReason {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 6] = [
        Self::Removed,
        Self::ClosedByClient,
        Self::ConnectTimeout,
        Self::ConsentExpired,
        Self::DtlsFailed,
        Self::InternalError,
    ];

    /// Name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::ClosedByClient => "closed_by_client",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConsentExpired => "consent_expired",
            Self::DtlsFailed => "dtls_failed",
            Self::InternalError => "internal_error",
        }
    }
}
