//! Google congestion control (draft-ietf-rmcat-gcc-02) as plain values: packet groups → trend of
//! the delay → overuse? → rate; beside it a limit from loss, and what probes have proved.
//!
//! Written here, not taken from rtc-interceptor: its delay filter looks at single groups and misses
//! a queue that grows slowly, its rate knows neither the link's capacity nor probes, and its loss
//! rule keeps a flow on a lossy radio link low forever.

mod acknowledged;
mod capacity;
mod detector;
mod groups;
mod loss_limit;
mod rate_control;
mod standing_queue;
mod trendline;

use super::history::Fates;
use acknowledged::AcknowledgedRate;
use detector::{Detector, Usage};
use groups::Groups;
use loss_limit::LossLimit;
use plenum_types::{BandwidthEstimate, Bitrate, EstimateBasis};
use rate_control::{Input, RateControl};
use standing_queue::{STANDING_MS, StandingQueue};
use std::time::{Duration, Instant};
use trendline::Trendline;

/// Where the estimate starts, bits per second. Higher gives a better first picture on a good link
/// and a queue on a bad one; probes correct it within a round trip.
const INITIAL: f64 = 300_000.0;

/// The estimate never falls below: audio and the control traffic need about that much.
const MINIMUM: f64 = 50_000.0;

/// The estimate never rises above.
const MAXIMUM: f64 = 100_000_000.0;

/// How long an overuse makes the estimate a limit.
const CONGESTION: Duration = Duration::from_secs(3);

pub(super) struct Estimator {
    groups: Groups,
    trendline: Trendline,
    detector: Detector,
    queue: StandingQueue,
    acknowledged: AcknowledgedRate,
    by_delay: RateControl,
    by_loss: LossLimit,
    target: f64,
    heard: bool,
}

impl Estimator {
    /// No estimate is above this, so that sums over all peers cannot overflow.
    pub(super) const HIGHEST: Bitrate = Bitrate(MAXIMUM as u64);

    /// The estimate before there is feedback.
    pub(super) const FIRST: Bitrate = Bitrate(INITIAL as u64);

    pub(super) fn new() -> Self {
        Self {
            groups: Groups::default(),
            trendline: Trendline::default(),
            detector: Detector::new(),
            queue: StandingQueue::default(),
            acknowledged: AcknowledgedRate::default(),
            by_delay: RateControl::new(INITIAL, MINIMUM, MAXIMUM),
            by_loss: LossLimit::default(),
            target: INITIAL,
            heard: false,
        }
    }

    /// Takes in what one feedback tells.
    pub(super) fn on_fates(
        &mut self,
        now: Instant,
        fates: &Fates<'_>,
        round_trip: Option<Duration>,
    ) {
        if fates.packets == 0 {
            return;
        }
        self.heard = true;
        let mut standing = None;
        for packet in fates.arrived {
            self.acknowledged.add(packet.arrival, packet.bytes);
            // A train makes a queue, and is meant to: no sign that what flows is too much.
            if packet.probes {
                continue;
            }
            if let Some(group) = self.groups.add(packet) {
                let trend = self.trendline.update(&group);
                self.detector.update(group.at, trend);
                standing = self.queue.update(&group).or(standing);
            }
        }
        let input = Input {
            usage: self.detector.usage(),
            standing,
            queue_ms: self.queue.queue_ms(),
            acknowledged: self.acknowledged.bits_per_second(),
            at_the_limit: self.acknowledged.at_the_limit(),
            round_trip,
        };
        let by_delay = self.by_delay.update(now, &input);
        self.target = self
            .by_loss
            .update(
                now,
                fates.lost,
                fates.packets,
                by_delay,
                round_trip.unwrap_or_default(),
                self.queue.whole_ms(),
            )
            .max(MINIMUM);
    }

    /// A probe came through at `rate` bits per second.
    pub(super) fn on_probe(&mut self, rate: f64) {
        self.acknowledged.expect_change();
        self.by_delay.on_probe(rate);
        self.by_loss.on_probe(rate);
        self.target = self.target.max(rate.min(MAXIMUM));
    }

    /// Bits per second, from the start on.
    pub(super) const fn bits_per_second(&self) -> f64 {
        self.target
    }

    /// The queue on the way is growing, or has grown within `span`.
    pub(super) fn is_congested(&self, now: Instant, span: Duration) -> bool {
        self.detector.usage() == Usage::Over
            || self.queue.queue_ms() > STANDING_MS
            || [self.by_delay.last_decrease(), self.by_loss.last_reduction()]
                .into_iter()
                .flatten()
                .any(|last| now.saturating_duration_since(last) < span)
    }

    fn basis(&self, now: Instant) -> EstimateBasis {
        if self.is_congested(now, CONGESTION) {
            EstimateBasis::Congested
        } else if self.acknowledged.bits_per_second().is_some() {
            EstimateBasis::Proven
        } else {
            EstimateBasis::Assumed
        }
    }

    /// `None` before the first feedback.
    pub(super) fn estimate(&self, now: Instant) -> Option<BandwidthEstimate> {
        self.heard.then_some(BandwidthEstimate {
            bitrate: Bitrate(self.target as u64),
            basis: self.basis(now),
        })
    }
}
