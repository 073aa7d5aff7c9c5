//! What a run must hold; what does not hold sets the exit code.

use super::Summary;

/// The most that is allowed of each; `None` allows all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// Share of packets, `--fail-loss`.
    pub loss_ratio: Option<f64>,
    /// Microseconds, `--fail-latency-p99`.
    pub latency_p99_us: Option<u64>,
    /// Microseconds, `--fail-cpu-us-per-packet`.
    pub cpu_us_per_packet: Option<f64>,
}

impl Thresholds {
    /// One line for each that does not hold. A figure that was not measured does not hold.
    pub(crate) fn failures(&self, summary: &Summary) -> Vec<String> {
        let loss = self.loss_ratio.and_then(|allowed| {
            let (found, allowed) = (summary.loss_ratio * 100.0, allowed * 100.0);
            let measured = (summary.packets_expected > 0).then_some(found);
            failure("--fail-loss", "loss", "%", measured, allowed)
        });
        let latency = self.latency_p99_us.and_then(|allowed| {
            let found = summary.latency_us.p99.map(|us| us as f64 / 1_000.0);
            let allowed = allowed as f64 / 1_000.0;
            failure("--fail-latency-p99", "latency p99", "ms", found, allowed)
        });
        let cpu = self.cpu_us_per_packet.and_then(|allowed| {
            let found = summary.server.cpu_us_per_packet;
            let name = "server CPU per packet";
            failure("--fail-cpu-us-per-packet", name, "µs", found, allowed)
        });
        [loss, latency, cpu].into_iter().flatten().collect()
    }
}

fn failure(flag: &str, name: &str, unit: &str, found: Option<f64>, allowed: f64) -> Option<String> {
    let Some(found) = found else {
        return Some(format!(
            "{flag}: {name} was not measured, {allowed:.3} {unit} allowed"
        ));
    };
    if found <= allowed {
        return None;
    }
    let over = found - allowed;
    Some(format!(
        "{flag}: {name} is {found:.3} {unit}, {over:.3} {unit} over the {allowed:.3} {unit} allowed"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn failures(thresholds: Thresholds, change: impl FnOnce(&mut Summary)) -> Vec<String> {
        let mut summary = Summary::new(&sample::outcome());
        change(&mut summary);
        thresholds.failures(&summary)
    }

    const ALL: Thresholds = Thresholds {
        loss_ratio: Some(0.001),
        latency_p99_us: Some(5_000),
        cpu_us_per_packet: Some(1.5),
    };

    #[test]
    fn the_bound_itself_holds() {
        let found = failures(ALL, |summary| {
            summary.loss_ratio = 0.001;
            summary.latency_us.p99 = Some(5_000);
            summary.server.cpu_us_per_packet = Some(1.5);
        });
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn each_failure_says_by_how_much() {
        let found = failures(ALL, |summary| {
            summary.loss_ratio = 0.003;
            summary.latency_us.p99 = Some(7_500);
            summary.server.cpu_us_per_packet = Some(2.0);
        });
        assert_eq!(
            found,
            [
                "--fail-loss: loss is 0.300 %, 0.200 % over the 0.100 % allowed",
                "--fail-latency-p99: latency p99 is 7.500 ms, 2.500 ms over the 5.000 ms allowed",
                "--fail-cpu-us-per-packet: server CPU per packet is 2.000 µs, \
                 0.500 µs over the 1.500 µs allowed",
            ]
        );
    }

    #[test]
    fn what_was_not_measured_does_not_hold() {
        let found = failures(ALL, |summary| {
            summary.packets_expected = 0;
            summary.latency_us.p99 = None;
            summary.server.cpu_us_per_packet = None;
        });
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|line| line.contains("was not measured")));
    }

    #[test]
    fn without_thresholds_all_holds() {
        let found = failures(Thresholds::default(), |summary| summary.loss_ratio = 1.0);
        assert_eq!(found, Vec::<String>::new());
    }
}
