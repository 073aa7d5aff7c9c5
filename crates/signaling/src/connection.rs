//! Connections: a client's WebSocket, before and after it has joined.

use std::time::Instant;

use plenum_types::{ParticipantId, RoomId};

use crate::token::Claims;

/// A WebSocket, for as long as it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// What is known of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Verified.
    pub(crate) claims: Claims,
    /// Who it is, once joined.
    pub(crate) joined: Option<(RoomId, ParticipantId)>,
    /// When it must have joined.
    pub(crate) join_by: Instant,
}

/// How a WebSocket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The client closed it with code 1000: it has left.
    Left,
    /// Anything else: it may come back.
    Lost,
}
