//! Ports and addresses.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use super::{Finding, tcp};
use crate::candidates::{candidates, interfaces, supported};
use crate::config::{Config, Settings};
use crate::server::shards;

/// How long a datagram to this machine may take.
const PATIENCE: Duration = Duration::from_millis(300);

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let settings = &config.settings;
    let mut findings = vec![http(settings)];
    let sockets: Vec<_> = media_ports(settings)
        .map(|port| {
            (
                port,
                UdpSocket::bind((supported(settings.media.bind), port)),
            )
        })
        .collect();
    findings.extend(sockets.iter().map(|(port, socket)| udp(*port, socket)));
    let media = &settings.media;
    // Port 0 is chosen by the system.
    let chosen = |port: u16, socket: &io::Result<UdpSocket>| match socket {
        Ok(socket) => socket.local_addr().map_or(port, |address| address.port()),
        Err(_) => port,
    };
    let ports: Vec<u16> = sockets
        .iter()
        .map(|(port, socket)| chosen(*port, socket))
        .collect();
    let addresses = candidates(supported(media.bind), &ports, &media.advertise, interfaces);
    let told = addresses.first().cloned().unwrap_or_default();
    findings.push(candidates_told(&told));
    if let Some((_, Ok(socket))) = sockets.first() {
        findings.extend(told.iter().map(|address| reached(socket, *address)));
    }
    findings.extend(tcp::check(settings));
    findings
}

fn media_ports(settings: &Settings) -> impl Iterator<Item = u16> {
    let media = &settings.media;
    (0..shards(media.shards)).filter_map(|shard| media.port.checked_add(shard))
}

fn http(settings: &Settings) -> Finding {
    let http = &settings.http;
    for address in http.bind.iter().copied().map(supported) {
        if let Err(error) = TcpListener::bind((address, http.port)) {
            let what = format!(
                "TCP port {} of {address} cannot be bound: {error}",
                http.port
            );
            return Finding::ill(what, remedy(&error, "http.port", "http.bind"));
        }
    }
    Finding::well(format!("TCP port {} can be bound", http.port))
}

fn udp(port: u16, socket: &io::Result<UdpSocket>) -> Finding {
    match socket {
        Ok(_) => Finding::well(format!("UDP port {port} can be bound")),
        Err(error) => Finding::ill(
            format!("UDP port {port} cannot be bound: {error}"),
            remedy(error, "media.port", "media.bind"),
        ),
    }
}

pub(super) fn remedy(error: &io::Error, port: &str, bind: &str) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => {
            format!("end the other program (a running plenum?), or change {port}")
        }
        ErrorKind::PermissionDenied => format!("choose a {port} of 1024 or above"),
        _ => format!("check {bind}"),
    }
}

fn candidates_told(told: &[SocketAddr]) -> Finding {
    let list: Vec<String> = told.iter().map(ToString::to_string).collect();
    let what = format!("clients send media to {}", list.join(", "));
    if told.iter().all(|address| address.ip().is_loopback()) {
        let remedy =
            "only this machine can reach that: set media.advertise to the address that clients see";
        return Finding::doubtful(what, remedy);
    }
    if told.iter().all(|address| is_private(address.ip())) {
        let remedy = "nobody on the internet can reach that: behind NAT set media.advertise to the public address";
        return Finding::doubtful(what, remedy);
    }
    Finding::well(what)
}

fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback(),
    }
}

/// Whether a datagram to an address that clients are told of comes back to this machine.
fn reached(socket: &UdpSocket, address: SocketAddr) -> Finding {
    let token = format!("plenum doctor {}", std::process::id());
    let from = SocketAddr::new(
        match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        },
        0,
    );
    let sent = UdpSocket::bind(from).and_then(|from| from.send_to(token.as_bytes(), address));
    let mut buffer = [0; 64];
    let arrived = sent.is_ok()
        && socket.set_read_timeout(Some(PATIENCE)).is_ok()
        && std::iter::repeat_with(|| {
            socket
                .recv(&mut buffer)
                .map(|length| buffer[..length].to_vec())
        })
        .take(8)
        .map_while(Result::ok)
        .any(|datagram| datagram == token.as_bytes());
    if arrived {
        return Finding::well(format!("a datagram to {address} arrives here"));
    }
    Finding::doubtful(
        format!("a datagram to {address} does not arrive here"),
        "if the address belongs to a NAT that does not turn packets around this tells nothing; else let UDP through to the media ports",
    )
}
