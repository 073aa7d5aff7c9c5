//! Delivers: for each room and address one event after the other, many of them at once.
#![expect(
    clippy::disallowed_methods,
    reason = "this is where the tasks are spawned and randomness drawn"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::RngExt;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::WebhookSettings;
use super::event::RoomEvent;
use super::keeper::{Keeper, Touched};
use super::post::Poster;

/// Requests at a time, of all rooms and addresses.
const AT_ONCE: usize = 64;
/// First and longest wait after an attempt that failed; doubled each time.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// What all deliveries share.
#[derive(Clone)]
struct Shared {
    keeper: Keeper,
    settings: watch::Receiver<WebhookSettings>,
    poster: Poster,
    permits: Arc<Semaphore>,
}

/// Delivers what is touched, until nobody touches any more.
pub(super) fn start(
    keeper: Keeper,
    touched: mpsc::UnboundedReceiver<Touched>,
    settings: watch::Receiver<WebhookSettings>,
) {
    let shared = Shared {
        keeper,
        settings,
        poster: Poster::new(),
        permits: Arc::new(Semaphore::new(AT_ONCE)),
    };
    tokio::spawn(run(shared, touched));
}

async fn run(shared: Shared, mut touched: mpsc::UnboundedReceiver<Touched>) {
    // Whether there is more since the delivery began.
    let mut running: BTreeMap<Touched, bool> = BTreeMap::new();
    let mut tasks: JoinSet<Touched> = JoinSet::new();
    let mut names: BTreeMap<tokio::task::Id, Touched> = BTreeMap::new();
    loop {
        let begin = tokio::select! {
            touched = touched.recv() => match touched {
                None => return,
                Some(touched) => match running.get_mut(&touched) {
                    Some(more) => { *more = true; None }
                    None => Some(touched),
                },
            },
            Some(ended) = tasks.join_next_with_id() => {
                // A panic ends one attempt; the event is tried again.
                let (id, panicked) = match ended {
                    Ok((id, _)) => (id, false),
                    Err(error) => (error.id(), true),
                };
                names.remove(&id).filter(|touched| {
                    running.remove(touched).unwrap_or(false) || panicked
                })
            }
        };
        if let Some(touched) = begin {
            running.insert(touched.clone(), false);
            let handle = tasks.spawn(deliver_all(shared.clone(), touched.clone()));
            names.insert(handle.id(), touched);
        }
        let waiting = running.len() as u64;
        shared
            .keeper
            .counters
            .waiting
            .store(waiting, Ordering::Relaxed);
    }
}

/// Delivers a room's events to an address until it has all of them, or is no address any more.
async fn deliver_all(shared: Shared, touched: Touched) -> Touched {
    let (url, session) = &touched;
    while let Some(event) = shared.keeper.next(url, session).await {
        let counters = &shared.keeper.counters;
        match deliver(&shared, url, &event).await {
            Outcome::Delivered => counters.delivered.fetch_add(1, Ordering::Relaxed),
            Outcome::TooOld => counters.dropped.fetch_add(1, Ordering::Relaxed),
            Outcome::NoAddress => break,
        };
        shared.keeper.delivered(url, session, event.number).await;
    }
    touched
}

enum Outcome {
    Delivered,
    TooOld,
    /// The configuration names it no longer.
    NoAddress,
}

async fn deliver(shared: &Shared, url: &str, event: &RoomEvent) -> Outcome {
    let mut wait = BACKOFF.0;
    loop {
        let settings = shared.settings.borrow().clone();
        if !settings.urls.iter().any(|known| known == url) {
            return Outcome::NoAddress;
        }
        if age(event) > settings.give_up {
            return Outcome::TooOld;
        }
        let attempt = async {
            // The semaphore is never closed.
            let _permit = shared.permits.acquire().await;
            shared.poster.post(url, event, &settings).await
        };
        match attempt.await {
            Ok(()) => return Outcome::Delivered,
            Err(reason) => {
                shared
                    .keeper
                    .counters
                    .failed
                    .fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%reason, "a webhook was not taken");
            }
        }
        let jitter = rand::rng().random_range(0.8..1.2);
        let mut changes = shared.settings.clone();
        changes.mark_unchanged();
        tokio::select! {
            () = tokio::time::sleep(wait.mul_f64(jitter)) => {}
            // Another key or address may do.
            _ = changes.changed() => {}
        }
        wait = (wait * 2).min(BACKOFF.1);
    }
}

fn age(event: &RoomEvent) -> Duration {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.saturating_sub(Duration::from_millis(event.created_at))
}
