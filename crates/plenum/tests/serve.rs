//! A whole server: start, probes, metrics, shutdown.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/server.rs"]
mod server;

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::Command;

use server::{Server, command, request, start};

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
