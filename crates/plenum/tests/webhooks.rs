//! Webhooks of a whole server: order, signatures, receivers that fail, servers that are killed.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "the receiver is a thread, and waits"
)]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use server::{Server, command, metric, request, run};

const OFFER: &str = include_str!("support/audio.sdp");
const PATIENCE: Duration = Duration::from_secs(20);

/// A backend that takes events, or answers with another status.
struct Backend {
    url: String,
    status: Arc<AtomicU16>,
    /// Authorization and body of every attempt.
    heard: mpsc::Receiver<(String, String)>,
}

impl Backend {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let status = Arc::new(AtomicU16::new(200));
        let (tell, heard) = mpsc::channel();
        let answer = Arc::clone(&status);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tell, answer) = (tell.clone(), Arc::clone(&answer));
                thread::spawn(move || serve(&stream, &tell, &answer));
            }
        });
        Self { url, status, heard }
    }

    fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// The next attempt, its signature verified.
    fn hear(&self) -> Value {
        let (authorization, body) = self.heard.recv_timeout(PATIENCE).expect("an event");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&["devkey"]);
        let key = DecodingKey::from_secret(b"secret");
        let signed = jsonwebtoken::decode::<Value>(&authorization, &key, &validation).unwrap();
        let hash = STANDARD.encode(digest(&SHA256, body.as_bytes()));
        assert_eq!(signed.claims["sha256"], hash);
        serde_json::from_str(&body).unwrap()
    }

    /// The next events, numbered from `first`, by name.
    fn hear_all(&self, first: u64, names: &[&str]) -> Vec<Value> {
        let heard: Vec<Value> = names.iter().map(|_| self.hear()).collect();
        for (at, (event, name)) in heard.iter().zip(names).enumerate() {
            assert_eq!(event["event"], *name, "{heard:#?}");
            assert_eq!(event["number"], first + at as u64, "{heard:#?}");
        }
        heard
    }
}

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, tell: &mpsc::Sender<(String, String)>, status: &AtomicU16) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut authorization, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim().is_empty() {
                    break;
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "authorization" => authorization = value.to_owned(),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let status = status.load(Ordering::Relaxed);
        // The test may be over.
        let _ = tell.send((authorization, String::from_utf8(body).unwrap()));
        let answer = format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\n\r\n");
        if (&*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A directory that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("plenum-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn server(&self, urls: &str) -> Command {
        let mut command = command(0, 0);
        command.env("PLENUM_WEBHOOKS__DIRECTORY", self.0.join("events"));
        command.env("PLENUM_WEBHOOKS__URLS", urls);
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn token(arguments: &[&str]) -> String {
    let mint = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(["token", "--dev"])
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(mint.stdout).unwrap().trim().to_owned()
}

/// `ada` publishes by WHIP.
fn publish(server: &Server) {
    let token = token(&["--room", "tea", "--identity", "ada"]);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    let offer = OFFER.replace('\n', "\r\n");
    let head = format!(
        "POST /whip/tea HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
        offer.len()
    );
    stream.write_all((head + &offer).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// A request of the backend: status line and body.
fn ask(server: &Server, method: &str, path: &str) -> (String, String) {
    let token = token(&["--admin", "--identity", "backend"]);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

const BEGIN: [&str; 3] = ["roomStarted", "participantJoined", "publicationStarted"];
const END: [&str; 3] = ["publicationEnded", "participantLeft", "roomFinished"];

#[test]
fn events_arrive_signed_in_order_and_can_be_asked_for_again() {
    let (backend, folder) = (Backend::start(), Folder::new("webhooks-order"));
    let server = run(folder.server(&backend.url));
    publish(&server);
    let begin = backend.hear_all(1, &BEGIN);
    assert_eq!(begin[1]["participant"]["identity"], "ada");
    assert_eq!(begin[1]["participant"]["kind"], "ingress");
    assert_eq!(begin[2]["publication"]["codec"], "opus");
    assert_eq!(
        ask(&server, "DELETE", "/v1/rooms/tea").0,
        "HTTP/1.1 204 No Content"
    );
    let end = backend.hear_all(4, &END);
    assert_eq!(end[1]["reason"], "roomClosed");

    let (status, body) = ask(&server, "GET", "/v1/rooms/tea/events?since=2&limit=3");
    assert_eq!(status, "HTTP/1.1 200 OK", "{body}");
    let again: Vec<Value> = serde_json::from_str(&body).unwrap();
    assert_eq!(again, [&begin[2..], &end[..2]].concat());
    let session = begin[0]["room"]["session"].as_str().unwrap();
    let path = format!("/v1/rooms/tea/events?session={session}&since=6");
    assert_eq!(ask(&server, "GET", &path).1, "[]");
    for (path, status) in [
        ("/v1/rooms/coffee/events", "HTTP/1.1 404 Not Found"),
        ("/v1/rooms/tea/events?session=1-1", "HTTP/1.1 404 Not Found"),
        ("/v1/rooms/tea/events?since=x", "HTTP/1.1 400 Bad Request"),
        ("/v1/rooms/tea/events?form=1", "HTTP/1.1 400 Bad Request"),
    ] {
        assert_eq!(ask(&server, "GET", path).0, status, "{path}");
    }
    let metrics = request(&server, "/metrics");
    assert!(metric(&metrics, "plenum_webhooks_recorded_total") >= 6.0);
    assert_eq!(metric(&metrics, "plenum_webhooks_dropped_total"), 0.0);
}

#[test]
fn a_receiver_that_fails_gets_each_event_until_it_takes_it() {
    let (backend, folder) = (Backend::start(), Folder::new("webhooks-retry"));
    backend.answer_with(503);
    let server = run(folder.server(&backend.url));
    publish(&server);
    let first = backend.hear();
    let again = backend.hear();
    assert_eq!(
        first, again,
        "the same event, and nothing before it is taken"
    );
    assert_eq!(first["event"], "roomStarted");
    backend.answer_with(204);
    loop {
        let event = backend.hear();
        if event["number"] != 1 {
            assert_eq!(event["number"], 2);
            break;
        }
    }
    assert_eq!(backend.hear()["event"], "publicationStarted");
    let metrics = request(&server, "/metrics");
    assert!(metric(&metrics, "plenum_webhooks_failed_total") >= 1.0);
}

#[test]
fn a_server_that_is_killed_loses_nothing_and_ends_what_it_left_open() {
    let (backend, folder) = (Backend::start(), Folder::new("webhooks-kill"));
    backend.answer_with(500);
    let mut server = run(folder.server(&backend.url));
    publish(&server);
    // All is on disk when it is counted.
    let start = Instant::now();
    while metric(
        &request(&server, "/metrics"),
        "plenum_webhooks_recorded_total",
    ) < 3.0
    {
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(20));
    }
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    while backend.heard.try_recv().is_ok() {}
    backend.answer_with(200);

    let server = run(folder.server(&backend.url));
    backend.hear_all(1, &BEGIN);
    let end = backend.hear_all(4, &END);
    assert_eq!(end[1]["reason"], "serverRestarted");
    // The next room of that name is another one.
    publish(&server);
    let next = backend.hear_all(1, &BEGIN);
    assert_ne!(next[0]["room"]["session"], end[0]["room"]["session"]);
    assert_ne!(next[0]["id"], end[0]["id"]);
}

#[test]
fn a_server_that_ends_tells_that_all_left() {
    let (backend, folder) = (Backend::start(), Folder::new("webhooks-end"));
    let mut server = run(folder.server(&backend.url));
    publish(&server);
    backend.hear_all(1, &BEGIN);
    let id = server.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    while backend.heard.try_recv().is_ok() {}
    let server = run(folder.server(&backend.url));
    let (_, body) = ask(&server, "GET", "/v1/rooms/tea/events?since=3");
    let end: Vec<Value> = serde_json::from_str(&body).unwrap();
    assert_eq!(end.len(), 3, "{body}");
    assert_eq!(end[1]["reason"], "serverShutdown");
}

#[test]
fn sighup_sends_what_happens_from_then_on_to_another_address() {
    let (old, new) = (Backend::start(), Backend::start());
    let folder = Folder::new("webhooks-reload");
    let file = folder.0.join("plenum.toml");
    let write = |url: &str| {
        let directory = folder.0.join("events");
        let text = format!("[webhooks]\ndirectory = {directory:?}\nurls = [\"{url}\"]\n");
        fs::write(&file, text).unwrap();
    };
    write(&old.url);
    let mut command = command(0, 0);
    command.arg("--config").arg(&file);
    let mut server = run(command);
    let mut log = BufReader::new(server.child.stderr.take().unwrap()).lines();
    let id = server.child.id().to_string();
    let mut reload = |url: &str, expected: &str| {
        write(url);
        assert!(
            Command::new("kill")
                .args(["-HUP", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(log.any(|line| line.unwrap().contains(expected)));
    };
    reload("ftp://app.example", "is no address such as");
    reload(&old.url, "configuration reloaded");
    reload(&new.url, "configuration reloaded");
    publish(&server);
    new.hear_all(1, &BEGIN);
    assert!(old.heard.try_recv().is_err());
}

#[test]
fn settings_that_cannot_work_are_named() {
    let folder = Folder::new("webhooks-settings");
    let file = folder.0.join("file");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    let directory = folder.0.to_str().unwrap();
    for (directory, urls, key, expected) in [
        (
            "",
            "http://app.example",
            "",
            "webhooks.urls needs webhooks.directory",
        ),
        (directory, "app.example", "", "is no address such as"),
        (
            directory,
            "http://app.example",
            "nokey",
            "there is no key \"nokey\"",
        ),
        (file, "", "", "webhooks.directory: cannot use the directory"),
    ] {
        let mut command = command(0, 0);
        command.env("PLENUM_WEBHOOKS__DIRECTORY", directory);
        command.env("PLENUM_WEBHOOKS__URLS", urls);
        command.env("PLENUM_WEBHOOKS__KEY", key);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(expected), "{expected}: {text}");
    }
}
