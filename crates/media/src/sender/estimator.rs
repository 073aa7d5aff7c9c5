//! Google congestion control (draft-ietf-rmcat-gcc-02) by rtc-interceptor, as a plain value.

use interceptor::{BandwidthEstimator, Gcc, PacketReport};
use plenum_types::Bitrate;
use std::time::Instant;

/// Where the estimate starts, bits per second. Higher gives a better first picture on a good link
/// and a queue on a bad one.
const INITIAL: f64 = 600_000.0;

/// The estimate never falls below: audio and the control traffic need about that much.
const MINIMUM: f64 = 50_000.0;

/// The estimate never rises above.
const MAXIMUM: f64 = 100_000_000.0;

pub(super) struct Estimator {
    gcc: Gcc,
    heard: bool,
}

impl Estimator {
    pub(super) fn new() -> Self {
        Self {
            gcc: Gcc::new(INITIAL, MINIMUM, MAXIMUM),
            heard: false,
        }
    }

    pub(super) fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        if !reports.is_empty() {
            self.heard = true;
            self.gcc.on_reports(now, reports);
        }
    }

    /// `None` before the first feedback.
    pub(super) fn estimate(&self) -> Option<Bitrate> {
        self.heard
            .then(|| Bitrate(self.gcc.target_bitrate() as u64))
    }
}
