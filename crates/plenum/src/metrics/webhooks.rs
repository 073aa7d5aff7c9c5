//! Metrics of webhooks; all zero without any.

use plenum_signaling::webhooks::WebhookStats;
use prometheus::{IntCounter, IntGauge, Registry, Result};

use super::family::{counter, gauge, level, raise};

/// Reads one number.
type Read = fn(&WebhookStats) -> u64;

/// Name, help, and where the number is.
type Counted = (&'static str, &'static str, Read);

const COUNTERS: [Counted; 4] = [
    (
        "plenum_webhooks_recorded_total",
        "Events of rooms that were put on disk.",
        |s| s.recorded,
    ),
    (
        "plenum_webhooks_delivered_total",
        "Events that an address has taken.",
        |s| s.delivered,
    ),
    (
        "plenum_webhooks_failed_total",
        "Attempts to deliver that failed and are repeated.",
        |s| s.failed,
    ),
    (
        "plenum_webhooks_dropped_total",
        "Events that an address will not get: too old, too many, or not written.",
        |s| s.dropped,
    ),
];

/// Handles of all metrics of webhooks.
pub(super) struct WebhookMetrics {
    counters: Vec<(IntCounter, Read)>,
    waiting: IntGauge,
}

impl WebhookMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            counters: COUNTERS
                .iter()
                .map(|(name, help, read)| Ok((counter(registry, name, help)?, *read)))
                .collect::<Result<_>>()?,
            waiting: level(
                registry,
                "plenum_webhooks_waiting",
                "Rooms with events that are on their way, counted for each address.",
            )?,
        })
    }

    pub(super) fn update(&self, stats: &WebhookStats) {
        for (handle, read) in &self.counters {
            raise(handle, read(stats));
        }
        self.waiting.set(gauge(stats.waiting));
    }
}
