//! Sessions without a WebSocket, as WHIP (RFC 9725) and WHEP have them: each HTTP request is one
//! question to the registry, and has one answer.

use crate::negotiation::{Fragment, Way};
use crate::refusal::Refusal;
use crate::token::Claims;

/// Last part of a session's address. Hard to guess.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionKey(pub(crate) String);

/// Who asks, and for what.
#[derive(Debug)]
pub(crate) struct SessionRequest {
    /// WHIP or WHEP.
    pub(crate) way: Way,
    /// Name of the room.
    pub(crate) room: String,
    /// Verified.
    pub(crate) claims: Claims,
    pub(crate) act: SessionAct,
}

/// What is asked for.
#[derive(Debug)]
pub(crate) enum SessionAct {
    /// Open a session.
    Open {
        /// The offer.
        sdp: String,
        /// The identity whose tracks are wanted; none: who speaks.
        follows: Option<String>,
    },
    /// Candidates, or an ICE restart.
    Patch {
        session: SessionKey,
        /// None: the request had none.
        condition: Option<Condition>,
        fragment: Fragment,
    },
    /// Is it there?
    Look { session: SessionKey },
    /// End it.
    End { session: SessionKey },
}

/// `If-Match` (RFC 9110 §13.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `*`
    Any,
    /// One of these strong entity tags, without their quotes.
    OneOf(Vec<String>),
}

impl Condition {
    /// Whether a resource with `tag` fulfils it.
    pub(crate) fn holds(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|known| known == tag),
        }
    }
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SessionReply {
    /// The session is open.
    Opened {
        session: SessionKey,
        /// Stands for the ICE session.
        tag: String,
        /// The answer.
        sdp: String,
    },
    /// The candidates are taken.
    Trickled,
    /// ICE has restarted.
    Restarted {
        tag: String,
        /// The server's new credentials.
        fragment: String,
    },
    /// It is there.
    Found,
    /// It is no more.
    Ended,
}

/// Why nothing came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SessionError {
    /// A refusal that WebSocket clients may get as well.
    Refused(Refusal),
    /// There is no such session, or no longer.
    Unknown,
    /// The session belongs to another identity.
    NotYours,
    /// The request names no ICE session.
    Unconditional,
    /// The request is about an ICE session that was replaced by a restart.
    Stale,
    /// Nobody publishes what a viewer wants.
    NothingLive,
    /// The server lets nobody in any more.
    Closing,
    /// Handling the request failed in a way that should not happen.
    Failed,
}

impl From<Refusal> for SessionError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
