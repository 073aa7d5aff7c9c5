//! One case from its first to its last second.

use std::time::{Duration, Instant};

use super::bottleneck::Bottleneck;
use super::case::Case;
use super::media::{Media, Progress};
use super::tcp::Tcp;

const STEP: Duration = Duration::from_millis(1);
/// Between two samples.
pub(super) const SAMPLE_MS: u64 = 200;
/// Between two looks at the queue.
pub(super) const WAIT_MS: u64 = 10;

/// What was so during one interval of a run.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Its end, seconds.
    pub at_s: f64,
    /// Capacity forward and backward, kbit/s; infinite without a bottleneck.
    pub capacity_kbps: [f64; 2],
    /// Longest wait before each bottleneck, ms.
    pub queue_ms: [f64; 2],
    /// Of each media flow, kbit/s: estimate, arrived, of that probes.
    pub target_kbps: Vec<f64>,
    /// What arrived.
    pub rate_kbps: Vec<f64>,
    /// What was sent as probes.
    pub probe_kbps: Vec<f64>,
    /// Share of packets lost of each media flow, 0 to 1.
    pub loss: Vec<f64>,
    /// What arrived of all TCP flows, kbit/s.
    pub tcp_kbps: f64,
}

/// A run over one case.
#[derive(Clone, Debug)]
pub struct Run {
    /// Which.
    pub case: Case,
    /// Its samples, in order.
    pub samples: Vec<Sample>,
    /// The wait before the bottleneck forward, every 10 ms: second, ms.
    pub waits: Vec<(f64, f64)>,
}

/// Runs a case. The same seed gives the same run.
pub fn run(case: Case, seed: u64) -> Run {
    let start = origin();
    let queue = Duration::from_millis(case.queue_ms);
    let mut links =
        [case.forward, case.backward].map(|capacity| Bottleneck::new(start, capacity, queue));
    let mut media: Vec<Media> = (0..)
        .zip(case.media)
        .map(|(number, plan)| Media::new(start, *plan, seed, number))
        .collect();
    let mut tcp: Vec<Tcp> = (0..)
        .zip(case.tcp)
        .map(|(number, plan)| Tcp::new(start, *plan, seed, number))
        .collect();
    let mut samples = Vec::new();
    let mut queue_ms = [0.0_f64; 2];
    let mut waits = Vec::new();
    for ms in 1..=case.seconds * 1_000 {
        let now = start + STEP * ms as u32;
        let [forward, backward] = &mut links;
        for (flow, plan) in media.iter_mut().zip(case.media) {
            if plan.reverse {
                flow.step(now, backward, forward);
            } else {
                flow.step(now, forward, backward);
            }
        }
        for flow in &mut tcp {
            flow.step(now, forward, backward);
        }
        for (longest, link) in queue_ms.iter_mut().zip(&links) {
            *longest = longest.max(link.wait(now).as_secs_f64() * 1_000.0);
        }
        if ms.is_multiple_of(WAIT_MS) {
            let wait = links[0].wait(now).as_secs_f64() * 1_000.0;
            waits.push((ms as f64 / 1_000.0, wait));
        }
        if ms.is_multiple_of(SAMPLE_MS) {
            let mut sample = sample(now, &mut media, &mut tcp);
            sample.at_s = ms as f64 / 1_000.0;
            sample.capacity_kbps = [0, 1].map(|way| links[way].kbps(now));
            sample.queue_ms = std::mem::take(&mut queue_ms);
            samples.push(sample);
        }
    }
    Run {
        case,
        samples,
        waits,
    }
}

fn sample(now: Instant, media: &mut [Media], tcp: &mut [Tcp]) -> Sample {
    let kbps = |bytes: u64| bytes as f64 * 8.0 / SAMPLE_MS as f64;
    let mut sample = Sample::default();
    for flow in media {
        let Progress {
            arrived_bytes,
            probe_bytes,
            sent,
            lost,
        } = std::mem::take(&mut flow.progress);
        sample.target_kbps.push(flow.target_kbps(now));
        sample.rate_kbps.push(kbps(arrived_bytes));
        sample.probe_kbps.push(kbps(probe_bytes));
        sample.loss.push(lost as f64 / sent.max(1) as f64);
    }
    for flow in tcp {
        sample.tcp_kbps += kbps(std::mem::take(&mut flow.arrived_bytes));
    }
    sample
}

#[expect(
    clippy::disallowed_methods,
    reason = "a run needs some origin; only differences count"
)]
pub(super) fn origin() -> Instant {
    Instant::now()
}
