//! One connection in the loop of its shard.

use std::io::{self, Read};
use std::time::Instant;

use mio::net::TcpStream;
use plenum_types::{ConnectionId, Path, Remote};

use super::admission::Ticket;
use super::queue::{WriteQueue, Written};
use super::undecided::Accepted;

/// A TCP connection that a client's datagrams come and go on.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) path: Path,
    /// The beginning of a frame whose rest has not come.
    pub(crate) partial: Vec<u8>,
    /// It is closed unless it has shown a valid check by then.
    pub(crate) deadline: Instant,
    pub(crate) ticket: Ticket,
    /// It is in the list of those that may have something to read.
    pub(crate) ready: bool,
    /// Nothing more will come than what the system has.
    pub(crate) read_closed: bool,
    /// It is in the list of those that have something to write.
    pub(crate) dirty: bool,
    /// The system takes no more for now, and will tell when it does.
    blocked: bool,
    queue: WriteQueue,
}

/// What came of reading once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOutcome {
    /// So many bytes, and maybe more to come.
    Some(usize),
    /// So many bytes, and nothing more for now.
    Drained(usize),
    /// It is over.
    Closed,
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, accepted: Accepted) -> Self {
        Self {
            path: Path {
                remote: Remote::tcp(accepted.remote, id),
                // A connection has one local address; there is nothing to choose.
                local_ip: None,
            },
            stream: accepted.stream,
            partial: accepted.bytes,
            deadline: accepted.deadline,
            ticket: accepted.ticket,
            ready: false,
            read_closed: false,
            dirty: false,
            blocked: false,
            queue: WriteQueue::default(),
        }
    }

    /// Reads into `memory` once. Fewer bytes than fit mean that there were no more, unless the
    /// client has closed its end: then the end is still to be read.
    pub(crate) fn read(&mut self, memory: &mut [u8]) -> ReadOutcome {
        loop {
            return match self.stream.read(memory) {
                Ok(0) => ReadOutcome::Closed,
                Ok(length) if length < memory.len() && !self.read_closed => {
                    ReadOutcome::Drained(length)
                }
                Ok(length) => ReadOutcome::Some(length),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ReadOutcome::Drained(0),
                Err(_) => ReadOutcome::Closed,
            };
        }
    }

    /// The system takes more again.
    pub(crate) fn unblock(&mut self) {
        self.blocked = false;
    }

    /// Queues a datagram; `false` if too much waits already.
    pub(crate) fn push(&mut self, datagram: &[u8]) -> bool {
        self.queue.push(datagram)
    }

    pub(crate) fn has_room(&self, datagram: &[u8]) -> bool {
        self.queue.has_room(datagram)
    }

    /// Writes what waits, as far as the system takes it; how many bytes that was.
    pub(crate) fn write(&mut self) -> io::Result<u64> {
        if self.blocked {
            return Ok(0);
        }
        let Written { bytes, blocked } = self.queue.write_to(&mut self.stream)?;
        self.blocked = blocked;
        Ok(bytes)
    }
}
