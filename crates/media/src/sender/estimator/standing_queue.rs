//! A queue that stands: one that grew too slowly for the trend to find it, and does not drain.
//! Found by the delay itself, against the least delay of the last [`BASE`]: if even the least of
//! the last half second is far above it, the link is full, and has been for a while.

use super::groups::Gradient;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Delay above the least that is no coincidence, milliseconds. Lower keeps queues shorter and
/// yields to other traffic sooner.
const STANDING_MS: f64 = 30.0;
/// A queue that has not been shorter for so long stands.
const RECENT: Duration = Duration::from_millis(500);
/// The least delay is taken over so long. Longer finds older queues, and takes longer to believe
/// that a new way is just longer.
const BASE: Duration = Duration::from_secs(12);
/// Between two findings: the reaction to the first must have drained the queue.
const PAUSE: Duration = Duration::from_millis(1_500);

#[derive(Debug, Default)]
pub(super) struct StandingQueue {
    /// One-way delay, milliseconds, relative to the first group's.
    delay_ms: f64,
    /// Least delays by spans of [`RECENT`], with the starts of the spans.
    least: VecDeque<(Instant, f64)>,
    last_found: Option<Instant>,
}

impl StandingQueue {
    /// Takes in a group; whether a queue stands.
    pub(super) fn update(&mut self, group: &Gradient) -> bool {
        self.delay_ms += group.delta_ms;
        match self.least.back_mut() {
            Some((since, least)) if group.at.saturating_duration_since(*since) < RECENT => {
                *least = least.min(self.delay_ms);
                return false;
            }
            _ => {}
        }
        let found = self.is_standing(group.at);
        self.least.push_back((group.at, self.delay_ms));
        while let Some((since, _)) = self.least.front()
            && group.at.saturating_duration_since(*since) > BASE
        {
            self.least.pop_front();
        }
        if found {
            self.last_found = Some(group.at);
        }
        found
    }

    /// Judges when a span is over.
    fn is_standing(&self, now: Instant) -> bool {
        let Some((_, recent)) = self.least.back() else {
            return false;
        };
        let least = self.least.iter().map(|(_, least)| *least);
        let base = least.fold(f64::INFINITY, f64::min);
        let rests = self
            .last_found
            .is_some_and(|last| now.saturating_duration_since(last) < PAUSE);
        !rests && recent - base > STANDING_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    fn findings(delta_ms: impl Fn(u32) -> f64) -> usize {
        let start = Instant::now();
        let mut queue = StandingQueue::default();
        let group = |number| Gradient {
            delta_ms: delta_ms(number),
            at: start + Duration::from_millis(33) * number,
        };
        (0..600)
            .filter(|number| queue.update(&group(*number)))
            .count()
    }

    #[test]
    fn a_queue_that_creeps_up_is_found() {
        assert!(findings(|_| 0.3) > 2);
    }

    #[test]
    fn a_queue_that_comes_and_goes_does_not_stand() {
        let swing = |number: u32| if (number / 10).is_multiple_of(2) { 9.0 } else { -9.0 };
        assert_eq!(findings(swing), 0);
    }

    #[test]
    fn a_longer_way_is_believed_after_a_while() {
        let step = |number: u32| if number == 100 { 80.0 } else { 0.0 };
        let found = findings(step);
        assert!((1..=8).contains(&found), "{found}");
    }
}
