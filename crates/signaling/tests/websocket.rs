//! The WebSocket and HTTP endpoints over loopback, with a media plane that only listens.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use plenum_signaling::token::{Claims, Grants, mint};
use plenum_signaling::{Signaling, SignalingConfig};
use plenum_types::{
    Fingerprint, FingerprintAlgorithm, MediaCommand, MediaEvent, Secret, ShardId, SrtpProfile,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

const OFFER: &str = include_str!("fixtures/chromium.sdp");
const KEY: &str = "devkey";
const SECRET: &str = "secret";

struct Server {
    signaling: Signaling,
    address: SocketAddr,
    commands: Arc<Mutex<Vec<MediaCommand>>>,
}

async fn start(change: impl FnOnce(&mut SignalingConfig)) -> Server {
    let keys = [(KEY.to_owned(), Secret(SECRET.to_owned()))].into();
    let fingerprint = Fingerprint {
        algorithm: FingerprintAlgorithm::Sha256,
        bytes: vec![1; 32],
    };
    let candidates = vec![vec!["192.0.2.1:7882".parse().unwrap()]];
    let mut config = SignalingConfig::new(keys, fingerprint, candidates);
    config.dev = true;
    change(&mut config);
    let commands = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&commands);
    let signaling = Signaling::start(config, move |_, command| {
        sink.lock().unwrap().push(command);
    });
    // A small buffer lets a client fall behind soon.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(4_096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(16).unwrap();
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

fn token(identity: &str, ttl_s: i64) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tokens are made by the wall clock"
    )]
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = Claims {
        iss: KEY.into(),
        sub: identity.into(),
        exp: now.checked_add_signed(ttl_s).unwrap(),
        video: Grants::join("r"),
        ..Claims::default()
    };
    mint(&claims, &Secret(SECRET.into())).unwrap()
}

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn connect(server: &Server, token: Option<&str>) -> Self {
        let url = format!("ws://{}/v1/ws", server.address);
        let mut request = url.into_client_request().unwrap();
        let protocols = match token {
            Some(token) => format!("plenum.v1, token.{token}"),
            None => "plenum.v1".to_owned(),
        };
        let headers = request.headers_mut();
        headers.insert("Sec-WebSocket-Protocol", protocols.parse().unwrap());
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(server.address).await.unwrap();
        let (socket, response) = client_async(request, stream).await.unwrap();
        assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "plenum.v1");
        Self(socket)
    }

    async fn join(server: &Server, identity: &str) -> Self {
        let mut client = Self::connect(server, Some(&token(identity, 60))).await;
        client.say(&json!({"type": "join", "room": "r"})).await;
        assert_eq!(client.hear().await["type"], "joined");
        client
    }

    async fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string()).await;
    }

    async fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(Duration::from_secs(20), self.0.next());
        next.await.expect("an answer in time")?.ok()
    }

    async fn hear(&mut self) -> Value {
        loop {
            match self.next().await.expect("a message") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) => {}
                other => panic!("not a message: {other:?}"),
            }
        }
    }

    /// Skips messages until the socket is closed; the last message, and the close code.
    async fn hear_end(&mut self) -> (Value, u16) {
        let mut last = Value::Null;
        loop {
            match self.next().await {
                Some(Message::Text(text)) => last = serde_json::from_str(&text).unwrap(),
                Some(Message::Close(frame)) => return (last, frame.unwrap().code.into()),
                Some(_) => {}
                None => panic!("no close frame after {last}"),
            }
        }
    }
}

#[tokio::test]
async fn a_call_from_join_to_leave() {
    let server = start(|_| {}).await;
    let mut ada = Client::join(&server, "ada").await;
    let mut bob = Client::join(&server, "bob").await;
    assert_eq!(ada.hear().await["type"], "participantJoined");
    ada.say(&json!({"type": "offer", "id": 3, "sdp": OFFER}))
        .await;
    let answer = ada.hear().await;
    assert_eq!(
        (&answer["type"], &answer["id"]),
        (&json!("answer"), &json!(3))
    );
    assert_eq!(bob.hear().await["type"], "published");
    assert_eq!(bob.hear().await["type"], "published");
    let peer = {
        let commands = server.commands.lock().unwrap();
        let mut peers = commands.iter().filter_map(|command| match command {
            MediaCommand::AddPeer(config) => Some(config.peer),
            _ => None,
        });
        peers.next().unwrap()
    };
    let profile = SrtpProfile::AeadAes128Gcm;
    let event = MediaEvent::PeerConnected { peer, profile };
    server.signaling.handle_media_event(ShardId(0), event);
    assert_eq!(ada.hear().await["state"], "connected");
    let stats = server.signaling.stats();
    assert_eq!((stats.rooms, stats.participants, stats.slots), (1, 2, 15));
    ada.say(&json!({"type": "leave"})).await;
    let (closing, code) = ada.hear_end().await;
    assert_eq!((&closing["reason"], code), (&json!("left"), 1000));
    assert_eq!(bob.hear().await["reason"], "left");
}

#[tokio::test]
async fn bad_tokens_are_told_over_the_socket() {
    let server = start(|_| {}).await;
    let expired = token("ada", -3_600);
    let forged = token("ada", 60) + "x";
    for (token, code) in [
        (None, "tokenMissing"),
        (Some(expired.as_str()), "tokenExpired"),
        (Some(forged.as_str()), "tokenInvalid"),
        (Some("garbage"), "tokenInvalid"),
    ] {
        let mut client = Client::connect(&server, token).await;
        let (error, close) = client.hear_end().await;
        assert_eq!(error["code"], code);
        assert_eq!(error["fatal"], true);
        assert_eq!(close, 4401);
    }
    let errors = server.signaling.stats().errors;
    assert_eq!(errors.iter().map(|(_, count)| count).sum::<u64>(), 4);
}

#[tokio::test]
async fn the_token_may_come_in_the_query() {
    let server = start(|_| {}).await;
    let (address, token) = (server.address, token("ada", 60));
    let url = format!("ws://{address}/v1/ws?access_token={token}");
    let stream = TcpStream::connect(address).await.unwrap();
    let (socket, _) = client_async(url, stream).await.unwrap();
    let mut client = Client(socket);
    client.say(&json!({"type": "join"})).await;
    assert_eq!(client.hear().await["type"], "joined");
}

#[tokio::test]
async fn limits_at_their_ends_do_not_break_the_server() {
    for limit in [0, usize::MAX] {
        let server = start(|config| {
            config.limits.outgoing_queue = limit;
            config.limits.message_bytes = usize::MAX;
        })
        .await;
        Client::join(&server, "ada").await;
    }
}

#[tokio::test]
async fn unreadable_messages_are_answered_and_then_fatal() {
    let server = start(|_| {}).await;
    let mut client = Client::join(&server, "ada").await;
    client.say_text(r#"{"type":"dance"}"#).await;
    assert_eq!(client.hear().await["code"], "unknownType");
    client.say(&json!({"type": "ping", "at": 1})).await;
    assert_eq!(client.hear().await["type"], "pong");
    for _ in 0..9 {
        client.say_text("{{{").await;
        let error = client.hear().await;
        assert_eq!(
            (&error["code"], &error["fatal"]),
            (&json!("badMessage"), &json!(false))
        );
    }
    client.say_text("").await;
    let (error, code) = client.hear_end().await;
    assert_eq!((&error["fatal"], code), (&json!(true), 4400));
}

#[tokio::test]
async fn too_large_and_too_many_messages_end_the_connection() {
    let server = start(|_| {}).await;
    let mut witness = Client::join(&server, "witness").await;
    let mut large = Client::join(&server, "large").await;
    large.say_text(&"x".repeat(300 * 1024)).await;
    let (error, code) = large.hear_end().await;
    assert_eq!((&error["code"], code), (&json!("tooLarge"), 4413));
    let mut fast = Client::join(&server, "fast").await;
    for at in 0..400 {
        if fast
            .0
            .send(Message::text(json!({"type": "ping", "at": at}).to_string()))
            .await
            .is_err()
        {
            break;
        }
    }
    let (error, code) = fast.hear_end().await;
    assert_eq!((&error["code"], code), (&json!("tooManyMessages"), 4429));
    witness.say(&json!({"type": "ping", "at": 1})).await;
    while witness.hear().await["type"] != "pong" {}
}

#[tokio::test]
async fn who_reads_nothing_is_dropped_and_the_others_stay() {
    let server = start(|config| {
        config.limits.outgoing_queue = 16;
        config.limits.message_burst = 100_000;
    })
    .await;
    let mut ada = Client::join(&server, "ada").await;
    let _deaf = Client::join(&server, "deaf").await;
    assert_eq!(ada.hear().await["type"], "participantJoined");
    ada.say(&json!({"type": "offer", "id": 1, "sdp": OFFER}))
        .await;
    let answer = ada.hear().await;
    let id = answer["publications"][0]["id"].clone();
    // Each message is also read back, so that only one of the two falls behind.
    for round in 0..20_000 {
        let muted = round % 2 == 0;
        ada.say(&json!({"type": "mute", "publication": id, "muted": muted}))
            .await;
        assert_eq!(ada.hear().await["type"], "muted");
        if server.signaling.stats().slow_clients == 1 {
            return;
        }
    }
    panic!("the deaf client was not dropped");
}

#[tokio::test]
async fn closing_tells_every_client_and_waits_for_them() {
    let server = start(|_| {}).await;
    let mut ada = Client::join(&server, "ada").await;
    assert!(server.signaling.is_ready());
    let signaling = server.signaling.clone();
    let close = signaling.close(Duration::from_secs(5));
    let (end, ()) = tokio::join!(ada.hear_end(), close);
    assert_eq!((&end.0["reason"], end.1), (&json!("shutdown"), 1001));
    assert_eq!(end.0["reconnect"], true);
    assert!(!server.signaling.is_ready());
    assert_eq!(server.signaling.stats().connections, 0);
}

/// One HTTP request without a library; status line, headers and body in one text.
async fn fetch(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!("{request}\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let mut lines = answer.lines();
    lines
        .find_map(|line| line.strip_prefix(name))
        .expect("a header")
        .trim()
}

#[tokio::test]
async fn files_problems_and_demo_tokens() {
    let server = start(|_| {}).await;
    let answer = fetch(&server, "GET /plenum.js HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 200"));
    assert_eq!(
        header(&answer, "content-type:"),
        "text/javascript; charset=utf-8"
    );
    assert_eq!(header(&answer, "access-control-allow-origin:"), "*");
    let tag = header(&answer, "etag:");
    let again = format!("GET /plenum.js HTTP/1.1\r\nIf-None-Match: {tag}");
    assert!(fetch(&server, &again).await.starts_with("HTTP/1.1 304"));
    assert!(fetch(&server, "GET / HTTP/1.1").await.contains("text/html"));
    assert!(
        fetch(&server, "GET /demo/app.js HTTP/1.1")
            .await
            .starts_with("HTTP/1.1 200")
    );

    for (request, status) in [
        ("GET /nothing HTTP/1.1", "404"),
        ("POST /plenum.js HTTP/1.1", "405"),
        ("GET /v1/ws HTTP/1.1", "426"),
        ("GET /demo/token HTTP/1.1", "400"),
    ] {
        let answer = fetch(&server, request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert_eq!(header(&answer, "content-type:"), "application/problem+json");
    }

    let answer = fetch(&server, "GET /demo/token?room=r&name=Ada HTTP/1.1").await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["room"], &body["name"]), (&json!("r"), &json!("Ada")));
    let mut client = Client::connect(&server, body["token"].as_str()).await;
    client.say(&json!({"type": "join"})).await;
    assert_eq!(client.hear().await["participant"]["name"], "Ada");
}

#[tokio::test]
async fn without_dev_there_is_no_demo() {
    let server = start(|config| config.dev = false).await;
    for path in ["/", "/demo/app.js", "/demo/token?room=r"] {
        let answer = fetch(&server, &format!("GET {path} HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    let answer = fetch(&server, "GET /plenum.js HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 200"));
}
