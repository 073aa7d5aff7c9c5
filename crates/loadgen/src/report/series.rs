//! The run over time: what the plots show.

use super::plot::{Chart, Line, Shape};
use crate::measure::{Outcome, ServerSample, Snapshot};
use std::time::Duration;

/// Bytes of a mebibyte.
const MIB: f64 = 1_048_576.0;

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
    let pairs = snapshots.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        let seconds = seconds_between(before.at, after.at)?;
        let new = after.counters.since(&before.counters);
        Some((after.at.as_secs_f64(), value(&Between { seconds, new })))
    });
    pairs.collect()
}

/// `None` if no time has passed: there is no rate then.
fn seconds_between(before: Duration, after: Duration) -> Option<f64> {
    let seconds = after.saturating_sub(before).as_secs_f64();
    (seconds > 0.0).then_some(seconds)
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

fn joins(outcome: &Outcome) -> Chart {
    let rate = rates(&outcome.snapshots, |between| {
        between.per_second(between.new.clients_connected)
    });
    chart("Joins", "clients/s", vec![line("joined", rate)])
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
    let pairs = readings.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        let ((began, used_before), (ended, used)) = (read(before), read(after));
        let seconds = seconds_between(began, ended)?;
        let used = used.saturating_sub(used_before).as_secs_f64();
        Some((ended.as_secs_f64(), used / seconds))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let readings = [(ms(0), ms(10)), (ms(2_000), ms(510)), (ms(2_000), ms(510))];
        assert_eq!(cores(&readings, |reading| *reading), [(2.0, 0.25)]);
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
