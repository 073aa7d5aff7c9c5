//! Names, units and labels of all metrics, written once, here at the edge. The rest of Plenum
//! counts in plain structs, which are read when somebody scrapes, so metrics cost the packet
//! path nothing. Labels are enums, never a room, a participant or an address.

mod control;
mod family;
mod histogram;
mod media;
mod process;
mod tcp;
mod webhooks;

use std::sync::{Mutex, PoisonError};

use plenum_net::TcpStats;
use plenum_signaling::SignalingStats;
use plenum_signaling::webhooks::WebhookStats;
use plenum_types::{ShardId, ShardStats};
use prometheus::process_collector::ProcessCollector;
use prometheus::{IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use control::ControlMetrics;
use media::MediaMetrics;
use process::ProcessMetrics;
use tcp::TcpMetrics;
use webhooks::WebhookMetrics;

pub(crate) use process::ReloadOutcome;

/// Content type of the text format.
pub(crate) const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// What a scrape found of one shard.
#[derive(Clone, Debug)]
pub(crate) struct ShardReading {
    /// Which.
    pub(crate) shard: ShardId,
    /// Whether its thread runs.
    pub(crate) alive: bool,
    /// How often it has begun anew.
    pub(crate) restarts: u64,
    /// Commands that wait for it.
    pub(crate) commands_waiting: usize,
    /// Commands that it could not take.
    pub(crate) commands_refused: u64,
    /// Its counters, if it ever answered.
    pub(crate) stats: Option<ShardStats>,
}

/// All metrics, with their handles resolved.
pub(crate) struct Metrics {
    registry: Registry,
    media: MediaMetrics,
    tcp: TcpMetrics,
    control: ControlMetrics,
    process: ProcessMetrics,
    certificate_expiry: IntGauge,
    webhooks: WebhookMetrics,
    /// Held while counters are raised: between reading one and raising it, nobody else may.
    updating: Mutex<()>,
}

impl Metrics {
    /// Metrics for `shards` shards, all zero.
    pub(crate) fn new(shards: u16) -> prometheus::Result<Self> {
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        register_build_info(&registry)?;
        Ok(Self {
            media: MediaMetrics::new(&registry, shards)?,
            tcp: TcpMetrics::new(&registry)?,
            control: ControlMetrics::new(&registry)?,
            process: ProcessMetrics::new(&registry)?,
            webhooks: WebhookMetrics::new(&registry)?,
            certificate_expiry: family::level(
                &registry,
                "plenum_http_certificate_expiry_timestamp_seconds",
                "When the certificate of the HTTP port ends, in seconds since 1970; 0 without one.",
            )?,
            updating: Mutex::default(),
            registry,
        })
    }

    /// Takes over what was read.
    pub(crate) fn update(
        &self,
        shards: &[ShardReading],
        tcp: &TcpStats,
        signaling: &SignalingStats,
    ) {
        let _updating = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        self.media.update(shards);
        self.tcp.update(tcp);
        self.control.update(signaling);
        self.process.update();
    }

    /// The configuration was read again.
    pub(crate) fn count_reload(&self, outcome: ReloadOutcome) {
        self.process.count_reload(outcome);
    }

    /// Takes over what webhooks counted.
    pub(crate) fn update_webhooks(&self, stats: &WebhookStats) {
        let _updating = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        self.webhooks.update(stats);
    }

    /// Takes over when the certificate of the HTTP port ends, in seconds since 1970.
    pub(crate) fn set_certificate_expiry(&self, expires_s: i64) {
        self.certificate_expiry.set(expires_s);
    }

    /// The text format of Prometheus, version 0.0.4.
    pub(crate) fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn register_build_info(registry: &Registry) -> prometheus::Result<()> {
    let options = Opts::new("plenum_build_info", "Always 1; the labels tell the build.");
    let info = IntGaugeVec::new(options, &["version"])?;
    info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    registry.register(Box::new(info))
}

#[cfg(test)]
mod tests;
