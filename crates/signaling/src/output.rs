//! What the registry wants done.

use std::sync::Arc;

use plenum_types::{MediaCommand, ShardId};

use crate::admin::QualityView;
use crate::connection::ConnectionId;
use crate::messages::{CloseCode, ServerMessage};
use crate::room::Noted;

/// One thing to do. The order matters.
#[derive(Debug)]
pub(crate) enum Output {
    /// Send `message` to each of `to`.
    Send {
        to: Vec<ConnectionId>,
        message: Arc<ServerMessage>,
    },
    /// Close the WebSocket after what was sent to it. The connection is forgotten already.
    Close {
        connection: ConnectionId,
        code: CloseCode,
    },
    /// Answer a backend's question of this number.
    Answer(u64, Box<QualityView>),
    /// Tell webhooks.
    Event(Box<Noted>),
    /// Ask a shard.
    Media(ShardId, MediaCommand),
}
