//! What is read of the server while it is loaded: CPU and memory of its process, and what it says
//! of itself if it is Plenum.
//!
//! | file | one idea |
//! |---|---|
//! | `process` | CPU and memory out of `/proc` |
//! | `metrics` | sends, datagrams and drops out of `GET /metrics` |

mod metrics;
mod process;

use crate::measure::{CpuTime, MemoryPhases, PlenumUse, ServerSample, ServerUse, ThreadUse};
use anyhow::Result;
use metrics::Metrics;
use process::{Process, ThreadCpu};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// Watches the server's process from before the first join to the end of counting. `at` is the
/// time since the run began, everywhere. Call `on_publishers_joined`, `on_counting_started` and
/// `on_counting_ended` once each, in this order, and `sample` once a second in between.
pub(crate) struct ServerWatch {
    process: Process,
    /// `None` if it is not Plenum.
    metrics_url: Option<Url>,
    memory: MemoryPhases,
    samples: Vec<ServerSample>,
    start: Option<Start>,
}

/// The state when counting began.
struct Start {
    at: Duration,
    cpu: CpuTime,
    threads: BTreeMap<u32, ThreadCpu>,
    metrics: Option<Metrics>,
}

impl ServerWatch {
    /// Takes the first reading, before anybody joins. `url` is where the server may have its
    /// metrics.
    ///
    /// # Errors
    /// If there is no such process, or it is not ours to read.
    pub(crate) async fn new(pid: u32, url: &str) -> Result<Self> {
        let process = Process::new(pid)?;
        let first = process.sample(Duration::ZERO)?;
        let metrics_url = match metrics::url(url) {
            Some(url) => metrics::read(&url).await.map(|_| url),
            None => None,
        };
        let memory = MemoryPhases {
            before_joins: first.rss_bytes,
            ..MemoryPhases::default()
        };
        Ok(Self {
            process,
            metrics_url,
            memory,
            samples: vec![first],
            start: None,
        })
    }

    /// All who publish have joined, this many, and nobody else has.
    ///
    /// # Errors
    /// If the process has ended.
    pub(crate) fn on_publishers_joined(&mut self, at: Duration, clients: usize) -> Result<()> {
        self.memory.publishers = clients;
        self.memory.publishers_joined = Some(self.sample(at)?.rss_bytes);
        Ok(())
    }

    /// Everybody has joined, this many after the publishers: what is used from now on counts.
    ///
    /// # Errors
    /// If the process has ended.
    pub(crate) async fn on_counting_started(&mut self, at: Duration, clients: usize) -> Result<()> {
        self.memory.subscribers = clients;
        let metrics = self.read_metrics().await;
        let threads = self.process.threads()?;
        let sample = self.sample(at)?;
        self.memory.all_joined = Some(sample.rss_bytes);
        self.start = Some(Start {
            at,
            cpu: sample.cpu,
            threads,
            metrics,
        });
        Ok(())
    }

    /// Reads the process once more.
    ///
    /// # Errors
    /// If the process has ended.
    pub(crate) fn sample(&mut self, at: Duration) -> Result<ServerSample> {
        let sample = self.process.sample(at)?;
        self.samples.push(sample);
        Ok(sample)
    }

    /// Counting is over, and everybody is still there.
    ///
    /// # Errors
    /// If the process has ended.
    pub(crate) async fn on_counting_ended(mut self, at: Duration) -> Result<ServerUse> {
        let last = self.sample(at)?;
        let threads = self.process.threads()?;
        let metrics = self.read_metrics().await;
        self.memory.at_end = last.rss_bytes;
        let mut used = ServerUse {
            pid: self.process.pid(),
            samples: self.samples,
            memory: self.memory,
            ..ServerUse::default()
        };
        if let Some(start) = self.start {
            used.cpu = last.cpu.since(&start.cpu);
            used.counted = at.saturating_sub(start.at);
            used.threads = by_name(&start.threads, &threads);
            used.plenum = start
                .metrics
                .zip(metrics)
                .map(|(before, after)| after.since(&before));
        }
        Ok(used)
    }

    async fn read_metrics(&self) -> Option<Metrics> {
        metrics::read(self.metrics_url.as_ref()?).await
    }
}

/// What threads used between two readings, those of one name together, the busiest first. A
/// thread that ended in between is not in the second reading and counts only for its process.
fn by_name(before: &BTreeMap<u32, ThreadCpu>, after: &BTreeMap<u32, ThreadCpu>) -> Vec<ThreadUse> {
    let mut by_name: BTreeMap<&str, ThreadUse> = BTreeMap::new();
    for (id, thread) in after {
        let earlier = before
            .get(id)
            .map_or(CpuTime::default(), |earlier| earlier.cpu);
        let sum = by_name.entry(&thread.name).or_default();
        sum.threads += 1;
        sum.cpu = sum.cpu.plus(&thread.cpu.since(&earlier));
    }
    let named = by_name.into_iter().map(|(name, used)| ThreadUse {
        name: name.to_owned(),
        ..used
    });
    let mut threads: Vec<ThreadUse> = named.collect();
    threads.sort_by_key(|thread| std::cmp::Reverse(thread.cpu.total()));
    threads
}

#[cfg(test)]
mod tests;
