//! How the bitrate of an encoding is shared among its layers, and which spatial layers flow.

use std::time::{Duration, Instant};

use plenum_types::LayerId;

use crate::limit::{LAYERS, LayerLimit};

/// Silence, while others flow, after which a spatial layer counts as not sent.
const SILENCE: Duration = Duration::from_millis(1_500);
/// Over how long the shares are measured.
const MEASURE: Duration = Duration::from_millis(1_000);

const COUNT: usize = LAYERS as usize;
type PerLayer<T> = [[T; COUNT]; COUNT];

/// Shares and presence of the layers of one encoding.
#[derive(Clone, Debug, Default)]
pub(crate) struct LayerMeter {
    since: Option<Instant>,
    bytes: PerLayer<u32>,
    /// Of all bytes, 0 to 1; `None` before the first full measurement.
    shares: Option<PerLayer<f32>>,
    last_seen: [Option<Instant>; COUNT],
    /// One bit per spatial layer.
    flowing: u8,
}

impl LayerMeter {
    /// Whether a spatial layer has come or gone.
    pub(crate) fn on_packet(&mut self, now: Instant, layer: LayerId, payload: usize) -> bool {
        let before = self.flowing;
        let spatial = usize::from(layer.spatial).min(COUNT - 1);
        let temporal = usize::from(layer.temporal).min(COUNT - 1);
        self.roll_over(now);
        self.bytes[spatial][temporal] += u32::try_from(payload).unwrap_or(0);
        self.last_seen[spatial] = Some(now);
        self.flowing |= 1 << spatial;
        before != 0 && before != self.flowing
    }

    /// Whether packets of a spatial layer come, or none are known yet.
    pub(crate) const fn flows(&self, spatial: u8) -> bool {
        self.flowing == 0 || self.flowing >> spatial & 1 == 1
    }

    /// The highest spatial layer that flows.
    pub(crate) fn spatial_top(&self) -> u8 {
        self.flowing.checked_ilog2().unwrap_or(0) as u8
    }

    /// How much of the encoding's bitrate `limit` lets through, 0 to 1; `None` before it was
    /// measured.
    pub(crate) fn share(&self, limit: LayerLimit) -> Option<f32> {
        let shares = self.shares?;
        let mut sum = 0.0;
        for (spatial, of_size) in (0..LAYERS).zip(shares) {
            for (temporal, share) in (0..LAYERS).zip(of_size) {
                if limit.admits(LayerId { spatial, temporal }) {
                    sum += share;
                }
            }
        }
        Some(sum)
    }

    fn roll_over(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed < MEASURE {
            return;
        }
        if elapsed < 2 * MEASURE {
            self.take_shares();
        }
        self.since = Some(now);
        self.bytes = PerLayer::default();
        for (spatial, seen) in self.last_seen.iter().enumerate() {
            if seen.is_none_or(|seen| now.saturating_duration_since(seen) > SILENCE) {
                self.flowing &= !(1 << spatial);
            }
        }
    }

    /// Half of what was: a keyframe in one second is no other share.
    fn take_shares(&mut self) {
        let total: u32 = self.bytes.iter().flatten().sum();
        if total == 0 {
            return;
        }
        let measured = self
            .bytes
            .map(|of_size| of_size.map(|bytes| bytes as f32 / total as f32));
        let before = self.shares.unwrap_or(measured);
        let mut shares = measured;
        for (share, was) in shares.iter_mut().flatten().zip(before.iter().flatten()) {
            *share = f32::midpoint(*share, *was);
        }
        self.shares = Some(shares);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    const fn layer(spatial: u8, temporal: u8) -> LayerId {
        LayerId { spatial, temporal }
    }

    #[test]
    fn measures_what_a_limit_lets_through() {
        let mut meter = LayerMeter::default();
        assert_eq!(meter.share(LayerLimit::NONE), None);
        for frame in 0..40 {
            let temporal = (frame % 2) as u8;
            meter.on_packet(at(frame * 33), layer(0, temporal), 100);
            meter.on_packet(at(frame * 33), layer(1, temporal), 300);
        }
        let share = |limit| (meter.share(limit).unwrap_or(0.0) * 100.0).round() as u32;
        assert_eq!(share(LayerLimit::NONE), 100);
        assert_eq!(share(LayerLimit::NONE.with_spatial(0)), 25);
        assert!((48..=52).contains(&share(LayerLimit::NONE.with_temporal(0))));
    }

    #[test]
    fn notices_a_layer_that_is_paused_and_comes_back() {
        let mut meter = LayerMeter::default();
        assert!(!meter.on_packet(at(0), layer(0, 0), 100));
        assert!(meter.on_packet(at(0), layer(1, 0), 100));
        let mut gone_at = None;
        for ms in (33..4_000).step_by(33) {
            if meter.on_packet(at(ms), layer(0, 0), 100) {
                gone_at = gone_at.or(Some(ms));
            }
        }
        assert!(
            gone_at.is_some_and(|ms| (1_500..3_000).contains(&ms)),
            "{gone_at:?}"
        );
        assert!(!meter.flows(1) && meter.flows(0));
        assert!(meter.on_packet(at(4_000), layer(1, 0), 100));
        assert_eq!(meter.spatial_top(), 1);
    }
}
