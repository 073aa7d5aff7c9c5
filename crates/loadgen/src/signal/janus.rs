//! The protocol of Janus and its video room (janus-gateway 1.x): one WebSocket with one session
//! and one handle for each client. A publisher offers; a subscriber names the feeds it wants, is
//! offered them, and answers.
//!
//! A feed can be had only once its publisher is connected, so a subscriber asks for the list until
//! there are as many as it has slots of a kind.

mod message;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use plenum_types::MediaKind;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{JoinRequest, Remote, Role, SessionEvent, Target};
use message::{FromServer, Reply};

/// Name that Janus wants in the handshake.
const SUBPROTOCOL: &str = "janus-protocol";
/// Janus ends a session that is silent for a minute.
const KEEPALIVE: Duration = Duration::from_secs(25);
/// Between two looks at who publishes.
const FEEDS_INTERVAL: Duration = Duration::from_millis(200);
/// Looks until a subscriber gives up: ten seconds.
const FEEDS_LOOKS: usize = 50;
/// Of the video room: somebody else has made the room.
const ROOM_EXISTS: u64 = 427;
/// The name of the part of a participant that subscribes ends so; its own feed is without.
const VIEW: &str = "-view";

/// One client's session.
pub(crate) struct Janus {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: u64,
    handle: u64,
    transactions: u64,
    keepalive: Instant,
    closed: bool,
}

impl Janus {
    pub(super) async fn join(target: &Target, request: JoinRequest) -> Result<(Self, Remote)> {
        let mut janus = Self::open(&target.url).await?;
        janus.create_room(&request.room).await?;
        let remote = match request.role {
            Role::Publisher => janus.publish(&request).await?,
            Role::Subscriber => janus.subscribe(&request).await?,
            Role::Participant => bail!("Janus has a connection for each direction"),
        };
        Ok((janus, remote))
    }

    /// Sends the answer to what Janus offered.
    pub(super) async fn answer(&mut self, sdp: String) -> Result<()> {
        let jsep = json!({ "type": "answer", "sdp": sdp });
        self.ask(json!({ "request": "start" }), Some(jsep)).await?;
        Ok(())
    }

    /// What happens next; keeps the session alive meanwhile.
    pub(super) async fn next_event(&mut self) -> SessionEvent {
        loop {
            if self.closed {
                std::future::pending::<()>().await;
            }
            let ended = match timeout_at(self.keepalive, self.next_message()).await {
                Ok(Ok(message)) => message.ended(),
                Ok(Err(error)) => Some(format!("{error:#}")),
                Err(_) => self
                    .keep_alive()
                    .await
                    .err()
                    .map(|error| format!("{error:#}")),
            };
            if let Some(reason) = ended {
                self.closed = true;
                return SessionEvent::Closed { reason };
            }
        }
    }

    pub(super) async fn leave(mut self) {
        // The server may have gone first; then there is nobody to tell.
        let _ = self.send(json!({ "janus": "destroy" })).await;
        let _ = self.socket.close(None).await;
    }

    async fn open(url: &str) -> Result<Self> {
        let url = url.replacen("http", "ws", 1);
        let mut handshake = url.as_str().into_client_request()?;
        let protocol = SUBPROTOCOL.parse()?;
        handshake
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        let (socket, _) = connect_async(handshake).await.with_context(|| {
            format!(
                "no Janus at {url}: its WebSocket transport must be on, by default at port 8188"
            )
        })?;
        let mut janus = Self {
            socket,
            session: 0,
            handle: 0,
            transactions: 0,
            keepalive: Instant::now() + KEEPALIVE,
            closed: false,
        };
        janus.session = janus.create(json!({ "janus": "create" })).await?;
        let attach = json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" });
        let attached = janus.create(attach).await;
        janus.handle = attached.context("the plugin janus.plugin.videoroom must be loaded")?;
        Ok(janus)
    }

    /// Asks the core for something that has an id.
    async fn create(&mut self, message: Value) -> Result<u64> {
        let transaction = self.send(message).await?;
        let reply = self.reply_to(&transaction).await?;
        reply.created().context("Janus answered without an id")
    }

    /// Every client may be the first one in its room.
    async fn create_room(&mut self, room: &str) -> Result<()> {
        let create = json!({
            "request": "create",
            "room": room,
            "is_private": true,
            "publishers": 1_000,
            "bitrate": 0,
            "audiocodec": "opus",
            "videocodec": "vp8,h264,vp9,av1",
            "transport_wide_cc_ext": true,
        });
        match self.ask(create, None).await?.refusal() {
            Some((code, error)) if code != ROOM_EXISTS => {
                bail!("Janus makes no room {room}: {error} ({code})")
            }
            _ => Ok(()),
        }
    }

    async fn publish(&mut self, request: &JoinRequest) -> Result<Remote> {
        let join = json!({
            "request": "joinandconfigure",
            "ptype": "publisher",
            "room": request.room,
            "id": request.identity,
        });
        let jsep = json!({ "type": "offer", "sdp": request.offer });
        let reply = self.accepted(join, Some(jsep)).await?;
        let sdp = reply
            .sdp()
            .context("Janus answered the offer without an answer")?;
        Ok(Remote::Answer(sdp))
    }

    async fn subscribe(&mut self, request: &JoinRequest) -> Result<Remote> {
        let feeds = self.feeds(request).await?;
        let streams: Vec<Value> = feeds.iter().map(|feed| json!({ "feed": feed })).collect();
        let join = json!({
            "request": "join",
            "ptype": "subscriber",
            "room": request.room,
            "streams": streams,
        });
        let reply = self.accepted(join, None).await?;
        let sdp = reply
            .sdp()
            .context("Janus offered nothing to a subscriber")?;
        Ok(Remote::Offer(sdp))
    }

    /// The publishers that fill the request's slots, once they are connected.
    async fn feeds(&mut self, request: &JoinRequest) -> Result<Vec<String>> {
        let wanted = feeds_wanted(request);
        let list = json!({ "request": "listparticipants", "room": request.room });
        let mut found = 0;
        for _ in 0..FEEDS_LOOKS {
            let mut feeds = self.ask(list.clone(), None).await?.feeds();
            feeds.retain(|feed| Some(feed.as_str()) != request.identity.strip_suffix(VIEW));
            found = feeds.len();
            if found >= wanted {
                feeds.truncate(wanted);
                return Ok(feeds);
            }
            sleep(FEEDS_INTERVAL).await;
        }
        bail!("{found} of {wanted} publishers are connected to Janus")
    }

    /// Like [`ask`](Self::ask), but a refusal is an error.
    async fn accepted(&mut self, body: Value, jsep: Option<Value>) -> Result<Reply> {
        let reply = self.ask(body, jsep).await?;
        match reply.refusal() {
            Some((code, error)) => bail!("Janus refused: {error} ({code})"),
            None => Ok(reply),
        }
    }

    /// Asks the video room.
    async fn ask(&mut self, body: Value, jsep: Option<Value>) -> Result<Reply> {
        let mut message = json!({ "janus": "message", "body": body });
        if let Some(jsep) = jsep {
            message["jsep"] = jsep;
        }
        let transaction = self.send(message).await?;
        self.reply_to(&transaction).await
    }

    async fn keep_alive(&mut self) -> Result<()> {
        self.keepalive = Instant::now() + KEEPALIVE;
        self.send(json!({ "janus": "keepalive" })).await?;
        Ok(())
    }

    /// Sends a message of this session and handle; its transaction.
    async fn send(&mut self, mut message: Value) -> Result<String> {
        self.transactions += 1;
        let transaction = self.transactions.to_string();
        message["transaction"] = transaction.as_str().into();
        if self.session != 0 {
            message["session_id"] = self.session.into();
        }
        if self.handle != 0 && message["janus"] == "message" {
            message["handle_id"] = self.handle.into();
        }
        let text = Message::text(message.to_string());
        self.socket.send(text).await?;
        Ok(transaction)
    }

    /// Reads until the plugin, or the core, has answered.
    async fn reply_to(&mut self, transaction: &str) -> Result<Reply> {
        loop {
            let message = self.next_message().await?;
            if let Some(reason) = message.ended() {
                bail!("Janus ended the session: {reason}");
            }
            if let Some(reply) = message.reply_to(transaction)? {
                return Ok(reply);
            }
        }
    }

    async fn next_message(&mut self) -> Result<FromServer> {
        while let Some(message) = self.socket.next().await {
            if let Message::Text(text) = message? {
                return serde_json::from_str(text.as_str())
                    .context("Janus sent no message of its protocol");
            }
        }
        bail!("Janus closed the WebSocket")
    }
}

/// Feeds carry audio and video: as many as there are slots of one kind.
fn feeds_wanted(request: &JoinRequest) -> usize {
    let of = |kind| {
        request
            .slots
            .iter()
            .filter(|slot| slot.kind == kind)
            .count()
    };
    of(MediaKind::Audio).max(of(MediaKind::Video))
}
