//! Histograms that are counted elsewhere and read when somebody scrapes. The library's own can only
//! be given one value at a time.

use std::sync::{Arc, Mutex, PoisonError};

use plenum_types::Histogram;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Registry, Result};

/// Scale of what is counted in microseconds and shown in seconds, or in millionths of a whole.
pub(super) const MILLIONTHS: f64 = 1e-6;

/// Histograms that differ in one label, or one without. Clones are handles to the same.
#[derive(Clone)]
pub(super) struct HistogramFamily(Arc<Inner>);

struct Inner {
    desc: Desc,
    scale: f64,
    label: &'static str,
    values: Vec<&'static str>,
    /// For each value of the label; none until it was set.
    histograms: Mutex<Vec<Option<Histogram>>>,
}

impl HistogramFamily {
    /// One histogram for each of `values`; with an empty `label` there is one, without.
    pub(super) fn new<const N: usize>(
        registry: &Registry,
        name: &str,
        help: &str,
        scale: f64,
        label: &'static str,
        values: [&'static str; N],
    ) -> Result<Self> {
        let labels = Some(label.to_owned()).filter(|label| !label.is_empty());
        let family = Self(Arc::new(Inner {
            desc: Desc::new(
                name.to_owned(),
                help.to_owned(),
                labels.into_iter().collect(),
                std::collections::HashMap::new(),
            )?,
            scale,
            label,
            values: values.to_vec(),
            histograms: Mutex::new(vec![None; N]),
        }));
        registry.register(Box::new(family.clone()))?;
        Ok(family)
    }

    /// Takes over what the histogram of the label's value at `place` is now.
    pub(super) fn set(&self, place: usize, histogram: Histogram) {
        let mut histograms = self.0.histograms.lock();
        let histograms = histograms.as_mut().unwrap_or_else(|error| error.get_mut());
        if let Some(known) = histograms.get_mut(place) {
            *known = Some(histogram);
        }
    }
}

impl Collector for HistogramFamily {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let inner = &self.0;
        let histograms = inner.histograms.lock();
        let histograms = histograms.unwrap_or_else(PoisonError::into_inner);
        let metrics = inner.values.iter().zip(&*histograms);
        let metrics = metrics.filter_map(|(value, histogram)| {
            let mut metric = Metric::default();
            if !inner.label.is_empty() {
                let mut pair = LabelPair::default();
                pair.set_name(inner.label.to_owned());
                pair.set_value((*value).to_owned());
                metric.set_label(vec![pair]);
            }
            metric.set_histogram(scaled(histogram.as_ref()?, inner.scale));
            Some(metric)
        });
        let mut family = MetricFamily::default();
        family.set_name(inner.desc.fq_name.clone());
        family.set_help(inner.desc.help.clone());
        family.set_field_type(MetricType::HISTOGRAM);
        family.set_metric(metrics.collect());
        vec![family]
    }
}

fn scaled(histogram: &Histogram, scale: f64) -> proto::Histogram {
    let buckets = histogram.cumulative().map(|(bound, count)| {
        let mut bucket = proto::Bucket::default();
        // Division gives the nearest number to the decimal fraction, as somebody would write it.
        bucket.set_upper_bound(bound as f64 / scale.recip().round());
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut shown = proto::Histogram::default();
    shown.set_bucket(buckets.collect());
    shown.set_sample_count(histogram.count());
    shown.set_sample_sum(histogram.sum() as f64 * scale);
    shown
}
