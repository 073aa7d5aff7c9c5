//! Webhooks: what happens in rooms, told to the app's backend by HTTP, and kept so that it can ask
//! again.
//!
//! | file | one idea |
//! |---|---|
//! | `event` | an event as it is sent |
//! | `store` | events on disk, how far each address has them, and what a crash left open |
//! | `keeper` | the thread that owns the store |
//! | `dispatch` | one event after the other for each room and address, many at once |
//! | `post` | one attempt: signature, request, answer |
//!
//! `WEBHOOKS.md` documents the events for those who receive them.

mod dispatch;
mod event;
mod keeper;
mod post;
mod store;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plenum_types::Secret;
use tokio::sync::{oneshot, watch};

pub use event::{EventRoom, RoomEvent};
pub use keeper::{Replay, ReplayError, WebhookStats};
pub use store::StoreError;

pub use crate::room::chronicle::{Happening, Person};

use crate::room::Noted;
use keeper::{Job, Keeper};

/// Where events go, and how. Can change while the server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Addresses, each of which gets every event.
    pub urls: Vec<String>,
    /// API key that signs.
    pub key: String,
    /// Its secret.
    pub secret: Secret,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How old an event may become before it is delivered no more.
    pub give_up: Duration,
}

/// The handle. Clones are handles to the same webhooks.
#[derive(Clone, Debug)]
pub struct Webhooks {
    keeper: Keeper,
    settings: Arc<watch::Sender<WebhookSettings>>,
}

impl Webhooks {
    /// Opens the store in `directory`, tells what a crash left untold, and begins to deliver.
    /// Keeps `keep` events. Needs a tokio runtime.
    pub fn start(
        directory: &Path,
        keep: usize,
        settings: WebhookSettings,
    ) -> Result<Self, StoreError> {
        let (touched, wakes) = tokio::sync::mpsc::unbounded_channel();
        let keeper = Keeper::start(directory, keep, settings.urls.clone(), touched)?;
        let (settings, in_force) = watch::channel(settings);
        dispatch::start(keeper.clone(), wakes, in_force);
        Ok(Self {
            keeper,
            settings: Arc::new(settings),
        })
    }

    /// From here on these are in force. An address that is new gets what happens from now on.
    pub fn reconfigure(&self, settings: WebhookSettings) {
        self.keeper.send(Job::Addresses(settings.urls.clone()));
        self.settings.send_replace(settings);
    }

    /// Takes an event at this time, in milliseconds since 1970. Never blocks; what does not fit
    /// the queue is counted as dropped, and its number is missing.
    pub(crate) fn record(&self, noted: Noted, created_ms: u64) {
        self.keeper.record(noted, created_ms);
    }

    /// Events of the room called `name`, after number `since`, at most `limit`.
    pub(crate) async fn replay(&self, ask: Replay) -> Result<Vec<RoomEvent>, ReplayError> {
        let (answer, answered) = oneshot::channel();
        self.keeper.send(Job::Replay(ask, answer));
        answered.await.unwrap_or(Err(ReplayError::Failed))
    }

    /// Returns when all that was recorded before is on disk.
    pub async fn flush(&self) {
        let (answer, answered) = oneshot::channel();
        self.keeper.send(Job::Flush(answer));
        // An error means that the keeper is gone.
        let _ = answered.await;
    }

    /// Counters.
    pub fn stats(&self) -> WebhookStats {
        self.keeper.stats()
    }
}
