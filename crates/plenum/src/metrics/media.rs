//! Metrics of the media plane: the sum over all shards, and what tells the shards apart.

mod distributions;
mod labelled;
mod plain;
mod shards;

use plenum_types::{DropReason, ShardStats};
use prometheus::{IntCounter, IntGauge, Registry, Result};

use super::ShardReading;
use super::family::{gauge, raise};
use distributions::DistributionMetrics;
use shards::ShardMetrics;

/// Reads one number.
type Read = fn(&ShardStats) -> u64;

/// Handles of all metrics of the media plane.
pub(super) struct MediaMetrics {
    levels: Vec<(IntGauge, Read)>,
    counters: Vec<(IntCounter, Read)>,
    slots: Vec<IntGauge>,
    closed: Vec<IntCounter>,
    connects: Vec<IntCounter>,
    keyframe_requests: Vec<IntCounter>,
    drops: Vec<IntCounter>,
    distributions: DistributionMetrics,
    shards: ShardMetrics,
}

impl MediaMetrics {
    pub(super) fn new(registry: &Registry, shards: u16) -> Result<Self> {
        Ok(Self {
            levels: plain::all_levels(registry)?,
            counters: plain::all_counters(registry)?,
            slots: labelled::slots(registry)?,
            closed: labelled::closed(registry)?,
            connects: labelled::connects(registry)?,
            keyframe_requests: labelled::keyframe_requests(registry)?,
            drops: labelled::drops(registry)?,
            distributions: DistributionMetrics::new(registry)?,
            shards: ShardMetrics::new(registry, shards)?,
        })
    }

    pub(super) fn update(&self, readings: &[ShardReading]) {
        let stats: Vec<&ShardStats> = readings.iter().filter_map(|r| r.stats.as_ref()).collect();
        let sum = |read: &dyn Fn(&ShardStats) -> u64| stats.iter().map(|stats| read(stats)).sum();
        for (gauge_handle, read) in &self.levels {
            gauge_handle.set(gauge(sum(read)));
        }
        for (counter, read) in &self.counters {
            raise(counter, sum(read));
        }
        for (index, slots) in self.slots.iter().enumerate() {
            slots.set(gauge(sum(&|stats| stats.slots.as_flattened()[index])));
        }
        for (index, closed) in self.closed.iter().enumerate() {
            raise(closed, sum(&|stats| stats.closed[index]));
        }
        for (index, connects) in self.connects.iter().enumerate() {
            let read = |stats: &ShardStats| stats.connects.as_flattened()[index];
            raise(connects, sum(&read));
        }
        for (index, requests) in self.keyframe_requests.iter().enumerate() {
            raise(requests, sum(&|stats| stats.keyframe_requests[index]));
        }
        for (reason, drops) in DropReason::ALL.iter().zip(&self.drops) {
            raise(drops, sum(&|stats| stats.drops.get(*reason)));
        }
        self.distributions.update(&stats);
        self.shards.update(readings);
    }
}
