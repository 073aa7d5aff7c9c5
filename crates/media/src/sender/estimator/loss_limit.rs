//! The rate that losses allow. Radio links lose packets at random, and less rate does not make
//! that better; so losses up to [`TOLERATED`] limit nothing, and only the delay decides
//! (draft-ietf-rmcat-gcc-02 §6 holds the rate between 2 and 10 %, which would keep a flow that
//! starts low on such a link low forever). Beyond it somebody drops what is too much: a policer,
//! or a queue too short to be seen by its delay.

use std::time::{Duration, Instant};

/// Share of lost packets that does not limit.
const TOLERATED: f64 = 0.15;
/// The same where a queue stands, whoever fills it: packets are lost because it is full.
const TOLERATED_IN_QUEUE: f64 = 0.04;
/// A queue from so many milliseconds on.
const QUEUE_MS: f64 = 80.0;
/// Below this the limit is raised again.
const CLEAN: f64 = 0.05;
/// Packets that the share is taken over. Fewer react sooner and take luck for loss.
const PACKETS: f64 = 100.0;
/// Most weight of one feedback: a single burst that is lost is no rate that is too high.
const WEIGHT_MAX: f64 = 0.15;
/// Least reduction, as a share.
const LEAST: f64 = 0.08;
/// Between two reductions, beyond a round trip.
const GAP: Duration = Duration::from_millis(300);
/// Growth of the limit per second while it is clean.
const GROWTH: f64 = 0.08;
/// Feedback that comes after so long tells of an outage: what was lost in it was not too much,
/// unless what came has waited.
const OUTAGE: Duration = Duration::from_millis(700);
/// A limit this far above what the delay allows is none.
const IRRELEVANT: f64 = 2.0;

#[derive(Debug, Default)]
pub(super) struct LossLimit {
    share: f64,
    limit: Option<f64>,
    last_reduction: Option<Instant>,
    last_update: Option<Instant>,
}

impl LossLimit {
    /// `lost` of `packets` were lost, at a rate of `rate` by the delay.
    pub(super) fn update(
        &mut self,
        now: Instant,
        lost: usize,
        packets: usize,
        rate: f64,
        round_trip: Duration,
        queue_ms: f64,
    ) -> f64 {
        let last = self.last_update.replace(now).unwrap_or(now);
        let step = now.saturating_duration_since(last);
        if step < OUTAGE || queue_ms > QUEUE_MS {
            let weight = (packets as f64 / PACKETS).min(WEIGHT_MAX);
            let share = lost as f64 / packets.max(1) as f64;
            self.share += weight * (share - self.share);
        }
        let current = self.limit.unwrap_or(f64::INFINITY).min(rate);
        let tolerated = if queue_ms > QUEUE_MS {
            TOLERATED_IN_QUEUE
        } else {
            TOLERATED
        };
        if self.share > tolerated {
            self.reduce(now, current, round_trip);
        } else if let Some(limit) = self.limit
            && self.share < CLEAN
        {
            let grown = limit * (1.0 + GROWTH).powf(step.min(OUTAGE).as_secs_f64());
            self.limit = (grown < IRRELEVANT * rate).then_some(grown);
        }
        self.limit.unwrap_or(f64::INFINITY).min(rate)
    }

    pub(super) const fn last_reduction(&self) -> Option<Instant> {
        self.last_reduction
    }

    /// A probe came through at `rate`.
    pub(super) fn on_probe(&mut self, rate: f64) {
        self.limit = self.limit.map(|limit| limit.max(rate));
    }

    fn reduce(&mut self, now: Instant, current: f64, round_trip: Duration) {
        let due = self
            .last_reduction
            .is_none_or(|last| now.saturating_duration_since(last) >= GAP + round_trip);
        if due {
            self.limit = Some(current * (1.0 - (0.5 * self.share).max(LEAST)));
            self.last_reduction = Some(now);
            // The next one needs losses after this one.
            self.share = self.share.min(TOLERATED_IN_QUEUE) / 2.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    fn run(limit: &mut LossLimit, lost: usize, updates: u32) -> f64 {
        let start = limit.last_update.unwrap_or_else(Instant::now);
        let mut rate = 0.0;
        for update in 1..=updates {
            let now = start + Duration::from_millis(100) * update;
            rate = limit.update(now, lost, 20, 1_000_000.0, Duration::from_millis(50), 0.0);
        }
        rate
    }

    #[test]
    fn a_tenth_lost_at_random_limits_nothing() {
        let mut limit = LossLimit::default();
        assert!((run(&mut limit, 2, 100) - 1_000_000.0).abs() < 1.0);
    }

    #[test]
    fn half_lost_reduces_and_a_clean_link_raises_again() {
        let mut limit = LossLimit::default();
        let reduced = run(&mut limit, 10, 30);
        assert!(reduced < 500_000.0, "{reduced}");
        let mid = run(&mut limit, 0, 50);
        assert!(mid > reduced, "{mid}");
        limit.on_probe(900_000.0);
        assert!(run(&mut limit, 0, 1) >= 900_000.0);
    }
}
