//! What a peer hands out: datagrams, events, and the reason of its next wake-up.

use plenum_types::{CloseReason, Path, Remote, SrtpProfile};

/// A datagram off the packet path (STUN, DTLS) that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where it goes, and from where.
    pub path: Path,
    /// The datagram.
    pub bytes: Vec<u8>,
}

/// What happened to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerEvent {
    /// ICE and DTLS are up; media flows from here on. Once per peer.
    Connected {
        /// Negotiated cipher.
        profile: SrtpProfile,
    },
    /// The peer has proved, by an authenticated STUN request, that it receives there.
    PathAdded(Remote),
    /// That is no longer the peer's.
    PathRemoved(Remote),
    /// Media to the peer goes here from now on.
    SelectedPathChanged(Path),
    /// Nothing valid has come for a while.
    Interrupted,
    /// An interrupted peer is back.
    Resumed,
    /// The peer is over; it takes no more input. Once per peer, and its last event.
    Closed(CloseReason),
    /// The client opened a data channel (RFC 8832).
    DataChannelOpened {
        /// Its label.
        label: String,
        /// The SCTP stream that carries it.
        id: u16,
    },
    /// A message on a data channel.
    DataReceived {
        /// The channel's SCTP stream.
        id: u16,
        /// The message, at most 64 KiB.
        bytes: Vec<u8>,
        /// Whether the client sent it as text (then it is UTF-8).
        text: bool,
    },
}

/// Why a peer wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wakeup {
    /// Connecting has taken too long.
    Connect,
    /// The client is silent: interruption or loss of consent (RFC 7675).
    Liveness,
    /// A remote address has not been used for long.
    PathExpiry,
    /// A DTLS flight may have been lost.
    DtlsRetransmit,
    /// A timer of the SCTP association.
    Sctp,
}
