//! The WebSocket adapter (RFC 6455): one task per client between its socket and the actor.
#![expect(
    clippy::disallowed_methods,
    reason = "sockets live in real time: tokens expire, clients fall silent"
)]

mod limiter;
mod upgrade;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::sync::{Notify, mpsc};
use tracing::Span;

pub(crate) use upgrade::upgrade;

use crate::actor::{Input, Outbox, Outgoing, encode};
use crate::connection::{ConnectionId, Ending};
use crate::messages::{ClientMessage, CloseCode, ClosingReason, ErrorCode, ServerMessage};
use crate::refusal::Refusal;
use crate::signaling::Shared;
use crate::token::Claims;
use limiter::Limiter;

/// Time between two pings. Must be below the idle timeouts of proxies, commonly 60 s.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// Silence after which a client is given up: three pings unanswered.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);
/// Longest time that one message may take to go out.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time that a closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Unreadable messages in a row after which a client is given up.
const MAX_UNREADABLE: u32 = 10;

/// Largest queue of outgoing messages, whatever is configured; a channel has a limit of its own.
const OUTGOING_QUEUE_MAX: usize = 1 << 20;

/// Serves a client until its socket is closed.
pub(crate) async fn serve(
    mut socket: WebSocket,
    shared: Arc<Shared>,
    verified: Result<Claims, Refusal>,
) {
    let claims = match verified {
        Ok(claims) => claims,
        Err(refusal) => {
            shared.counters.count_out(&refusal.message(true, None), 1);
            let text = encode(&refusal.message(true, None));
            let told = socket.send(Message::Text(text));
            // A client that does not even listen needs no reason.
            let _ = tokio::time::timeout(SEND_TIMEOUT, told).await;
            return close(&mut socket, refusal.code.close_code()).await;
        }
    };
    let id = shared.next_connection();
    Span::current().record("connection", id.0);
    let most = shared.config().limits.outgoing_queue;
    let (queue, outgoing) = mpsc::channel(most.clamp(1, OUTGOING_QUEUE_MAX));
    let cut = Arc::new(Notify::new());
    let outbox = Outbox {
        queue,
        cut: Arc::clone(&cut),
        span: Span::current(),
        is_named: false,
    };
    let connected = Input::Connected(id, Box::new(claims), outbox);
    if shared.inputs.send(connected).await.is_err() {
        return;
    }
    let limits = shared.config().limits;
    let now = Instant::now();
    let mut client = Client {
        id,
        socket,
        shared,
        outgoing,
        cut,
        limiter: Limiter::new(limits.messages_per_second, limits.message_burst, now),
        unreadable: 0,
        heard: now,
    };
    let end = client.run().await;
    client.finish(end).await;
}

/// Why a client's task ends.
enum End {
    /// The client closed, with this ending.
    Closed(Ending),
    /// The actor has forgotten the client and says how to close.
    Told(CloseCode),
    /// The client must be told this, and closed.
    Refused(ErrorCode, String),
    /// The client must be told this, and closed.
    Closing(ClosingReason),
}

struct Client {
    id: ConnectionId,
    socket: WebSocket,
    shared: Arc<Shared>,
    outgoing: mpsc::Receiver<Outgoing>,
    cut: Arc<Notify>,
    limiter: Limiter,
    unreadable: u32,
    /// When anything last came.
    heard: Instant,
}

impl Client {
    async fn run(&mut self) -> End {
        let mut ping = tokio::time::interval(PING_INTERVAL);
        ping.reset();
        loop {
            let step = tokio::select! {
                biased;
                () = self.cut.notified() => Err(End::Closing(ClosingReason::Slow)),
                outgoing = self.outgoing.recv() => match outgoing {
                    Some(Outgoing::Text(text)) => self.send(Message::Text(text)).await,
                    Some(Outgoing::Close(code)) => Err(End::Told(code)),
                    None => Err(End::Told(ErrorCode::Internal.close_code())),
                },
                incoming = self.socket.recv() => self.handle_incoming(incoming).await,
                _ = ping.tick() => self.ping().await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        tokio::select! {
            biased;
            () = self.cut.notified() => Err(End::Closing(ClosingReason::Slow)),
            sent = tokio::time::timeout(SEND_TIMEOUT, self.socket.send(message)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(End::Closed(Ending::Lost)),
                Err(_) => Err(End::Closing(ClosingReason::Slow)),
            },
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() >= IDLE_TIMEOUT {
            return Err(End::Closing(ClosingReason::Idle));
        }
        self.send(Message::Ping(axum::body::Bytes::new())).await
    }

    async fn handle_incoming(
        &mut self,
        incoming: Option<Result<Message, axum::Error>>,
    ) -> Result<(), End> {
        self.heard = Instant::now();
        match incoming {
            None | Some(Err(_)) => Err(End::Closed(Ending::Lost)),
            Some(Ok(Message::Close(frame))) => Err(End::Closed(match frame {
                Some(CloseFrame { code: 1000, .. }) => Ending::Left,
                _ => Ending::Lost,
            })),
            Some(Ok(message)) => {
                if !self.limiter.try_take(self.heard) {
                    let rate = self.shared.config().limits.messages_per_second;
                    let sentence = format!("Send at most {rate} messages a second.");
                    return Err(End::Refused(ErrorCode::TooManyMessages, sentence));
                }
                match message {
                    Message::Text(text) => self.handle_text(&text).await,
                    Message::Binary(_) => {
                        let sentence = "Send JSON in text frames.".to_owned();
                        self.refuse_message(ErrorCode::BadMessage, sentence).await
                    }
                    Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(()),
                }
            }
        }
    }

    async fn handle_text(&mut self, text: &str) -> Result<(), End> {
        let counter = &self.shared.counters.messages_in;
        counter.fetch_add(1, Ordering::Relaxed);
        let most = self.shared.config().limits.message_bytes;
        if text.len() > most {
            let sentence = format!("Send at most {most} bytes in a message.");
            return Err(End::Refused(ErrorCode::TooLarge, sentence));
        }
        match ClientMessage::parse(text) {
            Ok(message) => {
                self.unreadable = 0;
                let input = match message {
                    ClientMessage::RefreshToken { id, token } => match self.verify(&token) {
                        Ok(claims) => Input::Refreshed(self.id, id, Box::new(claims)),
                        Err(refusal) => return self.tell(refusal.message(false, Some(id))).await,
                    },
                    message => Input::Message(self.id, Box::new(message)),
                };
                let told = self.shared.inputs.send(input).await;
                told.map_err(|_| End::Closing(ClosingReason::Shutdown))
            }
            Err(error) => self.refuse_message(error.code, error.sentence).await,
        }
    }

    async fn refuse_message(&mut self, code: ErrorCode, sentence: String) -> Result<(), End> {
        self.unreadable += 1;
        if self.unreadable >= MAX_UNREADABLE {
            return Err(End::Refused(code, sentence));
        }
        self.tell(ServerMessage::error(code, sentence)).await
    }

    async fn tell(&mut self, message: ServerMessage) -> Result<(), End> {
        self.shared.counters.count_out(&message, 1);
        self.send(Message::Text(encode(&message))).await
    }

    fn verify(&self, token: &str) -> Result<Claims, Refusal> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_s = since_1970.map_or(0, |time| time.as_secs());
        self.shared.config().verify(token, now_s)
    }

    /// Tells the actor, then the client.
    async fn finish(mut self, end: End) {
        let ending = match end {
            End::Closed(ending) => ending,
            _ => Ending::Lost,
        };
        let input = Input::Disconnected(self.id, ending);
        // The actor outlives the sockets, but at the very end it may be gone.
        let told = self.shared.inputs.clone();
        let (code, message) = match end {
            End::Closed(_) => (None, None),
            End::Told(code) => (Some(code), None),
            End::Refused(code, sentence) => (
                Some(code.close_code()),
                Some(ServerMessage::fatal(code, sentence)),
            ),
            End::Closing(reason) => (
                Some(reason.close_code()),
                Some(ServerMessage::closing(reason)),
            ),
        };
        if let Some(message) = message {
            self.shared.counters.count_out(&message, 1);
            let sent = self.socket.send(Message::Text(encode(&message)));
            // If it does not go out, the close code still tells.
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, sent).await;
        }
        if let Some(code) = code {
            close(&mut self.socket, code).await;
        }
        let _ = told.send(input).await;
    }
}

/// Sends a close frame and waits a little for the client's.
async fn close(socket: &mut WebSocket, code: CloseCode) {
    let handshake = async {
        let frame = CloseFrame {
            code: code.0,
            reason: "".into(),
        };
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // The socket is dropped afterwards in any case.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, handshake).await;
}
