//! The loop of a shard's thread: sleep, read the clock once, then the stages in order: commands,
//! datagrams, those of TCP connections, timers, flush, send, events.
//!
//! Every stage is bounded, so that none starves the others; what is left over makes the next
//! sleep end at once.

mod anew;

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use plenum_types::{DropReason, MediaEvent, ShardId};

use crate::Engine;
use crate::batch::{Batch, RunSink};
use crate::counters::NetCounters;
use crate::handle::{Inbox, Message};
use crate::link::LinkEnds;
use crate::receive::{BUFFER_BYTES, ReceiveBuffers, Received};
use crate::send::SocketSink;
use crate::socket::Socket;
use crate::tcp::{Next, StreamBuffer, Streams, TcpRefusal};

/// The socket can be read.
pub(crate) const SOCKET: Token = Token(0);
/// A command was queued.
pub(crate) const COMMANDS: Token = Token(1);

/// Commands carried out per wake-up. At a few microseconds each, about a millisecond during which
/// no media is forwarded.
const COMMANDS_PER_WAKE_UP: usize = 256;

/// Datagrams handled per wake-up, in and out together: two milliseconds of work or three. More
/// would let timers (feedback, NACKs) wait for longer under load, however few packets it takes to
/// cause the work; fewer would look at timers and commands more often than they change. Checked
/// after each datagram, so exceeded by what one of them makes at most.
const WORK_PER_WAKE_UP: usize = 2_048;

/// Messages of each kind taken from each other shard per wake-up. More lets datagrams and timers
/// wait for longer; fewer would let a ring fill up while its reader is awake.
const LINK_MESSAGES_PER_WAKE_UP: usize = 256;

/// Events passed on per wake-up. A shard makes a few per command and per second.
const EVENTS_PER_WAKE_UP: usize = 1_024;

/// Reports of the poll per sleep: those of connections that do not fit come at the next one.
const EVENTS: usize = 256;

/// How long to leave a socket alone that fails to be read for no known reason.
const RETRY: Duration = Duration::from_millis(10);

/// What is known about unread datagrams. The poll reports changes only, so this has to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    /// There were none when last looked.
    Drained,
    /// There may be some.
    Readable,
    /// Reading failed; try again in a while.
    Failed,
}

/// What a shard's thread is given.
pub(crate) struct Seat {
    pub(crate) shard: ShardId,
    pub(crate) poll: Poll,
    pub(crate) inbox: Inbox,
    pub(crate) socket: Socket,
    /// Without connections yet.
    pub(crate) streams: Streams,
}

/// Everything that a shard's thread owns.
pub(crate) struct ShardLoop<E, F> {
    shard: ShardId,
    poll: Poll,
    wake_ups: Events,
    inbox: Inbox,
    socket: Rc<Socket>,
    links: LinkEnds,
    buffers: ReceiveBuffers,
    stream_buffer: StreamBuffer,
    batch: Batch<SocketSink>,
    engine: E,
    events: F,
    counters: NetCounters,
    readiness: Readiness,
    /// Whether commands or events were left over.
    left_over: bool,
    stopping: bool,
    /// The shard has begun anew, and the control plane does not know: when to tell it again.
    awaits_start: Option<Instant>,
}

impl<E: Engine, F: Fn(ShardId, MediaEvent)> ShardLoop<E, F> {
    /// A loop over what the poll of `seat` already watches.
    pub(crate) fn new(seat: Seat, links: LinkEnds, engine: E, events: F) -> Self {
        let socket = Rc::new(seat.socket);
        let sink = SocketSink::new(Rc::clone(&socket), seat.streams);
        Self {
            shard: seat.shard,
            poll: seat.poll,
            wake_ups: Events::with_capacity(EVENTS),
            inbox: seat.inbox,
            buffers: ReceiveBuffers::new(BUFFER_BYTES),
            stream_buffer: StreamBuffer::new(),
            batch: Batch::new(sink),
            socket,
            links,
            engine,
            events,
            counters: NetCounters::default(),
            readiness: Readiness::Readable,
            left_over: false,
            stopping: false,
            awaits_start: None,
        }
    }

    /// Until told to stop.
    fn run_engine(&mut self) -> io::Result<()> {
        while !self.stopping {
            self.sleep()?;
            let now = Instant::now();
            self.left_over = false;
            self.handle_commands(now);
            self.handle_links(now);
            self.receive(now);
            self.receive_streams(now);
            // Others can begin while this shard encrypts and sends.
            self.links.ring();
            self.handle_timeout(now);
            self.send(now);
            self.links.ring();
            let spent = now.elapsed();
            self.engine.on_sent(now, spent);
            let told = self.pass_events();
            self.counters.busy += if told { now.elapsed() } else { spent };
            if self.awaits_start.is_some_and(|again| again <= now) {
                self.tell_beginning(now);
            }
        }
        Ok(())
    }

    fn sleep(&mut self) -> io::Result<()> {
        let timeout = self.timeout();
        match self.poll.poll(&mut self.wake_ups, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        let mut readable = false;
        for event in &self.wake_ups {
            match event.token() {
                SOCKET => readable = true,
                COMMANDS => {}
                _ => self.batch.sink().streams().on_event(event),
            }
        }
        if readable || self.readiness == Readiness::Failed {
            self.readiness = Readiness::Readable;
        }
        Ok(())
    }

    /// How long there is nothing to do; `None` for as long as nothing comes.
    fn timeout(&mut self) -> Option<Duration> {
        if self.left_over || self.readiness == Readiness::Readable {
            return Some(Duration::ZERO);
        }
        let sweep = self.batch.sink().streams().next_sweep();
        let due = [self.engine.poll_timeout(), sweep, self.awaits_start];
        let due = due.into_iter().flatten();
        let timer = due
            .min()
            .map(|due| due.saturating_duration_since(Instant::now()));
        match self.readiness {
            Readiness::Failed => Some(timer.map_or(RETRY, |timer| timer.min(RETRY))),
            Readiness::Drained | Readiness::Readable => timer,
        }
    }

    fn handle_commands(&mut self, now: Instant) {
        self.inbox.arm();
        for _ in 0..COMMANDS_PER_WAKE_UP {
            match self.inbox.poll() {
                Some(Message::Command(command)) => {
                    if self.is_for_engine(&command) {
                        self.engine.handle_command(now, command);
                    }
                }
                Some(Message::Connection(connection)) => {
                    let streams = self.batch.sink().streams();
                    streams.admit(now, self.poll.registry(), *connection);
                }
                Some(Message::Stop) => {
                    self.stopping = true;
                    return;
                }
                None => return,
            }
        }
        self.left_over = true;
    }

    /// Takes what other shards have handed over.
    fn handle_links(&mut self, now: Instant) {
        let Self {
            links,
            engine,
            batch,
            ..
        } = self;
        let left_over = links.visit(LINK_MESSAGES_PER_WAKE_UP, |from, message| {
            engine.handle_link(now, from, message, batch);
        });
        self.left_over |= left_over;
    }

    fn receive(&mut self, now: Instant) {
        let mut work = 0;
        while work < WORK_PER_WAKE_UP {
            match self.buffers.poll() {
                Some(Received::Datagram(path, datagram)) => {
                    self.engine.handle_datagram(
                        now,
                        path,
                        datagram,
                        &mut self.batch,
                        &mut self.links,
                    );
                    work += 1 + self.batch.take_written();
                }
                Some(Received::Dropped(reason)) => {
                    self.engine.count_drop(reason, 1);
                    work += 1;
                }
                None if self.readiness == Readiness::Readable => self.read(),
                None => return,
            }
        }
        self.left_over = true;
    }

    /// Reads what waits at the socket.
    fn read(&mut self) {
        self.readiness = match self.buffers.fill(&self.socket) {
            Ok(true) => Readiness::Readable,
            Ok(false) => Readiness::Drained,
            Err(error) => {
                self.counters.read_failures += 1;
                let number = self.counters.read_failures;
                // It is tried again a hundred times a second: a line for the first, second, fourth, ...
                if number.is_power_of_two() {
                    tracing::warn!(shard = %self.shard, %error, number, "reading the socket failed");
                }
                Readiness::Failed
            }
        };
        self.counters.batches += u64::from(!self.buffers.is_empty());
    }

    /// Takes what has come over TCP connections, one after the other.
    fn receive_streams(&mut self, now: Instant) {
        let mut work = 0;
        loop {
            self.forget_closed(now);
            if work >= WORK_PER_WAKE_UP {
                self.left_over = true;
                return;
            }
            match self.stream_buffer.poll() {
                Next::Datagram {
                    id,
                    path,
                    unproven,
                    bytes,
                } => {
                    self.engine
                        .handle_datagram(now, path, bytes, &mut self.batch, &mut self.links);
                    work += 1 + self.batch.take_written();
                    let streams = self.batch.sink().streams();
                    streams.count_in();
                    if unproven && self.engine.is_proven(path.remote) {
                        streams.prove(id);
                    }
                }
                Next::Broken(id) => {
                    let streams = self.batch.sink().streams();
                    streams.refuse(id, TcpRefusal::FrameTooLong);
                }
                Next::Nothing => {
                    if !self.batch.sink().streams().read(&mut self.stream_buffer) {
                        return self.forget_closed(now);
                    }
                }
            }
        }
    }

    /// Tells the engine of connections that are closed, before anything else of them is handled.
    fn forget_closed(&mut self, now: Instant) {
        while let Some(remote) = self.batch.sink().streams().poll_closed() {
            self.stream_buffer.forget(remote);
            self.engine.handle_disconnect(now, remote);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        let streams = self.batch.sink().streams();
        if streams.next_sweep().is_some_and(|due| due <= now) {
            let engine = &self.engine;
            streams.sweep(now, |remote| engine.is_proven(remote));
            self.forget_closed(now);
        }
        if self.engine.poll_timeout().is_some_and(|due| due <= now) {
            self.engine.handle_timeout(now, &mut self.batch);
        }
    }

    fn send(&mut self, now: Instant) {
        self.engine.flush(now, &mut self.batch, &mut self.links);
        self.batch.send();
        let sink = self.batch.sink();
        sink.streams().flush();
        // The engine hears of connections that broke at the next wake-up.
        self.left_over |= sink.streams().has_closed();
        let full = sink.streams().take_full();
        if full > 0 {
            self.engine.count_drop(DropReason::StreamFull, full);
        }
        let (busy, failed) = sink.take_refused();
        if busy > 0 {
            self.engine.count_drop(DropReason::SendBusy, busy);
        }
        if failed > 0 {
            self.engine.count_drop(DropReason::SendFailed, failed);
        }
    }

    /// Whether there were any.
    fn pass_events(&mut self) -> bool {
        for passed in 0..EVENTS_PER_WAKE_UP {
            let Some(mut event) = self.engine.poll_event() else {
                return passed > 0;
            };
            self.counters.sent = self.batch.sink().counters();
            self.counters.streams = self.batch.sink().streams().counters();
            self.counters.segments_max = (
                self.batch.sink().max_segments(),
                self.socket.receive_segments_max(),
            );
            self.counters.link_depth = self.links.depth();
            self.counters.complete(&mut event);
            (self.events)(self.shard, event);
        }
        self.left_over = true;
        true
    }
}
