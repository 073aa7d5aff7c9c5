//! A run: clients join at the ramp, media settles, is measured, everyone leaves.

mod crew;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::time::{Instant as TokioInstant, interval_at, sleep_until};

use crate::args::Args;
use crate::io::{process_cpu, raise_file_limit, socket_drops};
use crate::machine;
use crate::measure::{ClientCpu, ClientUse, Counters, Histogram, Outcome, ServerUse, Snapshot};
use crate::report::Progress;
use crate::scenario::Plan;
use crate::server::ServerWatch;
use crate::signal::Target;
use crew::Crew;

/// Between snapshots.
const SNAPSHOT_INTERVAL: Duration = Duration::from_secs(1);
/// How long the clients may take to connect after the last one set out.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Of this share of clients the failure to join ends the run.
const FAILED_SHARE_MAX: f64 = 0.05;

/// Runs the load and returns what was measured. Progress goes to the log.
///
/// # Errors
/// If there is nothing to do, the server cannot be reached, or it refuses the clients.
pub(crate) async fn run(args: &Args) -> Result<Outcome> {
    let protocol = args.protocol();
    let plan = Plan::new(args, protocol.joins_both_ways())?;
    raise_file_limit(plan.clients.len())?;
    let target = Target {
        protocol,
        url: args.server_url().to_owned(),
        key: args.key.clone(),
        secret: args.secret.clone(),
        whip_whep: args.whip_whep.clone(),
    };
    let server = match args.pid {
        Some(pid) => Some(ServerWatch::new(pid, args.server_url()).await?),
        None => None,
    };
    let progress = Progress::new(plan.clients.len());
    let crew = Crew::new(args, plan, target)?;
    Run {
        crew,
        server,
        progress,
        ramp_per_second: args.ramp,
        snapshots: Vec::new(),
        latency: Histogram::default(),
    }
    .go(args)
    .await
}

/// What counting brought.
struct Measured {
    counted_from: Duration,
    counted: Duration,
    totals: Counters,
    cpu: ClientCpu,
    server: Option<ServerUse>,
}

struct Run {
    crew: Crew,
    server: Option<ServerWatch>,
    progress: Progress,
    ramp_per_second: f64,
    snapshots: Vec<Snapshot>,
    /// Since counting began.
    latency: Histogram,
}

impl Run {
    async fn go(mut self, args: &Args) -> Result<Outcome> {
        let joined = self.join_all().await;
        let measured = match joined {
            Ok(()) => self.measure(args).await,
            Err(error) => Err(error),
        };
        self.progress.finish();
        let ended = self.crew.end().await;
        let Measured {
            counted_from,
            counted,
            totals,
            cpu,
            server,
        } = measured?;
        let plan = &self.crew.shared.plan;
        Ok(Outcome {
            scenario: plan.facts.clone(),
            counted_from,
            counted,
            totals,
            latency: self.latency,
            joins: ended.joins,
            server,
            client: ClientUse::new(cpu, counted, &totals),
            machine: machine::read(ended.cipher),
            snapshots: self.snapshots,
        })
    }

    /// Publishers first, so that subscribers find them.
    async fn join_all(&mut self) -> Result<()> {
        let specs = self.crew.shared.plan.clients.clone();
        let (publishing, others) = specs.split_at(self.crew.shared.plan.publishing);
        for (phase, group) in [publishing, others].into_iter().enumerate() {
            let pause = Duration::from_secs_f64(1.0 / self.ramp_per_second);
            let start = TokioInstant::now();
            for (number, spec) in group.iter().enumerate() {
                let at = start + pause * number as u32;
                self.watch_until(at).await?;
                self.crew.enlist(spec.clone());
            }
            self.wait_for_all().await?;
            if phase == 0
                && let Some(server) = &mut self.server
            {
                let at = self.crew.shared.clock.since_start(Instant::now());
                server.on_publishers_joined(at, group.len())?;
            }
        }
        Ok(())
    }

    async fn wait_for_all(&mut self) -> Result<()> {
        let limit = TokioInstant::now() + CONNECT_TIMEOUT;
        while self.crew.is_waiting() {
            if TokioInstant::now() > limit {
                bail!(
                    "{} clients of {} did not connect in time",
                    self.crew.waiting(),
                    self.crew.enlisted()
                );
            }
            self.watch_until(TokioInstant::now() + Duration::from_millis(20))
                .await?;
        }
        self.check_failures()
    }

    /// Listens to the clients until `at`.
    async fn watch_until(&mut self, at: TokioInstant) -> Result<()> {
        loop {
            tokio::select! {
                biased;
                () = sleep_until(at) => return Ok(()),
                () = self.crew.next() => self.check_failures()?,
            }
        }
    }

    fn check_failures(&self) -> Result<()> {
        let failed = self.crew.failed();
        let allowed = FAILED_SHARE_MAX * self.crew.enlisted() as f64;
        match self.crew.first_failure() {
            Some(reason) if self.crew.connected() == 0 || failed as f64 > allowed => {
                bail!(
                    "{failed} of {} clients failed: {reason}",
                    self.crew.enlisted()
                )
            }
            _ => Ok(()),
        }
    }

    async fn measure(&mut self, args: &Args) -> Result<Measured> {
        self.watch_until(TokioInstant::now() + args.settle).await?;
        let first = self.snapshot().await?;
        if let Some(server) = &mut self.server {
            let plan = &self.crew.shared.plan;
            let others = plan.clients.len() - plan.publishing;
            server.on_counting_started(first.at, others).await?;
        }
        self.count(TokioInstant::now(), args.duration).await?;
        let last = self.snapshot().await?;
        let server = match self.server.take() {
            Some(server) => Some(server.on_counting_ended(last.at).await?),
            None => None,
        };
        let measured = Measured {
            counted_from: first.at,
            counted: last.at.saturating_sub(first.at),
            totals: last.counters.since(&first.counters),
            cpu: last.cpu.since(&first.cpu),
            server,
        };
        self.on_snapshot(last)?;
        Ok(measured)
    }

    async fn count(&mut self, begin: TokioInstant, duration: Duration) -> Result<()> {
        let mut ticks = interval_at(begin + SNAPSHOT_INTERVAL, SNAPSHOT_INTERVAL);
        let mut churn = self.crew.shared.plan.churn_per_second.map(|rate| {
            let period = Duration::from_secs_f64(1.0 / rate);
            interval_at(begin + period, period)
        });
        loop {
            let turnover = async {
                match &mut churn {
                    Some(churn) => drop(churn.tick().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = sleep_until(begin + duration) => return Ok(()),
                _ = ticks.tick() => {
                    let snapshot = self.snapshot().await?;
                    self.on_snapshot(snapshot)?;
                }
                () = turnover => self.crew.replace_one(),
                () = self.crew.next() => {}
                _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            }
        }
    }

    fn on_snapshot(&mut self, snapshot: Snapshot) -> Result<()> {
        let server = match &mut self.server {
            Some(server) => Some(server.sample(snapshot.at)?),
            None => None,
        };
        self.progress.on_snapshot(&snapshot, server.as_ref());
        self.latency.merge(&snapshot.latency);
        self.snapshots.push(snapshot);
        Ok(())
    }

    /// What all media threads have counted so far.
    async fn snapshot(&mut self) -> Result<Snapshot> {
        let threads = self
            .crew
            .snapshots()
            .await
            .context("the media threads do not answer")?;
        let shared = &self.crew.shared;
        let mut counters = Counters::default();
        let mut latency = Histogram::default();
        let mut cpu = ClientCpu {
            process: process_cpu(),
            ..ClientCpu::default()
        };
        for thread in &threads {
            counters = counters.plus(&thread.counters);
            latency.merge(&thread.latency);
            if thread.cpu.total() > cpu.busiest_media_thread.total() {
                cpu.busiest_media_thread = thread.cpu;
            }
        }
        if shared.target.protocol.tells_layers() {
            counters.layer_switches = shared.layer_switches.load(Ordering::Relaxed);
        }
        counters.clients_left = self.crew.left();
        if let Ok(ports) = shared.ports.lock() {
            counters.socket_drops = socket_drops(&ports);
        }
        Ok(Snapshot {
            at: shared.clock.since_start(Instant::now()),
            counters,
            latency,
            cpu,
        })
    }
}

/// Shared by all clients of a run.
type Members = Arc<crate::member::Shared>;
