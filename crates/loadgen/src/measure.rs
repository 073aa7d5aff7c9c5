//! What a run measured: plain values without IO. The media threads fill them, the report reads
//! them.
//!
//! | file | one idea |
//! |---|---|
//! | `counters` | what can be counted, as one `Copy` value |
//! | `histogram` | microseconds, for percentiles |
//! | `joins` | how long each phase of a client's join took |
//! | `client_use` | whether the load benchmark itself was the limit |
//! | `server_use` | what the server's process used |

mod client_use;
mod counters;
mod histogram;
mod joins;
mod server_use;

use std::time::Duration;

pub(crate) use client_use::{ClientCpu, ClientUse};
pub(crate) use counters::Counters;
pub(crate) use histogram::Histogram;
pub(crate) use joins::{JoinPhase, JoinTimes};
pub(crate) use server_use::{CpuTime, MemoryPhases, PlenumUse, ServerSample, ServerUse, ThreadUse};

/// The shape of the load, as it was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scenario {
    /// Name, such as `livestream`.
    pub(crate) name: String,
    /// Rooms.
    pub(crate) rooms: usize,
    /// Publishers over all rooms.
    pub(crate) publishers: usize,
    /// Subscribers over all rooms.
    pub(crate) subscribers: usize,
    /// Whether there is video; without it the first frame is the first packet.
    pub(crate) video: bool,
    /// What else makes the load: codec, simulcast layers, frame and bit rates; for people.
    pub(crate) details: String,
    /// Where the server is.
    pub(crate) url: String,
}

/// The state of the clients at one moment, once a second from the first join to the end.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// Since the run began.
    pub(crate) at: Duration,
    /// Since the run began; the report takes differences.
    pub(crate) counters: Counters,
    /// Forwarding latency since the snapshot before.
    pub(crate) latency: Histogram,
    /// CPU of the clients since the run began.
    pub(crate) cpu: ClientCpu,
}

/// The machine that both ran on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    /// Model of the CPU and number of cores.
    pub(crate) cpu: String,
    /// Kernel and its release.
    pub(crate) kernel: String,
    /// Commit of this binary.
    pub(crate) commit: String,
    /// SRTP profile that the clients negotiated.
    pub(crate) cipher: String,
}

/// All that a run found.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// What was asked for.
    pub(crate) scenario: Scenario,
    /// When counting began, since the run began: everybody had joined.
    pub(crate) counted_from: Duration,
    /// How long was counted.
    pub(crate) counted: Duration,
    /// One a second, joins included.
    pub(crate) snapshots: Vec<Snapshot>,
    /// What was counted from `counted_from` on.
    pub(crate) totals: Counters,
    /// Forwarding latency from `counted_from` on.
    pub(crate) latency: Histogram,
    /// Every client that joined, in the order of joining.
    pub(crate) joins: Vec<JoinTimes>,
    /// What the server used, with `--pid`.
    pub(crate) server: Option<ServerUse>,
    /// How the load benchmark fared.
    pub(crate) client: ClientUse,
    /// Where.
    pub(crate) machine: Machine,
}
