//! One direction of a host's access link: delay, loss, reordering, duplication, and a bottleneck
//! of fixed rate with a drop-tail queue.
//!
//! Invariant: without `reordering`, datagrams leave in the order in which they entered, whatever
//! the jitter.

use std::time::{Duration, Instant};

use plenum_types::Bitrate;
use rand::RngExt;

use crate::seed::SimRng;

/// Bytes of IPv4 and UDP header that each datagram takes on a link of limited rate.
pub const HEADER_BYTES: usize = 28;

/// Extra delay of a datagram that is picked to be overtaken.
const REORDER_DELAY: Duration = Duration::from_millis(8);

/// Delay between a datagram and its duplicate.
const DUPLICATE_DELAY: Duration = Duration::from_millis(1);

/// How one direction of a link behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkConfig {
    /// Least one-way delay.
    pub latency: Duration,
    /// Delay on top of it, uniform between zero and this.
    pub jitter: Duration,
    /// Probability that a datagram is lost, 0 to 1.
    pub loss: f64,
    /// Probability that a datagram is overtaken by later ones, 0 to 1.
    pub reordering: f64,
    /// Probability that a datagram arrives twice, 0 to 1.
    pub duplication: f64,
    /// Capacity of the bottleneck, if it has one.
    pub rate: Option<Bitrate>,
    /// Bytes that wait before the bottleneck; a datagram that does not fit is dropped.
    pub queue_bytes: usize,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(5),
            jitter: Duration::ZERO,
            loss: 0.0,
            reordering: 0.0,
            duplication: 0.0,
            rate: None,
            queue_bytes: 64 * 1024,
        }
    }
}

/// What happened to the datagrams of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Datagrams that entered.
    pub entered: u64,
    /// Dropped at random.
    pub lost: u64,
    /// Dropped because the queue was full.
    pub overflowed: u64,
    /// Dropped during a blackout.
    pub blacked_out: u64,
    /// Bytes of those that passed the bottleneck, with [`HEADER_BYTES`] each.
    pub passed_bytes: u64,
    /// Longest wait before the bottleneck, microseconds.
    pub queue_us_max: u64,
}

/// One direction of a link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) config: LinkConfig,
    pub(crate) stats: LinkStats,
    rng: SimRng,
    /// When the bottleneck has sent what it holds.
    busy_until: Option<Instant>,
    /// When the last datagram in order leaves.
    last_exit: Option<Instant>,
}

/// When a datagram leaves a link, and its duplicate if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) at: Instant,
    pub(crate) duplicate_at: Option<Instant>,
}

impl Link {
    pub(crate) fn new(config: LinkConfig, rng: SimRng) -> Self {
        Self {
            config,
            stats: LinkStats::default(),
            rng,
            busy_until: None,
            last_exit: None,
        }
    }

    /// Takes a datagram of `bytes` in; `None` if it is dropped.
    pub(crate) fn enter(&mut self, now: Instant, bytes: usize, blackout: bool) -> Option<Exit> {
        self.stats.entered += 1;
        // All draws are made for every datagram, so that a change of one knob leaves the others'
        // luck as it was.
        let lost = self.rng.random_bool(self.config.loss);
        let overtaken = self.rng.random_bool(self.config.reordering);
        let duplicated = self.rng.random_bool(self.config.duplication);
        let jitter = self.config.jitter.mul_f64(self.rng.random::<f64>());
        if blackout {
            self.stats.blacked_out += 1;
            return None;
        }
        if lost {
            self.stats.lost += 1;
            return None;
        }
        let sent = self.pass_bottleneck(now, bytes + HEADER_BYTES)?;
        self.stats.passed_bytes += (bytes + HEADER_BYTES) as u64;
        let mut at = sent + self.config.latency + jitter;
        if overtaken {
            at += REORDER_DELAY;
        } else {
            at = self.last_exit.map_or(at, |last| last.max(at));
            self.last_exit = Some(at);
        }
        let duplicate_at = duplicated.then(|| at + DUPLICATE_DELAY);
        Some(Exit { at, duplicate_at })
    }

    /// How long a datagram that enters now waits before the bottleneck.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let until = self.busy_until.unwrap_or(now);
        until.saturating_duration_since(now)
    }

    /// When the bottleneck has sent a datagram that enters now; `None` if the queue is full.
    fn pass_bottleneck(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let Some(rate) = self.config.rate else {
            return Some(now);
        };
        let wait = self.wait(now);
        let start = now + wait;
        let bits_per_second = rate.bits_per_second().max(1);
        let queued = (wait.as_secs_f64() * bits_per_second as f64 / 8.0) as usize;
        if queued + bytes > self.config.queue_bytes {
            self.stats.overflowed += 1;
            return None;
        }
        self.stats.queue_us_max = self.stats.queue_us_max.max(wait.as_micros() as u64);
        let duration = Duration::from_secs_f64(bytes as f64 * 8.0 / bits_per_second as f64);
        self.busy_until = Some(start + duration);
        Some(start + duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, seed};

    fn link(config: LinkConfig) -> Link {
        Link::new(config, seed::stream(1, 1))
    }

    #[test]
    fn jitter_keeps_the_order() {
        let mut link = link(LinkConfig {
            jitter: Duration::from_millis(50),
            ..LinkConfig::default()
        });
        let start = Clock::new().now();
        let mut last = start;
        for number in 0..500 {
            let exit = link
                .enter(start + Duration::from_millis(number), 100, false)
                .unwrap();
            assert!(exit.at >= last);
            last = exit.at;
        }
    }

    #[test]
    fn loss_is_as_frequent_as_configured() {
        let mut link = link(LinkConfig {
            loss: 0.05,
            ..LinkConfig::default()
        });
        let start = Clock::new().now();
        for _ in 0..20_000 {
            link.enter(start, 100, false);
        }
        assert!(
            (900..1_100).contains(&link.stats.lost),
            "{}",
            link.stats.lost
        );
    }

    #[test]
    fn the_bottleneck_spreads_and_then_drops() {
        // 1,000 bytes with header take 8 ms at 1 Mbit/s; ten of them fit the queue.
        let mut link = link(LinkConfig {
            latency: Duration::ZERO,
            rate: Some(Bitrate::kbps(1_000)),
            queue_bytes: 10_000,
            ..LinkConfig::default()
        });
        let start = Clock::new().now();
        let exits: Vec<_> = (0..12)
            .filter_map(|_| link.enter(start, 1_000 - HEADER_BYTES, false))
            .map(|exit| (exit.at - start).as_millis())
            .collect();
        assert_eq!(exits, [8, 16, 24, 32, 40, 48, 56, 64, 72, 80]);
        assert_eq!(link.stats.overflowed, 2);
        assert_eq!(link.stats.passed_bytes, 10_000);
        assert_eq!(link.wait(start), Duration::from_millis(80));
        assert_eq!(link.wait(start + Duration::from_millis(90)), Duration::ZERO);
    }
}
