//! What a Plenum server says of itself in `GET /metrics`, in the text format of Prometheus.

use super::PlenumUse;
use crate::http::{Request, send};
use hyper::{Method, StatusCode};
use std::collections::BTreeMap;
use url::Url;

const SENDS: &str = "plenum_net_sends_total";
const DATAGRAMS: &str = "plenum_net_sent_datagrams_total";
const DROPS: &str = "plenum_media_drops_total";

/// Counters since the server began.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metrics {
    sends: u64,
    datagrams_out: u64,
    /// By reason.
    drops: BTreeMap<String, u64>,
}

/// Where the server at `url` has its metrics.
pub(super) fn url(url: &str) -> Option<Url> {
    Url::parse(url).ok()?.join("/metrics").ok()
}

/// Reads the metrics; `None` if the server is not Plenum. That is no error: others are measured
/// too.
pub(super) async fn read(url: &Url) -> Option<Metrics> {
    let (headers, body) = (Vec::new(), String::new());
    let request = Request {
        method: Method::GET,
        url: url.clone(),
        headers,
        body,
    };
    let response = send(request).await.ok()?;
    let found = response.status == StatusCode::OK;
    found.then(|| Metrics::parse(&response.body)).flatten()
}

impl Metrics {
    /// `None` if the counters of sends are missing.
    fn parse(text: &str) -> Option<Self> {
        let mut metrics = Self::default();
        let (mut sends, mut datagrams) = (None, None);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else {
                continue;
            };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let Ok(value) = value.parse::<f64>() else {
                continue;
            };
            match name {
                SENDS => *sends.get_or_insert(0) += value as u64,
                DATAGRAMS => *datagrams.get_or_insert(0) += value as u64,
                DROPS => {
                    let reason = label(labels, "reason").unwrap_or("unknown").to_owned();
                    *metrics.drops.entry(reason).or_default() += value as u64;
                }
                _ => {}
            }
        }
        (metrics.sends, metrics.datagrams_out) = (sends?, datagrams?);
        Some(metrics)
    }

    /// What was counted after `before`.
    pub(super) fn since(&self, before: &Self) -> PlenumUse {
        let drops = self.drops.iter().map(|(reason, count)| {
            let earlier = before.drops.get(reason).copied().unwrap_or_default();
            (reason.clone(), count.saturating_sub(earlier))
        });
        let mut drops: Vec<_> = drops.filter(|(_, count)| *count > 0).collect();
        drops.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        PlenumUse {
            sends: self.sends.saturating_sub(before.sends),
            datagrams_out: self.datagrams_out.saturating_sub(before.datagrams_out),
            drops,
        }
    }
}

/// The value of a label. None of Plenum's holds a quote.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = labels.split_once(&format!("{name}=\""))?;
    Some(value.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP plenum_net_sends_total Send calls.\n\
        # TYPE plenum_net_sends_total counter\n\
        plenum_net_sends_total 10\n\
        plenum_net_sent_datagrams_total 45\n\
        plenum_media_drops_total{reason=\"replayed\",stage=\"unprotect\"} 3\n\
        plenum_media_drops_total{stage=\"route\",reason=\"no_slot\"} 7\n\
        something_else{a=\"b\"} NaN\n";

    #[test]
    fn counters_are_found_by_name_and_label() {
        let metrics = Metrics::parse(TEXT).unwrap();
        assert_eq!((metrics.sends, metrics.datagrams_out), (10, 45));
        let drops: Vec<_> = metrics
            .drops
            .iter()
            .map(|(r, n)| (r.as_str(), *n))
            .collect();
        assert_eq!(drops, [("no_slot", 7), ("replayed", 3)]);
    }

    #[test]
    fn another_server_is_not_plenum() {
        assert_eq!(Metrics::parse("go_goroutines 7\n"), None);
        assert_eq!(Metrics::parse("<!doctype html><p>not found"), None);
    }

    #[test]
    fn differences_leave_out_what_did_not_happen() {
        let before = Metrics::parse(TEXT).unwrap();
        let mut after = before.clone();
        after.sends += 2;
        after.datagrams_out += 9;
        after.drops.insert("send_failed".to_owned(), 1);
        *after.drops.get_mut("no_slot").unwrap() += 4;
        let used = after.since(&before);
        assert_eq!(used.gso_segments_per_send(), Some(4.5));
        assert_eq!(
            used.drops,
            [("no_slot".to_owned(), 4), ("send_failed".to_owned(), 1)]
        );
    }

    #[test]
    fn metrics_are_at_the_root_of_the_server() {
        let at = |text| url(text).map(|url| url.to_string());
        assert_eq!(at("http://h:1/x/y").as_deref(), Some("http://h:1/metrics"));
        assert_eq!(at("nonsense"), None);
    }
}
