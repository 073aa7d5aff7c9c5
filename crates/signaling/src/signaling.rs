//! The handle to the control plane.
#![expect(
    clippy::disallowed_methods,
    reason = "this is where the actor is spawned"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use plenum_types::{MediaCommand, MediaEvent, ShardId};
use tokio::sync::{mpsc, oneshot};

use crate::actor::{Actor, Input};
use crate::config::SignalingConfig;
use crate::connection::ConnectionId;
use crate::stats::{Counters, SignalingStats};

/// Inputs of clients waiting for the actor. When full, the sockets wait, and so their clients.
const INPUT_QUEUE: usize = 4_096;
/// Media events waiting for the actor. When full, events are lost and counted: a shard never
/// waits. Sized for every slot of a large room changing at once.
const EVENT_QUEUE: usize = 65_536;

/// The control plane. Clones are handles to the same one.
#[derive(Clone)]
pub struct Signaling {
    shared: Arc<Shared>,
}

/// What the handle and the adapters share.
pub(crate) struct Shared {
    config: RwLock<Arc<SignalingConfig>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) inputs: mpsc::Sender<Input>,
    events: mpsc::Sender<(ShardId, MediaEvent)>,
    connections: AtomicU64,
    closing: AtomicBool,
    pub(crate) draining: AtomicBool,
}

impl Shared {
    /// What is in force now.
    pub(crate) fn config(&self) -> Arc<SignalingConfig> {
        let config = self.config.read();
        Arc::clone(&config.unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }
}

impl Signaling {
    /// Starts the control plane on the current tokio runtime. `media` must not block; it is
    /// called in order, from one task.
    pub fn start(
        config: SignalingConfig,
        media: impl Fn(ShardId, MediaCommand) + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(config);
        let counters = Arc::new(Counters::default());
        let (inputs, input_queue) = mpsc::channel(INPUT_QUEUE);
        let (events, event_queue) = mpsc::channel(EVENT_QUEUE);
        let actor = Actor::new(Arc::clone(&config), Box::new(media), Arc::clone(&counters));
        tokio::spawn(actor.run(input_queue, event_queue));
        Self {
            shared: Arc::new(Shared {
                config: RwLock::new(config),
                counters,
                inputs,
                events,
                connections: AtomicU64::new(1),
                closing: AtomicBool::new(false),
                draining: AtomicBool::new(false),
            }),
        }
    }

    /// The handle to what an adapter serves.
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
        }
    }

    /// Takes what a shard reports. Never blocks; what does not fit the queue is counted as lost.
    pub fn handle_media_event(&self, shard: ShardId, event: MediaEvent) {
        if self.shared.events.try_send((shard, event)).is_err() {
            let lost = &self.shared.counters.media_events_lost;
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The HTTP endpoints: `/v1/ws`, `/whip/...`, `/whep/...`, `/plenum.js`, `/plenum.d.ts`, and with `dev` the demo app.
    pub fn router(&self) -> axum::Router {
        crate::http::router(Arc::clone(&self.shared))
    }

    /// A snapshot of the counters.
    pub fn stats(&self) -> SignalingStats {
        let Shared { inputs, events, .. } = &*self.shared;
        SignalingStats {
            inputs_waiting: inputs.max_capacity() - inputs.capacity(),
            media_events_waiting: events.max_capacity() - events.capacity(),
            ..self.shared.counters.snapshot()
        }
    }

    /// Whether new clients are taken.
    pub fn is_ready(&self) -> bool {
        !self.shared.closing.load(Ordering::Relaxed) && !self.is_draining()
    }

    /// Changes keys, limits, times or ICE servers; connections that are open keep the limits on
    /// their messages. The rest is read at the start alone.
    pub async fn reconfigure(&self, change: impl FnOnce(&mut SignalingConfig)) {
        let mut config = SignalingConfig::clone(&self.shared.config());
        change(&mut config);
        let config = Arc::new(config);
        let place = self.shared.config.write();
        *place.unwrap_or_else(PoisonError::into_inner) = Arc::clone(&config);
        // If the actor is gone, so is everybody.
        let _ = self.shared.inputs.send(Input::Reconfigure(config)).await;
    }

    /// Begins to empty the server: nobody new is let in, and within half of `window` all rooms are
    /// told to move, to `url` or, without it, to the address that they have.
    pub async fn drain(&self, window: Duration, url: Option<String>) {
        self.shared.draining.store(true, Ordering::Relaxed);
        // If the actor is gone, so is everybody.
        let _ = self
            .shared
            .inputs
            .send(Input::Drain(Some((window, url))))
            .await;
    }

    /// Takes clients again.
    pub async fn undrain(&self) {
        self.shared.draining.store(false, Ordering::Relaxed);
        let _ = self.shared.inputs.send(Input::Drain(None)).await;
    }

    /// Whether the server is being emptied.
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::Relaxed)
    }

    /// Tells every client to connect elsewhere, closes their sockets and ends their media.
    /// Returns when all are gone, or after `deadline`.
    pub async fn close(&self, deadline: Duration) {
        self.shared.closing.store(true, Ordering::Relaxed);
        let (done, drained) = oneshot::channel();
        let ask = async {
            if self.shared.inputs.send(Input::Shutdown(done)).await.is_ok() {
                // An error means that the actor is gone, and every client with it.
                let _ = drained.await;
            }
        };
        if tokio::time::timeout(deadline, ask).await.is_err() {
            tracing::warn!("some clients did not close in time");
        }
    }
}
