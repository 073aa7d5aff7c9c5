//! What strangers send fills no log, and what participants say of themselves is not in it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test over real sockets draws random numbers and reads the clock"
)]

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use rand::RngExt;
use serde_json::{Value, json};
use server::{Server, command, metric, request, run};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const DATAGRAMS: usize = 10_000;
const REQUESTS: usize = 2_000;
/// So many lines may a server write that starts, is attacked, and ends.
const LINES_MAX: usize = 50;

/// What must not be in the log.
const IDENTITY: &str = "ada.lovelace@example.net\nERROR forged line";
const NAME: &str = "Ada \u{1b}[31mLovelace";
const METADATA: &str = "blood type 0 negative";
const ROOM: &str = "divorce of Ada";

fn token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let claims = json!({
        "iss": "devkey", "sub": IDENTITY, "exp": now.as_secs() + 600, "name": NAME, "metadata": METADATA,
        "video": { "room": ROOM, "roomJoin": true, "canPublish": true, "canSubscribe": true },
    });
    let key = jsonwebtoken::EncodingKey::from_secret(b"secret");
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}

/// Datagrams that look like each protocol of the port, and like none.
fn send_noise(port: u16) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut rng = rand::rng();
    for number in 0..DATAGRAMS {
        let mut bytes: Vec<u8> = (0..rng.random_range(1..300))
            .map(|_| rng.random())
            .collect();
        // RFC 7983: STUN, DTLS, RTP, RTCP, anything.
        match number % 5 {
            0 => {
                bytes.resize(40, 0);
                bytes[..8].copy_from_slice(&[0, 1, 0, 20, 0x21, 0x12, 0xa4, 0x42]);
                bytes[20..24].copy_from_slice(&[0, 6, 0, 9]);
                bytes[24..33].copy_from_slice(b"root:ROOT");
            }
            1 => bytes[0] = 22,
            2 => bytes[0] = 0x80,
            3 => {
                bytes.resize(20, 0);
                bytes[..2].copy_from_slice(&[0x80, 200]);
            }
            _ => {}
        }
        // A full queue is as good as a lost datagram.
        let _ = socket.send(&bytes);
        if number % 200 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    socket
}

/// Requests that are wrong in every way, over few connections.
fn send_wrong_requests(server: &Server, token: &str) {
    let wrong = [
        "GET /nowhere HTTP/1.1\r\n",
        "DELETE /v1/ws HTTP/1.1\r\n",
        "GET /v1/rooms HTTP/1.1\r\nAuthorization: Bearer nonsense\r\n",
        &format!("GET /v1/rooms/x HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"),
        "POST /whip/divorce HTTP/1.1\r\nContent-Type: application/sdp\r\n",
        &format!("GET /v1/ws?access_token={token} HTTP/1.1\r\n"),
    ];
    for round in 0..REQUESTS / 100 {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
        for number in 0..100 {
            let close = if number == 99 { "close" } else { "keep-alive" };
            let head = wrong[(round + number) % wrong.len()];
            let text = format!(
                "{head}Host: localhost\r\nContent-Length: 0\r\nConnection: {close}\r\n\r\n"
            );
            stream.write_all(text.as_bytes()).unwrap();
        }
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).unwrap();
        let answers = String::from_utf8_lossy(&answers);
        assert_eq!(answers.matches("HTTP/1.1 4").count(), 100, "{answers}");
    }
}

/// Joins, says what is wrong, offers what does not parse, and leaves.
async fn join(port: u16, token: &str) {
    let mut request = format!("ws://127.0.0.1:{port}/v1/ws")
        .into_client_request()
        .unwrap();
    let protocols = format!("plenum.v1, token.{token}");
    let headers = request.headers_mut();
    headers.insert("Sec-WebSocket-Protocol", protocols.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    for message in [
        json!({ "type": "join", "sdk": NAME }),
        json!({ "type": "offer", "id": 1, "sdp": format!("v=0\r\no={NAME}\r\n") }),
        json!({ "type": METADATA }),
        json!({ "type": "leave" }),
    ] {
        let text = Message::text(message.to_string());
        socket.send(text).await.unwrap();
    }
    let mut heard = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            let message: Value = serde_json::from_str(text.as_str()).unwrap();
            heard.push(message["type"].as_str().unwrap().to_owned());
        }
    }
    assert!(heard.contains(&"joined".to_owned()), "{heard:?}");
    assert!(heard.contains(&"error".to_owned()), "{heard:?}");
}

#[test]
fn strangers_fill_no_log_and_nothing_personal_is_in_it() {
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let media = udp.local_addr().unwrap().port();
    drop(udp);
    let mut command = command(0, media);
    command.env("PLENUM_HTTP__REQUESTS_PER_SECOND", "0");
    command.env("PLENUM_MEDIA__SHARDS", "1");
    command.env("PLENUM_LOG__FILTER", "info");
    let mut server = run(command);
    let mut stderr = server.child.stderr.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        log
    });

    let token = token();
    let stranger = send_noise(media);
    send_wrong_requests(&server, &token);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let joined = tokio::time::timeout(Duration::from_secs(20), join(server.port, &token));
        joined.await.unwrap();
    });
    let metrics = request(&server, "/metrics");
    let unknown = "plenum_media_drops_total{reason=\"unknown_address\",stage=\"demux\"}";
    assert!(
        metric(&metrics, unknown) > 1_000.0,
        "noise has arrived: {metrics}"
    );

    let kill = Command::new("kill")
        .args(["-TERM", &server.child.id().to_string()])
        .status();
    assert!(kill.unwrap().success() && server.child.wait().unwrap().success());
    let log = reading.join().unwrap();
    let lines = log.lines().count();
    assert!((1..=LINES_MAX).contains(&lines), "{lines} lines: {log}");
    let address = stranger.local_addr().unwrap().to_string();
    for secret in [
        "lovelace",
        "Lovelace",
        "forged",
        "blood",
        "divorce",
        "secret",
        &token,
        &address,
        "root:ROOT",
    ] {
        assert!(!log.contains(secret), "{secret:?} is in the log: {log}");
    }
}

#[test]
fn a_request_has_the_callers_id_or_one_that_is_made() {
    let server = server::start();
    let ask = |extra: &str| {
        let path = format!("/v1/rooms HTTP/1.1\r\n{extra}X-Rest: ");
        let answer = request(&server, &path).to_ascii_lowercase();
        let line = answer
            .lines()
            .find_map(|line| line.strip_prefix("x-request-id: "));
        line.unwrap().to_owned()
    };
    assert_eq!(ask("X-Request-Id: trace-17.b\r\n"), "trace-17.b");
    let made = ask("X-Request-Id: not an id\r\n");
    assert_eq!(made.len(), 32);
    assert_ne!(made, ask(""));
    let whip = request(&server, "/whip/r HTTP/1.1\r\nX-Rest: ").to_ascii_lowercase();
    let exposed = whip
        .lines()
        .find(|line| line.starts_with("access-control-expose-headers"));
    assert!(exposed.unwrap().contains("x-request-id"), "{whip}");
}
