//! A queue that stands: one that grew too slowly for the trend to find it, and does not drain.
//!
//! Found by the delay itself, against the least delay of the last [`BASE`]: if even the least of
//! the last half second is far above it, the link is full, and has been for a while. The base is
//! remembered for long, because flows that share a link may keep its queue filled for as long.
//! Where sending less again and again does not shorten the queue, it is the way that has become
//! longer, or somebody greedy who fills it: then for a while only what comes on top counts.

use super::groups::Gradient;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Delay above the least that is no coincidence, milliseconds. Lower keeps queues shorter and
/// yields to other traffic sooner.
pub(super) const STANDING_MS: f64 = 22.0;
/// A queue that has not been shorter for so long stands.
const RECENT: Duration = Duration::from_millis(500);
/// The least delay is taken over so long. Longer finds older queues, and believes clocks that
/// drift.
const BASE: Duration = Duration::from_secs(60);
/// The base is kept in pieces of this length.
const PIECE: Duration = Duration::from_secs(4);
/// Between two findings: the reaction to the first must have drained the queue.
const PAUSE: Duration = Duration::from_millis(1_500);
/// A finding after so long begins a new row of them.
const ROW: Duration = Duration::from_secs(8);
/// A queue that is still this share of what it was is not shorter.
const UNMOVED: f64 = 0.75;
/// The first so many findings in a row are answered by draining the queue.
const DRAINED: u32 = 2;
/// After so many findings in a row without a shorter queue it is not ours.
const ATTEMPTS: u32 = 4;
/// For so long after that somebody greedy is expected: giving way to them gains nothing.
const GREEDY: Duration = Duration::from_secs(30);

/// The last time that a queue was found.
#[derive(Clone, Copy, Debug)]
struct Found {
    at: Instant,
    queue_ms: f64,
    /// The shortest that it was since.
    shortest_ms: f64,
    /// Findings in a row without a shorter queue.
    attempts: u32,
}

/// Somebody who fills the queue whatever we do.
#[derive(Clone, Copy, Debug)]
struct Greedy {
    until: Instant,
    /// The delay that is theirs.
    base_ms: f64,
}

/// A queue that was found to stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) queue_ms: f64,
    /// Sending less is expected to shorten it: it is not somebody else's.
    pub(super) yields: bool,
}

#[derive(Debug, Default)]
pub(super) struct StandingQueue {
    /// One-way delay, milliseconds, relative to the first group's.
    delay_ms: f64,
    /// The current span of [`RECENT`]: its start and its least delay.
    span: Option<(Instant, f64)>,
    /// Least delays by pieces of the past, with their starts.
    pieces: VecDeque<(Instant, f64)>,
    queue_ms: f64,
    found: Option<Found>,
    whole_ms: f64,
    greedy: Option<Greedy>,
}

impl StandingQueue {
    /// Takes in a group; tells of a queue that stands, once for each time that it is found.
    pub(super) fn update(&mut self, group: &Gradient) -> Option<Standing> {
        self.delay_ms += group.delta_ms;
        let (since, least) = *self.span.get_or_insert((group.at, self.delay_ms));
        if group.at.saturating_duration_since(since) < RECENT {
            self.span = Some((since, least.min(self.delay_ms)));
            return None;
        }
        self.span = Some((group.at, self.delay_ms));
        self.remember(group.at, least);
        let floor = self.pieces.iter().map(|(_, least)| *least);
        let floor = floor.fold(f64::INFINITY, f64::min);
        self.whole_ms = least - floor;
        self.greedy = self.greedy.filter(|greedy| group.at < greedy.until);
        let base = self.greedy.map_or(floor, |greedy| greedy.base_ms);
        self.queue_ms = (least - base).max(0.0);
        self.judge(group.at, least)
    }

    /// The least queue of the last half second, milliseconds, without what somebody greedy fills.
    pub(super) const fn queue_ms(&self) -> f64 {
        self.queue_ms
    }

    /// The same, whoever fills it.
    pub(super) const fn whole_ms(&self) -> f64 {
        self.whole_ms
    }

    fn remember(&mut self, now: Instant, least: f64) {
        match self.pieces.back_mut() {
            Some((since, piece)) if now.saturating_duration_since(*since) < PIECE => {
                *piece = piece.min(least);
            }
            _ => self.pieces.push_back((now, least)),
        }
        while let Some((since, _)) = self.pieces.front()
            && now.saturating_duration_since(*since) > BASE
        {
            self.pieces.pop_front();
        }
    }

    fn judge(&mut self, now: Instant, least: f64) -> Option<Standing> {
        if let Some(found) = &mut self.found {
            found.shortest_ms = found.shortest_ms.min(self.queue_ms);
        }
        let last = self.found;
        let rests = last.is_some_and(|last| now.saturating_duration_since(last.at) < PAUSE);
        if rests || self.queue_ms <= STANDING_MS {
            return None;
        }
        let row = last.filter(|last| now.saturating_duration_since(last.at) < ROW);
        let attempts = row.map_or(0, |last| {
            if last.shortest_ms > UNMOVED * last.queue_ms {
                last.attempts + 1
            } else {
                0
            }
        });
        if attempts >= ATTEMPTS {
            self.greedy = Some(Greedy {
                until: now + GREEDY,
                base_ms: least,
            });
            self.queue_ms = 0.0;
            self.found = None;
            return None;
        }
        self.found = Some(Found {
            at: now,
            queue_ms: self.queue_ms,
            shortest_ms: self.queue_ms,
            attempts,
        });
        Some(Standing {
            queue_ms: self.queue_ms,
            yields: attempts < DRAINED && self.greedy.is_none(),
        })
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
            .filter(|number| queue.update(&group(*number)).is_some())
            .count()
    }

    #[test]
    fn a_queue_that_creeps_up_is_found() {
        assert!(findings(|_| 0.3) > 2);
    }

    #[test]
    fn a_queue_that_comes_and_goes_does_not_stand() {
        let swing = |number: u32| {
            if (number / 10).is_multiple_of(2) {
                9.0
            } else {
                -9.0
            }
        };
        assert_eq!(findings(swing), 0);
    }

    #[test]
    fn a_longer_way_is_believed_after_a_while() {
        let step = |number: u32| if number == 100 { 80.0 } else { 0.0 };
        let found = findings(step);
        assert!((1..=8).contains(&found), "{found}");
    }
}
