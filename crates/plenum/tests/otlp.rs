//! Spans reach a collector: OTLP over HTTP, as protobuf, with ids and without anything personal.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "the collector waits for connections in a thread of its own"
)]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use server::{command, request, run};

/// Name and attributes of a span.
type Span = (String, BTreeMap<String, String>);

/// A collector that takes what it is sent; its address, and the bodies it got.
fn collector() -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (bodies, got) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let bodies = bodies.clone();
            std::thread::spawn(move || collect(stream.unwrap(), &bodies));
        }
    });
    (url, got)
}

fn collect(mut stream: TcpStream, bodies: &Sender<Vec<u8>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
        assert!(
            head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
        let mut lines = head.lines();
        let length = lines.find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        // The test may be over.
        let _ = bodies.send(body);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
    }
}

fn spans(body: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut all = Vec::new();
    for resource in request.resource_spans {
        let attributes = &resource.resource.unwrap().attributes;
        assert!(
            attributes
                .iter()
                .any(|attribute| attribute.key == "service.name")
        );
        for span in resource
            .scope_spans
            .into_iter()
            .flat_map(|scope| scope.spans)
        {
            let attributes = span.attributes.into_iter().map(|attribute| {
                let value = attribute.value.and_then(|value| value.value);
                let text = match value {
                    Some(Value::StringValue(text)) => text,
                    other => format!("{other:?}"),
                };
                (attribute.key, text)
            });
            all.push((span.name, attributes.collect()));
        }
    }
    all
}

#[test]
fn requests_sessions_and_messages_become_spans_with_ids() {
    let (url, got) = collector();
    let mut command = command(0, 0);
    command.env("PLENUM_LOG__OTLP", url);
    let mut server = run(command);
    let path = "/v1/rooms/divorce HTTP/1.1\r\nX-Request-Id: trace-17\r\nX-Rest: ";
    assert!(request(&server, path).starts_with("HTTP/1.1 401"));
    // Joins by WebSocket.
    let load = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args([
            "load",
            "--url",
            &format!("http://127.0.0.1:{}", server.port),
        ])
        .args(["--subscribers", "1", "--duration", "1s", "--settle", "1s"])
        .output();
    assert!(load.unwrap().status.success());
    let kill = Command::new("kill")
        .args(["-TERM", &server.child.id().to_string()])
        .status();
    assert!(kill.unwrap().success() && server.child.wait().unwrap().success());

    let patience = Duration::from_secs(10);
    let mut all = Vec::new();
    let found = |all: &[Span], name: &str, key: &str, value: &str| {
        let is_it = |span: &&Span| {
            let told = span.1.get(key);
            span.0 == name && told.is_some_and(|told| told.starts_with(value))
        };
        all.iter().find(is_it).cloned()
    };
    let (request, session) = loop {
        let request = found(&all, "request", "id", "trace-17");
        let session = found(&all, "session", "participant", "PA_");
        if let (Some(request), Some(session)) = (request, session) {
            break (request, session);
        }
        let body = got.recv_timeout(patience).expect("a batch of spans");
        assert!(
            !body.windows(7).any(|bytes| bytes == b"divorce"),
            "no paths"
        );
        all.extend(spans(&body));
    };
    let attributes = request.1;
    assert_eq!(attributes["method"], "GET");
    assert_eq!(attributes["route"], "/v1/rooms/{room}");
    assert!(attributes["status"].contains("401"), "{attributes:?}");
    assert!(session.1.contains_key("connection"), "{session:?}");
    assert!(all.iter().any(|span| span.0 == "message"));
}

#[test]
fn a_collector_behind_tls_is_refused_with_what_to_do() {
    let mut command = command(0, 0);
    command.env("PLENUM_LOG__OTLP", "https://collector.example.net");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("log.otlp") && text.contains("http://localhost:4318"),
        "{text}"
    );
}
