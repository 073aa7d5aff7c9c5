//! Families of metrics whose labels are known at the start.

use prometheus::{
    Counter, CounterVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, Result,
};

/// Raises `counter` to `total`, which is counted elsewhere.
pub(super) fn raise(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

/// Raises `counter` to `total`, which is measured elsewhere.
pub(super) fn raise_seconds(counter: &Counter, total: f64) {
    counter.inc_by((total - counter.get()).max(0.0));
}

/// A number as a gauge wants it.
pub(super) fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A counter without labels.
pub(super) fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter> {
    let counter = IntCounter::new(name, help)?;
    registry.register(Box::new(counter.clone()))?;
    Ok(counter)
}

/// A gauge without labels.
pub(super) fn level(registry: &Registry, name: &str, help: &str) -> Result<IntGauge> {
    let gauge = IntGauge::new(name, help)?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

/// Counters that differ in one or more labels, one for each of `values`.
pub(super) fn counters<const N: usize>(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: [&str; N],
    values: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<IntCounter>> {
    let family = IntCounterVec::new(Opts::new(name, help), &labels)?;
    registry.register(Box::new(family.clone()))?;
    values
        .into_iter()
        .map(|values| family.get_metric_with_label_values(&values))
        .collect()
}

/// Gauges that differ in one or more labels, one for each of `values`.
pub(super) fn levels<const N: usize>(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: [&str; N],
    values: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<IntGauge>> {
    let family = IntGaugeVec::new(Opts::new(name, help), &labels)?;
    registry.register(Box::new(family.clone()))?;
    values
        .into_iter()
        .map(|values| family.get_metric_with_label_values(&values))
        .collect()
}

/// Counters of seconds that differ in one label.
pub(super) fn seconds(
    registry: &Registry,
    name: &str,
    help: &str,
    label: &str,
    values: impl IntoIterator<Item = String>,
) -> Result<Vec<Counter>> {
    let family = CounterVec::new(Opts::new(name, help), &[label])?;
    registry.register(Box::new(family.clone()))?;
    values
        .into_iter()
        .map(|value| family.get_metric_with_label_values(&[value]))
        .collect()
}
