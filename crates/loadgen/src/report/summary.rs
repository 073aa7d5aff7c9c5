//! The figures of a run as one JSON object. The names and places of its keys do not change;
//! what was not measured is `null`.

mod server;

use crate::measure::{Histogram, JoinPhase, JoinTimes, Outcome};
use serde::Serialize;
use server::ServerSummary;
use std::collections::BTreeMap;
use std::time::Duration;

/// One scenario's figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) scenario: String,
    /// Codec, layers, rates: for people.
    pub(crate) details: String,
    pub(crate) url: String,
    pub(crate) rooms: usize,
    /// Over all rooms.
    pub(crate) publishers: usize,
    /// Over all rooms.
    pub(crate) subscribers: usize,
    /// Counted, joining left out.
    pub(crate) duration_s: f64,
    /// By publishers.
    pub(crate) packets_sent: u64,
    /// By subscribers, all together.
    pub(crate) packets_received: u64,
    /// What subscribers should have received, by sequence numbers.
    pub(crate) packets_expected: u64,
    pub(crate) packets_lost: u64,
    /// Received.
    pub(crate) packets_per_second: f64,
    /// Received, whole datagrams.
    pub(crate) bits_per_second: f64,
    pub(crate) loss_ratio: f64,
    /// From the publisher's send to the subscriber's receive.
    pub(crate) latency_us: LatencySummary,
    /// From the first byte of signaling to media keys.
    pub(crate) join_ms: JoinSummary,
    /// From the first byte of signaling to the first whole picture; the first packet, if there
    /// is only audio.
    pub(crate) first_frame_ms: Spread,
    pub(crate) joins_per_second: Option<f64>,
    pub(crate) freezes: u64,
    pub(crate) layer_switches: u64,
    pub(crate) frames: u64,
    pub(crate) nacks_sent: u64,
    pub(crate) nacks_received: u64,
    pub(crate) rtx_received: u64,
    pub(crate) duplicates: u64,
    pub(crate) plis_sent: u64,
    pub(crate) plis_received: u64,
    pub(crate) decrypt_failures: u64,
    pub(crate) clients_failed: u64,
    pub(crate) clients_lost: u64,
    pub(crate) server: ServerSummary,
    pub(crate) client: ClientSummary,
    pub(crate) machine: MachineSummary,
}

/// Percentiles of the forwarding latency, microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct LatencySummary {
    pub(crate) p50: Option<u64>,
    pub(crate) p99: Option<u64>,
    pub(crate) p999: Option<u64>,
    pub(crate) max: Option<u64>,
}

/// Median and tail, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
}

/// Joins, whole and by phase, milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct JoinSummary {
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    /// What each phase took by itself.
    pub(crate) by_phase: BTreeMap<&'static str, Spread>,
}

/// The load benchmark itself.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ClientSummary {
    pub(crate) cores_busy: f64,
    pub(crate) busiest_media_thread: f64,
    pub(crate) drops: u64,
    pub(crate) late_sends: u64,
    pub(crate) send_failures: u64,
    /// What in the clients limited the run; `null` if nothing did.
    pub(crate) bottleneck: Option<String>,
}

/// Where it ran.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct MachineSummary {
    pub(crate) cpu: String,
    pub(crate) kernel: String,
    pub(crate) commit: String,
    pub(crate) cipher: String,
}

impl Summary {
    pub(crate) fn new(outcome: &Outcome) -> Self {
        let (scenario, totals) = (&outcome.scenario, &outcome.totals);
        let seconds = outcome.counted.as_secs_f64();
        let per_second = |number: u64| match seconds > 0.0 {
            true => number as f64 / seconds,
            false => 0.0,
        };
        let first_frames = outcome.joins.iter().filter(|join| join.subscriber);
        let first_frames = first_frames.filter_map(|join| join.first_frame(scenario.video));
        Self {
            scenario: scenario.name.clone(),
            details: scenario.details.clone(),
            url: scenario.url.clone(),
            rooms: scenario.rooms,
            publishers: scenario.publishers,
            subscribers: scenario.subscribers,
            duration_s: rounded(seconds, 3),
            packets_sent: totals.packets_sent,
            packets_received: totals.packets_received,
            packets_expected: totals.packets_expected(),
            packets_lost: totals.packets_lost,
            packets_per_second: rounded(per_second(totals.packets_received), 1),
            bits_per_second: rounded(per_second(totals.bytes_received) * 8.0, 0),
            loss_ratio: rounded(totals.loss_ratio(), 7),
            latency_us: LatencySummary::new(&outcome.latency),
            join_ms: JoinSummary::new(&outcome.joins),
            first_frame_ms: Spread::new(first_frames),
            joins_per_second: joins_per_second(&outcome.joins).map(|rate| rounded(rate, 1)),
            freezes: totals.freezes,
            layer_switches: totals.layer_switches,
            frames: totals.frames,
            nacks_sent: totals.nacks_sent,
            nacks_received: totals.nacks_received,
            rtx_received: totals.rtx_received,
            duplicates: totals.duplicates,
            plis_sent: totals.plis_sent,
            plis_received: totals.plis_received,
            decrypt_failures: totals.decrypt_failures,
            clients_failed: totals.clients_failed,
            clients_lost: totals.clients_lost,
            server: ServerSummary::new(outcome),
            client: ClientSummary::new(outcome),
            machine: MachineSummary::new(outcome),
        }
    }
}

impl LatencySummary {
    fn new(latency: &Histogram) -> Self {
        Self {
            p50: latency.percentile_us(0.5),
            p99: latency.percentile_us(0.99),
            p999: latency.percentile_us(0.999),
            max: latency.max_us(),
        }
    }
}

impl Spread {
    /// Of durations; nothing, if there are none.
    fn new(durations: impl Iterator<Item = Duration>) -> Self {
        let mut sorted: Vec<Duration> = durations.collect();
        sorted.sort_unstable();
        let at = |share: f64| {
            let last = sorted.len().checked_sub(1)?;
            let found = sorted.get((last as f64 * share).round() as usize)?;
            Some(rounded(found.as_secs_f64() * 1_000.0, 3))
        };
        Self {
            p50: at(0.5),
            p99: at(0.99),
        }
    }
}

impl JoinSummary {
    fn new(joins: &[JoinTimes]) -> Self {
        let Spread { p50, p99 } = Spread::new(joins.iter().filter_map(JoinTimes::joined));
        let by_phase = JoinPhase::ALL.map(|phase| {
            let took = joins.iter().filter_map(|join| join.phase(phase));
            (phase.as_str(), Spread::new(took))
        });
        Self {
            p50,
            p99,
            by_phase: BTreeMap::from(by_phase),
        }
    }
}

impl ClientSummary {
    fn new(outcome: &Outcome) -> Self {
        let client = &outcome.client;
        Self {
            cores_busy: rounded(client.cores_busy, 3),
            busiest_media_thread: rounded(client.busiest_media_thread, 3),
            drops: client.drops,
            late_sends: outcome.totals.late_sends,
            send_failures: outcome.totals.send_failures,
            bottleneck: client.bottleneck.clone(),
        }
    }
}

impl MachineSummary {
    fn new(outcome: &Outcome) -> Self {
        let machine = outcome.machine.clone();
        Self {
            cpu: machine.cpu,
            kernel: machine.kernel,
            commit: machine.commit,
            cipher: machine.cipher,
        }
    }
}

/// How fast clients joined, from the first byte of the first to the keys of the last; `None` for
/// fewer than two.
fn joins_per_second(joins: &[JoinTimes]) -> Option<f64> {
    let joined = || {
        joins
            .iter()
            .filter_map(|join| Some((join.began, join.began + join.joined()?)))
    };
    let count = joined().count();
    let began = joined().map(|(began, _)| began).min()?;
    let ended = joined().map(|(_, ended)| ended).max()?;
    let seconds = ended.saturating_sub(began).as_secs_f64();
    (count > 1 && seconds > 0.0).then(|| count as f64 / seconds)
}

/// `value` to `digits` decimals: more would claim a precision that was not measured.
fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests;
