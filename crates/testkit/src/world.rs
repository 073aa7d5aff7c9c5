//! A whole call in virtual time: shards, participants and the network between them on one clock.
//!
//! Order within an instant: commands, datagrams, what other shards have handed over, then shards and
//! clients whose time has come run,
//! each in a fixed order. So a run depends on its seed only.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

#[cfg(debug_assertions)]
use plenum_engine::Fault;
use plenum_engine::{Certificate, Shard, ShardConfig};
use plenum_types::{
    Bitrate, MediaCommand, MediaEvent, Path, PeerId, PublicationId, RoomId, ShardId, ShardStats,
    SlotBinding, SlotId, SlotWish,
};
use rand::RngExt;

use crate::client::{Claim, Client, ClientConfig};
use crate::clock::Clock;
use crate::connections::Connections;
use crate::control::Control;
use crate::error::TestkitError;
use crate::links::ShardLinks;
use crate::network::{Delivery, LinkConfig, Network};
use crate::outbox::Outbox;
use crate::seed::{self, SimRng};
use crate::session::{ServerInfo, Session};

/// Time never moves by less: keeps a participant that asks for the past from stopping the world.
const STEP_MIN: Duration = Duration::from_micros(50);

/// The shard's side of the network: a datacentre, so its own links add nothing.
const SERVER_LINK: LinkConfig = LinkConfig {
    latency: Duration::ZERO,
    jitter: Duration::ZERO,
    loss: 0.0,
    reordering: 0.0,
    duplication: 0.0,
    rate: None,
    queue_bytes: 0,
};

/// A participant of a [`World`], by order of joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub usize);

/// An event and when it happened.
#[derive(Clone, Debug)]
pub struct TimedEvent {
    /// When.
    pub at: Instant,
    /// Of which shard.
    pub shard: ShardId,
    /// What.
    pub event: MediaEvent,
}

struct Participant {
    client: Client,
    session: Session,
    shard: ShardId,
}

/// A shard and where it listens.
struct Host {
    shard: Shard,
    address: SocketAddr,
}

/// A call.
pub struct World {
    clock: Clock,
    /// The network, to be disturbed at will.
    pub network: Network,
    /// The links between shards, to be disturbed at will.
    pub links: ShardLinks,
    shards: Vec<Host>,
    control: Control,
    certificate: Certificate,
    participants: Vec<Participant>,
    events: Vec<TimedEvent>,
    outbox: Outbox,
    connections: Connections,
    next_publication: u64,
    seed: u64,
    rng: SimRng,
}

impl World {
    /// One shard and nobody there.
    ///
    /// # Panics
    ///
    /// If no certificate can be made.
    pub fn new(seed: u64) -> Self {
        let certificate = Certificate::generate().expect("a certificate can be made");
        Self::with_certificate(seed, &certificate)
    }

    /// As [`World::new`], with several shards.
    ///
    /// # Panics
    ///
    /// If no certificate can be made.
    pub fn with_shards(seed: u64, shards: u16) -> Self {
        let certificate = Certificate::generate().expect("a certificate can be made");
        Self::with(seed, shards, &certificate)
    }

    /// As [`World::new`], with a certificate that was made before.
    pub fn with_certificate(seed: u64, certificate: &Certificate) -> Self {
        Self::with(seed, 1, certificate)
    }

    fn with(seed: u64, count: u16, certificate: &Certificate) -> Self {
        let clock = Clock::new();
        let mut network = Network::new(seed);
        let mut rng = seed::stream(seed, 0x3042);
        let mut shards = Vec::new();
        for number in 0..count {
            let address = SocketAddr::from(([10, 255, 0, 1], 7_882 + number));
            network.add_host(address, SERVER_LINK, SERVER_LINK);
            let shard = new_shard(ShardId(number), count, certificate, rng.random(), &clock);
            shards.push(Host { shard, address });
        }
        Self {
            clock,
            network,
            links: ShardLinks::default(),
            shards,
            control: Control::new(count, seed::stream(seed, 0x000c_0117)),
            certificate: certificate.clone(),
            participants: Vec::new(),
            events: Vec::new(),
            outbox: Outbox::default(),
            connections: Connections::default(),
            next_publication: 1,
            seed,
            rng,
        }
    }

    /// The next home address that no participant has.
    pub fn next_address(&self) -> SocketAddr {
        let number = self.participants.len() as u16 + 1;
        let [high, low] = number.to_be_bytes();
        SocketAddr::from(([10, 1, high, low], 5_000))
    }

    /// A participant joins the room of number 1: its offer reaches the shard at once, its answer
    /// likewise. `link` is its access, the same both ways.
    ///
    /// # Panics
    ///
    /// If the client's stack refuses the configuration or the answer.
    pub fn join(&mut self, config: ClientConfig, link: LinkConfig) -> ClientId {
        self.join_room(RoomId(1), config, link)
    }

    /// As [`World::join`], for another room.
    ///
    /// # Panics
    ///
    /// As [`World::join`].
    pub fn join_room(&mut self, room: RoomId, config: ClientConfig, link: LinkConfig) -> ClientId {
        let shard = ShardId((self.participants.len() % self.shards.len()) as u16);
        self.join_shard(shard, room, config, link)
    }

    /// As [`World::join_room`], on a shard of choice instead of the next in turn.
    ///
    /// # Panics
    ///
    /// As [`World::join`].
    pub fn join_shard(
        &mut self,
        shard: ShardId,
        room: RoomId,
        config: ClientConfig,
        link: LinkConfig,
    ) -> ClientId {
        let id = ClientId(self.participants.len());
        self.network.add_host(config.address, link, link);
        let participant = self
            .negotiate(id, shard, room, config)
            .expect("client and shard agree");
        self.participants.push(participant);
        self.settle();
        id
    }

    fn negotiate(
        &mut self,
        id: ClientId,
        shard: ShardId,
        room: RoomId,
        config: ClientConfig,
    ) -> Result<Participant, TestkitError> {
        let now = self.clock.now();
        let peer = PeerId(id.0 as u64 + 1);
        let client_seed = self.rng.random();
        let mut client = Client::new(config, self.clock.origin(), now, client_seed)?;
        let offer = client.offer(now, false)?;
        let (session, negotiated) = Session::open(
            peer,
            room,
            self.next_publication,
            ServerInfo {
                fingerprint: self.certificate.fingerprint(),
                address: self.shards[usize::from(shard.0)].address,
            },
            client.config(),
            &offer,
            seed::stream(self.seed, 0x5e55_0000 + peer.0),
        )?;
        self.next_publication += session.publications.len() as u64;
        self.control
            .join(now, room, shard, peer, negotiated.commands);
        client.accept_answer(now, &negotiated.answer)?;
        Ok(Participant {
            client,
            session,
            shard,
        })
    }

    /// The participant sends a data message to those with these numbers; to all if there are none.
    pub fn send_data(
        &mut self,
        id: ClientId,
        reliable: bool,
        to: &[u64],
        payload: &[u8],
    ) -> Result<(), TestkitError> {
        let now = self.clock.now();
        let client = &mut self.participants[id.0].client;
        client.send_data(now, reliable, to, payload)?;
        self.settle();
        Ok(())
    }

    /// The participant leaves: its client closes, its peer is removed.
    pub fn leave(&mut self, id: ClientId) {
        let now = self.clock.now();
        let participant = &mut self.participants[id.0];
        let peer = participant.session.peer;
        participant.client.close(now);
        self.control.leave(now, peer);
        self.settle();
    }

    /// A shard fails: another takes its place, and whoever was on it has left. What it had been told
    /// and had not carried out is void.
    pub fn begin_anew(&mut self, shard: ShardId) {
        let now = self.clock.now();
        for participant in &mut self.participants {
            if participant.shard == shard {
                participant.client.close(now);
                self.control.leave(now, participant.session.peer);
            }
        }
        self.control.forget_commands(shard);
        let count = self.shards.len() as u16;
        let seed = self.rng.random();
        let mut new = new_shard(shard, count, &self.certificate, seed, &self.clock);
        let host = &mut self.shards[usize::from(shard.0)];
        new.succeed(&host.shard);
        host.shard = new;
        self.settle();
    }

    /// The participant restarts ICE, as browsers do when they notice another network.
    ///
    /// # Panics
    ///
    /// If the client's stack refuses.
    pub fn restart_ice(&mut self, id: ClientId) {
        self.try_restart_ice(id).expect("client and shard agree");
        self.settle();
    }

    fn try_restart_ice(&mut self, id: ClientId) -> Result<(), TestkitError> {
        let now = self.clock.now();
        let participant = &mut self.participants[id.0];
        let offer = participant.client.offer(now, true)?;
        let negotiated = participant.session.restart_ice(&offer)?;
        for command in negotiated.commands {
            self.control.send(now, participant.shard, command);
        }
        participant.client.accept_answer(now, &negotiated.answer)
    }

    /// What the participant sends from now on comes over a new TCP connection, and what goes there
    /// arrives.
    pub fn connect_tcp(&mut self, id: ClientId) {
        let address = self.client(id).address();
        self.connections.open(address);
    }

    /// The participant's TCP connection breaks: nothing passes until it connects again or uses UDP.
    pub fn break_tcp(&mut self, id: ClientId) {
        let now = self.clock.now();
        let participant = &self.participants[id.0];
        let host = &mut self.shards[usize::from(participant.shard.0)];
        if let Some(remote) = self.connections.close(participant.client.address()) {
            host.shard.handle_disconnect(now, remote);
        }
        self.settle();
    }

    /// What the participant sends from now on comes over UDP. Its TCP connection stays open as far
    /// as the shard knows, but nothing passes over it.
    pub fn use_udp(&mut self, id: ClientId) {
        let address = self.client(id).address();
        self.connections.forget(address);
    }

    /// Says what the participant wants of the slot at `index` of its receive-only sections.
    pub fn set_wish(&mut self, id: ClientId, index: usize, wish: SlotWish) {
        let (peer, slot) = self.slot(id, index);
        let shard = self.participants[id.0].shard;
        let command = MediaCommand::SetSlotWish { peer, slot, wish };
        self.control.send(self.clock.now(), shard, command);
        self.settle();
    }

    /// Has handling the participant panic once, somewhere in its shard. Only with debug assertions.
    #[cfg(debug_assertions)]
    pub fn inject_fault(&mut self, id: ClientId, fault: Fault) {
        let participant = &self.participants[id.0];
        let host = &mut self.shards[usize::from(participant.shard.0)];
        host.shard.inject_fault(participant.session.peer, fault);
    }

    /// Mutes or unmutes a publication.
    pub fn mute(&mut self, publication: PublicationId, muted: bool) {
        self.control.mute(self.clock.now(), publication, muted);
        self.settle();
    }

    /// Limits what the participant may publish in all.
    pub fn limit_publishing(&mut self, id: ClientId, max_publish_bitrate: Option<Bitrate>) {
        let shard = self.participants[id.0].shard;
        let command = MediaCommand::LimitPublishing {
            peer: self.peer(id),
            max_publish_bitrate,
        };
        self.control.send(self.clock.now(), shard, command);
        self.settle();
    }

    /// The participant says something by RTCP about its slot at `index`.
    pub fn claim(&mut self, id: ClientId, index: usize, claim: Claim) {
        let now = self.clock.now();
        self.client_mut(id).claim(now, index, claim);
        self.settle();
    }

    /// Ends a publication and begins it again under the same id.
    pub fn republish(&mut self, publication: PublicationId) {
        self.control.republish(self.clock.now(), publication);
        self.settle();
    }

    /// The publication that the participant's track `index` is.
    pub fn publication(&self, id: ClientId, index: usize) -> PublicationId {
        self.participants[id.0].session.publications[index]
    }

    /// All that the participant publishes, in the order of its tracks.
    pub fn publications(&self, id: ClientId) -> &[PublicationId] {
        &self.participants[id.0].session.publications
    }

    /// The participant's peer.
    pub fn peer(&self, id: ClientId) -> PeerId {
        self.participants[id.0].session.peer
    }

    /// Peer and slot of the participant's receive-only section `index`.
    pub fn slot(&self, id: ClientId, index: usize) -> (PeerId, SlotId) {
        let session = &self.participants[id.0].session;
        (session.peer, session.slots[index].slot)
    }

    /// What the slot shows, by the last event that told.
    pub fn binding(&self, id: ClientId, index: usize) -> Option<SlotBinding> {
        let wanted = self.slot(id, index);
        self.events
            .iter()
            .rev()
            .find_map(|event| match event.event {
                MediaEvent::SlotChanged {
                    peer,
                    slot,
                    binding,
                } if (peer, slot) == wanted => Some(binding),
                _ => None,
            })
    }

    /// Where the first shard listens.
    pub fn shard_address(&self) -> SocketAddr {
        self.shards[0].address
    }

    /// The participant's shard.
    pub fn shard_of(&self, id: ClientId) -> ShardId {
        self.participants[id.0].shard
    }

    /// A participant.
    pub fn client(&self, id: ClientId) -> &Client {
        &self.participants[id.0].client
    }

    /// A participant, to be told something.
    pub fn client_mut(&mut self, id: ClientId) -> &mut Client {
        &mut self.participants[id.0].client
    }

    /// All participants.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.participants
            .iter()
            .map(|participant| &participant.client)
    }

    /// Everything that the shard has told so far.
    pub fn events(&self) -> &[TimedEvent] {
        &self.events
    }

    /// The first shard's counters.
    pub fn stats(&mut self) -> ShardStats {
        self.stats_of(ShardId(0))
    }

    /// The counters of a shard.
    pub fn stats_of(&mut self, shard: ShardId) -> ShardStats {
        let now = self.clock.now();
        let host = &mut self.shards[usize::from(shard.0)];
        host.shard.handle_command(now, MediaCommand::ReportStats);
        self.settle();
        let mut events = self.events.iter().rev();
        let stats = events.find_map(|event| match &event.event {
            MediaEvent::Stats(stats) if event.shard == shard => Some(ShardStats::clone(stats)),
            _ => None,
        });
        stats.unwrap_or_default()
    }

    /// The counters of all shards.
    pub fn all_stats(&mut self) -> Vec<ShardStats> {
        let shards = 0..self.shards.len() as u16;
        shards.map(|shard| self.stats_of(ShardId(shard))).collect()
    }

    /// The virtual time now.
    pub const fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Virtual time since the start.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Lets `duration` pass.
    pub fn run_for(&mut self, duration: Duration) {
        self.run_until(duration, |_| false);
    }

    /// Lets time pass until `condition` holds, at most `limit`. Returns whether it holds.
    pub fn run_until(&mut self, limit: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let end = self.clock.now() + limit;
        while !condition(self) {
            let soonest = self.clock.now() + STEP_MIN;
            let next = self.poll_timeout().map(|next| next.max(soonest));
            let Some(next) = next.filter(|next| *next <= end) else {
                self.clock.advance_to(end);
                return condition(self);
            };
            self.clock.advance_to(next);
            self.step();
        }
        true
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let clients = self
            .participants
            .iter_mut()
            .filter_map(|participant| participant.client.poll_timeout());
        let shards = self.shards.iter().map(|host| host.shard.poll_timeout());
        clients
            .chain(self.network.poll_timeout())
            .chain(self.links.poll_timeout())
            .chain(self.control.poll_timeout())
            .chain(shards.flatten())
            .min()
    }

    fn step(&mut self) {
        let now = self.clock.now();
        self.carry_out(now);
        while let Some(delivery) = self.network.poll_delivery(now) {
            self.deliver(now, delivery);
        }
        self.deliver_links(now);
        for host in &mut self.shards {
            if host.shard.poll_timeout().is_some_and(|at| at <= now) {
                host.shard.handle_timeout(now, &mut self.outbox);
                host.send_all(now, &mut self.outbox, &self.connections, &mut self.network);
            }
        }
        for participant in &mut self.participants {
            let client = &mut participant.client;
            if client.poll_timeout().is_some_and(|at| at <= now) {
                client.handle_timeout(now);
            }
        }
        self.settle();
    }

    fn deliver(&mut self, now: Instant, mut delivery: Delivery) {
        let mut hosts = self.shards.iter_mut().zip(0..);
        if let Some((host, number)) = hosts.find(|(host, _)| host.address == delivery.to) {
            let Some(remote) = self.connections.remote(delivery.from) else {
                return;
            };
            let path = Path {
                remote,
                local_ip: Some(host.address.ip()),
            };
            let mut links = self.links.ends(ShardId(number), now);
            let bytes = &mut delivery.bytes;
            host.shard
                .handle_datagram(now, path, bytes, &mut self.outbox, &mut links);
            host.send_all(now, &mut self.outbox, &self.connections, &mut self.network);
            return;
        }
        let receiver = self
            .participants
            .iter_mut()
            .find(|participant| participant.client.address() == delivery.to);
        if let Some(participant) = receiver {
            participant
                .client
                .handle_datagram(now, delivery.from, &delivery.bytes);
        }
    }

    /// Commands come first in an instant: packets must not wait while they change things.
    fn carry_out(&mut self, now: Instant) {
        while let Some((shard, command)) = self.control.poll_command(now) {
            let host = &mut self.shards[usize::from(shard.0)];
            host.shard.handle_command(now, command);
        }
    }

    fn deliver_links(&mut self, now: Instant) {
        while let Some((from, to, handed)) = self.links.poll_handed(now) {
            let host = &mut self.shards[usize::from(to.0)];
            let message = handed.message();
            host.shard.handle_link(now, from, message, &mut self.outbox);
            host.send_all(now, &mut self.outbox, &self.connections, &mut self.network);
        }
    }

    /// Carries what everybody has to send and to tell.
    fn settle(&mut self) {
        let now = self.clock.now();
        self.carry_out(now);
        for (host, number) in self.shards.iter_mut().zip(0..) {
            let shard = ShardId(number);
            let mut links = self.links.ends(shard, now);
            host.shard.flush(now, &mut self.outbox, &mut links);
            host.send_all(now, &mut self.outbox, &self.connections, &mut self.network);
            while let Some(event) = host.shard.poll_event() {
                let at = now;
                if let MediaEvent::DataSent(message) = &event {
                    self.control.relay(now, shard, message);
                }
                self.events.push(TimedEvent { at, shard, event });
            }
        }
        for participant in &mut self.participants {
            let client = &mut participant.client;
            while let Some((to, bytes)) = client.poll_transmit() {
                self.network.send(now, client.address(), to, bytes);
            }
        }
    }
}

impl Host {
    fn send_all(
        &self,
        now: Instant,
        outbox: &mut Outbox,
        connections: &Connections,
        network: &mut Network,
    ) {
        for (path, bytes) in outbox.take() {
            if connections.carries(&path) {
                network.send(now, self.address, path.remote.address, bytes);
            }
        }
    }
}

fn new_shard(
    shard: ShardId,
    shards: u16,
    certificate: &Certificate,
    seed: u64,
    clock: &Clock,
) -> Shard {
    let config = ShardConfig {
        shard,
        shards,
        ..ShardConfig::default()
    };
    let ntp_now = Clock::ntp_origin().plus(clock.elapsed());
    Shard::new(config, certificate.clone(), seed, clock.now(), ntp_now)
}
