//! A whole call in virtual time: shards, participants and the network between them on one clock.
//!
//! Order within an instant: datagrams arrive, then shards and clients whose time has come run,
//! each in a fixed order. So a run depends on its seed only.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use plenum_engine::{Certificate, Shard, ShardConfig};
use plenum_types::{
    MediaCommand, MediaEvent, Path, PeerId, PublicationId, RoomId, ShardStats, SlotBinding, SlotId,
    SlotWish,
};
use rand::RngExt;

use crate::client::{Client, ClientConfig};
use crate::clock::Clock;
use crate::error::TestkitError;
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
    /// What.
    pub event: MediaEvent,
}

struct Participant {
    client: Client,
    session: Session,
}

/// A call.
pub struct World {
    clock: Clock,
    /// The network, to be disturbed at will.
    pub network: Network,
    shard: Shard,
    shard_address: SocketAddr,
    server: ServerInfo,
    participants: Vec<Participant>,
    events: Vec<TimedEvent>,
    outbox: Outbox,
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

    /// As [`World::new`], with a certificate that was made before.
    pub fn with_certificate(seed: u64, certificate: &Certificate) -> Self {
        let clock = Clock::new();
        let mut network = Network::new(seed);
        let shard_address = SocketAddr::from(([10, 255, 0, 1], 7_882));
        network.add_host(shard_address, SERVER_LINK, SERVER_LINK);
        let mut rng = seed::stream(seed, 0x3042);
        let shard = Shard::new(
            ShardConfig::default(),
            certificate.clone(),
            rng.random(),
            clock.now(),
            Clock::ntp_origin(),
        );
        Self {
            clock,
            network,
            shard,
            shard_address,
            server: ServerInfo {
                fingerprint: certificate.fingerprint(),
                address: shard_address,
            },
            participants: Vec::new(),
            events: Vec::new(),
            outbox: Outbox::default(),
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
        let id = ClientId(self.participants.len());
        self.network.add_host(config.address, link, link);
        let participant = self
            .negotiate(id, room, config)
            .expect("client and shard agree");
        self.participants.push(participant);
        self.settle();
        id
    }

    fn negotiate(
        &mut self,
        id: ClientId,
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
            self.server.clone(),
            client.config(),
            &offer,
            seed::stream(self.seed, 0x5e55_0000 + peer.0),
        )?;
        self.next_publication += session.publications.len() as u64;
        for command in negotiated.commands {
            self.shard.handle_command(now, command);
        }
        client.accept_answer(now, &negotiated.answer)?;
        Ok(Participant { client, session })
    }

    /// The participant leaves: its client closes, its peer is removed.
    pub fn leave(&mut self, id: ClientId) {
        let now = self.clock.now();
        let participant = &mut self.participants[id.0];
        let peer = participant.session.peer;
        participant.client.close(now);
        self.command(MediaCommand::RemovePeer { peer });
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
            self.shard.handle_command(now, command);
        }
        participant.client.accept_answer(now, &negotiated.answer)
    }

    /// Says what the participant wants of the slot at `index` of its receive-only sections.
    pub fn set_wish(&mut self, id: ClientId, index: usize, wish: SlotWish) {
        let (peer, slot) = self.slot(id, index);
        self.command(MediaCommand::SetSlotWish { peer, slot, wish });
    }

    /// Mutes or unmutes a publication.
    pub fn mute(&mut self, publication: PublicationId, muted: bool) {
        self.command(MediaCommand::MutePublication { publication, muted });
    }

    /// Gives the shard a command.
    pub fn command(&mut self, command: MediaCommand) {
        self.shard.handle_command(self.clock.now(), command);
        self.settle();
    }

    /// The publication that the participant's track `index` is.
    pub fn publication(&self, id: ClientId, index: usize) -> PublicationId {
        self.participants[id.0].session.publications[index]
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

    /// Where the shard listens.
    pub const fn shard_address(&self) -> SocketAddr {
        self.shard_address
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

    /// The shard's counters.
    pub fn stats(&mut self) -> ShardStats {
        self.command(MediaCommand::ReportStats);
        let stats = self
            .events
            .iter()
            .rev()
            .find_map(|event| match &event.event {
                MediaEvent::Stats(stats) => Some(ShardStats::clone(stats)),
                _ => None,
            });
        stats.unwrap_or_default()
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
        clients
            .chain(self.network.poll_timeout())
            .chain(self.shard.poll_timeout())
            .min()
    }

    fn step(&mut self) {
        let now = self.clock.now();
        while let Some(delivery) = self.network.poll_delivery(now) {
            self.deliver(now, delivery);
        }
        if self.shard.poll_timeout().is_some_and(|at| at <= now) {
            self.shard.handle_timeout(now, &mut self.outbox);
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
        if delivery.to == self.shard_address {
            let path = Path {
                remote: delivery.from,
                local_ip: Some(self.shard_address.ip()),
            };
            self.shard
                .handle_datagram(now, path, &mut delivery.bytes, &mut self.outbox);
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

    /// Carries what everybody has to send and to tell.
    fn settle(&mut self) {
        let now = self.clock.now();
        self.shard.flush(now, &mut self.outbox);
        for (path, bytes) in self.outbox.take() {
            self.network
                .send(now, self.shard_address, path.remote, bytes);
        }
        while let Some(event) = self.shard.poll_event() {
            self.events.push(TimedEvent { at: now, event });
        }
        for participant in &mut self.participants {
            let client = &mut participant.client;
            while let Some((to, bytes)) = client.poll_transmit() {
                self.network.send(now, client.address(), to, bytes);
            }
        }
    }
}
