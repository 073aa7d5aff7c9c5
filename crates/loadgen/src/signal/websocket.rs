//! Plenum's protocol: one WebSocket for each client, a join, an offer, its answer; then it is kept
//! open and steered by `slots`.

use std::collections::VecDeque;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use plenum_types::MediaKind;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{
    Control, JoinRequest, Policy, Remote, SessionEvent, SlotWish, Target, Track, token,
};

/// One client's WebSocket.
pub(crate) struct WebSocket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What came before it was asked for.
    pending: VecDeque<SessionEvent>,
    closed: bool,
}

impl WebSocket {
    pub(super) async fn join(target: &Target, request: JoinRequest) -> Result<(Self, Remote)> {
        let mut session = Self::open(target, &request).await?;
        session
            .send(&json!({ "type": "join", "room": request.room, "sdk": "plenum-load" }))
            .await?;
        session.send(&offer(&request)).await?;
        loop {
            let text = session
                .next_text()
                .await
                .context("the server closed the WebSocket before it answered")?;
            if let Some(answer) = session.on_text(&text)? {
                return Ok((session, Remote::Answer(answer)));
            }
            if let Some(SessionEvent::Closed { reason }) = session.pending.back() {
                bail!("the server closed the connection: {reason}");
            }
        }
    }

    async fn open(target: &Target, request: &JoinRequest) -> Result<Self> {
        let token = token::mint(target, request)?;
        let base = target.url.trim_end_matches('/').replacen("http", "ws", 1);
        let url = format!("{base}/v1/ws");
        let mut handshake = url.as_str().into_client_request()?;
        let protocols = format!("plenum.v1, token.{token}");
        handshake
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocols.parse()?);
        let (socket, _) = connect_async(handshake)
            .await
            .with_context(|| format!("no Plenum server at {url}: start it, or pass --url"))?;
        Ok(Self {
            socket,
            pending: VecDeque::new(),
            closed: false,
        })
    }

    pub(super) async fn next_event(&mut self) -> SessionEvent {
        loop {
            if let Some(event) = self.pending.pop_front() {
                self.closed |= matches!(event, SessionEvent::Closed { .. });
                return event;
            }
            if self.closed {
                std::future::pending::<()>().await;
            }
            let read = self.next_text().await.and_then(|text| self.on_text(&text));
            if let Err(error) = read {
                let reason = format!("{error:#}");
                self.pending.push_back(SessionEvent::Closed { reason });
            }
        }
    }

    pub(super) async fn send_control(&mut self, control: Control) -> Result<()> {
        let Control::Slots(wishes) = control;
        let slots: Vec<Value> = wishes.iter().map(slot).collect();
        self.send(&json!({ "type": "slots", "slots": slots })).await
    }

    pub(super) async fn leave(mut self) {
        // The server may have gone first; then there is nobody to tell. Until it closes, what it
        // still says is read: closing over unread data would reset the connection, and the server
        // would take that for an accident.
        if self.send(&json!({ "type": "leave" })).await.is_ok() {
            while self.next_text().await.is_ok() {}
        }
    }

    async fn send(&mut self, message: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(message.to_string())).await?)
    }

    async fn next_text(&mut self) -> Result<String> {
        while let Some(message) = self.socket.next().await {
            if let Message::Text(text) = message? {
                return Ok(text.as_str().to_owned());
            }
        }
        bail!("the server closed the WebSocket")
    }

    /// Queues what a message tells; the SDP, if it is the answer.
    fn on_text(&mut self, text: &str) -> Result<Option<String>> {
        if is_of_no_interest(text) {
            return Ok(None);
        }
        match serde_json::from_str(text).context("the server sent no message of the protocol")? {
            FromServer::Answer { sdp } => return Ok(Some(sdp)),
            FromServer::Joined { participants } | FromServer::ParticipantJoined {
                participant: Participants(participants),
            } => {
                for publication in participants.into_iter().flat_map(|p| p.publications) {
                    self.on_published(publication);
                }
            }
            FromServer::Published { publication } => self.on_published(publication),
            FromServer::Unpublished { publication } => self
                .pending
                .push_back(SessionEvent::Unpublished { publication }),
            FromServer::SlotChanged { mid, layer } => {
                let layer = layer.map(|layer| layer.spatial);
                self.pending
                    .push_back(SessionEvent::SlotChanged { mid, layer });
            }
            FromServer::Error { code, message } => bail!("the server refused: {message} ({code})"),
            FromServer::Closing { reason } => {
                self.pending.push_back(SessionEvent::Closed { reason });
            }
            FromServer::Connection { state, reason } => {
                if state == "closed" {
                    let reason = reason.unwrap_or(state);
                    self.pending.push_back(SessionEvent::Closed { reason });
                }
            }
            FromServer::Other => {}
        }
        Ok(None)
    }

    fn on_published(&mut self, publication: Publication) {
        let kind = match publication.kind.as_str() {
            "audio" => MediaKind::Audio,
            _ => MediaKind::Video,
        };
        self.pending.push_back(SessionEvent::Published {
            publication: publication.id,
            kind,
        });
    }
}

/// In a room of hundreds most messages tell of people without publications, or of who speaks;
/// reading each as JSON would cost the clients more than their media.
fn is_of_no_interest(text: &str) -> bool {
    text.starts_with(r#"{"type":"speakers""#)
        || (text.starts_with(r#"{"type":"participantJoined""#)
            && text.ends_with(r#""publications":[]}}"#))
        || text.starts_with(r#"{"type":"participantLeft""#)
}

/// The messages of the server that matter to a load.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum FromServer {
    Joined {
        participants: Vec<Participant>,
    },
    Answer {
        sdp: String,
    },
    ParticipantJoined {
        participant: Participants,
    },
    Published {
        publication: Publication,
    },
    Unpublished {
        publication: String,
    },
    SlotChanged {
        mid: String,
        layer: Option<ShownLayer>,
    },
    Error {
        code: String,
        message: String,
    },
    Closing {
        reason: String,
    },
    Connection {
        state: String,
        reason: Option<String>,
    },
    #[serde(other)]
    Other,
}

/// One participant, read as a list of one.
#[derive(Deserialize)]
#[serde(from = "Participant")]
struct Participants(Vec<Participant>);

impl From<Participant> for Participants {
    fn from(participant: Participant) -> Self {
        Self(vec![participant])
    }
}

#[derive(Deserialize)]
struct Participant {
    publications: Vec<Publication>,
}

#[derive(Deserialize)]
struct Publication {
    id: String,
    kind: String,
}

#[derive(Deserialize)]
struct ShownLayer {
    spatial: u8,
}

fn offer(request: &JoinRequest) -> Value {
    let publications: Vec<Value> = request.tracks.iter().map(publication).collect();
    let slots: Vec<Value> = request.slots.iter().map(slot).collect();
    json!({
        "type": "offer",
        "id": 1,
        "sdp": request.offer,
        "publications": publications,
        "slots": slots,
    })
}

fn publication(track: &Track) -> Value {
    let layers: Vec<Value> = track
        .layers
        .iter()
        .map(|layer| {
            json!({
                "rid": layer.rid,
                "width": layer.width,
                "height": layer.height,
                "maxBitrate": layer.max_bitrate,
            })
        })
        .collect();
    match track.kind {
        MediaKind::Audio => json!({ "mid": track.mid, "source": "microphone" }),
        MediaKind::Video => json!({ "mid": track.mid, "source": "camera", "layers": layers }),
    }
}

fn slot(wish: &SlotWish) -> Value {
    let mut slot = match &wish.policy {
        Policy::All => json!({ "mid": wish.mid, "policy": "all" }),
        Policy::Speaker => json!({ "mid": wish.mid, "policy": "speaker" }),
        Policy::Pinned(publication) => {
            json!({ "mid": wish.mid, "policy": "pinned", "publication": publication })
        }
    };
    if let Some((width, height)) = wish.size {
        slot["width"] = width.into();
        slot["height"] = height.into();
    }
    slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_crowd_are_passed_over_unread() {
        let joined = r#"{"type":"participantJoined","participant":{"id":"PA_3","identity":"eve","name":"Eve","metadata":"","publications":[]}}"#;
        assert!(is_of_no_interest(joined));
        let publisher = joined.replace("[]", r#"[{"id":"TR_1","kind":"audio"}]"#);
        assert!(!is_of_no_interest(&publisher));
        let message = serde_json::from_str(&publisher).unwrap();
        let FromServer::ParticipantJoined { participant } = message else {
            panic!("another message");
        };
        assert_eq!(participant.0[0].publications[0].id, "TR_1");
    }

    #[test]
    fn wishes_are_written_as_the_protocol_has_them() {
        let wish = SlotWish {
            mid: "4".to_owned(),
            kind: MediaKind::Video,
            policy: Policy::Pinned("TR_9".to_owned()),
            size: Some((640, 360)),
        };
        let expected = json!({
            "mid": "4", "policy": "pinned", "publication": "TR_9", "width": 640, "height": 360,
        });
        assert_eq!(slot(&wish), expected);
    }
}
