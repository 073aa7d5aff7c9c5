//! How far peers come in connecting.

use crate::CloseReason;

/// A step on the way to media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectPhase {
    /// From the announcement of the peer to its first valid ICE check.
    Ice,
    /// From there to the keys.
    Dtls,
    /// From there to the first RTP packet from or to it.
    FirstPacket,
}

impl ConnectPhase {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 3] = [Self::Ice, Self::Dtls, Self::FirstPacket];

    /// Name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ice => "ice",
            Self::Dtls => "dtls",
            Self::FirstPacket => "first_packet",
        }
    }

    /// The one after it, if any.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Ice => Some(Self::Dtls),
            Self::Dtls => Some(Self::FirstPacket),
            Self::FirstPacket => None,
        }
    }
}

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectOutcome {
    /// It was done.
    Done,
    /// Nothing came for too long.
    TimedOut,
    /// DTLS, or the server, failed.
    Failed,
    /// The client or the control plane ended the peer before.
    Left,
}

impl ConnectOutcome {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 4] = [Self::Done, Self::TimedOut, Self::Failed, Self::Left];

    /// Name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }

    /// How the phase ended in which a peer was closed.
    pub const fn of_close(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Removed | CloseReason::ClosedByClient => Self::Left,
            CloseReason::ConnectTimeout | CloseReason::ConsentExpired => Self::TimedOut,
            CloseReason::DtlsFailed | CloseReason::InternalError => Self::Failed,
        }
    }
}
