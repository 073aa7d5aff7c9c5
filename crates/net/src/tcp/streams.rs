//! The TCP connections of a shard.
//!
//! What the engine writes to them waits until the end of the wake-up, so that a client costs one
//! system call however many datagrams it gets. What comes from them is read into one buffer, from
//! one connection after the other, in turns.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::{Event, Source};
use mio::{Interest, Registry, Token};
use plenum_types::{ConnectionId, Remote};

use super::buffer::StreamBuffer;
use super::connection::{Connection, ReadOutcome};
use super::undecided::Accepted;
use super::{TcpCounters, TcpRefusal};

/// How often connections are looked at: whether their peers are there and their checks have come.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Tokens below are the loop's own.
const FIRST_CONNECTION: u32 = 16;

/// What a shard counted of its connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamCounters {
    pub(crate) connections: usize,
    pub(crate) datagrams_in: u64,
    pub(crate) bytes_in: u64,
    pub(crate) datagrams_out: u64,
    pub(crate) bytes_out: u64,
    /// Datagrams dropped because too much waited.
    pub(crate) full: u64,
}

/// All connections of a shard.
pub(crate) struct Streams {
    connections: BTreeMap<ConnectionId, Connection>,
    last_id: u32,
    /// Those that may have something to read.
    ready: VecDeque<ConnectionId>,
    /// Those that have something to write.
    dirty: Vec<ConnectionId>,
    /// Those that are closed, and of which the engine does not know yet.
    closed: Vec<Remote>,
    next_sweep: Option<Instant>,
    counters: StreamCounters,
    outcomes: Arc<TcpCounters>,
}

impl Streams {
    pub(crate) fn new(outcomes: Arc<TcpCounters>) -> Self {
        Self {
            connections: BTreeMap::new(),
            last_id: FIRST_CONNECTION - 1,
            ready: VecDeque::new(),
            dirty: Vec::new(),
            closed: Vec::new(),
            next_sweep: None,
            counters: StreamCounters::default(),
            outcomes,
        }
    }

    pub(crate) fn counters(&self) -> StreamCounters {
        StreamCounters {
            connections: self.connections.len(),
            ..self.counters
        }
    }

    /// Datagrams dropped since the last call because too much waited.
    pub(crate) const fn take_full(&mut self) -> u64 {
        std::mem::replace(&mut self.counters.full, 0)
    }

    /// Takes over a connection from the acceptor.
    pub(crate) fn admit(&mut self, now: Instant, registry: &Registry, mut accepted: Accepted) {
        let id = self.next_id();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let token = Token(id.0.get() as usize);
        if let Err(error) = accepted.stream.register(registry, token, interest) {
            tracing::debug!(remote = %accepted.remote, %error, "a TCP connection cannot be watched");
            self.outcomes.count_refused(TcpRefusal::System);
            return;
        }
        let mut connection = Connection::new(id, accepted);
        connection.ready = true;
        self.ready.push_back(id);
        self.connections.insert(id, connection);
        self.next_sweep.get_or_insert(now + SWEEP_INTERVAL);
    }

    /// Names are not used twice, until four billion connections have been.
    fn next_id(&mut self) -> ConnectionId {
        loop {
            self.last_id = self.last_id.wrapping_add(1).max(FIRST_CONNECTION);
            let id = NonZero::new(self.last_id).map(ConnectionId);
            if let Some(id) = id.filter(|id| !self.connections.contains_key(id)) {
                return id;
            }
        }
    }

    /// The poll reports something about a connection.
    pub(crate) fn on_event(&mut self, event: &Event) {
        let id = u32::try_from(event.token().0).ok().and_then(NonZero::new);
        let Some(id) = id.map(ConnectionId) else {
            return;
        };
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if event.is_writable() {
            connection.unblock();
            mark(&mut connection.dirty, &mut self.dirty, id);
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            connection.read_closed |= event.is_read_closed() || event.is_error();
            if !connection.ready {
                connection.ready = true;
                self.ready.push_back(id);
            }
        }
    }

    /// Reads once from the connection whose turn it is; `false` if none has anything to read.
    /// Call when `buffer` holds no whole frame any more.
    pub(crate) fn read(&mut self, buffer: &mut StreamBuffer) -> bool {
        self.put_back(buffer);
        let Some(id) = self.ready.pop_front() else {
            return false;
        };
        let Some(connection) = self.connections.get_mut(&id) else {
            return true;
        };
        buffer.begin(id, connection);
        match connection.read(buffer.room()) {
            ReadOutcome::Some(length) => {
                self.ready.push_back(id);
                self.on_read(buffer, length);
            }
            ReadOutcome::Drained(length) => {
                connection.ready = false;
                self.on_read(buffer, length);
            }
            ReadOutcome::Closed => {
                // What came before counts; a frame that was cut off does not.
                connection.ready = false;
                if !connection.ticket.is_proven() {
                    self.outcomes.count_refused(TcpRefusal::ClosedEarly);
                }
                buffer.clear();
                self.close(id);
            }
        }
        true
    }

    fn on_read(&mut self, buffer: &mut StreamBuffer, length: usize) {
        buffer.fill(length);
        self.counters.bytes_in += length as u64;
    }

    /// Keeps the part of a frame that `buffer` still holds until the rest comes.
    fn put_back(&mut self, buffer: &mut StreamBuffer) {
        if let Some((id, rest)) = buffer.rest()
            && let Some(connection) = self.connections.get_mut(&id)
        {
            connection.partial.extend_from_slice(rest);
        }
        buffer.clear();
    }

    pub(crate) fn count_in(&mut self) {
        self.counters.datagrams_in += 1;
    }

    /// A check on the connection has been authenticated.
    pub(crate) fn prove(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.ticket.prove();
        }
    }

    /// Ends a connection that nobody could read on.
    pub(crate) fn refuse(&mut self, id: ConnectionId, reason: TcpRefusal) {
        self.outcomes.count_refused(reason);
        self.close(id);
    }

    fn close(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.remove(&id) {
            let remote = connection.path.remote;
            tracing::debug!(%remote, "TCP connection closed");
            self.closed.push(remote);
        }
    }

    /// A connection that is closed, of which the engine is to be told.
    pub(crate) fn poll_closed(&mut self) -> Option<Remote> {
        self.closed.pop()
    }

    /// Whether some are closed of which the engine does not know yet.
    pub(crate) const fn has_closed(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Queues datagrams of `segment` bytes (the last may be shorter), or one, to a connection;
    /// `false` if it is closed.
    pub(crate) fn send(&mut self, id: ConnectionId, bytes: &[u8], segment: Option<usize>) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else {
            return false;
        };
        mark(&mut connection.dirty, &mut self.dirty, id);
        for datagram in bytes.chunks(segment.unwrap_or(bytes.len()).max(1)) {
            if !connection.has_room(datagram) {
                match connection.write() {
                    Ok(written) => self.counters.bytes_out += written,
                    Err(_) => {
                        self.close(id);
                        return false;
                    }
                }
            }
            if connection.push(datagram) {
                self.counters.datagrams_out += 1;
            } else {
                self.counters.full += 1;
            }
        }
        true
    }

    /// Writes what waits, as far as the system takes it.
    pub(crate) fn flush(&mut self) {
        while let Some(id) = self.dirty.pop() {
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            connection.dirty = false;
            match connection.write() {
                Ok(written) => self.counters.bytes_out += written,
                Err(_) => self.close(id),
            }
        }
    }

    /// When [`sweep`](Self::sweep) is due.
    pub(crate) const fn next_sweep(&self) -> Option<Instant> {
        self.next_sweep
    }

    /// Closes connections on which no valid check came in time, and those that are no path of a
    /// peer any more: it is gone, or has not used them for long.
    pub(crate) fn sweep(&mut self, now: Instant, is_proven: impl Fn(Remote) -> bool) {
        let mut over = Vec::new();
        for (id, connection) in &mut self.connections {
            if is_proven(connection.path.remote) {
                connection.ticket.prove();
            } else if connection.ticket.is_proven() {
                over.push((*id, None));
            } else if connection.deadline <= now {
                over.push((*id, Some(TcpRefusal::NoValidCheck)));
            }
        }
        for (id, refusal) in over {
            match refusal {
                Some(reason) => self.refuse(id, reason),
                None => self.close(id),
            }
        }
        self.next_sweep = (!self.connections.is_empty()).then(|| now + SWEEP_INTERVAL);
    }
}

fn mark(flag: &mut bool, list: &mut Vec<ConnectionId>, id: ConnectionId) {
    if !*flag {
        *flag = true;
        list.push(id);
    }
}
