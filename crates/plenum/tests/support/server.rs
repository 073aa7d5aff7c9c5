//! A whole server for a test.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};

/// A server that is killed with the value.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `plenum serve` on these ports; without TCP for media, unless the environment is set to another
/// port.
pub(crate) fn command(http_port: u16, udp_port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plenum"));
    command.args(["serve", "--dev"]);
    command.args(["--http-port", &http_port.to_string()]);
    command.args(["--udp-port", &udp_port.to_string()]);
    command.env("PLENUM_MEDIA__TCP_PORT", "0");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a server on free ports and waits until it prints where it is.
pub(crate) fn start() -> Server {
    run(command(0, 0))
}

/// Starts `command` and waits until it prints where it is.
pub(crate) fn run(mut command: Command) -> Server {
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines
        .map(Result::unwrap)
        .find_map(|line| line.rsplit_once("://localhost:")?.1.parse().ok())
        .unwrap();
    Server { child, port }
}

/// What the server answers to a GET.
pub(crate) fn request(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The value of a metric, by its name with labels.
pub(crate) fn metric(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(name));
    line.unwrap_or_else(|| panic!("no {name} in {metrics}"))
        .rsplit_once(' ')
        .unwrap()
        .1
        .parse()
        .unwrap()
}
