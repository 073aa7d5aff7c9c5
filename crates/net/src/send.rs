//! Hands runs to the socket, and does without segmentation offload where the system cannot do it.

use std::io;
use std::rc::Rc;

use plenum_types::Path;

use crate::batch::RunSink;
use crate::socket::Socket;
use crate::tcp::Streams;

/// Messages in a row that must fail as a run, while their datagrams go through one by one, before
/// offload is given up for good. One client behind a narrow link must not cost all others.
const OFFLOAD_FAILURES: u32 = 16;

/// What was sent since start, and what could not be since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SendCounters {
    /// Messages handed to the socket.
    pub(crate) sends: u64,
    /// Datagrams in them.
    pub(crate) datagrams: u64,
    /// Datagrams refused for now (EAGAIN, ENOBUFS).
    pub(crate) busy: u64,
    /// Datagrams refused for good (EMSGSIZE, EPERM, unreachable, connection closed).
    pub(crate) failed: u64,
}

/// The socket and the TCP connections as the end of a batch.
pub(crate) struct SocketSink {
    socket: Rc<Socket>,
    streams: Streams,
    counters: SendCounters,
    max_segments: usize,
    offload_failures: u32,
}

impl SocketSink {
    /// Sends through `socket`, and through `streams` what goes to a connection.
    pub(crate) fn new(socket: Rc<Socket>, streams: Streams) -> Self {
        Self {
            max_segments: socket.max_segments(),
            socket,
            streams,
            counters: SendCounters::default(),
            offload_failures: 0,
        }
    }

    /// What was counted.
    pub(crate) const fn counters(&self) -> SendCounters {
        self.counters
    }

    /// The TCP connections.
    pub(crate) const fn streams(&mut self) -> &mut Streams {
        &mut self.streams
    }

    /// What the socket refused since the last call: (for now, for good).
    pub(crate) const fn take_refused(&mut self) -> (u64, u64) {
        let refused = (self.counters.busy, self.counters.failed);
        self.counters.busy = 0;
        self.counters.failed = 0;
        refused
    }

    fn count_sent(&mut self, datagrams: u16) {
        self.counters.sends += 1;
        self.counters.datagrams += u64::from(datagrams);
    }

    fn count_refused(&mut self, error: &io::Error, datagrams: u16) {
        tracing::trace!(%error, datagrams, "the socket refused a message");
        if is_busy(error) {
            self.counters.busy += u64::from(datagrams);
        } else {
            self.counters.failed += u64::from(datagrams);
        }
    }

    /// Sends the datagrams of a run one by one; whether all went through.
    fn send_singly(&mut self, path: &Path, bytes: &[u8], segment: usize) -> bool {
        let mut all = true;
        for datagram in bytes.chunks(segment) {
            match self.socket.send(path, datagram, None) {
                Ok(()) => self.count_sent(1),
                Err(error) => {
                    self.count_refused(&error, 1);
                    all = false;
                }
            }
        }
        all
    }

    /// A run was refused although its datagrams are not.
    fn on_offload_failed(&mut self, cause: &io::Error) {
        self.offload_failures += 1;
        if self.offload_failures == OFFLOAD_FAILURES {
            self.max_segments = 1;
            tracing::warn!(%cause, "UDP segmentation offload does not work here; sending datagrams singly");
        }
    }
}

impl RunSink for SocketSink {
    fn send_run(&mut self, path: &Path, bytes: &[u8], segment: Option<usize>, count: u16) {
        if let Some(connection) = path.remote.connection {
            if !self.streams.send(connection, bytes, segment) {
                self.counters.failed += u64::from(count);
            }
            return;
        }
        let error = match self.socket.send(path, bytes, segment) {
            Ok(()) => {
                if segment.is_some() {
                    self.offload_failures = 0;
                }
                return self.count_sent(count);
            }
            Err(error) => error,
        };
        match segment {
            Some(segment) if !is_busy(&error) => {
                if self.send_singly(path, bytes, segment) {
                    self.on_offload_failed(&error);
                }
            }
            Some(_) | None => self.count_refused(&error, count),
        }
    }

    fn max_segments(&self) -> usize {
        self.max_segments
    }
}

/// Whether the socket might take it later. Media is not worth waiting for.
fn is_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NetConfig;
    use std::net::{Ipv4Addr, UdpSocket};
    use std::sync::Arc;

    fn sink(segmentation_offload: bool) -> SocketSink {
        let config = NetConfig {
            bind: Ipv4Addr::LOCALHOST.into(),
            segmentation_offload,
            ..NetConfig::default()
        };
        let socket = Rc::new(Socket::open(&config, 0).unwrap());
        SocketSink::new(socket, Streams::new(Arc::default()))
    }

    fn receiver() -> (UdpSocket, Path) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket
            .set_read_timeout(Some(std::time::Duration::from_secs(5)))
            .unwrap();
        let path = Path::to(socket.local_addr().unwrap());
        (socket, path)
    }

    fn read(socket: &UdpSocket) -> usize {
        socket.recv(&mut [0; 2_048]).unwrap()
    }

    #[test]
    fn a_run_arrives_as_datagrams() {
        let (socket, path) = receiver();
        let mut sink = sink(true);
        let bytes = [7; 250];
        if sink.max_segments() > 1 {
            sink.send_run(&path, &bytes, Some(100), 3);
            assert_eq!(sink.counters().sends, 1);
        } else {
            assert!(sink.send_singly(&path, &bytes, 100));
        }
        assert_eq!(sink.counters().datagrams, 3);
        assert_eq!(
            [read(&socket), read(&socket), read(&socket)],
            [100, 100, 50]
        );
    }

    #[test]
    fn a_refused_run_goes_out_singly_and_offload_is_given_up() {
        let (socket, path) = receiver();
        let mut sink = sink(true);
        // More segments than the kernel cuts (UDP_MAX_SEGMENTS is 64 or 128): it refuses.
        let bytes = [7; 1_000];
        for _ in 0..OFFLOAD_FAILURES {
            sink.send_run(&path, &bytes, Some(1), 1_000);
        }
        assert_eq!(sink.max_segments(), 1);
        assert_eq!(
            sink.counters().datagrams,
            u64::from(OFFLOAD_FAILURES) * 1_000
        );
        assert_eq!(sink.take_refused(), (0, 0));
        assert_eq!(read(&socket), 1);
    }

    #[test]
    fn offload_can_be_switched_off() {
        assert_eq!(sink(false).max_segments(), 1);
    }

    #[test]
    fn refusals_are_counted() {
        let mut sink = sink(true);
        let (_socket, path) = receiver();
        sink.send_run(&path, &[0; 65_535], None, 1);
        sink.send_run(&path, &[0; 4_000], Some(2_000), 2);
        let unreachable = Path::to(([255, 255, 255, 255], 9).into());
        sink.send_run(&unreachable, &[0; 100], Some(50), 2);
        assert_eq!(sink.take_refused(), (0, 3));
        assert_eq!(sink.take_refused(), (0, 0));
        assert_eq!(sink.counters().datagrams, 2);
    }
}
