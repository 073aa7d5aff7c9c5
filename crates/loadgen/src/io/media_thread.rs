//! One thread that owns many clients: sockets, state and timers, without locks.
//!
//! It looks at its sockets once a tick instead of sleeping until one is ready: a thread that is
//! woken for each datagram makes the sender pay for the wake-up, and what is measured is the
//! sender. The kernel's time of arrival keeps the latency exact all the same.

use std::io;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::unistd::Pid;
use plenum_types::SrtpProfile;
use tokio::sync::mpsc::UnboundedSender;

use super::socket::{ReceiveBuffer, Socket};
use super::timers::Timers;
use super::usage::thread_cpu;
use crate::client::{Client, ClientEvent, ClientPlan, Clock, Context, Identity, Outbox, Tally};
use crate::measure::{Counters, CpuTime, Histogram, JoinTimes};

/// Between two looks at the sockets.
const TICK: Duration = Duration::from_millis(1);
/// Longest look, after which timers have their turn.
const RECEIVE_MAX: Duration = Duration::from_millis(5);
/// Sockets told of in one system call.
const EVENTS: usize = 512;
/// Commands taken in one tick, so that a crowd that joins does not keep media waiting.
const COMMANDS_MAX: usize = 8;

/// Names a client, over all threads.
pub(crate) type ClientId = usize;

/// What a media thread is told.
pub(crate) enum Command {
    /// Take care of a client.
    Add {
        id: ClientId,
        plan: Box<ClientPlan>,
        socket: Socket,
    },
    /// The server says whether it forwards anything to a slot of a client.
    Flowing {
        id: ClientId,
        mid: String,
        flowing: bool,
    },
    /// Forget a client.
    Remove { id: ClientId },
    /// Say what has been counted.
    Snapshot,
    /// End.
    Stop,
}

/// What has been counted by one thread.
#[derive(Clone, Debug)]
pub(crate) struct ThreadSnapshot {
    /// Since the thread began.
    pub(crate) counters: Counters,
    /// Since the snapshot before.
    pub(crate) latency: Histogram,
    /// Since the thread began.
    pub(crate) cpu: CpuTime,
}

/// What a media thread tells.
pub(crate) enum MediaEvent {
    /// A client has keys.
    Connected { profile: SrtpProfile },
    /// A client did not get that far.
    Failed { id: ClientId, reason: String },
    /// A client lost the server.
    Lost { id: ClientId, reason: String },
    /// How the join of a client went that is not there any more.
    Gone { times: JoinTimes },
    /// Answer to [`Command::Snapshot`].
    Snapshot {
        thread: usize,
        snapshot: Box<ThreadSnapshot>,
    },
}

struct Member {
    id: ClientId,
    client: Client,
    socket: Socket,
}

/// One thread's clients.
pub(crate) struct MediaThread {
    index: usize,
    clock: Clock,
    identity: Identity,
    commands: Receiver<Command>,
    events: UnboundedSender<MediaEvent>,
    epoll: Epoll,
    members: Vec<Option<Member>>,
    /// Places of `members` that are free.
    free: Vec<usize>,
    /// Places by client.
    places: std::collections::HashMap<ClientId, usize>,
    timers: Timers,
    buffer: ReceiveBuffer,
    outbox: Outbox,
    tally: Tally,
}

impl MediaThread {
    /// A thread's worth of clients, none yet.
    pub(crate) fn new(
        index: usize,
        clock: Clock,
        identity: Identity,
        sample_every: u16,
        commands: Receiver<Command>,
        events: UnboundedSender<MediaEvent>,
    ) -> io::Result<Self> {
        Ok(Self {
            index,
            clock,
            identity,
            commands,
            events,
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            members: Vec::new(),
            free: Vec::new(),
            places: std::collections::HashMap::new(),
            timers: Timers::default(),
            buffer: ReceiveBuffer::new(),
            outbox: Outbox::default(),
            tally: Tally::new(sample_every),
        })
    }

    /// Runs until told to stop, on the core `pin` if there is one.
    pub(crate) fn run(mut self, pin: Option<usize>) {
        if let Some(core) = pin
            && let Err(error) = pin_to(core)
        {
            tracing::warn!(core, %error, "the media thread could not be pinned");
        }
        let mut next = Instant::now();
        while self.tick() {
            next += TICK;
            let now = Instant::now();
            if next > now {
                std::thread::sleep(next - now);
            } else {
                next = now;
            }
        }
        for place in 0..self.members.len() {
            self.remove(place);
        }
    }

    /// One look at everything; whether to go on.
    fn tick(&mut self) -> bool {
        let goes_on = self.take_commands();
        self.receive();
        self.handle_timeouts();
        goes_on
    }

    fn take_commands(&mut self) -> bool {
        for _ in 0..COMMANDS_MAX {
            match self.commands.try_recv() {
                Ok(Command::Add { id, plan, socket }) => self.add(id, *plan, socket),
                Ok(Command::Flowing { id, mid, flowing }) => {
                    let now = Instant::now();
                    if let Some(member) = self.member(id) {
                        member.client.set_flowing(now, &mid, flowing);
                    }
                }
                Ok(Command::Remove { id }) => {
                    if let Some(place) = self.places.remove(&id) {
                        self.remove(place);
                    }
                }
                Ok(Command::Snapshot) => self.tell_snapshot(),
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => return true,
            }
        }
        true
    }

    fn member(&mut self, id: ClientId) -> Option<&mut Member> {
        let place = *self.places.get(&id)?;
        self.members.get_mut(place)?.as_mut()
    }

    fn tell_snapshot(&mut self) {
        let snapshot = Box::new(ThreadSnapshot {
            counters: self.tally.counters,
            latency: self.tally.latency.take(),
            cpu: thread_cpu(),
        });
        self.tell(MediaEvent::Snapshot {
            thread: self.index,
            snapshot,
        });
    }

    fn tell(&self, event: MediaEvent) {
        // If nobody listens any more, the run is over.
        let _ = self.events.send(event);
    }

    fn add(&mut self, id: ClientId, plan: ClientPlan, socket: Socket) {
        let now = Instant::now();
        let place = self.free.pop().unwrap_or(self.members.len());
        let event = EpollEvent::new(EpollFlags::EPOLLIN, place as u64);
        if let Err(error) = self.epoll.add(socket.fd(), event) {
            self.free.push(place);
            let reason = format!("its socket cannot be watched: {error}");
            return self.tell(MediaEvent::Failed { id, reason });
        }
        let member = Member {
            id,
            client: Client::new(now, plan),
            socket,
        };
        self.timers.schedule(place, member.client.poll_timeout());
        self.places.insert(id, place);
        if place == self.members.len() {
            self.members.push(Some(member));
        } else {
            self.members[place] = Some(member);
        }
    }

    fn remove(&mut self, place: usize) {
        if let Some(member) = self.members[place].take() {
            let _ = self.epoll.delete(member.socket.fd());
            self.timers.cancel(place);
            self.free.push(place);
            self.tell(MediaEvent::Gone {
                times: *member.client.times(),
            });
        }
    }

    fn receive(&mut self) {
        let begin = Instant::now();
        let mut now = begin;
        let mut events = [EpollEvent::empty(); EVENTS];
        while now.duration_since(begin) < RECEIVE_MAX {
            let ready = self
                .epoll
                .wait(&mut events, EpollTimeout::ZERO)
                .unwrap_or(0);
            if ready == 0 {
                return;
            }
            for event in &events[..ready] {
                self.receive_from(now, event.data() as usize);
            }
            now = Instant::now();
        }
    }

    /// Reads one train. If there are more, the socket is ready again in the next round.
    fn receive_from(&mut self, now: Instant, place: usize) {
        let Some(Some(member)) = self.members.get_mut(place) else {
            return;
        };
        // An error is one that an earlier send brought back, such as a closed port; it is gone
        // with this call.
        let Ok(train) = member.socket.receive(&mut self.buffer) else {
            return;
        };
        let wall_us = train.wall_us.unwrap_or_else(|| self.clock.wall_us());
        let mut context = Context {
            now,
            clock: &self.clock,
            identity: &self.identity,
            outbox: &mut self.outbox,
            tally: &mut self.tally,
        };
        let mut happened = None;
        let bytes = &mut self.buffer.bytes[..train.length];
        for datagram in bytes.chunks_mut(train.stride.max(1)) {
            let event = member
                .client
                .handle_datagram(&mut context, train.from, wall_us, datagram);
            happened = happened.or(event);
        }
        self.after(place, happened);
    }

    fn handle_timeouts(&mut self) {
        let now = Instant::now();
        while let Some(place) = self.timers.pop(now) {
            let Some(Some(member)) = self.members.get_mut(place) else {
                continue;
            };
            let mut context = Context {
                now,
                clock: &self.clock,
                identity: &self.identity,
                outbox: &mut self.outbox,
                tally: &mut self.tally,
            };
            let happened = member.client.handle_timeout(&mut context);
            self.after(place, happened);
        }
    }

    /// Sends what the client wants sent, tells what happened, and plans its next turn.
    fn after(&mut self, place: usize, happened: Option<ClientEvent>) {
        let Some(Some(member)) = self.members.get_mut(place) else {
            return;
        };
        if !self.outbox.is_empty() {
            if let Some(server) = member.client.server() {
                member.socket.connect(server);
            }
            self.tally.counters.send_failures += member.socket.send(&self.outbox);
            self.outbox.clear();
        }
        self.timers.schedule(place, member.client.poll_timeout());
        let id = member.id;
        match happened {
            None => {}
            Some(ClientEvent::Connected(profile)) => {
                self.tally.counters.clients_connected += 1;
                self.tell(MediaEvent::Connected { profile });
            }
            Some(ClientEvent::Failed(reason)) => {
                self.tally.counters.clients_failed += 1;
                self.tell(MediaEvent::Failed { id, reason });
            }
            Some(ClientEvent::Lost(reason)) => {
                self.tally.counters.clients_lost += 1;
                self.tell(MediaEvent::Lost { id, reason });
            }
        }
    }
}

fn pin_to(core: usize) -> nix::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &cores)
}
