//! The server's part of the summary; every figure is `null` without `--pid`.

use super::rounded;
use crate::measure::{CpuTime, Outcome, ThreadUse};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the server used, per packet that subscribers received.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ServerSummary {
    pub(crate) pid: Option<u32>,
    pub(crate) cpu_us_per_packet: Option<f64>,
    pub(crate) cpu_user_us_per_packet: Option<f64>,
    pub(crate) cpu_system_us_per_packet: Option<f64>,
    pub(crate) cores_busy: Option<f64>,
    pub(crate) packets_per_second_per_core: Option<f64>,
    /// At the end of counting.
    pub(crate) rss_bytes: Option<u64>,
    /// Before anybody joined.
    pub(crate) rss_bytes_before: Option<u64>,
    pub(crate) rss_bytes_per_publisher: Option<f64>,
    pub(crate) rss_bytes_per_subscriber: Option<f64>,
    /// Only a Plenum server tells.
    pub(crate) gso_segments_per_send: Option<f64>,
    pub(crate) sends: Option<u64>,
    pub(crate) datagrams_out: Option<u64>,
    /// Discards by reason.
    pub(crate) drops: Option<BTreeMap<String, u64>>,
    /// CPU by thread name, the busiest first.
    pub(crate) threads: Vec<ThreadSummary>,
}

/// The threads of one name.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ThreadSummary {
    pub(crate) name: String,
    pub(crate) threads: usize,
    pub(crate) cores_busy: f64,
    pub(crate) cpu_user_us_per_packet: Option<f64>,
    pub(crate) cpu_system_us_per_packet: Option<f64>,
}

impl ServerSummary {
    pub(crate) fn new(outcome: &Outcome) -> Self {
        let Some(server) = &outcome.server else {
            return Self::default();
        };
        let packets = outcome.totals.packets_received;
        let plenum = server.plenum.as_ref();
        Self {
            pid: Some(server.pid),
            cpu_us_per_packet: us_per_packet(server.cpu.total(), packets),
            cpu_user_us_per_packet: us_per_packet(server.cpu.user, packets),
            cpu_system_us_per_packet: us_per_packet(server.cpu.system, packets),
            cores_busy: Some(rounded(server.cores_busy(), 3)),
            packets_per_second_per_core: per_core(server.cpu, packets),
            rss_bytes: Some(server.memory.at_end),
            rss_bytes_before: Some(server.memory.before_joins),
            rss_bytes_per_publisher: server.memory.per_publisher().map(f64::round),
            rss_bytes_per_subscriber: server.memory.per_subscriber().map(f64::round),
            gso_segments_per_send: plenum
                .and_then(|plenum| Some(rounded(plenum.gso_segments_per_send()?, 2))),
            sends: plenum.map(|plenum| plenum.sends),
            datagrams_out: plenum.map(|plenum| plenum.datagrams_out),
            drops: plenum.map(|plenum| plenum.drops.iter().cloned().collect()),
            threads: server
                .threads
                .iter()
                .map(|thread| ThreadSummary::new(thread, server.counted, packets))
                .collect(),
        }
    }
}

impl ThreadSummary {
    fn new(thread: &ThreadUse, counted: Duration, packets: u64) -> Self {
        let seconds = counted.as_secs_f64().max(f64::MIN_POSITIVE);
        Self {
            name: thread.name.clone(),
            threads: thread.threads,
            cores_busy: rounded(thread.cpu.total().as_secs_f64() / seconds, 3),
            cpu_user_us_per_packet: us_per_packet(thread.cpu.user, packets),
            cpu_system_us_per_packet: us_per_packet(thread.cpu.system, packets),
        }
    }
}

fn us_per_packet(cpu: Duration, packets: u64) -> Option<f64> {
    (packets > 0).then(|| rounded(cpu.as_secs_f64() * 1e6 / packets as f64, 4))
}

fn per_core(cpu: CpuTime, packets: u64) -> Option<f64> {
    let seconds = cpu.total().as_secs_f64();
    (seconds > 0.0).then(|| (packets as f64 / seconds).round())
}
