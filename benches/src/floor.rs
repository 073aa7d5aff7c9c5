//! The kernel's own cost of sending: what of a server's CPU no server can save.
//!
//! One UDP socket sends to many sockets on loopback, in bursts as video frames make them: at every
//! tick each of them gets one run of datagrams, as one message with segmentation offload (UDP GSO)
//! or as messages of their own. Nothing is encrypted, copied or decided. Sender and receivers have
//! a core each; the receivers read as the load benchmark does. Counted is the CPU of the sending
//! thread, which on loopback includes the kernel's way up to the receiving socket.

#![expect(
    clippy::disallowed_methods,
    reason = "measures real time, on threads of its own that wait for it"
)]

mod cpu;
mod receivers;
mod report;
mod sender;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub use cpu::ThreadCpu;
pub use report::{Figures, Report};

use receivers::Receivers;
use sender::Sender;

/// Bursts a second if no packet rate is asked for: frames of video.
const BURSTS_PER_SECOND: f64 = 30.0;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Receiving sockets.
    pub sockets: usize,
    /// Datagrams to each of them at a tick: one row of figures for each length and way.
    pub runs: Vec<usize>,
    /// UDP payload of a datagram, bytes.
    pub datagram_bytes: usize,
    /// Datagrams a second over all sockets; `None`: 30 bursts a second.
    pub packets_per_second: Option<f64>,
    /// Time of one measurement.
    pub period: Duration,
    /// Rounds through all rows. The first warms up and is not counted.
    pub rounds: usize,
    /// Core of the sender.
    pub sender_core: Option<usize>,
    /// Core of the receivers.
    pub receiver_core: Option<usize>,
}

/// How the datagrams of a run leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// In one message, cut by the kernel.
    Run,
    /// In a message each.
    Singles,
}

/// One measurement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Datagrams that the kernel took.
    pub sent: u64,
    /// Datagrams that it refused (buffer full).
    pub refused: u64,
    /// Datagrams that arrived.
    pub received: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// CPU of the sending thread.
    pub cpu: ThreadCpu,
}

/// The samples of one run length and way.
#[derive(Clone, Debug)]
pub struct Row {
    /// Datagrams to one socket at a tick.
    pub run: usize,
    /// How they left.
    pub way: Way,
    /// One for each counted round.
    pub samples: Vec<Sample>,
}

/// Measures every row of `plan`, in turns, so that a machine that drifts does so for all of them.
///
/// # Errors
///
/// If a socket cannot be opened or fails, or a run is longer than the system's offload takes.
pub fn measure(plan: &Plan) -> io::Result<Vec<Row>> {
    let receivers = Receivers::start(plan)?;
    let mut sender = Sender::open(plan, receivers.addresses())?;
    let mut rows = rows(plan);
    for round in 0..plan.rounds {
        for row in &mut rows {
            let sample = measure_once(plan, row, &mut sender, &receivers)?;
            if round > 0 || plan.rounds == 1 {
                row.samples.push(sample);
            }
        }
    }
    receivers.stop()?;
    Ok(rows)
}

fn rows(plan: &Plan) -> Vec<Row> {
    let row = |run, way| Row {
        run,
        way,
        samples: Vec::new(),
    };
    let runs = plan.runs.iter().copied();
    runs.flat_map(|run| {
        let singles = (run > 1).then(|| row(run, Way::Singles));
        std::iter::once(row(run, Way::Run)).chain(singles)
    })
    .collect()
}

fn measure_once(
    plan: &Plan,
    row: &Row,
    sender: &mut Sender,
    receivers: &Receivers,
) -> io::Result<Sample> {
    let before = receivers.settled();
    let mut sample = sender.send_bursts(row.run, row.way, interval(plan, row.run), plan.period)?;
    sample.received = receivers.settled() - before;
    Ok(sample)
}

/// Time between two bursts.
fn interval(plan: &Plan, run: usize) -> Duration {
    let burst = (plan.sockets * run) as f64;
    let bursts_per_second = plan
        .packets_per_second
        .map_or(BURSTS_PER_SECOND, |rate| rate / burst);
    Duration::from_secs_f64(1.0 / bursts_per_second)
}

/// Keeps the calling thread on `core`.
fn pin(core: Option<usize>) -> io::Result<()> {
    let Some(id) = core else { return Ok(()) };
    if core_affinity::set_for_current(core_affinity::CoreId { id }) {
        return Ok(());
    }
    let why =
        format!("this thread cannot be pinned to core {id}; see the cores of `nproc` and taskset");
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

/// Where the receivers of a plan listen.
type Addresses = Vec<SocketAddr>;

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            sockets: 4,
            runs: vec![1, 5],
            datagram_bytes: 200,
            packets_per_second: Some(2_000.0),
            period: Duration::from_millis(100),
            rounds: 1,
            sender_core: None,
            receiver_core: None,
        }
    }

    #[test]
    fn what_is_sent_arrives_whole_and_is_counted() {
        let rows = measure(&plan()).unwrap();
        assert_eq!(rows.len(), 3, "one datagram is the same both ways");
        for row in rows {
            let sample = row.samples[0];
            assert!(sample.sent > 0, "{row:?}");
            assert!(sample.sent.is_multiple_of(4 * row.run as u64), "{row:?}");
            assert_eq!((sample.received, sample.refused), (sample.sent, 0));
            assert!(sample.cpu.total > Duration::ZERO, "{row:?}");
        }
    }

    #[test]
    fn a_packet_rate_sets_the_time_between_bursts() {
        let mut plan = plan();
        assert_eq!(interval(&plan, 5), Duration::from_millis(10));
        plan.packets_per_second = None;
        assert_eq!(interval(&plan, 5).as_millis(), 33);
    }
}
