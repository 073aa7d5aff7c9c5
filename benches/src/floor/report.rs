//! What was measured, as a table and as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::{Plan, Row, Sample, Way};
use crate::machine::Machine;

/// The figures of one row: medians of its samples.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    /// Datagrams to one socket at a tick.
    pub run: usize,
    /// How they left.
    pub way: Way,
    /// Datagrams a second.
    pub packets_per_second: f64,
    /// Share that did not arrive.
    pub loss_ratio: f64,
    /// CPU of the sender for a datagram, µs.
    pub cpu_us_per_packet: f64,
    /// Its user share.
    pub cpu_user_us_per_packet: f64,
    /// Its system share.
    pub cpu_system_us_per_packet: f64,
}

/// All rows, with what they were measured on.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Receiving sockets.
    pub sockets: usize,
    /// UDP payload of a datagram.
    pub datagram_bytes: usize,
    /// Where.
    pub machine: Machine,
    /// What.
    pub rows: Vec<Figures>,
}

impl Report {
    /// Sums up `rows`.
    pub fn new(plan: &Plan, rows: &[Row]) -> Self {
        Self {
            sockets: plan.sockets,
            datagram_bytes: plan.datagram_bytes,
            machine: Machine::here(),
            rows: rows.iter().map(figures).collect(),
        }
    }

    /// A table for people.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{} sockets, datagrams of {} bytes; {}\n\n\
             | run | sent as | packets/s | loss | µs/packet | user | system |\n|---|---|---|---|---|---|---|\n",
            self.sockets, self.datagram_bytes, self.machine
        );
        for row in &self.rows {
            let way = match row.way {
                Way::Run => "one message",
                Way::Singles => "single messages",
            };
            let _ = writeln!(
                text,
                "| {} | {way} | {:.0} | {:.2} % | {:.2} | {:.2} | {:.2} |",
                row.run,
                row.packets_per_second,
                row.loss_ratio * 100.0,
                row.cpu_us_per_packet,
                row.cpu_user_us_per_packet,
                row.cpu_system_us_per_packet,
            );
        }
        text
    }
}

fn figures(row: &Row) -> Figures {
    let median_of = |figure: fn(&Sample) -> f64| median(row.samples.iter().map(figure).collect());
    Figures {
        run: row.run,
        way: row.way,
        packets_per_second: median_of(|sample| sent(sample) / sample.elapsed.as_secs_f64()),
        loss_ratio: median_of(|sample| 1.0 - sample.received as f64 / sent(sample)),
        cpu_us_per_packet: median_of(|sample| micros(sample.cpu.total) / sent(sample)),
        cpu_user_us_per_packet: median_of(|sample| {
            micros(sample.cpu.total.saturating_sub(sample.cpu.system)) / sent(sample)
        }),
        cpu_system_us_per_packet: median_of(|sample| micros(sample.cpu.system) / sent(sample)),
    }
}

fn sent(sample: &Sample) -> f64 {
    (sample.sent + sample.refused).max(1) as f64
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The middle of some figures; not a number if there are none.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    let (low, high) = (figures.len().saturating_sub(1) / 2, figures.len() / 2);
    match (figures.get(low), figures.get(high)) {
        (Some(low), Some(high)) => low.midpoint(*high),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn figures_are_per_datagram_and_medians() {
        let sample = |micros| Sample {
            sent: 1_000,
            received: 990,
            elapsed: Duration::from_millis(100),
            cpu: crate::floor::ThreadCpu {
                total: Duration::from_micros(micros),
                system: Duration::from_micros(1_000),
            },
            ..Sample::default()
        };
        let row = Row {
            run: 5,
            way: Way::Run,
            samples: vec![sample(1_500), sample(9_000), sample(1_400)],
        };
        let figures = figures(&row);
        assert_eq!(figures.cpu_us_per_packet, 1.5);
        assert_eq!(figures.cpu_system_us_per_packet, 1.0);
        assert_eq!(figures.packets_per_second, 10_000.0);
        assert!((figures.loss_ratio - 0.01).abs() < 1e-9);
    }
}
