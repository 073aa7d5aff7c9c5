//! Google congestion control (draft-ietf-rmcat-gcc-02) from the parts of rtc-interceptor, as plain
//! values: packet groups → trend of the delay → overuse? → rate; and beside it a rate from loss.
//! The lower of the two counts.
//!
//! Trend and detector are ours: the library filters the delay of single groups, which stays below
//! its threshold while a queue grows slowly, so that only loss would end the growth.

mod detector;
mod trendline;

use super::history::Fates;
use detector::Detector;
use interceptor::{ArrivalGroupAccumulator, LossController, RateCalculator, RateController};
use plenum_types::Bitrate;
use std::time::Instant;
use trendline::Trendline;

/// Where the estimate starts, bits per second. Higher gives a better first picture on a good link
/// and a queue on a bad one.
const INITIAL: f64 = 600_000.0;

/// The estimate never falls below: audio and the control traffic need about that much.
const MINIMUM: f64 = 50_000.0;

/// The estimate never rises above.
const MAXIMUM: f64 = 100_000_000.0;

pub(super) struct Estimator {
    groups: ArrivalGroupAccumulator,
    trendline: Trendline,
    detector: Detector,
    received: RateCalculator,
    by_delay: RateController,
    by_loss: LossController,
    target: Option<f64>,
}

impl Estimator {
    /// No estimate is above this, so that sums over all peers cannot overflow.
    pub(super) const HIGHEST: Bitrate = Bitrate(MAXIMUM as u64);

    pub(super) fn new() -> Self {
        Self {
            groups: ArrivalGroupAccumulator::default(),
            trendline: Trendline::default(),
            detector: Detector::new(),
            received: RateCalculator::default(),
            by_delay: RateController::new(INITIAL, MINIMUM, MAXIMUM),
            by_loss: LossController::new(INITIAL, MINIMUM, MAXIMUM),
            target: None,
        }
    }

    /// Takes in what one feedback tells.
    pub(super) fn on_fates(&mut self, now: Instant, fates: &Fates<'_>) {
        if fates.packets == 0 {
            return;
        }
        if fates.bytes > 0 {
            self.received.add(now, fates.bytes);
        }
        for report in fates.arrived {
            if let Some(group) = self.groups.accumulate(report) {
                let trend = self.trendline.update(&group);
                self.detector.update(group.at, trend);
            }
        }
        let received = self.received.rate_bits_per_second(now);
        let by_delay = self.by_delay.update(now, self.detector.usage(), received);
        let by_loss = self.by_loss.update(now, fates.lost, fates.packets);
        self.target = Some(by_delay.min(by_loss));
    }

    /// `None` before the first feedback.
    pub(super) fn estimate(&self) -> Option<Bitrate> {
        self.target.map(|target| Bitrate(target as u64))
    }
}
