//! The TCP port for media.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::Finding;
use super::network::remedy;
use crate::candidates::{candidates, interfaces, supported};
use crate::config::Settings;

/// How long a connection to this machine may take.
const PATIENCE: Duration = Duration::from_millis(300);
/// Pause between two looks at whether it has come.
const LOOK: Duration = Duration::from_millis(5);

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let media = &settings.media;
    if media.tcp_port == 0 {
        let what = "no TCP port for media: clients whose network blocks UDP need a TURN server";
        return vec![Finding::well(what)];
    }
    let bind = supported(media.bind);
    let listener = match TcpListener::bind((bind, media.tcp_port)) {
        Ok(listener) => listener,
        Err(error) => {
            let what = format!("TCP port {} cannot be bound: {error}", media.tcp_port);
            return vec![Finding::ill(
                what,
                remedy(&error, "media.tcp_port", "media.bind"),
            )];
        }
    };
    let told = candidates(bind, &[media.tcp_port], &media.advertise, interfaces).concat();
    let bound = format!("TCP port {} for media can be bound", media.tcp_port);
    let mut findings = vec![Finding::well(bound)];
    findings.extend(told.into_iter().map(|address| reached(&listener, address)));
    findings
}

/// Whether a connection to an address that clients are told of comes back to this machine.
fn reached(listener: &TcpListener, address: SocketAddr) -> Finding {
    let connected = TcpStream::connect_timeout(&address, PATIENCE);
    let from = connected
        .as_ref()
        .ok()
        .and_then(|stream| stream.local_addr().ok());
    if from.is_some_and(|from| accepts(listener, from)) {
        return Finding::well(format!("a TCP connection to {address} arrives here"));
    }
    Finding::doubtful(
        format!("a TCP connection to {address} does not arrive here"),
        "if the address belongs to a NAT that does not turn packets around this tells nothing; else let TCP through to media.tcp_port",
    )
}

/// Whether the connection from `from` is among those that come.
fn accepts(listener: &TcpListener, from: SocketAddr) -> bool {
    let until = Instant::now() + PATIENCE;
    let same =
        |ip: IpAddr, port| ip.to_canonical() == from.ip().to_canonical() && port == from.port();
    if listener.set_nonblocking(true).is_err() {
        return false;
    }
    while Instant::now() < until {
        match listener.accept() {
            Ok((_, remote)) if same(remote.ip(), remote.port()) => return true,
            Ok(_) => {}
            Err(_) => std::thread::sleep(LOOK),
        }
    }
    false
}
