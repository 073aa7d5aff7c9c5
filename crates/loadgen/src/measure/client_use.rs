//! Whether the load benchmark itself was the limit: its CPU, its drops, its lateness.

use super::{Counters, CpuTime};
use std::time::Duration;

/// A media thread busier than this cannot keep time.
const BUSY_SHARE_MAX: f64 = 0.9;
/// Share of packets that may be sent late or dropped by the clients' own sockets before the
/// figures are no longer about the server.
const FAULT_SHARE_MAX: f64 = 0.000_5;

/// CPU of the clients since the run began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClientCpu {
    /// Of the whole process.
    pub(crate) process: CpuTime,
    /// Of its busiest media thread.
    pub(crate) busiest_media_thread: CpuTime,
}

impl ClientCpu {
    /// What was used after `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            process: self.process.since(&earlier.process),
            busiest_media_thread: self
                .busiest_media_thread
                .since(&earlier.busiest_media_thread),
        }
    }
}

/// How the load benchmark fared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ClientUse {
    /// CPU seconds per second.
    pub(crate) cores_busy: f64,
    /// CPU seconds per second of the busiest media thread.
    pub(crate) busiest_media_thread: f64,
    /// Datagrams that the kernel dropped at clients' sockets.
    pub(crate) drops: u64,
    /// What in the clients limited the run; `None` if the figures are about the server.
    pub(crate) bottleneck: Option<String>,
}

impl ClientUse {
    /// Judges the CPU used while counting, and what was counted.
    pub(crate) fn new(cpu: ClientCpu, counted: Duration, totals: &Counters) -> Self {
        let per_second = |cpu: CpuTime| match counted.as_secs_f64() {
            seconds if seconds > 0.0 => cpu.total().as_secs_f64() / seconds,
            _ => 0.0,
        };
        let busiest = per_second(cpu.busiest_media_thread);
        Self {
            cores_busy: per_second(cpu.process),
            busiest_media_thread: busiest,
            drops: totals.socket_drops,
            bottleneck: bottleneck(busiest, totals),
        }
    }
}

fn bottleneck(busiest: f64, totals: &Counters) -> Option<String> {
    let beyond = |fault: u64, of: u64| fault as f64 > FAULT_SHARE_MAX * of.max(1) as f64;
    if busiest > BUSY_SHARE_MAX {
        let percent = busiest * 100.0;
        return Some(format!(
            "a media thread was {percent:.0} % busy: use --threads or less load"
        ));
    }
    if beyond(totals.socket_drops, totals.packets_expected()) {
        let drops = totals.socket_drops;
        return Some(format!(
            "{drops} datagrams were dropped at the clients' sockets: raise net.core.rmem_max"
        ));
    }
    if beyond(totals.late_sends, totals.packets_sent) {
        let late = totals.late_sends;
        return Some(format!("{late} packets were sent late: use less load"));
    }
    if beyond(totals.send_failures, totals.packets_sent) {
        let failed = totals.send_failures;
        return Some(format!("{failed} sends were refused by the kernel"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(busy_ms: u64, totals: Counters) -> ClientUse {
        let cpu = CpuTime {
            user: Duration::from_millis(busy_ms),
            system: Duration::ZERO,
        };
        let cpu = ClientCpu {
            process: cpu,
            busiest_media_thread: cpu,
        };
        ClientUse::new(cpu, Duration::from_secs(1), &totals)
    }

    fn busy_network() -> Counters {
        Counters {
            packets_sent: 10_000,
            packets_received: 100_000,
            ..Counters::default()
        }
    }

    #[test]
    fn head_room_is_no_bottleneck() {
        let found = judge(
            500,
            Counters {
                socket_drops: 3,
                late_sends: 1,
                ..busy_network()
            },
        );
        assert!((found.cores_busy - 0.5).abs() < 1e-9);
        assert_eq!((found.drops, found.bottleneck), (3, None));
    }

    #[test]
    fn each_fault_says_so() {
        let names = [
            (judge(950, busy_network()), "95 % busy"),
            (
                judge(
                    1,
                    Counters {
                        socket_drops: 100,
                        ..busy_network()
                    },
                ),
                "dropped",
            ),
            (
                judge(
                    1,
                    Counters {
                        late_sends: 100,
                        ..busy_network()
                    },
                ),
                "late",
            ),
            (
                judge(
                    1,
                    Counters {
                        send_failures: 100,
                        ..busy_network()
                    },
                ),
                "refused",
            ),
        ];
        for (found, part) in names {
            assert!(found.bottleneck.unwrap().contains(part), "{part}");
        }
    }
}
