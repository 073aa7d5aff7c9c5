//! Connections over real sockets: how they find their shard, what ends them, and that nobody
//! else waits for them. The engine takes a check for valid if it names `valid`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "real sockets take real time")]

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use plenum_net::{
    Engine, LinkMessage, Links, Net, NetConfig, NetError, TcpRefusal, TcpStats, start_with,
};
use plenum_types::{
    DropReason, MediaCommand, MediaEvent, Path, Remote, SendBatch, ShardId, ShardStats, ufrag_of,
};

const WAIT: Duration = Duration::from_secs(10);

/// The first byte of media (RFC 7983 §7).
const MEDIA: u8 = 0x80;

/// Sends media back with the shard's number as second byte, as often as the third byte says.
struct Echo {
    shard: ShardId,
    proven: HashSet<Remote>,
    stats: ShardStats,
    events: Vec<MediaEvent>,
}

impl Echo {
    fn echo(&mut self, path: Path, datagram: &[u8], out: &mut impl SendBatch) {
        for _ in 0..datagram[2] {
            let Some(place) = out.reserve(path, datagram.len()) else {
                self.stats.drops.count(DropReason::SendBatchFull);
                return;
            };
            place.copy_from_slice(datagram);
            place[1] = self.shard.0 as u8;
            out.commit(datagram.len());
        }
    }
}

impl Engine for Echo {
    fn handle_command(&mut self, _now: Instant, command: MediaCommand) {
        match command {
            MediaCommand::ReportStats => {
                let stats = Box::new(self.stats.clone());
                self.events.push(MediaEvent::Stats(stats));
            }
            // All peers go.
            MediaCommand::RemovePeer { .. } => self.proven.clear(),
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
        if datagram.windows(5).any(|text| text == b"valid") {
            self.proven.insert(path.remote);
        } else if self.proven.contains(&path.remote) && datagram.first() == Some(&MEDIA) {
            self.stats.rtp_packets_in += 1;
            self.echo(path, datagram, out);
        }
    }

    fn handle_disconnect(&mut self, _now: Instant, remote: Remote) {
        self.proven.remove(&remote);
        self.stats.peers += 1;
    }

    fn is_proven(&self, remote: Remote) -> bool {
        self.proven.contains(&remote)
    }

    fn handle_timeout(&mut self, _now: Instant, _out: &mut impl SendBatch) {}

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn flush(&mut self, _now: Instant, _out: &mut impl SendBatch, _links: &mut impl Links) {}

    fn poll_event(&mut self) -> Option<MediaEvent> {
        self.events.pop()
    }

    fn count_drop(&mut self, reason: DropReason, number: u64) {
        self.stats.drops.add(reason, number);
    }
}

/// Two shards behind one TCP port.
struct Bench {
    net: Net,
    events: Receiver<(ShardId, MediaEvent)>,
}

fn config() -> NetConfig {
    NetConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        first_port: 0,
        tcp_port: Some(0),
        shards: 2,
        ..NetConfig::default()
    }
}

impl Bench {
    fn start(config: &NetConfig) -> Self {
        let (sender, events) = channel();
        let events_in = move |shard, event| {
            let _ = sender.send((shard, event));
        };
        let net = start_with(config, events_in, |shard, _start| Echo {
            shard,
            proven: HashSet::new(),
            stats: ShardStats::default(),
            events: Vec::new(),
        });
        let net = net.unwrap();
        Self { net, events }
    }

    fn address(&self) -> SocketAddr {
        self.net.tcp_addr().unwrap()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(WAIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// A connection that has shown a valid check on `shard`.
    fn join(&self, shard: u16) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(&check(shard, "valid")).unwrap();
        stream
    }

    fn stats(&self, shard: u16) -> ShardStats {
        let handle = &self.net.shards()[usize::from(shard)];
        handle.send(MediaCommand::ReportStats).unwrap();
        match self.events.recv_timeout(WAIT).unwrap() {
            (from, MediaEvent::Stats(stats)) if from == ShardId(shard) => *stats,
            other => panic!("expected stats of shard {shard}, got {other:?}"),
        }
    }

    /// Waits until the refusals are these.
    fn refused(&self, expected: &[(TcpRefusal, u64)]) {
        let mut wanted = TcpStats::default().refused;
        for (reason, count) in expected {
            wanted[*reason as usize] = *count;
        }
        let until = Instant::now() + WAIT;
        while self.net.tcp_stats().refused != wanted {
            assert!(Instant::now() < until, "{:?}", self.net.tcp_stats());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn framed(datagram: &[u8]) -> Vec<u8> {
    let mut frame = (datagram.len() as u16).to_be_bytes().to_vec();
    frame.extend(datagram);
    frame
}

/// A binding request for a peer on `shard`, framed.
fn check(shard: u16, name: &str) -> Vec<u8> {
    let user = ufrag_of(ShardId(shard), name) + ":there";
    let mut attribute = vec![0, 6];
    attribute.extend((user.len() as u16).to_be_bytes());
    attribute.extend(user.as_bytes());
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    let mut request = vec![0, 1];
    request.extend((attribute.len() as u16).to_be_bytes());
    request.extend([0x21, 0x12, 0xa4, 0x42]);
    request.extend([9; 12]);
    request.extend(attribute);
    framed(&request)
}

fn media(copies: u8, length: usize, fill: u8) -> Vec<u8> {
    let mut datagram = vec![fill; length];
    (datagram[0], datagram[2]) = (MEDIA, copies);
    framed(&datagram)
}

fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut header = [0; 2];
    stream.read_exact(&mut header).unwrap();
    let mut datagram = vec![0; usize::from(u16::from_be_bytes(header))];
    stream.read_exact(&mut datagram).unwrap();
    datagram
}

/// Whether the server closes the connection, after whatever it sent before.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn one_port_leads_to_every_shard() {
    let bench = Bench::start(&config());
    for shard in [0, 1] {
        let mut stream = bench.join(shard);
        stream.write_all(&media(3, 500, 7)).unwrap();
        for _ in 0..3 {
            let datagram = read_frame(&mut stream);
            assert_eq!((datagram.len(), datagram[1]), (500, shard as u8));
        }
        let stats = bench.stats(shard);
        assert_eq!((stats.tcp_connections, stats.rtp_packets_in), (1, 1));
        assert_eq!((stats.tcp_datagrams_in, stats.tcp_datagrams_out), (2, 3));
        assert_eq!(stats.tcp_bytes_out, 3 * 502);
        assert_eq!(stats.sends, 0, "nothing leaves over UDP");
    }
    assert_eq!(bench.net.tcp_stats().accepted, 2);
    bench.refused(&[]);
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let bench = Bench::start(&config());
    let mut stream = bench.connect();
    let mut bytes = check(0, "valid");
    for length in [3, 700, 4] {
        bytes.extend(media(1, length, 9));
    }
    for byte in bytes {
        stream.write_all(&[byte]).unwrap();
    }
    for length in [3, 700, 4] {
        assert_eq!(read_frame(&mut stream).len(), length);
    }
}

#[test]
fn everything_at_once_is_taken_in_order() {
    let bench = Bench::start(&config());
    let mut stream = bench.connect();
    let mut bytes = check(1, "valid");
    for number in 0..200 {
        bytes.extend(media(1, 1_200, number));
    }
    let mut writer = stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || writer.write_all(&bytes).unwrap());
    for number in 0..200 {
        assert_eq!(read_frame(&mut stream)[3], number);
    }
    writing.join().unwrap();
}

#[test]
fn whoever_speaks_something_else_is_closed_at_once() {
    let bench = Bench::start(&config());
    let strangers = [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00".to_vec(),
        media(1, 100, 1),
        check(7, "valid"),
    ];
    for bytes in &strangers {
        let mut stream = bench.connect();
        stream.write_all(bytes).unwrap();
        assert!(is_closed(&mut stream));
    }
    drop(bench.connect());
    let not_stun = strangers.len() as u64;
    bench.refused(&[
        (TcpRefusal::NotStun, not_stun),
        (TcpRefusal::ClosedEarly, 1),
    ]);
}

/// Slow-loris: nothing, a byte, a check that is cut off, and checks that are not valid.
#[test]
fn without_a_valid_check_a_connection_does_not_last() {
    let bench = Bench::start(&NetConfig {
        tcp_patience: Duration::from_millis(300),
        ..config()
    });
    let valid = check(0, "valid");
    let beginnings = [
        Vec::new(),
        vec![0],
        valid[..valid.len() - 1].to_vec(),
        check(0, "forged"),
        [check(1, "forged"), media(1, 100, 1)].concat(),
    ];
    let mut streams: Vec<TcpStream> = beginnings.iter().map(|_| bench.connect()).collect();
    let mut member = bench.join(0);
    for (stream, bytes) in streams.iter_mut().zip(&beginnings) {
        stream.write_all(bytes).unwrap();
    }
    for stream in &mut streams {
        assert!(is_closed(stream));
    }
    bench.refused(&[(TcpRefusal::NoValidCheck, beginnings.len() as u64)]);
    member.write_all(&media(1, 50, 1)).unwrap();
    assert_eq!(read_frame(&mut member).len(), 50, "who was valid stays");
}

#[test]
fn one_network_holds_few_places_without_a_valid_check() {
    let bench = Bench::start(&config());
    let mut silent: Vec<TcpStream> = (0..64).map(|_| bench.connect()).collect();
    assert!(is_closed(&mut bench.connect()));
    bench.refused(&[(TcpRefusal::NetworkLimit, 1)]);
    // A place is free again as soon as somebody in the network is valid.
    silent[0].write_all(&check(0, "valid")).unwrap();
    silent[0].write_all(&media(1, 10, 1)).unwrap();
    assert_eq!(read_frame(&mut silent[0]).len(), 10);
    let mut next = bench.join(1);
    next.write_all(&media(1, 20, 1)).unwrap();
    assert_eq!(read_frame(&mut next).len(), 20);
}

#[test]
fn all_connections_together_are_bounded() {
    let bench = Bench::start(&NetConfig {
        tcp_connections: 2,
        ..config()
    });
    let members = [bench.join(0), bench.join(1)];
    assert!(is_closed(&mut bench.connect()));
    bench.refused(&[(TcpRefusal::TotalLimit, 1)]);
    drop(members);
    let until = Instant::now() + WAIT;
    loop {
        let mut next = bench.join(0);
        let _ = next.write_all(&media(1, 20, 1));
        let mut header = [0; 2];
        if next.read_exact(&mut header).is_ok() {
            break;
        }
        assert!(Instant::now() < until, "their places are free again");
    }
}

#[test]
fn a_frame_longer_than_any_datagram_ends_the_connection() {
    let bench = Bench::start(&config());
    let mut stream = bench.join(0);
    stream.write_all(&framed(&[MEDIA; 4_097])).unwrap();
    assert!(is_closed(&mut stream));
    bench.refused(&[(TcpRefusal::FrameTooLong, 1)]);
    assert_eq!(bench.stats(0).peers, 1, "the engine was told");
}

/// It reads nothing while twenty megabytes are for it: a bounded queue is dropped from, and what
/// comes out of it at last is whole datagrams.
#[test]
fn a_client_that_does_not_read_loses_whole_datagrams_and_delays_nobody() {
    let bench = Bench::start(&config());
    let mut idle = bench.join(0);
    let mut member = bench.join(0);
    for number in 0..100 {
        for _ in 0..2 {
            idle.write_all(&media(100, 1_000, number)).unwrap();
        }
        member.write_all(&media(1, 100, number)).unwrap();
        assert_eq!(read_frame(&mut member)[3], number);
    }
    let dropped = bench.stats(0).drops.get(DropReason::StreamFull);
    assert!(dropped > 0);
    let mut last = 0;
    for _ in 0..20_000 - dropped {
        let datagram = read_frame(&mut idle);
        assert_eq!((datagram.len(), datagram[0]), (1_000, MEDIA));
        assert!(datagram[3] >= last, "in order");
        last = datagram[3];
    }
    idle.write_all(&media(1, 30, 1)).unwrap();
    assert_eq!(read_frame(&mut idle).len(), 30, "it goes on");
    assert_eq!(bench.stats(0).drops.total(), dropped);
}

#[test]
fn the_engine_hears_of_a_closed_connection_and_takes_the_next_one() {
    let bench = Bench::start(&config());
    for round in 1..=3 {
        let mut stream = bench.join(0);
        stream.write_all(&media(1, 100, 1)).unwrap();
        assert_eq!(read_frame(&mut stream).len(), 100);
        drop(stream);
        let until = Instant::now() + WAIT;
        while bench.stats(0).peers < round {
            assert!(Instant::now() < until);
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(bench.stats(0).tcp_connections, 0);
    }
    bench.refused(&[]);
}

#[test]
fn when_its_peer_is_gone_a_connection_is_closed() {
    let bench = Bench::start(&config());
    let mut stream = bench.join(1);
    stream.write_all(&media(1, 100, 1)).unwrap();
    assert_eq!(read_frame(&mut stream).len(), 100);
    let peer = plenum_types::PeerId(1);
    let gone = MediaCommand::RemovePeer { peer };
    bench.net.shards()[1].send(gone).unwrap();
    assert!(is_closed(&mut stream));
    bench.refused(&[]);
}

#[test]
fn without_a_port_there_is_none_and_one_in_use_is_named() {
    let none = Bench::start(&NetConfig {
        tcp_port: None,
        ..config()
    });
    assert_eq!(none.net.tcp_addr(), None);
    assert_eq!(none.net.tcp_stats(), TcpStats::default());
    let bench = Bench::start(&config());
    let port = bench.address().port();
    let taken = NetConfig {
        tcp_port: Some(port),
        ..config()
    };
    let error = start_with(
        &taken,
        |_, _| {},
        |shard, _| Echo {
            shard,
            proven: HashSet::new(),
            stats: ShardStats::default(),
            events: Vec::new(),
        },
    );
    let error = error.unwrap_err();
    assert!(matches!(error, NetError::TcpPortInUse { .. }));
    assert!(error.to_string().contains(&format!("TCP port {port}")));
    bench.net.stop();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
}
