//! Reads what is sent as the load benchmark reads: one thread looks at all sockets once a
//! millisecond and empties those that have something, with receive offload (UDP GRO). It never
//! sleeps in the kernel's readiness call, so the sender never pays for waking it.

use std::io::{self, IoSliceMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use quinn_udp::{RecvMeta, UdpSockRef};
use std::os::fd::AsRawFd;

use super::socket::Socket;
use super::{Addresses, Plan};

/// Time between looks.
const TICK: Duration = Duration::from_millis(1);
/// Longest train that the kernel coalesces.
const BUFFER_BYTES: usize = 65_536;
/// Time without a datagram after which none is under way.
const QUIET: Duration = Duration::from_millis(30);

#[derive(Default)]
struct Shared {
    received: AtomicU64,
    stop: AtomicBool,
}

/// The receiving side, on its own thread.
pub(super) struct Receivers {
    addresses: Addresses,
    shared: Arc<Shared>,
    thread: JoinHandle<io::Result<()>>,
}

impl Receivers {
    pub(super) fn start(plan: &Plan) -> io::Result<Self> {
        let sockets: Vec<Socket> = (0..plan.sockets)
            .map(|_| Socket::open())
            .collect::<io::Result<_>>()?;
        let addresses = sockets.iter().map(Socket::address);
        let addresses = addresses.collect::<io::Result<_>>()?;
        let shared = Arc::new(Shared::default());
        let (core, shared_there) = (plan.receiver_core, Arc::clone(&shared));
        let run = move || {
            super::pin(core)?;
            read_until_stopped(&sockets, &shared_there)
        };
        let thread = thread::Builder::new()
            .name("receivers".to_owned())
            .spawn(run)?;
        Ok(Self {
            addresses,
            shared,
            thread,
        })
    }

    pub(super) fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    /// Datagrams received so far, once none is under way any more.
    pub(super) fn settled(&self) -> u64 {
        let mut received = self.shared.received.load(Ordering::Acquire);
        loop {
            thread::sleep(QUIET);
            let later = self.shared.received.load(Ordering::Acquire);
            if later == received {
                return received;
            }
            received = later;
        }
    }

    pub(super) fn stop(self) -> io::Result<()> {
        self.shared.stop.store(true, Ordering::Release);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the receiving thread panicked")))
    }
}

fn read_until_stopped(sockets: &[Socket], shared: &Shared) -> io::Result<()> {
    let mut poll = Poll::new()?;
    for (index, socket) in sockets.iter().enumerate() {
        let fd = socket.io.as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&fd), Token(index), Interest::READABLE)?;
    }
    let mut events = Events::with_capacity(sockets.len());
    let mut buffer = vec![0; BUFFER_BYTES];
    while !shared.stop.load(Ordering::Acquire) {
        poll.poll(&mut events, Some(Duration::ZERO))?;
        for event in &events {
            let received = empty(&sockets[event.token().0], &mut buffer)?;
            shared.received.fetch_add(received, Ordering::Release);
        }
        thread::sleep(TICK);
    }
    Ok(())
}

/// Reads all that a socket has; how many datagrams that was.
fn empty(socket: &Socket, buffer: &mut [u8]) -> io::Result<u64> {
    let mut received = 0;
    loop {
        let mut meta = [RecvMeta::default()];
        let mut slices = [IoSliceMut::new(buffer)];
        match socket
            .state
            .recv(UdpSockRef::from(&socket.io), &mut slices, &mut meta)
        {
            Ok(_) => received += meta[0].len.div_ceil(meta[0].stride.max(1)) as u64,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(received),
            Err(error) => return Err(error),
        }
    }
}
