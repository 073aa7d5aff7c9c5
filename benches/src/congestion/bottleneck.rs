//! A link that flows share: a capacity that changes over time, and a drop-tail queue before it.

use std::time::{Duration, Instant};

/// Bytes of IPv4, UDP and SRTP authentication that a packet has beyond its RTP.
pub(super) const OVERHEAD: usize = 44;

/// What happened since the last look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) entered: u64,
    pub(super) dropped: u64,
}

/// One direction of the path. Everything that flows in it waits in one queue.
#[derive(Debug)]
pub(super) struct Bottleneck {
    start: Instant,
    /// From when on, kbit/s; the first from the start on. Empty: no bottleneck.
    capacity: &'static [(u64, f64)],
    /// Longest wait.
    queue: Duration,
    free_at: Instant,
    pub(super) counts: Counts,
}

impl Bottleneck {
    pub(super) const fn new(
        start: Instant,
        capacity: &'static [(u64, f64)],
        queue: Duration,
    ) -> Self {
        Self {
            start,
            capacity,
            queue,
            free_at: start,
            counts: Counts {
                entered: 0,
                dropped: 0,
            },
        }
    }

    /// Capacity at `now`, kbit/s.
    pub(super) fn kbps(&self, now: Instant) -> f64 {
        let passed = (now - self.start).as_secs();
        let in_force = self.capacity.iter().take_while(|(from, _)| *from <= passed);
        in_force.last().map_or(f64::INFINITY, |(_, kbps)| *kbps)
    }

    /// How long what enters now waits.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.free_at.saturating_duration_since(now)
    }

    /// When a packet of `bytes` has passed; `None` if the queue is full.
    pub(super) fn pass(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        self.counts.entered += 1;
        if self.wait(now) > self.queue {
            self.counts.dropped += 1;
            return None;
        }
        let takes = bytes as f64 * 8.0 / self.kbps(now) / 1_000.0;
        self.free_at = self.free_at.max(now) + Duration::from_secs_f64(takes);
        Some(self.free_at)
    }
}

/// The rest of a flow's way: a delay and a jitter that keeps the order (RFC 8868 §4.5.3.2: a
/// truncated normal distribution of 5 ms, within 15 ms of its middle).
#[derive(Debug)]
pub(super) struct Way {
    delay: Duration,
    newest: Option<Instant>,
    luck: Luck,
}

const JITTER_MS: f64 = 5.0;
const JITTER_MAX_MS: f64 = 15.0;

impl Way {
    pub(super) const fn new(delay: Duration, luck: Luck) -> Self {
        Self {
            delay,
            newest: None,
            luck,
        }
    }

    /// When what has passed the bottleneck `at` arrives.
    pub(super) fn arrival(&mut self, at: Instant) -> Instant {
        let jitter = loop {
            let jitter = self.luck.normal() * JITTER_MS;
            if jitter.abs() <= JITTER_MAX_MS {
                break jitter + JITTER_MAX_MS;
            }
        };
        let arrival = at + self.delay + Duration::from_secs_f64(jitter / 1_000.0);
        let arrival = self.newest.map_or(arrival, |newest| newest.max(arrival));
        self.newest = Some(arrival);
        arrival
    }
}

/// Draws from a seed (Knuth's linear congruential generator: enough for a load).
#[derive(Clone, Copy, Debug)]
pub(super) struct Luck(u64);

impl Luck {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut luck = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream.rotate_left(32));
        for _ in 0..8 {
            luck.draw();
        }
        luck
    }

    /// Between 0 and 1.
    pub(super) fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }

    /// Of the standard normal distribution, by twelve draws.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.draw()).sum::<f64>() - 6.0
    }

    /// Of the exponential distribution with this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.draw()).ln()
    }
}
