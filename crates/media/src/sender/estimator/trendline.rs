//! How fast the queue on the way grows: a line through the smoothed one-way delay of the last
//! groups of packets (the delay gradient of draft-ietf-rmcat-gcc-02 §4, by least squares).

use super::groups::Gradient;
use std::collections::VecDeque;
use std::time::Instant;

/// The line goes through the groups of so long. Longer is steadier and slower. Not a number of
/// groups: where many small packets flow they would span so little that jitter has a slope.
const SPAN_MS: f64 = 600.0;
/// Most groups, and least.
const POINTS_MAX: usize = 48;
const POINTS_MIN: usize = 12;

/// Share of the past in the smoothed delay.
const SMOOTHING: f64 = 0.9;

/// The slope is scaled by this and by the number of groups, so that the detector's threshold in
/// milliseconds fits it.
const GAIN: f64 = 4.0;
const MAX_GROUPS: u32 = 60;

#[derive(Debug, Default)]
pub(super) struct Trendline {
    /// Milliseconds after the first group, and smoothed delay in milliseconds.
    points: VecDeque<(f64, f64)>,
    first: Option<Instant>,
    groups: u32,
    delay_ms: f64,
    smoothed_ms: f64,
}

impl Trendline {
    /// Takes in a group; returns the scaled slope, zero until there are enough groups.
    pub(super) fn update(&mut self, group: &Gradient) -> f64 {
        let first = *self.first.get_or_insert(group.at);
        let at_ms = group.at.saturating_duration_since(first).as_secs_f64() * 1_000.0;
        self.groups = (self.groups + 1).min(MAX_GROUPS);
        self.delay_ms += group.delta_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.delay_ms;
        while let Some((oldest_ms, _)) = self.points.front()
            && (self.points.len() == POINTS_MAX || at_ms - oldest_ms > SPAN_MS)
        {
            self.points.pop_front();
        }
        self.points.push_back((at_ms, self.smoothed_ms));
        if self.points.len() < POINTS_MIN {
            return 0.0;
        }
        self.slope() * f64::from(self.groups) * GAIN
    }

    /// Milliseconds of delay per millisecond.
    fn slope(&self) -> f64 {
        let count = self.points.len() as f64;
        let (sum_x, sum_y) = self
            .points
            .iter()
            .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        let (mean_x, mean_y) = (sum_x / count, sum_y / count);
        let (mut above, mut below) = (0.0, 0.0);
        for (x, y) in &self.points {
            above += (x - mean_x) * (y - mean_y);
            below += (x - mean_x) * (x - mean_x);
        }
        if below > 0.0 { above / below } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_queue_that_grows_evenly_has_that_slope() {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests need some origin; only differences count"
        )]
        let start = Instant::now();
        let mut line = Trendline::default();
        let mut trend = 0.0;
        for group in 0..400 {
            trend = line.update(&Gradient {
                delta_ms: 1.0,
                at: start + Duration::from_millis(group * 10),
            });
        }
        assert!((trend - 0.1 * 60.0 * GAIN).abs() < 0.01, "{trend}");
    }
}
