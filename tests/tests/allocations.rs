//! Forwarding a packet allocates nothing: one publisher, five subscribers, real ICE, DTLS, SRTP
//! and feedback, and an allocator that counts.
//!
//! Counted is what [`Shard::handle_datagram`] and [`Shard::fan_out`] do with RTP once the call has
//! settled. What a shard does with STUN, DTLS and RTCP may allocate.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant};

use plenum_engine::{Certificate, NoLinks, Shard, ShardConfig};
use plenum_rtp::is_rtcp;
use plenum_testkit::client::Client;
use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::network::Delivery;
use plenum_testkit::session::{ServerInfo, Session};
use plenum_testkit::{ClientConfig, Clock, LinkConfig, Network, seed};
use plenum_types::{Bitrate, Path, PeerId, RoomId, SendBatch};

const SUBSCRIBERS: u16 = 5;
/// Packets to forward while counting.
const FORWARDED_MIN: usize = 100_000;
/// Until joins, first keyframes and the growth of buffers are over. A packet is kept for a
/// second, so buffers have their size after a few.
const WARM_UP: Duration = Duration::from_secs(6);
/// Bitrate of each encoding; high, so that the call is short.
const BITRATE: Bitrate = Bitrate::kbps(2_500);

/// Where the shard listens.
const SHARD: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 255, 0, 1)), 7_882);

/// A send batch that has all its memory from the start.
struct Batch {
    bytes: Box<[u8]>,
    used: usize,
    reserved: Option<Path>,
    datagrams: Vec<(Path, Range<usize>)>,
}

/// Datagrams of one wake-up.
const BATCH_DATAGRAMS: usize = 4_096;
/// Bytes of one wake-up.
const BATCH_BYTES: usize = BATCH_DATAGRAMS * 1_500;

impl Batch {
    fn new() -> Self {
        Self {
            bytes: vec![0; BATCH_BYTES].into_boxed_slice(),
            used: 0,
            reserved: None,
            datagrams: Vec::with_capacity(BATCH_DATAGRAMS),
        }
    }

    fn clear(&mut self) {
        self.used = 0;
        self.datagrams.clear();
    }
}

impl SendBatch for Batch {
    fn reserve(&mut self, path: Path, capacity: usize) -> Option<&mut [u8]> {
        if self.datagrams.len() == BATCH_DATAGRAMS {
            return None;
        }
        self.reserved = Some(path);
        self.bytes.get_mut(self.used..self.used + capacity)
    }

    fn commit(&mut self, length: usize) {
        if let Some(path) = self.reserved.take() {
            let end = self.used + length;
            self.datagrams.push((path, self.used..end));
            self.used = end;
        }
    }
}

/// What was counted in the handling of RTP.
#[derive(Debug, Default)]
struct Count {
    packets: usize,
    forwarded: usize,
    allocations: u64,
    bytes: u64,
    /// In the handling of anything else, joins included: shows that the counter counts.
    allocations_elsewhere: u64,
}

impl Count {
    fn add(&mut self, allocated: allocation_counter::AllocationInfo, forwarded: usize) {
        self.forwarded += forwarded;
        self.allocations += allocated.count_total;
        self.bytes += allocated.bytes_total;
    }
}

/// A call whose shard is driven by hand.
struct Call {
    clock: Clock,
    network: Network,
    shard: Shard,
    clients: Vec<Client>,
    batch: Batch,
    count: Count,
}

impl Call {
    /// A publisher of sound and picture, and subscribers to both.
    fn new(video: &VideoConfig, link: LinkConfig) -> Self {
        let certificate = Certificate::generate().expect("a certificate can be made");
        let clock = Clock::new();
        let mut network = Network::new(1);
        network.add_host(SHARD, LinkConfig::default(), LinkConfig::default());
        let ntp = Clock::ntp_origin();
        let config = ShardConfig::default();
        let mut call = Self {
            shard: Shard::new(config, certificate.clone(), 1, clock.now(), ntp),
            clock,
            network,
            clients: Vec::new(),
            batch: Batch::new(),
            count: Count::default(),
        };
        let server = ServerInfo {
            fingerprint: certificate.fingerprint(),
            address: SHARD,
        };
        for number in 0..=SUBSCRIBERS {
            let [high, low] = (number + 1).to_be_bytes();
            let config = ClientConfig::new(SocketAddr::from(([10, 1, high, low], 5_000)));
            let config = if number == 0 {
                config.with_audio(1).with_video(2, video.clone())
            } else {
                config.with_slots(1, 1)
            };
            call.network.add_host(config.address, link, link);
            call.join(u64::from(number) + 1, config, &server);
        }
        call
    }

    fn join(&mut self, number: u64, config: ClientConfig, server: &ServerInfo) {
        let now = self.clock.now();
        let client = Client::new(config, self.clock.origin(), now, number);
        let mut client = client.expect("a client can be made");
        let offer = client.offer(now, false).expect("a client offers");
        let (_, negotiated) = Session::open(
            PeerId(number),
            RoomId(1),
            number * 10,
            server.clone(),
            client.config(),
            &offer,
            seed::stream(1, number),
        )
        .expect("an offer can be answered");
        for command in negotiated.commands {
            self.shard.handle_command(now, command);
        }
        client
            .accept_answer(now, &negotiated.answer)
            .expect("a client takes the answer");
        self.clients.push(client);
        self.settle(now);
    }

    /// Lets time pass until `done`, at most `limit`.
    fn run(&mut self, limit: Duration, count: bool, done: impl Fn(&Self) -> bool) {
        let end = self.clock.now() + limit;
        while !done(self) {
            let clients = self.clients.iter_mut().filter_map(Client::poll_timeout);
            let next = clients
                .chain(self.network.poll_timeout())
                .chain(self.shard.poll_timeout())
                .min();
            let soonest = self.clock.now() + Duration::from_micros(50);
            let Some(next) = next.map(|next| next.max(soonest)).filter(|at| *at <= end) else {
                return;
            };
            self.clock.advance_to(next);
            self.step(next, count);
        }
    }

    fn step(&mut self, now: Instant, count: bool) {
        while let Some(delivery) = self.network.poll_delivery(now) {
            if delivery.to == SHARD {
                self.deliver(now, delivery, count);
                continue;
            }
            let to = |client: &&mut Client| client.address() == delivery.to;
            if let Some(client) = self.clients.iter_mut().find(to) {
                client.handle_datagram(now, delivery.from, &delivery.bytes);
            }
        }
        self.fan_out(now, count);
        if self.shard.poll_timeout().is_some_and(|at| at <= now) {
            self.shard.handle_timeout(now, &mut self.batch);
        }
        for client in &mut self.clients {
            if client.poll_timeout().is_some_and(|at| at <= now) {
                client.handle_timeout(now);
            }
        }
        self.settle(now);
    }

    fn deliver(&mut self, now: Instant, mut delivery: Delivery, count: bool) {
        let path = Path {
            remote: delivery.from,
            local_ip: Some(SHARD.ip()),
        };
        let counts = count && is_rtp(&delivery.bytes);
        let (shard, batch) = (&mut self.shard, &mut self.batch);
        let before = batch.datagrams.len();
        let allocated = allocation_counter::measure(|| {
            shard.handle_datagram(now, path, &mut delivery.bytes, batch, &mut NoLinks);
        });
        if !counts {
            self.count.allocations_elsewhere += allocated.count_total;
            return;
        }
        self.count.packets += 1;
        self.count.add(allocated, batch.datagrams.len() - before);
    }

    /// Forwards what was delivered within this instant.
    fn fan_out(&mut self, now: Instant, count: bool) {
        let (shard, batch) = (&mut self.shard, &mut self.batch);
        let before = batch.datagrams.len();
        let allocated = allocation_counter::measure(|| shard.fan_out(now, batch));
        if count {
            self.count.add(allocated, batch.datagrams.len() - before);
        }
    }

    /// Carries what everybody has to send.
    fn settle(&mut self, now: Instant) {
        self.shard.flush(now, &mut self.batch, &mut NoLinks);
        for (path, range) in &self.batch.datagrams {
            let bytes = self.batch.bytes[range.clone()].to_vec();
            self.network.send(now, SHARD, path.remote, bytes);
        }
        self.batch.clear();
        while self.shard.poll_event().is_some() {}
        for client in &mut self.clients {
            while let Some((to, bytes)) = client.poll_transmit() {
                self.network.send(now, client.address(), to, bytes);
            }
        }
    }
}

/// First byte of RTP and RTCP (RFC 7983), and not RTCP.
fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(128..=191)) && !is_rtcp(datagram)
}

fn forwards_without_allocation(video: &VideoConfig, link: LinkConfig) {
    let mut call = Call::new(video, link);
    call.run(WARM_UP, false, |_| false);
    assert!(call.clients.iter().all(Client::is_connected));
    call.run(Duration::from_secs(300), true, |call| {
        call.count.forwarded >= FORWARDED_MIN
    });
    let count = &call.count;
    assert!(count.forwarded >= FORWARDED_MIN, "{count:?}");
    assert!(
        count.allocations_elsewhere > 0,
        "the counter is not in place"
    );
    assert_eq!(count.allocations, 0, "{count:?}");
    for client in &call.clients[1..] {
        for stream in client.received_all() {
            assert!(stream.stats().packets > 0, "nothing was received");
            assert_eq!(stream.violations(), []);
        }
    }
}

fn single(codec: VideoCodec) -> VideoConfig {
    let mut video = VideoConfig::single(codec);
    video.encodings[0].bitrate = BITRATE;
    video
}

#[test]
fn vp8() {
    forwards_without_allocation(&single(VideoCodec::Vp8), LinkConfig::default());
}

#[test]
fn vp8_simulcast() {
    let mut video = VideoConfig::simulcast();
    for encoding in &mut video.encodings {
        encoding.bitrate = BITRATE;
    }
    forwards_without_allocation(&video, LinkConfig::default());
}

#[test]
fn vp9() {
    forwards_without_allocation(&single(VideoCodec::Vp9), LinkConfig::default());
}

#[test]
fn h264() {
    forwards_without_allocation(&single(VideoCodec::H264), LinkConfig::default());
}

#[test]
fn av1() {
    forwards_without_allocation(&single(VideoCodec::Av1), LinkConfig::default());
}

#[test]
fn vp8_with_loss_and_jitter() {
    let link = LinkConfig {
        jitter: Duration::from_millis(10),
        loss: 0.02,
        ..LinkConfig::default()
    };
    forwards_without_allocation(&single(VideoCodec::Vp8), link);
}
