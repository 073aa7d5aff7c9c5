//! The live progress line: rewritten in place on a terminal, a new line now and then elsewhere.

use super::format::{bytes, decimal, grouped, measured};
use crate::measure::{Counters, ServerSample, Snapshot};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// How often a line is written where lines stay. More would drown a log.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// Back to the start of the line, and clear it.
const REWRITE: &str = "\r\x1b[2K";

/// Writes progress to `W`, which is the standard error outside of tests.
pub(crate) struct Progress<W: Write = io::Stderr> {
    out: W,
    terminal: bool,
    /// How many clients there will be.
    clients: usize,
    before: Option<(Duration, Counters)>,
    server_before: Option<ServerSample>,
    written: Option<Duration>,
}

impl Progress {
    /// Writes to the standard error about a run of `clients` clients.
    pub(crate) fn new(clients: usize) -> Self {
        let out = io::stderr();
        let terminal = out.is_terminal();
        Self::to(out, terminal, clients)
    }
}

impl<W: Write> Progress<W> {
    fn to(out: W, terminal: bool, clients: usize) -> Self {
        Self {
            out,
            terminal,
            clients,
            before: None,
            server_before: None,
            written: None,
        }
    }

    /// Shows the newest snapshot, if it is time to.
    pub(crate) fn on_snapshot(&mut self, snapshot: &Snapshot, server: Option<&ServerSample>) {
        let due = self
            .written
            .is_none_or(|written| snapshot.at >= written + LINE_INTERVAL);
        if !self.terminal && !due {
            return;
        }
        let line = self.line(snapshot, server);
        // Nobody may be there to read it; the run goes on.
        let _ = match self.terminal {
            true => write!(self.out, "{REWRITE}{line}"),
            false => writeln!(self.out, "{line}"),
        };
        let _ = self.out.flush();
        self.written = Some(snapshot.at);
        self.before = Some((snapshot.at, snapshot.counters));
        self.server_before = server.copied();
    }

    /// Leaves the terminal on an empty line. To be called once, at the end.
    pub(crate) fn finish(&mut self) {
        if self.terminal && self.written.is_some() {
            let _ = write!(self.out, "{REWRITE}");
            let _ = self.out.flush();
        }
    }

    fn line(&self, snapshot: &Snapshot, server: Option<&ServerSample>) -> String {
        let (at, counters) = self.before.unwrap_or_default();
        let seconds = snapshot.at.saturating_sub(at).as_secs_f64().max(1e-3);
        let new = snapshot.counters.since(&counters);
        let loss = (new.packets_expected() > 0).then(|| new.loss_ratio() * 100.0);
        let p99 = snapshot
            .latency
            .percentile_us(0.99)
            .map(|us| us as f64 / 1_000.0);
        let mut line = format!(
            "{:>4} s  {}/{} clients  {} packets/s  {} Mbit/s  loss {} %  p99 {} ms",
            snapshot.at.as_secs(),
            snapshot.counters.clients_connected,
            self.clients,
            grouped(new.packets_received as f64 / seconds),
            decimal(new.bytes_received as f64 * 8.0 / 1e6 / seconds, 1),
            measured(loss, 2),
            measured(p99, 2),
        );
        if let Some(server) = server {
            let cores = self.server_before.map(|before| {
                let used = server.cpu.since(&before.cpu).total().as_secs_f64();
                used / server.at.saturating_sub(before.at).as_secs_f64().max(1e-3)
            });
            let rss = bytes(server.rss_bytes as f64);
            line += &format!("  server {} cores, {rss}", measured(cores, 2));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn shown(terminal: bool) -> String {
        let outcome = sample::outcome();
        let samples = outcome.server.as_ref().map(|server| &server.samples);
        let mut progress = Progress::to(Vec::new(), terminal, 401);
        for (snapshot, server) in outcome.snapshots.iter().zip(samples.unwrap()) {
            progress.on_snapshot(snapshot, Some(server));
        }
        progress.finish();
        String::from_utf8(progress.out).unwrap()
    }

    #[test]
    fn a_log_gets_a_line_now_and_then() {
        let text = shown(false);
        assert_eq!(text.lines().count(), 15, "{text}");
        assert!(!text.contains('\x1b'));
        let line = text.lines().nth(10).unwrap();
        assert!(line.starts_with("  50 s  401/401 clients  "), "{line}");
        assert!(
            line.contains(" packets/s  ") && line.contains("cores, 40.0 MiB"),
            "{line}"
        );
    }

    #[test]
    fn rates_are_over_the_time_since_the_line_before() {
        let line = |at_s: u64, packets_received: u64| Snapshot {
            at: Duration::from_secs(at_s),
            counters: Counters {
                packets_received,
                ..Counters::default()
            },
            latency: crate::measure::Histogram::default(),
            cpu: crate::measure::ClientCpu::default(),
        };
        let mut progress = Progress::to(Vec::new(), false, 1);
        progress.on_snapshot(&line(0, 1_000), None);
        progress.on_snapshot(&line(2, 9_000), None);
        progress.on_snapshot(&line(5, 11_000), None);
        let text = String::from_utf8(progress.out).unwrap();
        let last = text.lines().last().unwrap();
        assert!(
            last.contains("  2,000 packets/s  ") && last.ends_with("p99 – ms"),
            "{last}"
        );
    }

    #[test]
    fn a_terminal_keeps_one_line() {
        let text = shown(true);
        assert!(!text.contains('\n'));
        assert_eq!(text.matches(REWRITE).count(), 72);
        assert!(text.ends_with(REWRITE));
    }
}
