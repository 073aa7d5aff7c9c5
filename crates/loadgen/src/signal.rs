//! How a client joins a room and stays in it: one interface over the protocols of the servers that
//! can be driven.
//!
//! | file | one idea |
//! |---|---|
//! | `websocket` | Plenum's own protocol |
//! | `token` | access tokens, minted here |
//! | `whip_whep` | WHIP and WHEP, which other servers speak too |
//! | `janus` | Janus's video room |

mod janus;
mod token;
mod websocket;
mod whip_whep;

use anyhow::Result;
use plenum_types::MediaKind;

pub use whip_whep::WhipWhepFlags;

/// The protocol that a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Plenum's WebSocket.
    WebSocket,
    /// WHIP to publish, WHEP to subscribe.
    WhipWhep,
    /// Janus's own, for its video room.
    Janus,
}

impl Protocol {
    /// Whether the server tells of every change of layer.
    pub(crate) const fn tells_layers(self) -> bool {
        match self {
            Self::WebSocket => true,
            Self::WhipWhep | Self::Janus => false,
        }
    }

    /// Whether one client may publish and subscribe over the same peer connection.
    pub(crate) const fn joins_both_ways(self) -> bool {
        match self {
            Self::WebSocket => true,
            Self::WhipWhep | Self::Janus => false,
        }
    }
}

/// Where to join, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) protocol: Protocol,
    /// `http://` or `https://` with host and port.
    pub(crate) url: String,
    /// API key that signs the clients' tokens.
    pub(crate) key: String,
    /// Its secret.
    pub(crate) secret: String,
    /// Where WHIP and WHEP are.
    pub(crate) whip_whep: WhipWhepFlags,
}

/// What a client does in its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Sends only.
    Publisher,
    /// Receives only.
    Subscriber,
    /// Both, over one peer connection.
    Participant,
}

/// One encoding of a track that is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    /// `None` without simulcast.
    pub(crate) rid: Option<String>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) max_bitrate: u64,
}

/// A track that is published, by its m-line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Track {
    pub(crate) mid: String,
    pub(crate) kind: MediaKind,
    /// Smallest first; empty for audio.
    pub(crate) layers: Vec<Layer>,
}

/// What a slot shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Any publication that no other slot shows.
    All,
    /// The recent active speakers.
    Speaker,
    /// The publication with this id.
    Pinned(String),
}

/// What a slot shall show from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotWish {
    pub(crate) mid: String,
    pub(crate) kind: MediaKind,
    pub(crate) policy: Policy,
    /// Width and height in device pixels; zeros: not visible. `None`: as it was.
    pub(crate) size: Option<(u32, u32)>,
}

/// What a client wants of the server.
#[derive(Clone, Debug)]
pub(crate) struct JoinRequest {
    pub(crate) room: String,
    pub(crate) identity: String,
    pub(crate) role: Role,
    /// The client's offer. A protocol in which the server offers leaves it aside.
    pub(crate) offer: String,
    /// What is published.
    pub(crate) tracks: Vec<Track>,
    /// One for each stream that is wanted.
    pub(crate) slots: Vec<SlotWish>,
}

/// The server's description.
#[derive(Clone, Debug)]
pub(crate) enum Remote {
    /// Of the request's offer.
    Answer(String),
    /// The server offers; the client owes it [`Session::answer`].
    Offer(String),
}

/// What happens to a client that has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SessionEvent {
    /// Somebody else publishes this, and it may be pinned.
    Published {
        publication: String,
        kind: MediaKind,
    },
    /// It ended.
    Unpublished { publication: String },
    /// A slot shows something else. `layer` is the spatial layer that is forwarded; `None` while
    /// nothing is.
    SlotChanged { mid: String, layer: Option<u8> },
    /// The server ended the stay.
    Closed { reason: String },
}

/// What a client asks of the server while it is in the room.
#[derive(Clone, Debug)]
pub(crate) enum Control {
    /// Change what these slots show.
    Slots(Vec<SlotWish>),
}

/// The open signaling session of one client.
pub(crate) enum Session {
    WebSocket(Box<websocket::WebSocket>),
    WhipWhep(whip_whep::WhipWhep),
    Janus(Box<janus::Janus>),
}

impl Session {
    /// Joins the room and exchanges descriptions. The caller sets the time limit.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses; the message says what to change.
    pub(crate) async fn join(target: &Target, request: JoinRequest) -> Result<(Self, Remote)> {
        match target.protocol {
            Protocol::WebSocket => {
                let (session, remote) = websocket::WebSocket::join(target, request).await?;
                Ok((Self::WebSocket(Box::new(session)), remote))
            }
            Protocol::WhipWhep => {
                let (session, remote) = whip_whep::WhipWhep::join(target, request).await?;
                Ok((Self::WhipWhep(session), remote))
            }
            Protocol::Janus => {
                let (session, remote) = janus::Janus::join(target, request).await?;
                Ok((Self::Janus(Box::new(session)), remote))
            }
        }
    }

    /// Sends the answer that [`Remote::Offer`] asks for.
    pub(crate) async fn answer(&mut self, sdp: String) -> Result<()> {
        match self {
            // Neither ever offers.
            Self::WebSocket(_) | Self::WhipWhep(_) => Ok(()),
            Self::Janus(session) => session.answer(sdp).await,
        }
    }

    /// What happens next. Never returns again after [`SessionEvent::Closed`]. Safe to cancel.
    pub(crate) async fn next_event(&mut self) -> SessionEvent {
        match self {
            Self::WebSocket(session) => session.next_event().await,
            // Nothing is told after the answer; that media stops is seen in the media.
            Self::WhipWhep(_) => std::future::pending().await,
            Self::Janus(session) => session.next_event().await,
        }
    }

    /// Asks for something, where the protocol has it; else nothing happens.
    pub(crate) async fn send(&mut self, control: Control) -> Result<()> {
        match self {
            Self::WebSocket(session) => session.send_control(control).await,
            Self::WhipWhep(_) | Self::Janus(_) => Ok(()),
        }
    }

    /// Says goodbye.
    pub(crate) async fn leave(self) {
        match self {
            Self::WebSocket(session) => session.leave().await,
            Self::WhipWhep(session) => session.leave().await,
            Self::Janus(session) => session.leave().await,
        }
    }
}
