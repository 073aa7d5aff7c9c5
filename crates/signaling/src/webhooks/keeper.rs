//! The thread that owns the store. What comes while it writes is written together, so that one
//! wait for the disk serves many events.
#![expect(
    clippy::disallowed_methods,
    reason = "this is where the thread is made and the wall clock read"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};

use super::event::{EventRoom, RoomEvent};
use super::store::{Store, StoreError, event};
use crate::room::Noted;

/// Jobs waiting for the thread. When full, events are dropped and counted: rooms never wait.
const QUEUE: usize = 65_536;
/// Jobs taken together at most.
const BATCH: usize = 1_024;
/// Most events of one replay.
const REPLAY_MAX: usize = 1_000;

/// Something to do for the thread.
#[derive(Debug)]
pub(super) enum Job {
    Record(Box<RoomEvent>),
    /// An address has a room's events up to this number.
    Delivered(String, String, u64),
    /// The next event of a room for an address.
    Next(String, String, oneshot::Sender<Option<RoomEvent>>),
    Addresses(Vec<String>),
    Replay(Replay, oneshot::Sender<Result<Vec<RoomEvent>, ReplayError>>),
    Flush(oneshot::Sender<()>),
}

/// What is asked for again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Of the room.
    pub(crate) name: String,
    /// Which of that name; none: the latest.
    pub(crate) session: Option<String>,
    /// Events after this number.
    pub(crate) since: u64,
    /// At most so many.
    pub(crate) limit: usize,
}

/// Why nothing can be told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// No event of such a room is kept.
    Unknown,
    /// Not all after that number are kept any more.
    Gone,
    /// The store failed.
    Failed,
}

/// Counters of webhooks since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookStats {
    /// Events put on disk.
    pub recorded: u64,
    /// Events delivered, counted for each address.
    pub delivered: u64,
    /// Attempts that failed and are repeated.
    pub failed: u64,
    /// Events that an address will not get: too old, too many, or not written.
    pub dropped: u64,
    /// Rooms with events on their way, counted for each address.
    pub waiting: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) recorded: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) waiting: AtomicU64,
}

/// The handle to the thread.
#[derive(Clone, Debug)]
pub(super) struct Keeper {
    jobs: mpsc::Sender<Job>,
    pub(super) counters: Arc<Counters>,
    /// Begins the names of all sessions of this server.
    boot: Arc<str>,
}

/// A room that has something for an address.
pub(super) type Touched = (String, String);

impl Keeper {
    pub(super) fn start(
        directory: &Path,
        keep: usize,
        urls: Vec<String>,
        touched: mpsc::UnboundedSender<Touched>,
    ) -> Result<Self, StoreError> {
        let store = Store::open(directory, keep as u64)?;
        let now_ms = now_ms();
        let counters = Arc::new(Counters::default());
        let dropped = store.close_sessions(now_ms)?;
        counters.dropped.fetch_add(dropped, Ordering::Relaxed);
        store.set_addresses(&urls)?;
        for waiting in store.waiting(&urls)? {
            // The other end begins to listen right after this.
            let _ = touched.send(waiting);
        }
        let (jobs, queue) = mpsc::channel(QUEUE);
        let worker = Worker {
            store,
            urls,
            touched,
            counters: Arc::clone(&counters),
        };
        let thread = thread::Builder::new().name("webhooks".to_owned());
        let spawned = thread.spawn(move || worker.run(queue));
        spawned.map_err(|cause| StoreError::Directory {
            directory: directory.to_owned(),
            cause,
        })?;
        Ok(Self {
            jobs,
            counters,
            boot: format!("{now_ms:012x}").into(),
        })
    }

    /// Gives an event its place and its date.
    pub(super) fn record(&self, noted: Noted, created_ms: u64) {
        let room = EventRoom {
            id: noted.room.to_string(),
            name: noted.name,
            session: format!("{}-{:x}", self.boot, noted.room.0),
        };
        let event = event(&room, noted.number, created_ms, noted.happening);
        self.send(Job::Record(Box::new(event)));
    }

    /// Never blocks. Only events are many; a queue that is full of them loses what comes.
    pub(super) fn send(&self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) async fn next(&self, url: &str, session: &str) -> Option<RoomEvent> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Next(url.to_owned(), session.to_owned(), answer);
        self.jobs.send(job).await.ok()?;
        answered.await.ok()?
    }

    pub(super) async fn delivered(&self, url: &str, session: &str, number: u64) {
        let job = Job::Delivered(url.to_owned(), session.to_owned(), number);
        // If the thread is gone, so is the server.
        let _ = self.jobs.send(job).await;
    }

    pub(super) fn stats(&self) -> WebhookStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WebhookStats {
            recorded: read(&self.counters.recorded),
            delivered: read(&self.counters.delivered),
            failed: read(&self.counters.failed),
            dropped: read(&self.counters.dropped),
            waiting: read(&self.counters.waiting),
        }
    }
}

struct Worker {
    store: Store,
    urls: Vec<String>,
    touched: mpsc::UnboundedSender<Touched>,
    counters: Arc<Counters>,
}

impl Worker {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(first) = queue.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH
                && let Ok(job) = queue.try_recv()
            {
                batch.push(job);
            }
            self.handle(batch.drain(..));
        }
    }

    /// Writes come first; whoever asks for something may see them.
    fn handle(&mut self, batch: impl Iterator<Item = Job>) {
        let (mut events, mut delivered, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for job in batch {
            match job {
                // What came before them is not theirs.
                Job::Addresses(urls) => {
                    self.append(&std::mem::take(&mut events));
                    self.set_addresses(urls);
                }
                Job::Record(event) => events.push(*event),
                Job::Delivered(url, session, number) => delivered.push((url, session, number)),
                job => rest.push(job),
            }
        }
        if !delivered.is_empty() {
            let written = self.store.delivered(&delivered);
            self.report(written);
        }
        self.append(&events);
        for job in rest {
            self.answer(job);
        }
    }

    fn append(&self, events: &[RoomEvent]) {
        if events.is_empty() {
            return;
        }
        match self.store.append(events) {
            Ok(dropped) => {
                let recorded = events.len() as u64;
                self.counters
                    .recorded
                    .fetch_add(recorded, Ordering::Relaxed);
                self.counters.dropped.fetch_add(dropped, Ordering::Relaxed);
                self.touch(events);
            }
            Err(error) => {
                let lost = events.len() as u64;
                self.counters.dropped.fetch_add(lost, Ordering::Relaxed);
                tracing::error!(%error, lost, "events for webhooks are lost");
            }
        }
    }

    fn touch(&self, events: &[RoomEvent]) {
        let mut sessions: Vec<&str> = events
            .iter()
            .map(|event| event.room.session.as_str())
            .collect();
        sessions.sort_unstable();
        sessions.dedup();
        for session in sessions {
            for url in &self.urls {
                // If nobody delivers any more, the server is ending.
                let _ = self.touched.send((url.clone(), session.to_owned()));
            }
        }
    }

    fn set_addresses(&mut self, urls: Vec<String>) {
        let set = self.store.set_addresses(&urls);
        self.report(set);
        self.urls = urls;
    }

    /// Whoever asked may have gone.
    fn answer(&mut self, job: Job) {
        match job {
            Job::Next(url, session, answer) => {
                let next = self.store.next(&url, &session);
                let _ = answer.send(self.report(next).flatten());
            }
            Job::Replay(ask, answer) => {
                let _ = answer.send(self.replay(&ask));
            }
            Job::Flush(answer) => {
                let _ = answer.send(());
            }
            Job::Record(_) | Job::Delivered(..) | Job::Addresses(_) => {}
        }
    }

    fn replay(&self, ask: &Replay) -> Result<Vec<RoomEvent>, ReplayError> {
        let failed = |error| {
            tracing::error!(%error, "events for webhooks cannot be read");
            ReplayError::Failed
        };
        let latest = self.store.latest(&ask.name).map_err(failed)?;
        let session = ask.session.clone().or(latest).ok_or(ReplayError::Unknown)?;
        if !self.store.is_of(&session, &ask.name).map_err(failed)? {
            return Err(ReplayError::Unknown);
        }
        let limit = ask.limit.clamp(1, REPLAY_MAX);
        let found = self
            .store
            .replay(&session, ask.since, limit)
            .map_err(failed)?;
        found.ok_or(ReplayError::Gone)
    }

    fn report<T>(&self, outcome: Result<T, StoreError>) -> Option<T> {
        outcome
            .inspect_err(|error| tracing::error!(%error, "the queue of webhooks failed"))
            .ok()
    }
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    })
}
