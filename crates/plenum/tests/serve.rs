//! A whole server: start, probes, metrics, shutdown.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/server.rs"]
mod server;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use server::{Server, command, request, run, start};

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
    for (flag, port, expected) in [
        ("--http-port", tcp_port, ["TCP port", "http.port"]),
        ("--udp-port", udp_port, ["UDP port", "media.port"]),
        ("--tcp-port", tcp_port, ["TCP port", "media.tcp_port"]),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plenum"));
        command.args(["serve", "--dev"]);
        for other in ["--http-port", "--udp-port", "--tcp-port"] {
            let port = if other == flag { port } else { 0 };
            command.args([other, &port.to_string()]);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        for part in expected.into_iter().chain([flag, &port.to_string()]) {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

/// Status of a request with a token of this key.
fn ask_as(server: &Server, key: &str, secret: &str) -> String {
    let mint = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(["token", "--admin", "--identity", "app", "--key", key])
        .args(["--secret", secret])
        .output()
        .unwrap();
    let token = String::from_utf8(mint.stdout).unwrap();
    let path = format!(
        "/v1/rooms HTTP/1.1\r\nAuthorization: Bearer {}\r\nX-Rest: ",
        token.trim()
    );
    let answer = request(server, &path);
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn sighup_changes_keys_and_what_is_logged_and_a_bad_file_changes_nothing() {
    let folder = std::env::temp_dir().join(format!("plenum-reload-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("plenum.toml");
    let [first, second] = ["a", "b"].map(|letter| letter.repeat(32));
    std::fs::write(&file, format!("[keys]\nfirst = \"{first}\"\n")).unwrap();
    let mut command = command(0, 0);
    command.arg("--config").arg(&file);
    let mut server = run(command);
    let log = BufReader::new(server.child.stderr.take().unwrap()).lines();
    let (lines, logged) = mpsc::channel();
    #[expect(clippy::disallowed_methods, reason = "reads while the test waits")]
    std::thread::spawn(move || {
        for line in log.map_while(Result::ok) {
            // The test may be over.
            let _ = lines.send(line);
        }
    });
    let wait_for = |text: &str| {
        loop {
            let line = logged.recv_timeout(Duration::from_secs(20));
            let line = line.unwrap_or_else(|_| panic!("{text} in the log"));
            if line.contains(text) {
                return line;
            }
        }
    };
    assert!(ask_as(&server, "first", &first).contains("200"));

    let next = format!(
        "[keys]\nsecond = \"{second}\"\n[limits]\nrooms = 7\n[media]\nreceive_buffer = \"1MiB\"\n[log]\nfilter = \"info,plenum=debug\"\n"
    );
    std::fs::write(&file, next).unwrap();
    signal(&server, "-HUP");
    let reloaded = wait_for("configuration reloaded");
    assert!(reloaded.contains("limits.rooms"), "{reloaded}");
    assert!(!reloaded.contains(&second), "secrets stay out of the log");
    assert!(!wait_for("with a restart").contains("limits"));
    assert!(ask_as(&server, "second", &second).contains("200"));
    assert!(ask_as(&server, "first", &first).contains("401"));
    // Not before the filter let it through.
    assert!(wait_for("answered").contains("route=\"/v1/rooms\""));

    std::fs::write(&file, "[limits]\nroms = 7\n").unwrap();
    signal(&server, "-HUP");
    let refused = wait_for("stays as it was");
    assert!(
        refused.contains("roms") && refused.contains("rooms"),
        "{refused}"
    );
    assert!(ask_as(&server, "second", &second).contains("200"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn too_many_requests_of_one_address_are_told_when_to_come_back() {
    let mut command = command(0, 0);
    command.env("PLENUM_HTTP__REQUESTS_PER_SECOND", "5");
    let server = run(command);
    let answers: Vec<String> = (0..30).map(|_| request(&server, "/v1/rooms")).collect();
    let refused: Vec<&String> = answers
        .iter()
        .filter(|answer| answer.starts_with("HTTP/1.1 429"))
        .collect();
    assert!(answers[0].starts_with("HTTP/1.1 401"), "{}", answers[0]);
    assert!(!refused.is_empty());
    let told = refused[0].to_ascii_lowercase();
    assert!(
        told.contains("retry-after: 1\r\n") && told.contains("toomanyrequests"),
        "{told}"
    );
    assert!(
        request(&server, "/healthz").starts_with("HTTP/1.1 200"),
        "probes go on"
    );
}
