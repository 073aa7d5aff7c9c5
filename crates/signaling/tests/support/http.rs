//! The control plane over real HTTP, with a media plane that only listens.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use plenum_signaling::token::{Claims, Grants, mint};
use plenum_signaling::{IceServer, Signaling, SignalingConfig};
use plenum_types::{Fingerprint, FingerprintAlgorithm, MediaCommand, Secret};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const KEY: &str = "devkey";
const SECRET: &str = "secret";
/// Where the server says that it receives media.
pub(crate) const UDP_CANDIDATES: [&str; 2] = ["192.0.2.1:7882", "[2001:db8::1]:7882"];
/// And over TCP, all shards.
pub(crate) const TCP_CANDIDATES: [&str; 2] = ["192.0.2.1:7881", "[2001:db8::1]:7881"];
/// How many are told.
pub(crate) const CANDIDATES: usize = UDP_CANDIDATES.len() + TCP_CANDIDATES.len();

pub(crate) struct Server {
    pub(crate) signaling: Signaling,
    address: SocketAddr,
    commands: Arc<Mutex<Vec<MediaCommand>>>,
}

/// Starts a server.
pub(crate) async fn start(change: impl FnOnce(&mut SignalingConfig)) -> Server {
    let keys = [(KEY.to_owned(), Secret(SECRET.to_owned()))].into();
    let fingerprint = Fingerprint {
        algorithm: FingerprintAlgorithm::Sha256,
        bytes: vec![1; 32],
    };
    let addresses = |texts: [&str; 2]| texts.map(|text| text.parse().unwrap()).to_vec();
    let mut config = SignalingConfig {
        tcp_candidates: addresses(TCP_CANDIDATES),
        ..SignalingConfig::new(keys, fingerprint, vec![addresses(UDP_CANDIDATES)])
    };
    change(&mut config);
    let commands = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&commands);
    let signaling = Signaling::start(config, move |_, command| {
        sink.lock().unwrap().push(command);
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = signaling.router();
    #[expect(
        clippy::disallowed_methods,
        reason = "a server runs beside its clients"
    )]
    tokio::spawn(async move { axum::serve(listener, router).await });
    Server {
        signaling,
        address,
        commands,
    }
}

/// A token of `identity` for the room `r`, changed.
pub(crate) fn token(identity: &str, change: impl FnOnce(&mut Claims)) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tokens are made by the wall clock"
    )]
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut claims = Claims {
        iss: KEY.into(),
        sub: identity.into(),
        exp: since_1970.as_secs() + 60,
        video: Grants::join("r"),
        ..Claims::default()
    };
    change(&mut claims);
    mint(&claims, &Secret(SECRET.into())).unwrap()
}

/// A server without credentials.
pub(crate) fn stun(url: &str) -> IceServer {
    IceServer {
        urls: vec![url.to_owned()],
        username: None,
        credential: None,
        shared: None,
    }
}

/// A server with credentials.
pub(crate) fn turn(url: &str, username: &str, password: &str) -> IceServer {
    IceServer {
        username: Some(username.to_owned()),
        credential: Some(Secret(password.to_owned())),
        ..stun(url)
    }
}

/// `Authorization` of `identity`.
pub(crate) fn bearer(identity: &str) -> String {
    format!("Authorization: Bearer {}", token(identity, |_| {}))
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The values of a header, in their order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// A header that must be there once.
    pub(crate) fn header(&self, name: &str) -> &str {
        let [value] = self.all(name)[..] else {
            panic!("not one {name} in {self:?}");
        };
        value
    }

    /// Values of an attribute of the description, or whole lines by their start.
    pub(crate) fn lines(&self, start: &str) -> Vec<&str> {
        self.body
            .lines()
            .filter_map(|line| line.strip_prefix(start))
            .collect()
    }

    /// Checks that this is the error `status` with problem details that say what to change.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("Content-Type"), "application/problem+json");
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().ends_with('.'));
        // Pages of other origins can read it.
        assert_eq!(self.header("Access-Control-Allow-Origin"), "*");
    }
}

impl Server {
    /// One request over a connection of its own.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> Answer {
        let length = format!("Content-Length: {}", body.len());
        let fixed = [format!("{method} {path} HTTP/1.1"), "Host: x".to_owned()];
        let mut lines: Vec<&str> = fixed.iter().map(String::as_str).collect();
        lines.extend([length.as_str(), "Connection: close"]);
        lines.extend(headers);
        let request = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A server that refuses a body need not read it all: what it said counts.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// POSTs an offer as `identity`.
    pub(crate) async fn post(&self, path: &str, identity: &str, offer: &str) -> Answer {
        let headers = [&bearer(identity), "Content-Type: application/sdp"];
        self.ask("POST", path, &headers, offer).await
    }

    /// PATCHes the session of `identity`.
    pub(crate) async fn patch(
        &self,
        session: &str,
        identity: &str,
        condition: Option<&str>,
        fragment: &str,
    ) -> Answer {
        let bearer = bearer(identity);
        let condition = condition.map(|tags| format!("If-Match: {tags}"));
        let mut headers = vec![
            bearer.as_str(),
            "Content-Type: application/trickle-ice-sdpfrag",
        ];
        headers.extend(condition.as_deref());
        self.ask("PATCH", session, &headers, fragment).await
    }

    /// What shards were asked since the last look.
    pub(crate) fn commands(&self) -> Vec<MediaCommand> {
        std::mem::take(&mut *self.commands.lock().unwrap())
    }

    /// A WebSocket client in the room `r`; what it hears.
    pub(crate) async fn witness(&self, identity: &str) -> Witness {
        let token = token(identity, |_| {});
        let url = format!("ws://{}/v1/ws?access_token={token}", self.address);
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        let mut witness = Witness(socket);
        witness.say(r#"{"type":"join"}"#).await;
        assert_eq!(witness.hear().await["type"], "joined");
        witness
    }
}

pub(crate) struct Witness(WebSocketStream<TcpStream>);

impl Witness {
    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.0.next());
            match next.await.expect("a message in time") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(_)) => {}
                end => panic!("no message: {end:?}"),
            }
        }
    }
}
