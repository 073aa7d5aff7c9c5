//! Sockets on loopback, set up as the server's are.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};

/// Bytes asked of the kernel for either direction; what it gives is bounded by sysctl.
const BUFFER_BYTES: usize = 4 << 20;

/// A non-blocking socket with segmentation offload.
pub(super) struct Socket {
    pub(super) io: UdpSocket,
    pub(super) state: UdpSocketState,
}

impl Socket {
    pub(super) fn open() -> io::Result<Self> {
        let io = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        state.set_recv_buffer_size(UdpSockRef::from(&io), BUFFER_BYTES)?;
        state.set_send_buffer_size(UdpSockRef::from(&io), BUFFER_BYTES)?;
        Ok(Self { io, state })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    pub(super) fn send(
        &self,
        destination: SocketAddr,
        contents: &[u8],
        segment_size: Option<usize>,
    ) -> io::Result<()> {
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size,
            // The server answers from the address that the client used.
            src_ip: Some(Ipv4Addr::LOCALHOST.into()),
        };
        self.state.try_send(UdpSockRef::from(&self.io), &transmit)
    }
}
