//! Latencies, and what the networks of the peers are like.

use plenum_types::{ConnectPhase, Distributions, Histogram, ShardStats};
use prometheus::{Registry, Result};

use crate::metrics::histogram::{HistogramFamily, MILLIONTHS};

/// Reads one histogram.
type ReadHistogram = fn(&Distributions) -> &Histogram;

/// Without labels.
const PLAIN: &[(&str, &str, ReadHistogram)] = &[
    (
        "plenum_media_forwarding_seconds",
        "Time from the wake-up that read a packet until the last copy of its burst was handed to the \
         socket, hold of sound included; of each wake-up the oldest.",
        |d| &d.forwarding_us,
    ),
    (
        "plenum_media_rtt_seconds",
        "Round trip time of each connected peer that tells it, once a second.",
        |d| &d.rtt_us,
    ),
];

/// With the label `direction`: in from publishers, out to subscribers.
const DIRECTED: &[(&str, &str, [ReadHistogram; 2])] = &[
    (
        "plenum_media_jitter_seconds",
        "Interarrival jitter of a stream, by report: in from publishers, out as subscribers say.",
        [|d| &d.jitter_in_us, |d| &d.jitter_out_us],
    ),
    (
        "plenum_media_loss_ratio",
        "Fraction of a stream's packets that were lost before repair, by report: in from publishers, \
         out as subscribers say.",
        [|d| &d.loss_in_ppm, |d| &d.loss_out_ppm],
    ),
];

/// Handles of all of them.
pub(super) struct DistributionMetrics {
    plain: Vec<(HistogramFamily, ReadHistogram)>,
    directed: Vec<(HistogramFamily, [ReadHistogram; 2])>,
    /// By [`ConnectPhase`].
    connect: HistogramFamily,
}

impl DistributionMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let plain = PLAIN.iter().map(|(name, help, read)| {
            let family = HistogramFamily::new(registry, name, help, MILLIONTHS, "", [""])?;
            Ok((family, *read))
        });
        let directed = DIRECTED.iter().map(|(name, help, reads)| {
            let directions = ["in", "out"];
            let family =
                HistogramFamily::new(registry, name, help, MILLIONTHS, "direction", directions)?;
            Ok((family, *reads))
        });
        Ok(Self {
            plain: plain.collect::<Result<_>>()?,
            directed: directed.collect::<Result<_>>()?,
            connect: HistogramFamily::new(
                registry,
                "plenum_media_connect_seconds",
                "How long phases of connecting took: ICE from the offer to the first valid check, DTLS \
                 from there to the keys, then to the first packet.",
                MILLIONTHS,
                "phase",
                ConnectPhase::ALL.map(ConnectPhase::as_str),
            )?,
        })
    }

    pub(super) fn update(&self, stats: &[&ShardStats]) {
        let sum = |read: &dyn Fn(&Distributions) -> Histogram| {
            let all = stats.iter().map(|stats| read(&stats.distributions));
            let none = || read(&Distributions::default());
            all.reduce(|mut sum, more| {
                sum.merge(&more);
                sum
            })
            .unwrap_or_else(none)
        };
        for (family, read) in &self.plain {
            family.set(0, sum(&|d| *read(d)));
        }
        for (family, reads) in &self.directed {
            for (place, read) in reads.iter().enumerate() {
                family.set(place, sum(&|d| *read(d)));
            }
        }
        for (place, phase) in ConnectPhase::ALL.iter().enumerate() {
            let phase = *phase as usize;
            self.connect.set(place, sum(&|d| d.connect_us[phase]));
        }
    }
}
