//! Sends bursts and counts what they cost.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::socket::Socket;
use super::{Addresses, Plan, Sample, ThreadCpu, Way};

/// The sending side; lives on the thread that made it.
pub(super) struct Sender {
    socket: Socket,
    destinations: Addresses,
    datagram_bytes: usize,
    /// What is sent; as long as the longest run.
    bytes: Vec<u8>,
}

impl Sender {
    pub(super) fn open(plan: &Plan, destinations: Addresses) -> io::Result<Self> {
        super::pin(plan.sender_core)?;
        let socket = Socket::open()?;
        let longest = plan.runs.iter().copied().max().unwrap_or(1);
        let most = socket.state.max_gso_segments();
        if longest > most {
            let why = format!("runs of {longest}: this system sends at most {most} in a message");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Ok(Self {
            socket,
            destinations,
            datagram_bytes: plan.datagram_bytes,
            bytes: vec![0xd5; longest * plan.datagram_bytes],
        })
    }

    /// Sends a run to each destination every `interval`, for `period`.
    pub(super) fn send_bursts(
        &mut self,
        run: usize,
        way: Way,
        interval: Duration,
        period: Duration,
    ) -> io::Result<Sample> {
        let mut sample = Sample::default();
        let before = ThreadCpu::now()?;
        let start = Instant::now();
        let mut due = start;
        while due < start + period {
            for destination in &self.destinations {
                self.send_run(*destination, run, way, &mut sample)?;
            }
            // A burst that took longer than its interval delays the next ones; they are not
            // sent on top of each other.
            due = (due + interval).max(Instant::now());
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        sample.cpu = ThreadCpu::now()?.since(before);
        sample.elapsed = start.elapsed();
        Ok(sample)
    }

    fn send_run(
        &self,
        destination: SocketAddr,
        run: usize,
        way: Way,
        sample: &mut Sample,
    ) -> io::Result<()> {
        let bytes = &self.bytes[..run * self.datagram_bytes];
        match way {
            Way::Run => {
                let segment = (run > 1).then_some(self.datagram_bytes);
                let sent = self.socket.send(destination, bytes, segment);
                count(sent, run as u64, sample)
            }
            Way::Singles => bytes
                .chunks(self.datagram_bytes)
                .try_for_each(|one| count(self.socket.send(destination, one, None), 1, sample)),
        }
    }
}

fn count(sent: io::Result<()>, datagrams: u64, sample: &mut Sample) -> io::Result<()> {
    match sent {
        Ok(()) => sample.sent += datagrams,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => sample.refused += datagrams,
        Err(error) => return Err(error),
    }
    Ok(())
}
