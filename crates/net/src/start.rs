//! Opens the sockets, starts the threads, ends them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::{Poll, Waker};
use plenum_types::{MediaEvent, ShardId};

use crate::handle::{Stop, channel};
use crate::link::connect;
use crate::shard_loop::{COMMANDS, SOCKET, Seat, ShardLoop};
use crate::socket::Socket;
use crate::tcp::{Acceptor, AcceptorHandle, Listener, Streams, TcpCounters};
use crate::{Engine, NetConfig, NetError, ShardHandle, TcpStats};

/// How long the threads may take to end, all together. A shard that is busy ends within
/// milliseconds; longer only delays the end of a process in which one hangs.
const STOP_PATIENCE: Duration = Duration::from_secs(2);
/// Pause between two looks at whether they have.
const STOP_POLL: Duration = Duration::from_millis(1);

/// The running media plane. Dropping it ends the threads.
#[derive(Debug)]
pub struct Net {
    handles: Vec<ShardHandle>,
    acceptor: Option<AcceptorHandle>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Net {
    /// One handle per shard, in the order of their ids.
    pub fn shards(&self) -> &[ShardHandle] {
        &self.handles
    }

    /// Where clients without UDP connect, if they can.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        self.acceptor.as_ref().map(AcceptorHandle::local_addr)
    }

    /// What became of TCP connections; all zero without.
    pub fn tcp_stats(&self) -> TcpStats {
        let acceptor = self.acceptor.as_ref();
        acceptor.map_or_else(TcpStats::default, AcceptorHandle::stats)
    }

    /// Ends the threads: each carries out the commands queued before, sends what is due, and is
    /// waited for, but not for ever: a shard that hangs must not keep the process from ending.
    /// Calling it again does nothing.
    pub fn stop(&self) {
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        if threads.is_empty() {
            return;
        }
        if let Some(acceptor) = &self.acceptor {
            acceptor.stop();
        }
        let until = Instant::now() + STOP_PATIENCE;
        let full = |handle: &&ShardHandle| handle.try_stop() == Stop::QueueFull;
        let unasked: Vec<&ShardHandle> = self.handles.iter().filter(full).collect();
        for handle in unasked {
            wait_until(until, || handle.try_stop() == Stop::Asked);
        }
        for thread in threads {
            if !wait_until(until, || thread.is_finished()) {
                tracing::error!("a thread of the media plane hangs and is left behind");
            } else if thread.join().is_err() {
                tracing::error!("a thread of the media plane had panicked");
            }
        }
    }
}

/// Looks again and again until something is so; whether it was in time.
fn wait_until(until: Instant, is_so: impl Fn() -> bool) -> bool {
    while !is_so() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(STOP_POLL);
    }
    true
}

impl Drop for Net {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts threads for engines made by `make`, which is called on the shard's thread. `events` is
/// called there too and must not block.
pub fn start_with<E, F, M>(config: &NetConfig, events: F, make: M) -> Result<Net, NetError>
where
    E: Engine + 'static,
    F: Fn(ShardId, MediaEvent) + Clone + Send + 'static,
    M: Fn(ShardId, Instant) -> E + Clone + Send + 'static,
{
    let mut net = Net {
        handles: Vec::new(),
        acceptor: None,
        threads: Mutex::default(),
    };
    // All sockets before the first thread: a port in use should leave nothing running.
    let sockets = open_sockets(config)?;
    let listener = config
        .tcp_port
        .map(|port| Listener::open(config.bind, port));
    let listener = listener.transpose()?;
    let outcomes = Arc::new(TcpCounters::default());
    let cores = if config.pin { cores() } else { Vec::new() };
    let mut seats = Vec::new();
    for (index, socket) in sockets.into_iter().enumerate() {
        let (handle, seat) = prepare(
            ShardId(index as u16),
            socket,
            Streams::new(Arc::clone(&outcomes)),
        )?;
        net.handles.push(handle);
        seats.push(seat);
    }
    let bells: Vec<_> = net.handles.iter().map(ShardHandle::bell).collect();
    for (index, (seat, links)) in seats.into_iter().zip(connect(&bells)).enumerate() {
        let shard = ShardId(index as u16);
        let core = (!cores.is_empty()).then(|| cores[index % cores.len()]);
        let (make, events) = (make.clone(), events.clone());
        let thread = std::thread::Builder::new()
            .name(shard.to_string())
            .spawn(move || {
                pin(shard, core);
                // However the thread ends, the control plane hears of it.
                let _farewell = Farewell(shard, events.clone());
                let make = || make(shard, Instant::now());
                ShardLoop::new(seat, links, make(), events).run(make);
            })?;
        net.threads
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thread);
    }
    if let Some(listener) = listener {
        let handles = net.handles.clone();
        let (handle, thread) = Acceptor::start(config, listener, handles, outcomes)?;
        net.acceptor = Some(handle);
        let threads = net.threads.get_mut();
        threads.unwrap_or_else(PoisonError::into_inner).push(thread);
    }
    Ok(net)
}

fn open_sockets(config: &NetConfig) -> Result<Vec<Socket>, NetError> {
    if config.shards == 0 {
        return Err(NetError::NoShards);
    }
    let port = |index: u16| match config.first_port {
        0 => Ok(0),
        first => first.checked_add(index).ok_or(NetError::PortRange {
            first_port: first,
            shards: config.shards,
        }),
    };
    (0..config.shards)
        .map(|index| Socket::open(config, port(index)?))
        .collect()
}

/// Tells that the shard has ended when it is dropped.
struct Farewell<F: Fn(ShardId, MediaEvent)>(ShardId, F);

impl<F: Fn(ShardId, MediaEvent)> Drop for Farewell<F> {
    fn drop(&mut self) {
        let Self(shard, events) = self;
        events(*shard, MediaEvent::ShardEnded { begins_anew: false });
    }
}

fn prepare(
    shard: ShardId,
    mut socket: Socket,
    streams: Streams,
) -> Result<(ShardHandle, Seat), NetError> {
    let poll = Poll::new()?;
    socket.register(poll.registry(), SOCKET)?;
    let waker = Waker::new(poll.registry(), COMMANDS)?;
    let (handle, inbox) = channel(shard, socket.local_addr(), waker);
    let seat = Seat {
        shard,
        poll,
        inbox,
        socket,
        streams,
    };
    Ok((handle, seat))
}

fn cores() -> Vec<core_affinity::CoreId> {
    core_affinity::get_core_ids().unwrap_or_default()
}

fn pin(shard: ShardId, core: Option<core_affinity::CoreId>) {
    if let Some(core) = core
        && !core_affinity::set_for_current(core)
    {
        tracing::warn!(%shard, core = core.id, "the thread cannot be pinned to its core");
    }
}
