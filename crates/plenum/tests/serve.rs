//! A whole server: start, probes, metrics, shutdown.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};

/// A server that is killed with the value.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(http_port: u16, udp_port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plenum"));
    command.args(["serve", "--dev"]);
    command.args(["--http-port", &http_port.to_string()]);
    command.args(["--udp-port", &udp_port.to_string()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a server on free ports and waits until it prints where it is.
fn start() -> Server {
    run(command(0, 0))
}

fn run(mut command: Command) -> Server {
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines
        .map(Result::unwrap)
        .find_map(|line| line.rsplit_once("http://localhost:")?.1.parse().ok())
        .unwrap();
    Server { child, port }
}

fn request(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn signal(server: &Server, name: &str) {
    let kill = Command::new("kill")
        .args([name, &server.child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

#[test]
fn probes_metrics_and_page_answer_and_sigterm_ends_it_cleanly() {
    let mut server = start();
    assert!(request(&server, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(request(&server, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(request(&server, "/").starts_with("HTTP/1.1 200"));
    let metrics = request(&server, "/metrics");
    assert!(metrics.contains("text/plain; version=0.0.4"), "{metrics}");
    assert!(
        metrics.contains("\nplenum_shard_up{shard=\"0\"} 1\n"),
        "{metrics}"
    );
    signal(&server, "-TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn ports_in_use_are_named_with_their_key_and_flag() {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let tcp_port = tcp.local_addr().unwrap().port();
    let udp_port = udp.local_addr().unwrap().port();
    for (http_port, media_port, expected) in [
        (tcp_port, 0, ["TCP port", "http.port", "--http-port"]),
        (0, udp_port, ["UDP port", "media.port", "--udp-port"]),
    ] {
        let output = command(http_port, media_port).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        for part in expected {
            assert!(text.contains(part), "{text}");
        }
        let port = http_port.max(media_port).to_string();
        assert!(text.contains(&port), "{text}");
    }
}

/// Runs `plenum load` against a server and returns whether it succeeded, and all it said.
fn load(port: u16, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(["load", "--url", &format!("http://127.0.0.1:{port}")])
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// The value of a metric, by its name with labels.
fn metric(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(name));
    line.unwrap_or_else(|| panic!("no {name} in {metrics}"))
        .rsplit_once(' ')
        .unwrap()
        .1
        .parse()
        .unwrap()
}

#[test]
fn clients_of_another_stack_hold_a_conference_over_loopback() {
    let server = start();
    let arguments = ["--publishers", "2", "--subscribers", "2", "--audio"];
    let run = ["--duration", "2s", "--fail-loss", "0%"];
    let (succeeded, said) = load(server.port, &[&arguments[..], &run[..]].concat());
    assert!(succeeded, "{said}");

    let metrics = request(&server, "/metrics");
    let sent = metric(
        &metrics,
        "plenum_media_rtp_packets_total{direction=\"out\"}",
    );
    let received = metric(&metrics, "plenum_media_rtp_packets_total{direction=\"in\"}");
    assert!(received > 500.0, "{metrics}");
    assert!(sent > received, "{metrics}");
    for reason in [
        "rtp_malformed\",stage=\"describe",
        "rtcp_malformed\",stage=\"describe",
        "descriptor_malformed\",stage=\"describe",
        "srtp_authentication\",stage=\"unprotect",
        "protect_failed\",stage=\"protect",
    ] {
        let name = format!("plenum_media_drops_total{{reason=\"{reason}\"}}");
        assert_eq!(metric(&metrics, &name), 0.0, "{name}");
    }
}

#[test]
fn a_conference_spans_shards() {
    let mut command = command(0, 0);
    command.env("PLENUM_MEDIA__SHARDS", "2");
    let server = run(command);
    let arguments = ["--publishers", "2", "--subscribers", "8", "--audio"];
    let run = ["--duration", "3s", "--fail-loss", "0%"];
    let (succeeded, said) = load(server.port, &[&arguments[..], &run[..]].concat());
    assert!(succeeded, "{said}");

    let metrics = request(&server, "/metrics");
    for name in [
        "plenum_link_packets_total{direction=\"out\",shard=\"0\"}",
        "plenum_link_packets_total{direction=\"in\",shard=\"1\"}",
    ] {
        assert!(metric(&metrics, name) > 100.0, "{name} in {metrics}");
    }
    for shard in [0, 1] {
        let name = format!("plenum_link_full_packets_total{{shard=\"{shard}\"}}");
        assert_eq!(metric(&metrics, &name), 0.0, "{name}");
    }
    for name in [
        "plenum_media_publications",
        "plenum_media_replicas",
        "plenum_link_feeds",
    ] {
        assert_eq!(metric(&metrics, name), 0.0, "{name} after all have left");
    }
}

#[test]
fn a_load_that_cannot_run_says_why() {
    let server = start();
    let (succeeded, said) = load(server.port, &["--subscribers", "1", "--secret", "wrong"]);
    assert!(!succeeded);
    assert!(said.contains("tokenInvalid"), "{said}");
    let (succeeded, said) = load(1, &["--subscribers", "1"]);
    assert!(!succeeded);
    assert!(said.contains("no Plenum server"), "{said}");
}
