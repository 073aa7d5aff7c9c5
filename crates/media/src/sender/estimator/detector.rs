//! Whether the trend of the delay means that the way is overused: an adaptive threshold, so that
//! a flow that shares the way with a greedy one is not starved (draft-ietf-rmcat-gcc-02 §5.4).

use std::time::{Duration, Instant};

/// Threshold at the start and its bounds, in the scaled milliseconds of the trend.
const START: f64 = 12.5;
const LOWEST: f64 = 6.0;
const HIGHEST: f64 = 600.0;

/// How fast the threshold follows, per millisecond. It must rise slowly, or it hides the queue
/// that it should find, and fall fast enough to find the next one.
const RISE: f64 = 0.0087;
const FALL: f64 = 0.039;

/// A trend this far above the threshold is a spike, from which nothing is learned.
const SPIKE: f64 = 15.0;

/// A trend must stay above the threshold for so long.
const PERSISTENCE: Duration = Duration::from_millis(10);

/// Longest step of time that moves the threshold, milliseconds.
const LONGEST_STEP_MS: f64 = 100.0;

/// How the way is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// The queue grows.
    Over,
    Normal,
    /// The queue drains.
    Under,
}

#[derive(Debug)]
pub(super) struct Detector {
    threshold: f64,
    above_since: Option<Instant>,
    last: Option<(Instant, f64)>,
    usage: Usage,
}

impl Detector {
    pub(super) fn new() -> Self {
        Self {
            threshold: START,
            above_since: None,
            last: None,
            usage: Usage::Normal,
        }
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// Takes in the trend at the departure of a group.
    pub(super) fn update(&mut self, at: Instant, trend: f64) {
        let (last_at, last_trend) = self.last.replace((at, trend)).unwrap_or((at, trend));
        if trend > self.threshold {
            // The first group above the threshold only starts the clock.
            let since = *self.above_since.get_or_insert(at);
            let persists = at > since && at.saturating_duration_since(since) >= PERSISTENCE;
            if persists && trend >= last_trend {
                self.usage = Usage::Over;
            }
        } else {
            self.above_since = None;
            self.usage = if trend < -self.threshold {
                Usage::Under
            } else {
                Usage::Normal
            };
        }
        self.adapt(at.saturating_duration_since(last_at), trend.abs());
    }

    fn adapt(&mut self, elapsed: Duration, trend: f64) {
        if trend > self.threshold + SPIKE {
            return;
        }
        let gain = if trend > self.threshold { RISE } else { FALL };
        let elapsed_ms = (elapsed.as_secs_f64() * 1_000.0).min(LONGEST_STEP_MS);
        let step = gain * (trend - self.threshold) * elapsed_ms;
        self.threshold = (self.threshold + step).clamp(LOWEST, HIGHEST);
    }
}
