//! One client's UDP socket: several datagrams of one sender in one buffer (UDP GRO), several of
//! one size to one address in one call (UDP GSO), and the kernel's time of arrival, so that
//! latency does not depend on when the client looks.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};

use crate::client::Outbox;

/// Receive buffer: a second of a few Mbit/s, so that only a client that is stuck drops.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1_024 * 1_024;
/// The largest a GRO train can be.
pub(super) const TRAIN_BYTES: usize = 65_536;

/// The kernel refused segmentation offload once: runs are sent one by one from then on.
static NO_OFFLOAD: AtomicBool = AtomicBool::new(false);

/// A non-blocking UDP socket on a port of its own.
pub(crate) struct Socket {
    socket: UdpSocket,
    server: Option<SocketAddr>,
}

/// One receive call: datagrams of one sender, all but the last of the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Train {
    pub(super) from: SocketAddr,
    pub(super) length: usize,
    /// Size of the datagrams.
    pub(super) stride: usize,
    /// When it came, by the wall clock; `None` if the kernel does not tell.
    pub(super) wall_us: Option<u64>,
}

/// Buffers for receive calls, shared by all sockets of a thread.
pub(super) struct ReceiveBuffer {
    pub(super) bytes: Box<[u8]>,
    control: Vec<u8>,
}

impl ReceiveBuffer {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; TRAIN_BYTES].into_boxed_slice(),
            control: nix::cmsg_space!(i32, nix::sys::time::TimeSpec),
        }
    }
}

impl Socket {
    /// Opens a socket that reaches addresses of the family of `towards`.
    pub(crate) fn open(towards: SocketAddr) -> io::Result<Self> {
        let any: IpAddr = match towards {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        // Old kernels lack it; then every datagram is a train of one.
        let _ = setsockopt(&socket, sockopt::UdpGroSegment, &true);
        // Beyond net.core.rmem_max for those who may, else up to it.
        let force = setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_BYTES);
        force.or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER_BYTES))?;
        Ok(Self {
            socket,
            server: None,
        })
    }

    /// Its own port.
    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Talks to `server` alone from now on, which is cheaper for the kernel.
    pub(super) fn connect(&mut self, server: SocketAddr) {
        if self.server.is_none() && self.socket.connect(server).is_ok() {
            self.server = Some(server);
        }
    }

    /// Reads one train. `WouldBlock`: there is none.
    #[inline]
    pub(super) fn receive(&self, buffer: &mut ReceiveBuffer) -> io::Result<Train> {
        let ReceiveBuffer { bytes, control } = buffer;
        let mut slices = [IoSliceMut::new(bytes)];
        // The vector's spare capacity is what holds the control messages.
        let space = control.capacity();
        control.resize(space, 0);
        let message = recvmsg::<SockaddrStorage>(
            self.socket.as_raw_fd(),
            &mut slices,
            Some(control),
            MsgFlags::MSG_DONTWAIT,
        )?;
        let mut train = Train {
            from: self
                .server
                .or_else(|| message.address.as_ref().and_then(address))
                .ok_or(io::ErrorKind::AddrNotAvailable)?,
            length: message.bytes,
            stride: message.bytes,
            wall_us: None,
        };
        for control in message.cmsgs()? {
            match control {
                ControlMessageOwned::UdpGroSegments(size) if size > 0 => {
                    train.stride = size as usize;
                }
                ControlMessageOwned::ScmTimestampns(time) => {
                    let seconds = time.tv_sec().cast_unsigned();
                    let nanos = time.tv_nsec().cast_unsigned();
                    train.wall_us = Some(seconds * 1_000_000 + nanos / 1_000);
                }
                _ => {}
            }
        }
        Ok(train)
    }

    /// Sends what a client wants sent; how many datagrams the kernel refused.
    pub(super) fn send(&self, outbox: &Outbox) -> u64 {
        let mut refused = 0;
        for (run, bytes) in outbox.runs() {
            let offload = run.segments > 1 && !NO_OFFLOAD.load(Ordering::Relaxed);
            if offload && self.send_run(run.to, bytes, run.segment) {
                continue;
            }
            for datagram in bytes.chunks(run.segment) {
                refused += u64::from(self.send_one(run.to, datagram).is_err());
            }
        }
        refused
    }

    fn send_one(&self, to: Option<SocketAddr>, datagram: &[u8]) -> io::Result<usize> {
        match (self.server, to) {
            (Some(server), Some(to)) if server != to => {
                Err(io::ErrorKind::AddrNotAvailable.into())
            }
            (Some(_), _) => self.socket.send(datagram),
            (None, Some(to)) => self.socket.send_to(datagram, to),
            (None, None) => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Sends a run in one call. False: it was refused as a run.
    fn send_run(&self, to: Option<SocketAddr>, bytes: &[u8], segment: usize) -> bool {
        let Ok(segment) = u16::try_from(segment) else {
            return false;
        };
        let to = match self.server {
            Some(_) => None,
            None => to.map(SockaddrStorage::from),
        };
        let result = sendmsg(
            self.socket.as_raw_fd(),
            &[IoSlice::new(bytes)],
            &[ControlMessage::UdpGsoSegments(&segment)],
            MsgFlags::MSG_DONTWAIT,
            to.as_ref(),
        );
        if matches!(result, Err(Errno::EIO | Errno::EINVAL | Errno::EOPNOTSUPP)) {
            NO_OFFLOAD.store(true, Ordering::Relaxed);
        }
        result.is_ok()
    }
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = storage.as_sockaddr_in() {
        return Some(SocketAddr::from((v4.ip(), v4.port())));
    }
    let v6 = storage.as_sockaddr_in6()?;
    Some(SocketAddr::from((v6.ip(), v6.port())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Clock;
    use std::time::Instant;

    fn receive(socket: &Socket, buffer: &mut ReceiveBuffer) -> Train {
        loop {
            match socket.receive(buffer) {
                Ok(train) => return train,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
    }

    #[test]
    fn a_run_arrives_whole_with_the_time_of_its_arrival() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = server.local_addr().unwrap();
        let mut client = Socket::open(address).unwrap();
        let port = client.port().unwrap();
        client.connect(address);
        let mut outbox = Outbox::default();
        for fill in 1..=3 {
            outbox.write(100, |buffer| {
                buffer.fill(fill);
                Some(100)
            });
        }
        assert_eq!(client.send(&outbox), 0);
        let mut datagram = [0; 200];
        for fill in 1..=3 {
            let (length, from) = server.recv_from(&mut datagram).unwrap();
            assert_eq!((length, from.port()), (100, port));
            assert_eq!(datagram[..100], [fill; 100]);
        }
        let before = Clock::new(Instant::now()).wall_us();
        server.send_to(&[9; 50], (Ipv4Addr::LOCALHOST, port)).unwrap();
        let mut buffer = ReceiveBuffer::new();
        let train = receive(&client, &mut buffer);
        assert_eq!((train.length, train.stride), (50, 50));
        assert_eq!(train.from, address);
        let came = train.wall_us.unwrap();
        assert!(came >= before && came <= Clock::new(Instant::now()).wall_us());
    }

    #[test]
    fn trains_are_received_in_one_call() {
        let mut sender = Socket::open("127.0.0.1:9".parse().unwrap()).unwrap();
        let receiver = Socket::open("127.0.0.1:9".parse().unwrap()).unwrap();
        sender.connect(SocketAddr::from(([127, 0, 0, 1], receiver.port().unwrap())));
        let mut outbox = Outbox::default();
        for length in [100, 100, 60] {
            outbox.write(100, |_| Some(length));
        }
        assert_eq!(sender.send(&outbox), 0);
        let mut buffer = ReceiveBuffer::new();
        let mut lengths = Vec::new();
        while lengths.iter().sum::<usize>() < 260 {
            let train = receive(&receiver, &mut buffer);
            lengths.extend(buffer.bytes[..train.length].chunks(train.stride).map(<[u8]>::len));
        }
        assert_eq!(lengths, [100, 100, 60]);
    }
}
