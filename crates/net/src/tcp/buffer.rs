//! What was read from one connection, taken apart into datagrams.

use plenum_types::{ConnectionId, Path, Remote};

use super::connection::Connection;
use super::framing::{FRAME_BYTES_MAX, Frame, HEADER_BYTES, frame_at};

/// Bytes read in one turn: a shard's share of what a wake-up handles, divided among dozens of
/// publishers that send at once.
const READ_BYTES: usize = 65_536;

/// What was read from one connection, and how far it was taken out.
pub(crate) struct StreamBuffer {
    memory: Box<[u8]>,
    filled: usize,
    at: usize,
    connection: Option<(ConnectionId, Path)>,
    /// No valid check had come on the connection when this was read.
    unproven: bool,
}

/// What comes next out of a buffer.
pub(crate) enum Next<'b> {
    /// A datagram.
    Datagram {
        id: ConnectionId,
        path: Path,
        /// Whether this may be the connection's first valid check.
        unproven: bool,
        bytes: &'b mut [u8],
    },
    /// The connection sends what is no frame.
    Broken(ConnectionId),
    /// Nothing; there is room for more.
    Nothing,
}

impl StreamBuffer {
    pub(crate) fn new() -> Self {
        Self {
            memory: vec![0; READ_BYTES].into_boxed_slice(),
            filled: 0,
            at: 0,
            connection: None,
            unproven: false,
        }
    }

    /// Begins with what `connection` has kept.
    pub(super) fn begin(&mut self, id: ConnectionId, connection: &mut Connection) {
        let kept = connection.partial.len();
        self.memory[..kept].copy_from_slice(&connection.partial);
        connection.partial.clear();
        self.connection = Some((id, connection.path));
        self.unproven = !connection.ticket.is_proven();
        (self.at, self.filled) = (0, kept);
    }

    /// Where more of the connection is read to.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.memory[self.filled..]
    }

    /// So much was read there.
    pub(super) const fn fill(&mut self, length: usize) {
        self.filled += length;
    }

    /// What is left, once all that is whole was taken out.
    pub(super) fn rest(&self) -> Option<(ConnectionId, &[u8])> {
        let (id, _) = self.connection?;
        Some((id, &self.memory[self.at..self.filled]))
    }

    pub(crate) const fn clear(&mut self) {
        (self.at, self.filled, self.connection) = (0, 0, None);
    }

    /// Drops what came from `remote`: nothing can be answered there any more.
    pub(crate) fn forget(&mut self, remote: Remote) {
        if self
            .connection
            .is_some_and(|(_, path)| path.remote == remote)
        {
            self.clear();
        }
    }

    /// Takes out the next datagram.
    pub(crate) fn poll(&mut self) -> Next<'_> {
        let Some((id, path)) = self.connection else {
            return Next::Nothing;
        };
        match frame_at(&self.memory[..self.filled], self.at) {
            Frame::Whole(range) => {
                self.at = range.end;
                Next::Datagram {
                    id,
                    path,
                    unproven: self.unproven,
                    bytes: &mut self.memory[range],
                }
            }
            Frame::Partial => Next::Nothing,
            Frame::TooLong => Next::Broken(id),
        }
    }
}

// A part of a frame and one read must fit.
const _: () = assert!(READ_BYTES > 8 * (HEADER_BYTES + FRAME_BYTES_MAX));
