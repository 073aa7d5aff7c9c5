//! What the server's process used, as read from outside of it.

use std::time::Duration;

/// CPU time, user and system apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    /// In the program.
    pub(crate) user: Duration,
    /// In the kernel on its behalf.
    pub(crate) system: Duration,
}

impl CpuTime {
    /// Both.
    pub(crate) fn total(&self) -> Duration {
        self.user + self.system
    }

    /// What was used after `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }

    /// The sum of two.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            user: self.user + other.user,
            system: self.system + other.system,
        }
    }
}

/// The server's process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerSample {
    /// Since the run began.
    pub(crate) at: Duration,
    /// Since the process began.
    pub(crate) cpu: CpuTime,
    /// Resident memory.
    pub(crate) rss_bytes: u64,
}

/// What one thread, or the threads of one name, used while counting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadUse {
    /// The kernel's name of it, at most 15 characters.
    pub(crate) name: String,
    /// How many threads bear it.
    pub(crate) threads: usize,
    /// Of all of them.
    pub(crate) cpu: CpuTime,
}

/// Resident memory at the ends of the phases of a run, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MemoryPhases {
    /// Before anybody joined.
    pub(crate) before_joins: u64,
    /// All who publish had joined, and nobody else.
    pub(crate) publishers_joined: Option<u64>,
    /// How many they were; those who subscribe over the same connection among them.
    pub(crate) publishers: usize,
    /// Everybody had joined.
    pub(crate) all_joined: Option<u64>,
    /// How many came after the publishers.
    pub(crate) subscribers: usize,
    /// Counting was over.
    pub(crate) at_end: u64,
}

/// What a Plenum server says of itself in its metrics, while counting.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PlenumUse {
    /// Messages handed to the socket.
    pub(crate) sends: u64,
    /// Datagrams in them.
    pub(crate) datagrams_out: u64,
    /// Discards by reason, the largest first, those that did not happen left out.
    pub(crate) drops: Vec<(String, u64)>,
}

impl PlenumUse {
    /// Datagrams per message, if there was one.
    pub(crate) fn gso_segments_per_send(&self) -> Option<f64> {
        (self.sends > 0).then(|| self.datagrams_out as f64 / self.sends as f64)
    }
}

/// What the server used.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ServerUse {
    /// Its process.
    pub(crate) pid: u32,
    /// One a second, joins included.
    pub(crate) samples: Vec<ServerSample>,
    /// CPU while counting.
    pub(crate) cpu: CpuTime,
    /// How long that was.
    pub(crate) counted: Duration,
    /// The same by thread, the busiest first.
    pub(crate) threads: Vec<ThreadUse>,
    /// Resident memory by phase.
    pub(crate) memory: MemoryPhases,
    /// What it says of itself; `None` if it is not Plenum.
    pub(crate) plenum: Option<PlenumUse>,
}

impl ServerUse {
    /// Cores kept busy while counting.
    pub(crate) fn cores_busy(&self) -> f64 {
        match self.counted.as_secs_f64() {
            seconds if seconds > 0.0 => self.cpu.total().as_secs_f64() / seconds,
            _ => 0.0,
        }
    }
}

impl MemoryPhases {
    /// What one publisher added, bytes; `None` if there were none.
    pub(crate) fn per_publisher(&self) -> Option<f64> {
        per_client(self.before_joins, self.publishers_joined?, self.publishers)
    }

    /// What one client that only subscribes added, bytes; `None` if there were none.
    pub(crate) fn per_subscriber(&self) -> Option<f64> {
        per_client(self.publishers_joined?, self.all_joined?, self.subscribers)
    }
}

fn per_client(before: u64, after: u64, clients: usize) -> Option<f64> {
    (clients > 0).then(|| after.saturating_sub(before) as f64 / clients as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_a_phase_added() {
        let memory = MemoryPhases {
            before_joins: 1_000,
            publishers_joined: Some(3_000),
            publishers: 2,
            all_joined: Some(7_000),
            subscribers: 8,
            at_end: 8_000,
        };
        assert_eq!(memory.per_publisher(), Some(1_000.0));
        assert_eq!(memory.per_subscriber(), Some(500.0));
        let meeting = MemoryPhases {
            subscribers: 0,
            ..memory
        };
        assert_eq!(meeting.per_subscriber(), None);
        assert_eq!(MemoryPhases::default().per_publisher(), None);
    }

    #[test]
    fn segments_per_send_needs_a_send() {
        let mut plenum = PlenumUse {
            sends: 2,
            datagrams_out: 7,
            drops: Vec::new(),
        };
        assert_eq!(plenum.gso_segments_per_send(), Some(3.5));
        plenum.sends = 0;
        assert_eq!(plenum.gso_segments_per_send(), None);
    }
}
