//! The listening socket, and how connections are set up.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockAddr, SockRef, Type};

use crate::NetError;

/// Connections that the system may hold before they are accepted. The acceptor does nothing else.
const BACKLOG: i32 = 1_024;

/// Unsent bytes that the kernel takes beyond what is on its way (TCP_NOTSENT_LOWAT): two runs of
/// media. What the kernel has cannot be dropped any more, and waiting there looks to the bandwidth
/// estimator like a slow link, so the rest waits in our queue. The send buffer itself is left to
/// the kernel: it has to hold what is on its way, and that is what the way carries in a round trip.
/// More delays media behind media that is outdated; less costs a wake-up more often.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 32 << 10;

/// The listening socket, which is opened before the first thread starts.
pub(crate) struct Listener {
    pub(crate) io: TcpListener,
    pub(crate) local_addr: SocketAddr,
}

impl Listener {
    /// Opens the socket on all that `bind` stands for.
    pub(crate) fn open(bind: IpAddr, port: u16) -> Result<Self, NetError> {
        let address = SocketAddr::new(bind, port);
        Self::try_open(address).map_err(|cause| match cause.kind() {
            io::ErrorKind::AddrInUse => NetError::TcpPortInUse { address },
            _ => NetError::TcpSocket { address, cause },
        })
    }

    fn try_open(address: SocketAddr) -> io::Result<Self> {
        let domain = Domain::for_address(address);
        let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            socket.set_only_v6(false)?;
        }
        // Connections of the process before this one may still be in TIME_WAIT.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::from(address))?;
        socket.listen(BACKLOG)?;
        let listener = std::net::TcpListener::from(socket);
        Ok(Self {
            local_addr: listener.local_addr()?,
            io: TcpListener::from_std(listener),
        })
    }
}

/// Sets up a connection for media: nothing waits for company or for acknowledgements.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES)?;
    Ok(())
}
