//! A shard's UDP socket.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Once;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use plenum_types::Path;
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, SockAddr, Type};

use crate::address::for_socket;
use crate::{NetConfig, NetError};

/// A non-blocking UDP socket that tells and chooses local addresses, receives in batches (GRO)
/// and sends in runs (GSO).
pub(crate) struct Socket {
    io: mio::net::UdpSocket,
    state: UdpSocketState,
    local_addr: SocketAddr,
    /// It listens on one address only: that is where everything leaves from, and need not be said.
    has_one_address: bool,
    max_segments: usize,
}

impl Socket {
    /// Opens and binds the socket of one shard.
    pub(crate) fn open(config: &NetConfig, port: u16) -> Result<Self, NetError> {
        let address = SocketAddr::new(config.bind, port);
        Self::try_open(config, address).map_err(|cause| match cause.kind() {
            io::ErrorKind::AddrInUse => NetError::PortInUse { address },
            _ => NetError::Socket { address, cause },
        })
    }

    fn try_open(config: &NetConfig, address: SocketAddr) -> io::Result<Self> {
        let domain = Domain::for_address(address);
        let socket = socket2::Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            socket.set_only_v6(false)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::from(address))?;
        let socket = std::net::UdpSocket::from(socket);
        let state = UdpSocketState::new((&socket).into())?;
        set_buffers(&state, &socket, config);
        let max_segments = if config.segmentation_offload {
            state.max_gso_segments()
        } else {
            1
        };
        warn_of_missing_offload(&state, config);
        Ok(Self {
            has_one_address: !address.ip().is_unspecified(),
            local_addr: socket.local_addr()?,
            io: mio::net::UdpSocket::from_std(socket),
            state,
            max_segments,
        })
    }

    /// Where it listens.
    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Most segments of one message as far as known at the start; 1 without offload.
    pub(crate) const fn max_segments(&self) -> usize {
        self.max_segments
    }

    /// Most datagrams that the system joins into one received message; 1 without GRO.
    pub(crate) fn receive_segments_max(&self) -> usize {
        self.state.gro_segments()
    }

    /// Makes `registry` report when there is something to read.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.io.register(registry, token, Interest::READABLE)
    }

    /// Reads what has come, one message per slice; how many messages that was.
    pub(crate) fn receive(
        &self,
        slices: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> io::Result<usize> {
        self.state.recv(UdpSockRef::from(&self.io), slices, metas)
    }

    /// Sends `bytes` to `path` as one datagram, or cut into segments.
    pub(crate) fn send(&self, path: &Path, bytes: &[u8], segment: Option<usize>) -> io::Result<()> {
        let transmit = Transmit {
            destination: for_socket(path.remote.address, self.local_addr.is_ipv6()),
            ecn: None,
            contents: bytes,
            segment_size: segment,
            src_ip: path.local_ip.filter(|_| !self.has_one_address),
        };
        self.state.try_send(UdpSockRef::from(&self.io), &transmit)
    }
}

/// Asks for the configured buffer sizes and warns, once, if the kernel gives less: a common cause
/// of loss on a busy server, and one that is hard to see.
fn set_buffers(state: &UdpSocketState, socket: &std::net::UdpSocket, config: &NetConfig) {
    static WARNED: Once = Once::new();
    let receive = state
        .set_recv_buffer_size(socket.into(), config.receive_buffer)
        .and_then(|()| state.recv_buffer_size(socket.into()));
    let send = state
        .set_send_buffer_size(socket.into(), config.send_buffer)
        .and_then(|()| state.send_buffer_size(socket.into()));
    let short = is_short(&receive, config.receive_buffer) || is_short(&send, config.send_buffer);
    if short {
        WARNED.call_once(|| {
            tracing::warn!(
                receive_asked = config.receive_buffer,
                receive_given = receive.unwrap_or_default(),
                send_asked = config.send_buffer,
                send_given = send.unwrap_or_default(),
                "the kernel gives smaller socket buffers than configured, bursts may be lost; \
                 raise net.core.rmem_max and net.core.wmem_max by sysctl",
            );
        });
    }
}

/// How many datagrams to one client the kernel sends, and how many of one client it receives, in
/// one call; 1 without UDP offload.
pub fn segmentation() -> io::Result<(usize, usize)> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    let state = UdpSocketState::new((&socket).into())?;
    Ok((state.max_gso_segments(), state.gro_segments()))
}

/// Says, once, what the kernel or the sandbox around the process lacks. Everything works without,
/// at two to four times the cost per packet.
fn warn_of_missing_offload(state: &UdpSocketState, config: &NetConfig) {
    static WARNED: Once = Once::new();
    let (send, receive) = (state.max_gso_segments() > 1, state.gro_segments() > 1);
    if (config.segmentation_offload && !send) || !receive {
        WARNED.call_once(|| {
            tracing::warn!(
                gso = send,
                gro = receive,
                "this system lacks UDP offload; datagrams are handled singly, which costs two to \
                 four times the CPU per packet",
            );
        });
    }
}

/// Linux reports twice what it grants (socket(7)), so the report is short only if the grant is.
fn is_short(given: &io::Result<usize>, asked: usize) -> bool {
    given
        .as_ref()
        .map_or(true, |given| *given < asked.saturating_mul(2))
}
