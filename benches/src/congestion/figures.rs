//! What a run comes to in numbers.

use super::run::{Run, Sample};

/// After a change so long is left for the controller to find its rate, seconds.
const SETTLE_S: u64 = 10;

/// The figures of one run. Only the way forward counts, unless said otherwise.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Of the capacity, what media and TCP used from ten seconds after each change to the next:
    /// the least of all stretches, 0 to 1.
    pub steady_least: f64,
    /// The mean of them.
    pub steady: f64,
    /// The same over the whole run.
    pub whole: f64,
    /// Of what media and TCP used in steady stretches, the share of media.
    pub media_share: f64,
    /// The queue was no longer for 95 % of the time, ms; in steady stretches.
    pub queue_p95_ms: f64,
    /// The same over the whole run.
    pub queue_whole_p95_ms: f64,
    /// Packets of media lost, 0 to 1, both ways.
    pub loss: f64,
    /// Probes among the bytes of media, 0 to 1.
    pub probes: f64,
    /// Jain's index over the flows that ran in the last steady stretch, 1 if all got the same.
    pub fairness: f64,
}

impl Figures {
    /// Computes them.
    pub fn of(run: &Run) -> Self {
        let stretches = stretches(run);
        let steady: Vec<&Sample> = stretches.iter().flatten().copied().collect();
        let all: Vec<&Sample> = run.samples.iter().collect();
        let used = stretches.iter().map(|stretch| utilisation(run, stretch));
        Self {
            steady_least: used.fold(f64::INFINITY, f64::min),
            steady: utilisation(run, &steady),
            whole: utilisation(run, &all),
            media_share: media_share(run, &steady),
            queue_p95_ms: queue_p95(run, &stretches),
            queue_whole_p95_ms: p95(run.waits.iter().map(|(_, wait)| *wait)),
            loss: mean(all.iter().flat_map(|sample| &sample.loss).copied()),
            probes: probes(&all),
            fairness: stretches.last().map_or(1.0, |last| fairness(run, last)),
        }
    }
}

/// The samples of each steady stretch.
fn stretches(run: &Run) -> Vec<Vec<&Sample>> {
    let changes = run.case.changes();
    let between = changes.windows(2).map(|pair| {
        let (from, to) = ((pair[0] + SETTLE_S) as f64, pair[1] as f64);
        let inside = |sample: &&Sample| sample.at_s > from && sample.at_s <= to;
        run.samples.iter().filter(inside).collect::<Vec<_>>()
    });
    between.filter(|stretch| !stretch.is_empty()).collect()
}

fn forward_kbps(run: &Run, sample: &Sample) -> f64 {
    let flows = run.case.media.iter().zip(&sample.rate_kbps);
    let rates = flows
        .filter(|(plan, _)| !plan.reverse)
        .map(|(_, rate)| rate);
    rates.sum()
}

fn utilisation(run: &Run, samples: &[&Sample]) -> f64 {
    let used = |sample: &&Sample| forward_kbps(run, sample) + sample.tcp_kbps;
    let capacity: f64 = samples.iter().map(|sample| sample.capacity_kbps[0]).sum();
    samples.iter().map(used).sum::<f64>() / capacity.max(1.0)
}

fn media_share(run: &Run, samples: &[&Sample]) -> f64 {
    let media: f64 = samples.iter().map(|sample| forward_kbps(run, sample)).sum();
    let tcp: f64 = samples.iter().map(|sample| sample.tcp_kbps).sum();
    media / (media + tcp).max(1.0)
}

fn queue_p95(run: &Run, stretches: &[Vec<&Sample>]) -> f64 {
    let spans: Vec<(f64, f64)> = stretches
        .iter()
        .filter_map(|stretch| Some((stretch.first()?.at_s, stretch.last()?.at_s)))
        .collect();
    let is_steady = |at: f64| spans.iter().any(|(from, to)| (*from..=*to).contains(&at));
    let waits = run.waits.iter().filter(|(at, _)| is_steady(*at));
    p95(waits.map(|(_, wait)| *wait))
}

fn p95(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() * 95 / 100).copied().unwrap_or(0.0)
}

fn probes(samples: &[&Sample]) -> f64 {
    let probes: f64 = samples.iter().flat_map(|sample| &sample.probe_kbps).sum();
    let media: f64 = samples.iter().flat_map(|sample| &sample.rate_kbps).sum();
    probes / media.max(1.0)
}

fn fairness(run: &Run, samples: &[&Sample]) -> f64 {
    let of_flow = |flow: usize| mean(samples.iter().map(|sample| sample.rate_kbps[flow]));
    let forward = (0..run.case.media.len()).filter(|flow| !run.case.media[*flow].reverse);
    let rates: Vec<f64> = forward.map(of_flow).filter(|rate| *rate > 1.0).collect();
    let sum: f64 = rates.iter().sum();
    let squares: f64 = rates.iter().map(|rate| rate * rate).sum();
    sum * sum / (rates.len() as f64 * squares).max(f64::MIN_POSITIVE)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}
