//! The thread that takes TCP connections and finds out whose they are.
//!
//! It holds a connection until the first frame is there, until a deadline, and then hands it to
//! its shard, where the same deadline goes on until a check has been authenticated.
//! What it reads is looked at once, not answered, and never longer than one check.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use plenum_types::ShardId;

use super::admission::Admission;
use super::socket::{Listener, prepare};
use super::undecided::{Accepted, Verdict};
use super::{TcpCounters, TcpRefusal, TcpStats};
use crate::address::canonical;
use crate::{NetConfig, ShardHandle};

const LISTENER: Token = Token(0);
const STOP: Token = Token(1);
const FIRST_CONNECTION: usize = 2;

/// Connections accepted per wake-up, before those that are there already have their turn.
const ACCEPTS_PER_WAKE_UP: usize = 64;

/// How long to leave the listening socket alone after the system refused a connection, for example
/// because the process has as many files open as it may.
const PAUSE: Duration = Duration::from_millis(100);

/// The running thread.
#[derive(Debug)]
pub(crate) struct AcceptorHandle {
    local_addr: SocketAddr,
    counters: Arc<TcpCounters>,
    waker: Waker,
    stopping: Arc<AtomicBool>,
}

impl AcceptorHandle {
    /// Where clients connect.
    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    pub(crate) fn stats(&self) -> TcpStats {
        self.counters.read()
    }

    /// Asks the thread to end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "the thread that accepts TCP connections cannot be woken");
        }
    }
}

/// What the thread owns.
pub(crate) struct Acceptor {
    poll: Poll,
    listener: Listener,
    /// By token, which grows: in the order of their deadlines.
    undecided: BTreeMap<usize, Accepted>,
    next_token: usize,
    admission: Admission,
    /// How long a connection may take to show a valid check.
    patience: Duration,
    shards: Vec<ShardHandle>,
    counters: Arc<TcpCounters>,
    stopping: Arc<AtomicBool>,
    /// When to accept again although nothing has been reported.
    retry: Option<Instant>,
}

impl Acceptor {
    /// Starts the thread.
    pub(crate) fn start(
        config: &NetConfig,
        mut listener: Listener,
        shards: Vec<ShardHandle>,
        counters: Arc<TcpCounters>,
    ) -> io::Result<(AcceptorHandle, JoinHandle<()>)> {
        let poll = Poll::new()?;
        let interest = Interest::READABLE;
        listener.io.register(poll.registry(), LISTENER, interest)?;
        let stopping = Arc::new(AtomicBool::new(false));
        let handle = AcceptorHandle {
            local_addr: listener.local_addr,
            counters: Arc::clone(&counters),
            waker: Waker::new(poll.registry(), STOP)?,
            stopping: Arc::clone(&stopping),
        };
        let acceptor = Self {
            poll,
            listener,
            undecided: BTreeMap::new(),
            next_token: FIRST_CONNECTION,
            admission: Admission::new(config.tcp_connections),
            patience: config.tcp_patience,
            shards,
            counters,
            stopping,
            retry: None,
        };
        let thread = std::thread::Builder::new()
            .name("tcp-accept".to_owned())
            .spawn(move || acceptor.run())?;
        Ok((handle, thread))
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(ACCEPTS_PER_WAKE_UP);
        while !self.stopping.load(Ordering::SeqCst) {
            match self.poll.poll(&mut events, self.timeout()) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(%error, "waiting for TCP connections failed, no more are taken");
                    return;
                }
            }
            let now = Instant::now();
            let mut acceptable = self.retry.is_some_and(|due| due <= now);
            for event in &events {
                match event.token() {
                    LISTENER => acceptable = true,
                    STOP => {}
                    Token(token) => self.read(token),
                }
            }
            self.expire(now);
            if acceptable {
                self.accept(now);
            }
        }
    }

    /// How long there is nothing to do.
    fn timeout(&self) -> Option<Duration> {
        let first = self.undecided.first_key_value();
        let deadline = first.map(|(_, connection)| connection.deadline);
        let due = [deadline, self.retry].into_iter().flatten().min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    fn accept(&mut self, now: Instant) {
        self.retry = None;
        for _ in 0..ACCEPTS_PER_WAKE_UP {
            match self.listener.io.accept() {
                Ok((stream, remote)) => self.take(now, stream, canonical(remote)),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return,
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => {
                        let number = self.counters.count_refused(TcpRefusal::System);
                        // It is tried again and again: a line for the first, second, fourth, ...
                        if number.is_power_of_two() {
                            tracing::warn!(%error, number, "the system refuses TCP connections for media");
                        }
                        self.retry = Some(now + PAUSE);
                        return;
                    }
                },
            }
        }
        self.retry = Some(now);
    }

    /// Registers a connection. Most bring their check with them or shortly after.
    fn take(&mut self, now: Instant, mut stream: TcpStream, remote: SocketAddr) {
        self.counters.count_accepted();
        let ticket = match self.admission.admit(remote.ip()) {
            Ok(ticket) => ticket,
            Err(reason) => return self.refuse(remote, reason),
        };
        let token = self.next_token;
        let interest = Interest::READABLE;
        let registered = prepare(&stream)
            .and_then(|()| stream.register(self.poll.registry(), Token(token), interest));
        if let Err(error) = registered {
            tracing::debug!(%remote, %error, "a TCP connection cannot be set up");
            return self.refuse(remote, TcpRefusal::System);
        }
        self.next_token += 1;
        let connection = Accepted::new(stream, remote, now + self.patience, ticket);
        self.undecided.insert(token, connection);
        self.read(token);
    }

    fn read(&mut self, token: usize) {
        let Some(connection) = self.undecided.get_mut(&token) else {
            return;
        };
        let verdict = connection.read();
        if verdict == Verdict::Wait {
            return;
        }
        let Some(connection) = self.undecided.remove(&token) else {
            return;
        };
        match verdict {
            Verdict::Wait => {}
            Verdict::Shard(shard) => self.hand_over(shard, connection),
            Verdict::Refused(reason) => self.refuse(connection.remote, reason),
        }
    }

    fn hand_over(&self, shard: ShardId, mut connection: Accepted) {
        let remote = connection.remote;
        let Some(handle) = self.shards.get(usize::from(shard.0)) else {
            return self.refuse(remote, TcpRefusal::NotStun);
        };
        if let Err(error) = connection.stream.deregister(self.poll.registry()) {
            tracing::debug!(%remote, %error, "a TCP connection cannot be handed over");
            return self.refuse(remote, TcpRefusal::System);
        }
        if handle.hand_over(connection).is_err() {
            self.refuse(remote, TcpRefusal::ShardBusy);
        }
    }

    /// Closes those that have said nothing for too long.
    fn expire(&mut self, now: Instant) {
        while let Some(first) = self.undecided.first_entry()
            && first.get().deadline <= now
        {
            let remote = first.remove().remote;
            self.refuse(remote, TcpRefusal::NoValidCheck);
        }
    }

    fn refuse(&self, remote: SocketAddr, reason: TcpRefusal) {
        tracing::debug!(%remote, reason = reason.as_str(), "TCP connection refused");
        self.counters.count_refused(reason);
    }
}
