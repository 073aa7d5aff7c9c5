//! The shard loop over real sockets, driving an engine that sends every datagram back.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use plenum_net::{
    CommandRefused, Engine, LinkMessage, Links, Net, NetConfig, NetError, start_with,
};
use plenum_types::{
    DropReason, MediaCommand, MediaEvent, Path, PeerId, Remote, SendBatch, ShardId, ShardStats,
};

const WAIT: Duration = Duration::from_secs(10);

/// The engine panics when it is asked to remove this peer.
const POISON: PeerId = PeerId(u64::MAX);

/// The engine hangs when it is asked to remove this peer.
const TAR: PeerId = PeerId(u64::MAX - 1);

/// Sends datagrams back `copies` times; answers `RemovePeer` by closing the peer 20 ms later.
struct Echo {
    copies: usize,
    stats: ShardStats,
    events: Vec<MediaEvent>,
    closing: Option<(Instant, PeerId)>,
    /// Where somebody has sent `PROOF` from.
    proven: Vec<Remote>,
}

impl Echo {
    fn new(copies: usize) -> Self {
        Self {
            copies,
            stats: ShardStats::default(),
            events: Vec::new(),
            closing: None,
            proven: Vec::new(),
        }
    }
}

impl Engine for Echo {
    fn handle_command(&mut self, now: Instant, command: MediaCommand) {
        match command {
            MediaCommand::ReportStats => {
                let stats = Box::new(self.stats.clone());
                self.events.push(MediaEvent::Stats(stats));
            }
            MediaCommand::RemovePeer { peer } => {
                assert_ne!(peer, POISON, "as asked by the test");
                if peer == TAR {
                    loop {
                        std::thread::park();
                    }
                }
                self.closing = Some((now + Duration::from_millis(20), peer));
            }
            _ => {}
        }
    }

    fn handle_link(
        &mut self,
        _now: Instant,
        _from: ShardId,
        _message: LinkMessage<'_>,
        _out: &mut impl SendBatch,
    ) {
    }

    fn handle_datagram(
        &mut self,
        _now: Instant,
        path: Path,
        datagram: &mut [u8],
        out: &mut impl SendBatch,
        _links: &mut impl Links,
    ) {
        self.stats.rtp_packets_in += 1;
        for _ in 0..self.copies {
            let Some(place) = out.reserve(path, datagram.len() + 16) else {
                self.stats.drops.count(DropReason::SendBatchFull);
                continue;
            };
            place[..datagram.len()].copy_from_slice(datagram);
            out.commit(datagram.len());
        }
    }

    fn handle_disconnect(&mut self, _now: Instant, remote: Remote) {
        self.proven.retain(|known| *known != remote);
    }

    fn is_proven(&self, remote: Remote) -> bool {
        self.proven.contains(&remote)
    }

    fn handle_timeout(&mut self, _now: Instant, _out: &mut impl SendBatch) {
        if let Some((_, peer)) = self.closing.take() {
            let reason = plenum_types::CloseReason::Removed;
            self.events.push(MediaEvent::PeerClosed { peer, reason });
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.closing.map(|(due, _)| due)
    }

    fn flush(&mut self, _now: Instant, _out: &mut impl SendBatch, _links: &mut impl Links) {}

    fn poll_event(&mut self) -> Option<MediaEvent> {
        (!self.events.is_empty()).then(|| self.events.remove(0))
    }

    fn succeed(&mut self, before: &Self) {
        self.stats = before.stats.clone();
    }

    fn count_drop(&mut self, reason: DropReason, number: u64) {
        self.stats.drops.add(reason, number);
    }
}

fn config(bind: IpAddr) -> NetConfig {
    NetConfig {
        bind,
        first_port: 0,
        shards: 2,
        ..NetConfig::default()
    }
}

fn echo(config: &NetConfig, copies: usize) -> (Net, Receiver<(ShardId, MediaEvent)>) {
    let (sender, events) = channel();
    let net = start_with(
        config,
        move |shard, event| {
            let _ = sender.send((shard, event));
        },
        move |_shard, _start| Echo::new(copies),
    )
    .unwrap();
    (net, events)
}

fn client(server: SocketAddr) -> UdpSocket {
    let ip: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let socket = UdpSocket::bind((ip, 0)).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(WAIT)).unwrap();
    socket
}

fn stats(net: &Net, events: &Receiver<(ShardId, MediaEvent)>, shard: usize) -> ShardStats {
    net.shards()[shard].send(MediaCommand::ReportStats).unwrap();
    match events.recv_timeout(WAIT).unwrap() {
        (from, MediaEvent::Stats(stats)) if from == ShardId(shard as u16) => *stats,
        other => panic!("expected stats of shard {shard}, got {other:?}"),
    }
}

#[test]
fn echoes_over_each_shard_and_counts() {
    let (net, events) = echo(&config(Ipv4Addr::LOCALHOST.into()), 3);
    for shard in 0..2 {
        let client = client(net.shards()[shard].local_addr());
        client.send(b"hello").unwrap();
        let mut bytes = [0; 100];
        for _ in 0..3 {
            assert_eq!(client.recv(&mut bytes).unwrap(), 5);
            assert_eq!(&bytes[..5], b"hello");
        }
        let stats = stats(&net, &events, shard);
        assert_eq!(stats.rtp_packets_in, 1);
        assert_eq!(stats.datagrams_out, 3);
        assert!(stats.sends >= 1 && stats.sends <= 3);
        assert!(stats.batches >= 1);
    }
}

#[test]
fn a_dual_stack_socket_serves_both_families() {
    let (net, _events) = echo(&config(Ipv6Addr::UNSPECIFIED.into()), 1);
    let port = net.shards()[0].local_addr().port();
    let mut servers = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))];
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        servers.push(SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
    }
    for server in servers {
        let client = client(server);
        client.send(b"hello").unwrap();
        assert_eq!(client.recv(&mut [0; 100]).unwrap(), 5);
    }
}

#[test]
fn bursts_come_back_in_order_with_and_without_offload() {
    for segmentation_offload in [true, false] {
        let config = NetConfig {
            segmentation_offload,
            ..config(Ipv4Addr::LOCALHOST.into())
        };
        let (net, events) = echo(&config, 1);
        let client = client(net.shards()[0].local_addr());
        for number in 0..40_u8 {
            client.send(&[number; 1_000]).unwrap();
        }
        let mut bytes = [0; 2_000];
        for number in 0..40_u8 {
            assert_eq!(client.recv(&mut bytes).unwrap(), 1_000);
            assert_eq!(bytes[..1_000], [number; 1_000]);
        }
        let stats = stats(&net, &events, 0);
        assert_eq!(stats.datagrams_out, 40);
        if !segmentation_offload {
            assert_eq!(stats.sends, 40);
        }
    }
}

#[test]
fn timers_of_the_engine_fire() {
    let (net, events) = echo(&config(Ipv4Addr::LOCALHOST.into()), 1);
    let command = MediaCommand::RemovePeer { peer: PeerId(7) };
    net.shards()[1].send(command).unwrap();
    let (shard, event) = events.recv_timeout(WAIT).unwrap();
    assert_eq!(shard, ShardId(1));
    assert!(matches!(
        event,
        MediaEvent::PeerClosed {
            peer: PeerId(7),
            ..
        }
    ));
}

#[test]
fn refused_sends_are_counted_by_the_engine() {
    let (net, events) = echo(&config(Ipv4Addr::LOCALHOST.into()), 1);
    let client = client(net.shards()[0].local_addr());
    // Larger than a place in the batch, so refused by it.
    client.send(&[0; 30_000]).unwrap();
    client.send(b"hello").unwrap();
    assert_eq!(client.recv(&mut [0; 100]).unwrap(), 5);
    let stats = stats(&net, &events, 0);
    assert_eq!(stats.drops.get(DropReason::SendBatchFull), 1);
}

#[test]
fn many_commands_arrive_in_order() {
    let (net, events) = echo(&config(Ipv4Addr::LOCALHOST.into()), 1);
    for _ in 0..5_000 {
        net.shards()[0].send(MediaCommand::ReportStats).unwrap();
    }
    for _ in 0..5_000 {
        events.recv_timeout(WAIT).unwrap();
    }
}

#[test]
fn shutdown_carries_out_what_is_queued_and_joins() {
    let (net, events) = echo(&config(Ipv4Addr::LOCALHOST.into()), 1);
    let handle = net.shards()[0].clone();
    handle.send(MediaCommand::ReportStats).unwrap();
    net.stop();
    let told: Vec<_> = events.try_iter().collect();
    let is_stats = |event: &MediaEvent| matches!(event, MediaEvent::Stats(_));
    assert!(told.iter().any(|(_, event)| is_stats(event)));
    let is_end =
        |event: &MediaEvent| matches!(event, MediaEvent::ShardEnded { begins_anew: false });
    let ends = told.iter().filter(|(_, event)| is_end(event));
    assert_eq!(ends.count(), 2, "each shard says goodbye");
    assert!(!handle.is_alive());
    assert!(handle.send(MediaCommand::ReportStats).is_err());
}

/// Has a shard panic and waits until it says so.
fn poison(net: &Net, events: &Receiver<(ShardId, MediaEvent)>) -> bool {
    let command = MediaCommand::RemovePeer { peer: POISON };
    net.shards()[0].send(command).unwrap();
    loop {
        let (shard, event) = events.recv_timeout(WAIT).unwrap();
        assert_eq!(shard, ShardId(0));
        if let MediaEvent::ShardEnded { begins_anew } = event {
            return begins_anew;
        }
    }
}

#[test]
fn a_shard_that_panics_begins_anew_once_that_is_known() {
    let (net, events) = echo(&config(Ipv4Addr::LOCALHOST.into()), 1);
    let shard = &net.shards()[0];
    let client = client(shard.local_addr());
    client.send(b"hello").unwrap();
    assert_eq!(client.recv(&mut [0; 100]).unwrap(), 5);

    assert!(poison(&net, &events));
    // For a peer of the engine that is gone: not carried out.
    let stale = MediaCommand::RemovePeer { peer: PeerId(1) };
    shard.send(stale).unwrap();
    shard.send(MediaCommand::StartAnew).unwrap();
    let fresh = MediaCommand::RemovePeer { peer: PeerId(2) };
    shard.send(fresh).unwrap();
    let closed = loop {
        match events.recv_timeout(WAIT).unwrap().1 {
            MediaEvent::PeerClosed { peer, .. } => break peer,
            // Told again, if that took long.
            MediaEvent::ShardEnded { begins_anew } => assert!(begins_anew),
            other => panic!("unexpected {other:?}"),
        }
    };
    assert_eq!(closed, PeerId(2));
    client.send(b"again").unwrap();
    assert_eq!(client.recv(&mut [0; 100]).unwrap(), 5);
    let stats = stats(&net, &events, 0);
    assert_eq!((stats.rtp_packets_in, stats.datagrams_out), (2, 2));
    assert_eq!(shard.restarts(), 1);
    assert!(shard.is_alive() && net.shards()[1].restarts() == 0);
}

#[test]
fn a_shard_that_panics_again_and_again_is_seen_to_be_gone() {
    let (net, events) = echo(&config(Ipv4Addr::LOCALHOST.into()), 1);
    let [broken, healthy] = net.shards() else {
        panic!("two shards were asked for");
    };
    let mut restarts = 0;
    while poison(&net, &events) {
        restarts += 1;
        broken.send(MediaCommand::StartAnew).unwrap();
    }
    assert_eq!((restarts, broken.restarts()), (5, 5));
    while broken.is_alive() {
        std::thread::yield_now();
    }
    assert_eq!(
        broken.send(MediaCommand::ReportStats),
        Err(CommandRefused::ShardGone)
    );
    assert!(healthy.is_alive());
}

#[test]
fn a_shard_that_hangs_does_not_keep_the_others_from_ending() {
    let (net, _events) = echo(&config(Ipv4Addr::LOCALHOST.into()), 1);
    let [hanging, healthy] = net.shards() else {
        panic!("two shards were asked for");
    };
    let command = MediaCommand::RemovePeer { peer: TAR };
    hanging.send(command).unwrap();
    while hanging.send(MediaCommand::ReportStats).is_ok() {}
    // Returns, although the hanging shard never will.
    net.stop();
    assert!(hanging.is_alive() && !healthy.is_alive());
}

#[test]
fn a_port_in_use_is_told() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = NetConfig {
        first_port: port,
        shards: 1,
        ..config(Ipv4Addr::LOCALHOST.into())
    };
    let error = start_with(&config, |_, _| {}, |_, _| Echo::new(1)).unwrap_err();
    assert!(matches!(error, NetError::PortInUse { address } if address.port() == port));
    assert!(error.to_string().contains(&port.to_string()));
}

#[test]
fn impossible_configurations_are_refused() {
    let local = config(Ipv4Addr::LOCALHOST.into());
    let none = NetConfig {
        shards: 0,
        ..local.clone()
    };
    let beyond = NetConfig {
        first_port: 65_535,
        shards: 3,
        ..local
    };
    for config in [none, beyond] {
        assert!(start_with(&config, |_, _| {}, |_, _| Echo::new(1)).is_err());
    }
}
