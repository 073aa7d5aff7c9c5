//! What arrives at the receiver, in bits per second: samples over short windows of arrival time,
//! joined by how surprising they are. A sample far from the estimate counts little, so that one
//! burst or pause does not move it; several in a row do.

use std::time::Duration;

/// The first window; a longer one gives the start a firm ground.
const FIRST_WINDOW: Duration = Duration::from_millis(500);
/// Later windows: some frames of video each.
const WINDOW: Duration = Duration::from_millis(150);
/// Arrivals that go back by more are of another clock.
const BACK_MAX: Duration = Duration::from_secs(1);

/// Uncertainty of a sample, as a multiple of its relative distance from the estimate.
const SURPRISE: f64 = 10.0;
/// What the variance grows by from sample to sample, (kbit/s)².
const DRIFT: f64 = 5.0;
/// What the variance grows by when another rate is expected, (kbit/s)².
const CHANGE: f64 = 200.0;
/// Variance at the start, (kbit/s)².
const FIRST_VARIANCE: f64 = 50.0;
/// Least rate that relative distances are taken from, kbit/s.
const RATE_MIN: f64 = 25.0;

#[derive(Debug, Default)]
pub(super) struct AcknowledgedRate {
    since: Option<Duration>,
    bytes: usize,
    estimate: Option<Estimate>,
    /// The last two samples, bits per second.
    samples: [f64; 2],
}

#[derive(Clone, Copy, Debug)]
struct Estimate {
    kbps: f64,
    variance: f64,
}

impl AcknowledgedRate {
    /// `bytes` arrived at `arrival` on the receiver's clock.
    pub(super) fn add(&mut self, arrival: Duration, bytes: usize) {
        let since = *self.since.get_or_insert(arrival);
        if arrival + BACK_MAX < since {
            self.restart(arrival);
            return;
        }
        let elapsed = arrival.saturating_sub(since);
        let window = if self.estimate.is_some() {
            WINDOW
        } else {
            FIRST_WINDOW
        };
        if elapsed >= window {
            // What arrives now belongs to the next window, which it opens.
            self.take_sample(self.bytes as f64 * 8.0 / elapsed.as_secs_f64() / 1_000.0);
            self.restart(arrival);
        }
        self.bytes += bytes;
    }

    /// More is about to be sent: the next samples are believed at once.
    pub(super) fn expect_change(&mut self) {
        if let Some(estimate) = &mut self.estimate {
            estimate.variance += CHANGE;
        }
    }

    /// Bits per second; `None` until half a second of arrivals.
    pub(super) fn bits_per_second(&self) -> Option<f64> {
        self.estimate.map(|estimate| estimate.kbps * 1_000.0)
    }

    /// What came through in the last windows, without a past: while a queue stands before the link
    /// that is what the link carries, however little was sent before.
    pub(super) fn at_the_limit(&self) -> Option<f64> {
        self.estimate
            .is_some()
            .then(|| self.samples[0].max(self.samples[1]))
    }

    fn restart(&mut self, arrival: Duration) {
        self.since = Some(arrival);
        self.bytes = 0;
    }

    fn take_sample(&mut self, sample: f64) {
        self.samples = [self.samples[1], sample * 1_000.0];
        let Some(Estimate { kbps, variance }) = self.estimate else {
            self.estimate = Some(Estimate {
                kbps: sample,
                variance: FIRST_VARIANCE,
            });
            return;
        };
        let uncertainty = SURPRISE * (kbps - sample).abs() / kbps.max(RATE_MIN);
        let sample_variance = uncertainty * uncertainty;
        let predicted = variance + DRIFT;
        let sum = sample_variance + predicted;
        self.estimate = Some(Estimate {
            kbps: (sample_variance * kbps + predicted * sample) / sum,
            variance: sample_variance * predicted / sum,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of `bytes` every 33 ms from `from` on, for `frames`.
    fn frames(rate: &mut AcknowledgedRate, from: u64, frames: u64, bytes: usize) -> u64 {
        for frame in 0..frames {
            rate.add(Duration::from_millis(from + frame * 33), bytes);
        }
        from + frames * 33
    }

    #[test]
    fn finds_the_rate_of_frames() {
        let mut rate = AcknowledgedRate::default();
        frames(&mut rate, 0, 10, 4_125);
        assert_eq!(rate.bits_per_second(), None);
        frames(&mut rate, 330, 60, 4_125);
        let found = rate.bits_per_second().unwrap();
        assert!((900_000.0..1_100_000.0).contains(&found), "{found}");
    }

    #[test]
    fn follows_a_lasting_change_and_shrugs_off_a_keyframe() {
        let mut rate = AcknowledgedRate::default();
        let end = frames(&mut rate, 0, 90, 4_125);
        let end = frames(&mut rate, end, 1, 40_000);
        let end = frames(&mut rate, end, 6, 4_125);
        let after_keyframe = rate.bits_per_second().unwrap();
        assert!(after_keyframe < 2_200_000.0, "{after_keyframe}");
        frames(&mut rate, end, 60, 1_000);
        let after_drop = rate.bits_per_second().unwrap();
        assert!(after_drop < 320_000.0, "{after_drop}");
    }

    #[test]
    fn a_clock_that_jumps_back_starts_anew() {
        let mut rate = AcknowledgedRate::default();
        frames(&mut rate, 100_000, 60, 4_125);
        frames(&mut rate, 0, 60, 4_125);
        let found = rate.bits_per_second().unwrap();
        assert!((800_000.0..1_200_000.0).contains(&found), "{found}");
    }
}
