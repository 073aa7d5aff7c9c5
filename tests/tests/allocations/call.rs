//! A call whose shards are driven by hand, so that what they allocate can be counted.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};
use plenum_engine::{Certificate, LinkMessage, Shard, ShardConfig};
use plenum_rtp::is_rtcp;
use plenum_testkit::client::Client;
use plenum_testkit::media::VideoConfig;
use plenum_testkit::network::Delivery;
use plenum_testkit::session::{ServerInfo, Session};
use plenum_testkit::{ClientConfig, Clock, LinkConfig, Network, seed};
use plenum_types::{Fingerprint, MediaCommand, Path, PeerId, Remote, RoomId, ShardId};

use crate::batch::Batch;
use crate::link::Link;

const SUBSCRIBERS: u16 = 5;
const ROOM: RoomId = RoomId(1);

/// What was counted in the handling of RTP.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) packets: usize,
    /// From shard to shard.
    pub(crate) crossed: usize,
    pub(crate) forwarded: usize,
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    /// In the handling of anything else, joins included: shows that the counter counts.
    pub(crate) allocations_elsewhere: u64,
}

impl Count {
    fn add(&mut self, allocated: AllocationInfo, forwarded: usize) {
        self.forwarded += forwarded;
        self.allocations += allocated.count_total;
        self.bytes += allocated.bytes_total;
    }
}

/// A shard, and what it writes to.
struct Host {
    shard: Shard,
    address: SocketAddr,
    batch: Batch,
    /// To the other shard, if there is one.
    link: Link,
}

impl Host {
    fn new(number: u16, shards: u16, certificate: Certificate, now: Instant) -> Self {
        let config = ShardConfig {
            shard: ShardId(number),
            shards,
            ..ShardConfig::default()
        };
        let seed = u64::from(number) + 1;
        Self {
            shard: Shard::new(config, certificate, seed, now, Clock::ntp_origin()),
            address: SocketAddr::from(([10, 255, 0, 1], 7_882 + number)),
            batch: Batch::new(),
            link: Link::new(),
        }
    }

    /// What `act` allocates, and how many datagrams it writes.
    fn measure(
        &mut self,
        mut act: impl FnMut(&mut Shard, &mut Batch, &mut Link),
    ) -> (AllocationInfo, usize) {
        let before = self.batch.datagrams.len();
        let allocated = measure(|| act(&mut self.shard, &mut self.batch, &mut self.link));
        (allocated, self.batch.datagrams.len() - before)
    }
}

/// A publisher on the first shard, subscribers on the last, which may be the same.
pub(crate) struct Call {
    clock: Clock,
    network: Network,
    hosts: Vec<Host>,
    /// What other shards are to be told of the publisher.
    published: Vec<MediaCommand>,
    pub(crate) clients: Vec<Client>,
    pub(crate) count: Count,
}

impl Call {
    /// A publisher of sound and picture, and subscribers to both.
    pub(crate) fn new(video: &VideoConfig, link: LinkConfig, shards: u16) -> Self {
        let certificate = Certificate::generate().expect("a certificate can be made");
        let clock = Clock::new();
        let mut network = Network::new(1);
        let now = clock.now();
        let hosts = (0..shards).map(|number| Host::new(number, shards, certificate.clone(), now));
        let hosts: Vec<_> = hosts.collect();
        for host in &hosts {
            network.add_host(host.address, LinkConfig::default(), LinkConfig::default());
        }
        let mut call = Self {
            clock,
            network,
            hosts,
            published: Vec::new(),
            clients: Vec::new(),
            count: Count::default(),
        };
        for number in 0..=SUBSCRIBERS {
            let [high, low] = (number + 1).to_be_bytes();
            let config = ClientConfig::new(SocketAddr::from(([10, 1, high, low], 5_000)));
            let (shard, config) = if number == 0 {
                (0, config.with_audio(1).with_video(2, video.clone()))
            } else {
                (usize::from(shards) - 1, config.with_slots(1, 1))
            };
            call.network.add_host(config.address, link, link);
            let fingerprint = certificate.fingerprint();
            call.join(shard, u64::from(number) + 1, config, fingerprint);
        }
        call
    }

    fn join(&mut self, shard: usize, number: u64, config: ClientConfig, fingerprint: Fingerprint) {
        let now = self.clock.now();
        let client = Client::new(config, self.clock.origin(), now, number);
        let mut client = client.expect("a client can be made");
        let offer = client.offer(now, false).expect("a client offers");
        let host = &mut self.hosts[shard];
        let server = ServerInfo {
            fingerprint,
            address: host.address,
        };
        let rng = seed::stream(1, number);
        let config = client.config();
        let peer = PeerId(number);
        let (_, negotiated) = Session::open(peer, ROOM, number * 10, server, config, &offer, rng)
            .expect("an offer can be answered");
        for command in negotiated.commands {
            self.published.extend(remote(&command));
            host.shard.handle_command(now, command);
        }
        if shard > 0 {
            for command in self.published.drain(..) {
                host.shard.handle_command(now, command);
            }
        }
        client
            .accept_answer(now, &negotiated.answer)
            .expect("a client takes the answer");
        self.clients.push(client);
        self.settle(now);
    }

    /// Lets time pass until `done`, at most `limit`.
    pub(crate) fn run(&mut self, limit: Duration, count: bool, done: impl Fn(&Self) -> bool) {
        let end = self.clock.now() + limit;
        while !done(self) {
            let soonest = self.clock.now() + Duration::from_micros(50);
            let clients = self.clients.iter_mut().filter_map(Client::poll_timeout);
            let shards = self.hosts.iter().filter_map(|host| {
                let handed = (!host.link.is_empty()).then_some(soonest);
                handed.into_iter().chain(host.shard.poll_timeout()).min()
            });
            let next = clients
                .chain(self.network.poll_timeout())
                .chain(shards)
                .min();
            let Some(next) = next.map(|next| next.max(soonest)).filter(|at| *at <= end) else {
                return;
            };
            self.clock.advance_to(next);
            self.step(next, count);
        }
    }

    fn step(&mut self, now: Instant, count: bool) {
        while let Some(delivery) = self.network.poll_delivery(now) {
            let is_there = |host: &Host| host.address == delivery.to;
            if let Some(shard) = self.hosts.iter().position(is_there) {
                self.deliver(now, shard, delivery, count);
                continue;
            }
            let to = |client: &&mut Client| client.address() == delivery.to;
            if let Some(client) = self.clients.iter_mut().find(to) {
                client.handle_datagram(now, delivery.from, &delivery.bytes);
            }
        }
        self.carry_over(now, count);
        self.fan_out(now, count);
        for host in &mut self.hosts {
            if host.shard.poll_timeout().is_some_and(|at| at <= now) {
                host.shard.handle_timeout(now, &mut host.batch);
            }
        }
        for client in &mut self.clients {
            if client.poll_timeout().is_some_and(|at| at <= now) {
                client.handle_timeout(now);
            }
        }
        self.settle(now);
    }

    fn deliver(&mut self, now: Instant, shard: usize, mut delivery: Delivery, count: bool) {
        let path = Path {
            remote: Remote::udp(delivery.from),
            local_ip: Some(delivery.to.ip()),
        };
        let counts = count && is_rtp(&delivery.bytes);
        let bytes = &mut delivery.bytes;
        let (allocated, forwarded) = self.hosts[shard].measure(|shard, batch, link| {
            shard.handle_datagram(now, path, bytes, batch, link);
        });
        if !counts {
            self.count.allocations_elsewhere += allocated.count_total;
            return;
        }
        self.count.packets += 1;
        self.count.add(allocated, forwarded);
    }

    /// Hands over what each of two shards has for the other.
    fn carry_over(&mut self, now: Instant, count: bool) {
        if let [first, second] = &mut self.hosts[..] {
            let counted = &mut self.count;
            carry(now, (ShardId(0), &mut first.link), second, count, counted);
            carry(now, (ShardId(1), &mut second.link), first, count, counted);
        }
    }

    /// Forwards what was delivered within this instant.
    fn fan_out(&mut self, now: Instant, count: bool) {
        for host in &mut self.hosts {
            let (allocated, forwarded) = host.measure(|shard, batch, _| shard.fan_out(now, batch));
            if count {
                self.count.add(allocated, forwarded);
            }
        }
    }

    /// Carries what everybody has to send.
    fn settle(&mut self, now: Instant) {
        for host in &mut self.hosts {
            host.shard.flush(now, &mut host.batch, &mut host.link);
            for (path, range) in &host.batch.datagrams {
                let bytes = host.batch.bytes[range.clone()].to_vec();
                self.network
                    .send(now, host.address, path.remote.address, bytes);
            }
            host.batch.clear();
            while host.shard.poll_event().is_some() {}
        }
        for client in &mut self.clients {
            while let Some((to, bytes)) = client.poll_transmit() {
                self.network.send(now, client.address(), to, bytes);
            }
        }
    }
}

/// Hands a shard what another has for it.
fn carry(
    now: Instant,
    (from, link): (ShardId, &mut Link),
    to: &mut Host,
    count: bool,
    counted: &mut Count,
) {
    while let Some(note) = link.poll_note() {
        let (shard, batch) = (&mut to.shard, &mut to.batch);
        shard.handle_link(now, from, LinkMessage::Note(note), batch);
    }
    while let Some((packet, bytes)) = link.poll_packet() {
        let (allocated, forwarded) = to.measure(|shard, batch, _| {
            shard.handle_link(now, from, LinkMessage::Packet(packet, &bytes), batch);
        });
        link.give_back(bytes);
        if count {
            counted.crossed += 1;
            counted.add(allocated, forwarded);
        }
    }
}

/// What another shard is told of a publication of the first.
fn remote(command: &MediaCommand) -> Option<MediaCommand> {
    let MediaCommand::AddPublication { peer, publication } = command else {
        return None;
    };
    Some(MediaCommand::AddRemotePublication {
        room: ROOM,
        home: ShardId(0),
        publisher: *peer,
        publication: publication.clone(),
    })
}

/// First byte of RTP and RTCP (RFC 7983), and not RTCP.
fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(128..=191)) && !is_rtcp(datagram)
}
