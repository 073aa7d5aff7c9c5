//! The one task that owns the registry: takes inputs in order, does what the registry wants.
#![expect(
    clippy::disallowed_methods,
    reason = "this is where the clock is read and randomness drawn"
)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::ws::Utf8Bytes;
use plenum_types::{MediaCommand, MediaEvent, ShardId};
use rand::rngs::StdRng;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::Span;

use crate::admin::{AdminError, AdminReply, AdminRequest};
use crate::config::SignalingConfig;
use crate::connection::{ConnectionId, Ending};
use crate::http_session::{SessionError, SessionReply, SessionRequest};
use crate::messages::{ClientMessage, CloseCode, ErrorCode, ServerMessage};
use crate::output::Output;
use crate::registry::Registry;
use crate::room::Noted;
use crate::stats::Counters;
use crate::token::Claims;
use crate::webhooks::Webhooks;

/// Inputs handled between two looks at the clock. Higher saves wake-ups, lower is fairer to
/// media events.
const BATCH: usize = 64;

/// What the actor is told.
pub(crate) enum Input {
    /// A client has connected with a valid token.
    Connected(ConnectionId, Box<Claims>, Outbox),
    /// A client says something.
    Message(ConnectionId, Box<ClientMessage>),
    /// A client shows another valid token, in a message with this id.
    Refreshed(ConnectionId, u32, Box<Claims>),
    /// A client's task has ended. Sent once for each `Connected`.
    Disconnected(ConnectionId, Ending),
    /// Somebody asks by HTTP.
    Session(
        Box<SessionRequest>,
        oneshot::Sender<Result<SessionReply, SessionError>>,
        Span,
    ),
    /// A backend asks.
    Admin(Box<AdminRequest>, AdminAnswer, Span),
    /// From now on this is in force.
    Reconfigure(Arc<SignalingConfig>),
    /// Empty the server within this time and send the clients there, or (none) stop doing so.
    Drain(Option<(Duration, Option<String>)>),
    /// Let go of everybody; answer when all are gone.
    Shutdown(oneshot::Sender<()>),
}

/// Where an answer to a backend goes.
pub(crate) type AdminAnswer = oneshot::Sender<Result<AdminReply, AdminError>>;

/// The way to a client's task.
pub(crate) struct Outbox {
    /// Bounded; full means that the client reads too slowly.
    pub(crate) queue: mpsc::Sender<Outgoing>,
    /// Ends the task without emptying the queue.
    pub(crate) cut: Arc<Notify>,
    /// What the client does, from its WebSocket to its end.
    pub(crate) span: Span,
    /// Whether the span has the participant's id.
    pub(crate) is_named: bool,
}

/// What a client's task is told.
pub(crate) enum Outgoing {
    /// Send this.
    Text(Utf8Bytes),
    /// Close with this code.
    Close(CloseCode),
}

/// Where media commands go.
pub(crate) type MediaSink = Box<dyn Fn(ShardId, MediaCommand) + Send + Sync>;

/// Owns the registry.
pub(crate) struct Actor {
    registry: Registry,
    outboxes: BTreeMap<ConnectionId, Outbox>,
    /// Client tasks that have not ended.
    live: usize,
    media: MediaSink,
    counters: Arc<Counters>,
    webhooks: Option<Webhooks>,
    rng: StdRng,
    drained: Vec<oneshot::Sender<()>>,
    /// Backends that wait for a shard, by the number of their question.
    asked: BTreeMap<u64, AdminAnswer>,
}

impl Actor {
    pub(crate) fn new(
        config: Arc<SignalingConfig>,
        media: MediaSink,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            webhooks: config.webhooks.clone(),
            registry: Registry::new(config, Instant::now()),
            outboxes: BTreeMap::new(),
            live: 0,
            media,
            counters,
            rng: rand::make_rng(),
            drained: Vec::new(),
            asked: BTreeMap::new(),
        }
    }

    /// Runs until nobody holds the other ends any more.
    pub(crate) async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut events: mpsc::Receiver<(ShardId, MediaEvent)>,
    ) {
        loop {
            let due = self.registry.poll_timeout();
            tokio::select! {
                input = inputs.recv() => match input {
                    Some(input) => self.handle_inputs(input, &mut inputs),
                    None => return,
                },
                Some(event) = events.recv() => self.handle_events(event, &mut events),
                () = sleep_until(due) => self.registry.handle_timeout(Instant::now()),
            }
            self.carry_out();
            self.counters.set_gauges(self.registry.gauges());
            if self.live == 0 {
                for done in self.drained.drain(..) {
                    // Whoever waited may have given up.
                    let _ = done.send(());
                }
            }
        }
    }

    fn handle_inputs(&mut self, first: Input, more: &mut mpsc::Receiver<Input>) {
        let now = Instant::now();
        let mut next = Some(first);
        for _ in 0..BATCH {
            let Some(input) = next.take() else {
                return;
            };
            self.handle_input(now, input);
            self.carry_out();
            next = more.try_recv().ok();
        }
        if let Some(input) = next {
            self.handle_input(now, input);
        }
    }

    fn handle_input(&mut self, now: Instant, input: Input) {
        self.registry.set_time(now);
        match input {
            Input::Connected(id, claims, outbox) => {
                self.live += 1;
                self.outboxes.insert(id, outbox);
                self.registry.handle_connected(now, id, *claims);
            }
            Input::Message(id, message) => self.handle_message(id, *message),
            Input::Refreshed(id, message, claims) => {
                self.registry.handle_refreshed(id, message, &claims);
            }
            Input::Disconnected(id, ending) => {
                self.live -= 1;
                self.outboxes.remove(&id);
                self.registry.handle_disconnected(now, id, ending);
            }
            Input::Session(request, answer, span) => {
                let reply = span.in_scope(|| self.handle_session(&request));
                // Whoever asked may have gone.
                let _ = answer.send(reply);
            }
            Input::Admin(request, answer, span) => {
                span.in_scope(|| self.handle_admin(&request, answer));
            }
            Input::Reconfigure(config) => self.registry.set_config(config),
            Input::Drain(Some((window, url))) => self.registry.handle_drain(window, url),
            Input::Drain(None) => self.registry.handle_undrain(),
            Input::Shutdown(done) => {
                self.registry.handle_shutdown();
                self.drained.push(done);
            }
        }
    }

    /// A panic over one client's message ends that client, not the server.
    fn handle_message(&mut self, id: ConnectionId, message: ClientMessage) {
        let outbox = self.outboxes.get(&id);
        let session = outbox.map_or_else(Span::none, |outbox| outbox.span.clone());
        let span = tracing::info_span!(parent: &session, "message");
        let _in_span = span.enter();
        let Self { registry, rng, .. } = self;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            registry.handle_message(id, message, rng);
        }));
        if outcome.is_err() {
            tracing::debug!("panic while handling a message");
            registry.handle_panic(id);
        }
        self.name_session(id, &session);
    }

    /// A client that has just joined has an id.
    fn name_session(&mut self, id: ConnectionId, session: &Span) {
        let Some(outbox) = self.outboxes.get_mut(&id).filter(|outbox| !outbox.is_named) else {
            return;
        };
        if let Some(participant) = self.registry.participant_of(id) {
            outbox.is_named = true;
            session.record("participant", tracing::field::display(participant));
        }
    }

    /// A panic over one request fails that request.
    fn handle_session(&mut self, request: &SessionRequest) -> Result<SessionReply, SessionError> {
        let Self { registry, rng, .. } = self;
        let outcome = catch_unwind(AssertUnwindSafe(|| registry.handle_session(request, rng)));
        outcome.unwrap_or_else(|_| {
            tracing::debug!("panic while handling a WHIP or WHEP request");
            self.registry.handle_session_panic();
            Err(SessionError::Failed)
        })
    }

    /// A panic over one request fails that request.
    fn handle_admin(&mut self, request: &AdminRequest, answer: AdminAnswer) {
        let registry = &mut self.registry;
        let outcome = catch_unwind(AssertUnwindSafe(|| registry.handle_admin(request)));
        let reply = outcome.unwrap_or_else(|_| {
            tracing::debug!("panic while handling a request of a backend");
            Err(AdminError::Failed)
        });
        if let Ok(AdminReply::Asked(number)) = reply {
            // Those whose shard did not answer have given up.
            self.asked.retain(|_, waiting| !waiting.is_closed());
            self.asked.insert(number, answer);
        } else {
            // Whoever asked may have gone.
            let _ = answer.send(reply);
        }
    }

    fn handle_events(
        &mut self,
        first: (ShardId, MediaEvent),
        more: &mut mpsc::Receiver<(ShardId, MediaEvent)>,
    ) {
        self.registry.set_time(Instant::now());
        let (shard, event) = first;
        self.registry.handle_media_event(shard, event);
        for _ in 1..BATCH {
            let Ok((shard, event)) = more.try_recv() else {
                return;
            };
            self.registry.handle_media_event(shard, event);
        }
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.registry.poll_output() {
            match output {
                Output::Send { to, message } => self.send(&to, &message),
                Output::Close { connection, code } => self.close(connection, code),
                Output::Answer(number, view) => {
                    if let Some(waiting) = self.asked.remove(&number) {
                        // Whoever asked may have gone.
                        let _ = waiting.send(Ok(AdminReply::Quality(*view)));
                    }
                }
                Output::Event(noted) => self.record(*noted),
                Output::Media(shard, command) => (self.media)(shard, command),
            }
        }
    }

    fn record(&self, noted: Noted) {
        if let Some(webhooks) = &self.webhooks {
            let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
            let now_ms = since_1970.map_or(0, |time| time.as_millis());
            webhooks.record(noted, u64::try_from(now_ms).unwrap_or(u64::MAX));
        }
    }

    /// Serialises once, however many receive it.
    fn send(&mut self, to: &[ConnectionId], message: &ServerMessage) {
        self.counters.count_out(message, to.len());
        let text = encode(message);
        for id in to {
            self.offer(*id, Outgoing::Text(text.clone()));
        }
    }

    fn close(&mut self, id: ConnectionId, code: CloseCode) {
        self.offer(id, Outgoing::Close(code));
        self.outboxes.remove(&id);
    }

    fn offer(&mut self, id: ConnectionId, outgoing: Outgoing) {
        let Some(outbox) = self.outboxes.get(&id) else {
            return;
        };
        if let Err(mpsc::error::TrySendError::Full(_)) = outbox.queue.try_send(outgoing) {
            outbox.cut.notify_one();
            self.outboxes.remove(&id);
            self.counters.slow_clients.fetch_add(1, Ordering::Relaxed);
            self.registry
                .handle_disconnected(Instant::now(), id, Ending::Lost);
        }
    }
}

/// The text frame of a message.
pub(crate) fn encode(message: &ServerMessage) -> Utf8Bytes {
    // Plain structs, enums and strings: serialisation has no way to fail, but if it did, the
    // client would be told.
    serde_json::to_string(message)
        .unwrap_or_else(|_| {
            let code = ErrorCode::Internal.as_str();
            format!(r#"{{"type":"error","code":"{code}","message":"","fatal":false}}"#)
        })
        .into()
}

/// Waits for ever if there is nothing to wait for.
async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
