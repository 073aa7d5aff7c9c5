//! All clients of a run: who has set out, who has connected, who failed; and the threads that
//! carry their media.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use plenum_types::SrtpProfile;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Members;
use crate::args::Args;
use crate::client::{Clock, Identity};
use crate::io::{ClientId, Command, MediaEvent, MediaThread, ThreadSnapshot};
use crate::measure::JoinTimes;
use crate::member::{self, Shared};
use crate::scenario::{ClientSpec, Plan};
use crate::signal::{Role, Target};

/// How long a media thread may take to say what it counted: it may be busy.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long all clients together may take to leave.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Failures that are logged with their reason.
const LOGGED_MAX: usize = 5;

/// One client on its way or in its room.
struct Enlisted {
    id: ClientId,
    spec: ClientSpec,
    leave: watch::Sender<bool>,
}

/// What is left of a run.
pub(super) struct Ended {
    pub(super) joins: Vec<JoinTimes>,
    pub(super) cipher: String,
}

/// All clients.
pub(super) struct Crew {
    pub(super) shared: Members,
    events: mpsc::UnboundedReceiver<MediaEvent>,
    threads: Vec<JoinHandle<()>>,
    tasks: JoinSet<()>,
    members: VecDeque<Enlisted>,
    enlisted: usize,
    connected: usize,
    failed: usize,
    lost: usize,
    is_over: bool,
    left: u64,
    first_failure: Option<String>,
    profile: Option<SrtpProfile>,
    joins: Vec<JoinTimes>,
    /// Answers to the question of the day, by thread.
    snapshots: Vec<Option<Box<ThreadSnapshot>>>,
}

impl Crew {
    pub(super) fn new(args: &Args, plan: Plan, target: Target) -> Result<Self> {
        let clock = Clock::new(Instant::now());
        let identity = Identity::generate()?;
        let (events, received) = mpsc::unbounded_channel();
        let mut threads = Vec::new();
        let mut commands = Vec::new();
        for index in 0..args.threads {
            let (sender, receiver) = std::sync::mpsc::channel();
            let thread = MediaThread::new(
                index,
                clock,
                identity.clone(),
                args.sample,
                receiver,
                events.clone(),
            )
            .context("the sockets of a media thread cannot be watched")?;
            let pin = args.pin.map(|core| core + index);
            let handle = std::thread::Builder::new()
                .name(format!("media-{index}"))
                .spawn(move || thread.run(pin))
                .context("no media thread")?;
            threads.push(handle);
            commands.push(sender);
        }
        let snapshots = threads.iter().map(|_| None).collect();
        let shared = Shared {
            target,
            plan,
            identity,
            clock,
            seed: args.seed,
            run: rand::random(),
            threads: commands,
            events,
            layer_switches: AtomicU64::new(0),
            ports: std::sync::Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            events: received,
            threads,
            tasks: JoinSet::new(),
            members: VecDeque::new(),
            enlisted: 0,
            connected: 0,
            failed: 0,
            lost: 0,
            is_over: false,
            left: 0,
            first_failure: None,
            profile: None,
            joins: Vec::new(),
            snapshots,
        })
    }

    pub(super) const fn enlisted(&self) -> usize {
        self.enlisted
    }

    pub(super) const fn connected(&self) -> usize {
        self.connected
    }

    pub(super) const fn failed(&self) -> usize {
        self.failed
    }

    pub(super) const fn left(&self) -> u64 {
        self.left
    }

    /// Clients of which it is not known yet whether they connect.
    pub(super) const fn waiting(&self) -> usize {
        self.enlisted.saturating_sub(self.connected + self.failed)
    }

    pub(super) const fn is_waiting(&self) -> bool {
        self.waiting() > 0
    }

    pub(super) fn first_failure(&self) -> Option<&str> {
        self.first_failure.as_deref()
    }

    /// Sends a client out.
    pub(super) fn enlist(&mut self, spec: ClientSpec) {
        let id = self.enlisted;
        self.enlisted += 1;
        let (leave, leaving) = watch::channel(false);
        let task = member::run(self.shared.clone(), id, spec.clone(), leaving);
        self.tasks.spawn(task);
        self.members.push_back(Enlisted { id, spec, leave });
    }

    /// Has the subscriber leave that has been here longest, and sends another out.
    pub(super) fn replace_one(&mut self) {
        let oldest = self
            .members
            .iter()
            .position(|member| member.spec.role == Role::Subscriber);
        if let Some(member) = oldest.and_then(|index| self.members.remove(index)) {
            member.leave.send_replace(true);
            self.left += 1;
            let spec = self.shared.plan.replacement(&member.spec, self.enlisted);
            tracing::debug!(left = member.id, "replaced");
            self.enlist(spec);
        }
    }

    /// Waits for the next thing to happen. Safe to cancel.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            Some(event) = self.events.recv() => self.on_event(event),
            Some(_) = self.tasks.join_next() => {}
            else => std::future::pending().await,
        }
    }

    fn on_event(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::Connected { profile } => {
                self.connected += 1;
                self.profile = Some(profile);
            }
            MediaEvent::Failed { id, reason } => {
                self.failed += 1;
                self.log(id, &reason);
                self.first_failure.get_or_insert(reason);
            }
            // Whoever leaves is cut off by the server, too.
            MediaEvent::Lost { .. } if self.is_over => {}
            MediaEvent::Lost { id, reason } => {
                self.lost += 1;
                self.log(id, &reason);
            }
            MediaEvent::Gone { times } => self.joins.push(times),
            MediaEvent::Snapshot { thread, snapshot } => {
                if let Some(place) = self.snapshots.get_mut(thread) {
                    *place = Some(snapshot);
                }
            }
        }
    }

    fn log(&self, id: ClientId, reason: &str) {
        if self.failed + self.lost <= LOGGED_MAX {
            tracing::warn!(client = id, reason, "a client failed");
        }
    }

    /// What each media thread has counted.
    pub(super) async fn snapshots(&mut self) -> Result<Vec<Box<ThreadSnapshot>>> {
        self.snapshots.fill_with(|| None);
        for thread in &self.shared.threads {
            thread
                .send(Command::Snapshot)
                .context("a media thread has ended")?;
        }
        let all = async {
            while self.snapshots.iter().any(Option::is_none) {
                self.next().await;
            }
        };
        tokio::time::timeout(SNAPSHOT_TIMEOUT, all).await?;
        Ok(self.snapshots.iter_mut().filter_map(Option::take).collect())
    }

    /// Has everybody leave, and ends the threads.
    pub(super) async fn end(&mut self) -> Ended {
        self.is_over = true;
        for member in &self.members {
            member.leave.send_replace(true);
        }
        let left = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LEAVE_TIMEOUT, left).await.is_err() {
            tracing::warn!("some clients did not leave in time");
        }
        for thread in &self.shared.threads {
            // One that has ended needs no telling.
            let _ = thread.send(Command::Stop);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a media thread panicked");
            }
        }
        while let Ok(event) = self.events.try_recv() {
            self.on_event(event);
        }
        let mut joins = std::mem::take(&mut self.joins);
        joins.sort_by_key(|times| times.began);
        Ended {
            joins,
            cipher: self
                .profile
                .map_or_else(String::new, |profile| profile.as_str().to_owned()),
        }
    }
}
