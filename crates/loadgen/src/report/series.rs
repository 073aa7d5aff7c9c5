//! The run over time: what the plots show.

use super::plot::{Chart, Line, Shape};
use crate::measure::{Outcome, ServerSample, Snapshot};
use std::time::Duration;

/// Bytes of a mebibyte.
const MIB: f64 = 1_048_576.0;
/// The shortest time between two readings that makes a rate. CPU time comes in ticks of 10 ms:
/// over a few milliseconds one tick would look like several cores.
const SPAN_MIN: Duration = Duration::from_millis(500);

/// Every plot of a run, in the order of reading.
pub(super) fn charts(outcome: &Outcome) -> Vec<Chart> {
    let snapshots = outcome.snapshots.as_slice();
    let samples = outcome
        .server
        .as_ref()
        .map_or(&[][..], |server| &server.samples);
    let mut charts = vec![
        packets(snapshots),
        chart(
            "Throughput",
            "Mbit/s",
            vec![line(
                "received",
                rates(snapshots, |between| {
                    between.per_second(between.new.bytes_received) * 8.0 / 1e6
                }),
            )],
        ),
        latency(snapshots),
        chart(
            "Loss",
            "%",
            vec![line("lost", rates(snapshots, Between::loss_percent))],
        ),
    ];
    if !samples.is_empty() {
        charts.extend([server_cpu(samples), server_memory(samples)]);
    }
    charts.extend([joins(outcome), freezes(snapshots), client_cpu(snapshots)]);
    for chart in &mut charts {
        chart.counted_from_s = outcome.counted_from.as_secs_f64();
    }
    charts
}

/// What was counted between two snapshots.
struct Between {
    seconds: f64,
    new: crate::measure::Counters,
}

impl Between {
    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.seconds
    }

    fn loss_percent(&self) -> f64 {
        match self.new.packets_expected() {
            0 => f64::NAN,
            _ => self.new.loss_ratio() * 100.0,
        }
    }
}

/// A point for every snapshot but the first: what `value` makes of the time before it.
fn rates(snapshots: &[Snapshot], value: impl Fn(&Between) -> f64) -> Vec<(f64, f64)> {
    let rate = |(before, after): (&Snapshot, &Snapshot)| {
        let seconds = after.at.saturating_sub(before.at).as_secs_f64();
        let new = after.counters.since(&before.counters);
        (after.at.as_secs_f64(), value(&Between { seconds, new }))
    };
    spans(snapshots, |snapshot| snapshot.at).map(rate).collect()
}

/// Neighbours that are far enough apart for a rate; what comes too early is passed over.
fn spans<T>(readings: &[T], at: impl Fn(&T) -> Duration) -> impl Iterator<Item = (&T, &T)> {
    let mut readings = readings.iter();
    let mut before = readings.next();
    std::iter::from_fn(move || {
        let from = before?;
        let due = at(from) + SPAN_MIN;
        let to = readings.find(|reading| at(reading) >= due)?;
        before = Some(to);
        Some((from, to))
    })
}

fn chart(title: &'static str, unit: &'static str, lines: Vec<Line>) -> Chart {
    Chart {
        title,
        unit,
        lines,
        shape: Shape::Lines,
        counted_from_s: 0.0,
    }
}

fn line(name: &'static str, points: Vec<(f64, f64)>) -> Line {
    Line { name, points }
}

fn packets(snapshots: &[Snapshot]) -> Chart {
    let offered = rates(snapshots, |between| {
        between.per_second(between.new.packets_expected())
    });
    let received = rates(snapshots, |between| {
        between.per_second(between.new.packets_received)
    });
    let lines = vec![line("received", received), line("offered", offered)];
    chart("Packets", "packets/s", lines)
}

fn latency(snapshots: &[Snapshot]) -> Chart {
    let at = |share: f64| {
        let point = |snapshot: &Snapshot| {
            let us = snapshot.latency.percentile_us(share);
            let ms = us.map_or(f64::NAN, |us| us as f64 / 1_000.0);
            (snapshot.at.as_secs_f64(), ms)
        };
        snapshots.iter().map(point).collect()
    };
    let lines = vec![
        line("p50", at(0.5)),
        line("p99", at(0.99)),
        line("p99.9", at(0.999)),
    ];
    chart("Forwarding latency", "ms", lines)
}

fn server_cpu(samples: &[ServerSample]) -> Chart {
    let user = line(
        "user",
        cores(samples, |sample| (sample.at, sample.cpu.user)),
    );
    let system = line(
        "system",
        cores(samples, |sample| (sample.at, sample.cpu.system)),
    );
    Chart {
        shape: Shape::Stacked,
        ..chart("Server CPU", "cores", vec![user, system])
    }
}

fn server_memory(samples: &[ServerSample]) -> Chart {
    let point = |sample: &ServerSample| (sample.at.as_secs_f64(), sample.rss_bytes as f64 / MIB);
    let lines = vec![line("resident", samples.iter().map(point).collect())];
    chart("Server memory", "MiB", lines)
}

/// By the moments at which clients had joined, not by snapshots: joining may be over before the
/// first of them.
fn joins(outcome: &Outcome) -> Chart {
    let moments = outcome
        .joins
        .iter()
        .filter_map(|join| Some(join.began + join.joined()?));
    let last_s = outcome
        .snapshots
        .last()
        .map_or(0, |snapshot| snapshot.at.as_secs());
    let seconds = moments
        .clone()
        .map(|at| at.as_secs())
        .max()
        .map_or(0, |most| most + 1);
    let mut joined = vec![0_u32; seconds.max(last_s) as usize];
    for moment in moments {
        joined[moment.as_secs() as usize] += 1;
    }
    let points = joined.iter().enumerate();
    let points = points.map(|(second, &joined)| (second as f64 + 1.0, f64::from(joined)));
    chart("Joins", "clients/s", vec![line("joined", points.collect())])
}

fn freezes(snapshots: &[Snapshot]) -> Chart {
    let freezes = rates(snapshots, |between| between.per_second(between.new.freezes));
    let switches = rates(snapshots, |between| {
        between.per_second(between.new.layer_switches)
    });
    let lines = vec![line("freezes", freezes), line("layer switches", switches)];
    chart("Freezes and layer switches", "events/s", lines)
}

fn client_cpu(snapshots: &[Snapshot]) -> Chart {
    let all = line(
        "all",
        cores(snapshots, |snapshot| {
            (snapshot.at, snapshot.cpu.process.total())
        }),
    );
    let busiest = cores(snapshots, |snapshot| {
        (snapshot.at, snapshot.cpu.busiest_media_thread.total())
    });
    chart(
        "Load benchmark CPU",
        "cores",
        vec![all, line("busiest media thread", busiest)],
    )
}

/// Cores busy between each reading and the one before; `read` tells when it was and the CPU time
/// until then.
fn cores<T>(readings: &[T], read: fn(&T) -> (Duration, Duration)) -> Vec<(f64, f64)> {
    let busy = |(before, after): (&T, &T)| {
        let ((began, used_before), (ended, used)) = (read(before), read(after));
        let seconds = ended.saturating_sub(began).as_secs_f64();
        let used = used.saturating_sub(used_before).as_secs_f64();
        (ended.as_secs_f64(), used / seconds)
    };
    spans(readings, |reading| read(reading).0)
        .map(busy)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::JoinTimes;
    use crate::report::sample;

    fn found<'a>(charts: &'a [Chart], title: &str, name: &str) -> &'a [(f64, f64)] {
        let chart = charts.iter().find(|chart| chart.title == title).unwrap();
        &chart
            .lines
            .iter()
            .find(|line| line.name == name)
            .unwrap()
            .points
    }

    #[test]
    fn rates_are_differences_by_time() {
        let mut outcome = sample::outcome();
        outcome.snapshots.truncate(2);
        outcome.snapshots[1].at = Duration::from_secs(2);
        outcome.snapshots[1].counters.packets_received = 5_000;
        outcome.snapshots[1].counters.packets_lost = 1_000;
        outcome.snapshots[0].counters.packets_received = 1_000;
        let charts = charts(&outcome);
        assert_eq!(found(&charts, "Packets", "received"), [(2.0, 2_000.0)]);
        assert_eq!(found(&charts, "Packets", "offered"), [(2.0, 2_500.0)]);
        assert_eq!(found(&charts, "Loss", "lost"), [(2.0, 20.0)]);
    }

    #[test]
    fn cores_are_cpu_time_by_time() {
        let ms = Duration::from_millis;
        let readings = [
            (ms(0), ms(10)),
            (ms(2_000), ms(510)),
            // One tick within a millisecond is not ten cores.
            (ms(2_001), ms(520)),
            (ms(3_000), ms(1_010)),
        ];
        assert_eq!(
            cores(&readings, |reading| *reading),
            [(2.0, 0.25), (3.0, 0.5)]
        );
    }

    #[test]
    fn joins_are_counted_by_the_second_in_which_they_ended() {
        let mut outcome = sample::outcome();
        outcome.snapshots.truncate(4);
        outcome.joins = [(100, 10), (200, 10), (900, 200), (4_500, 10)]
            .map(|(began_ms, took_ms)| JoinTimes {
                began: Duration::from_millis(began_ms),
                dtls: Some(Duration::from_millis(took_ms)),
                ..JoinTimes::default()
            })
            .to_vec();
        let charts = charts(&outcome);
        let points = [(1.0, 2.0), (2.0, 1.0), (3.0, 0.0), (4.0, 0.0), (5.0, 1.0)];
        assert_eq!(found(&charts, "Joins", "joined"), points);
    }

    #[test]
    fn a_second_without_latencies_is_a_gap() {
        let mut outcome = sample::outcome();
        outcome.snapshots[5].latency.clear();
        let charts = charts(&outcome);
        let points = found(&charts, "Forwarding latency", "p99");
        assert!(points[5].1.is_nan() && points[6].1 > 0.0);
    }

    #[test]
    fn the_server_is_plotted_if_it_was_watched() {
        let mut outcome = sample::outcome();
        assert!(
            charts(&outcome)
                .iter()
                .any(|chart| chart.title == "Server CPU")
        );
        outcome.server = None;
        assert!(
            charts(&outcome)
                .iter()
                .all(|chart| !chart.title.starts_with("Server"))
        );
    }
}
