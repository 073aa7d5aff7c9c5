//! The shard: its state, its inputs and its outputs.

use crate::burst::Burst;
use crate::burst::deal::Deal;
use crate::burst::waiting::Waiting;
use crate::clock::ShardClock;
use crate::fault::Fault;
use crate::isolation::Isolation;
use crate::link::Links;
use crate::peers::PeerTable;
use crate::timers::TimerQueue;
use plenum_media::Certificate;
use plenum_routing::Router;
use plenum_types::{
    CloseReason, ConnectPhase, DropReason, MediaEvent, NtpTime, PeerIndex, PublicationId, RoomId,
    SendBatch, ShardId, ShardStats,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Most bytes of an RTCP datagram before encryption: fits an IPv6 path of 1,280 bytes.
const RTCP_BYTES_MAX: usize = 1_200;

/// How long sound waits for company by default: a tenth of what one packet of it lasts.
const SOUND_HOLD: Duration = Duration::from_millis(2);

/// What a shard needs to know before it starts.
#[derive(Clone, Debug)]
pub struct ShardConfig {
    /// Which one it is.
    pub shard: ShardId,
    /// How many there are, numbered from 0.
    pub shards: u16,
    /// Peers that it takes; further `AddPeer` commands are answered with `PeerClosed`.
    pub peers_max: usize,
    /// How long a packet of sound may wait for others, so that they leave in one message. Longer
    /// costs less CPU and delays sound by up to as much; zero sends at once.
    pub sound_hold: Duration,
}

impl Default for ShardConfig {
    fn default() -> Self {
        Self {
            shard: ShardId(0),
            shards: 1,
            peers_max: 10_000,
            sound_hold: SOUND_HOLD,
        }
    }
}

/// One thread's share of the media plane, as a state machine.
///
/// Calling order for each wake-up, all with the same `now`:
///
/// 1. [`handle_command`](Self::handle_command) for each queued command,
/// 2. [`handle_link`](Self::handle_link) for what other shards have handed over,
/// 3. [`handle_datagram`](Self::handle_datagram) for each received datagram,
/// 4. [`handle_timeout`](Self::handle_timeout) if [`poll_timeout`](Self::poll_timeout) is due,
/// 5. [`flush`](Self::flush), then hand the batch to the socket,
/// 6. [`on_sent`](Self::on_sent),
/// 7. [`poll_event`](Self::poll_event) until it is empty.
///
/// Nothing here fails towards the caller: what a client sends wrong is dropped with a
/// [`DropReason`] and counted.
pub struct Shard {
    pub(crate) config: ShardConfig,
    pub(crate) certificate: Certificate,
    pub(crate) rng: StdRng,
    pub(crate) clock: ShardClock,
    pub(crate) peers: PeerTable,
    pub(crate) publications: HashMap<PublicationId, PeerIndex>,
    /// Who may take data messages, by room.
    pub(crate) data_rooms: HashMap<RoomId, Vec<PeerIndex>>,
    pub(crate) router: Router,
    /// Packets taken and not forwarded yet.
    pub(crate) waiting: Waiting,
    /// The burst that is being forwarded.
    pub(crate) at_hand: Option<Burst>,
    /// To whom it goes; reused.
    pub(crate) deal: Deal,
    pub(crate) timers: TimerQueue,
    pub(crate) events: VecDeque<MediaEvent>,
    pub(crate) stats: ShardStats,
    pub(crate) isolation: Isolation,
    /// When the oldest packet came that was forwarded since the last [`on_sent`](Self::on_sent).
    pub(crate) forwarded_since: Option<Instant>,
    /// When to offer notes again for which a link had no room.
    pub(crate) notes_retry: Option<Instant>,
    /// Where RTCP is composed; reused.
    pub(crate) scratch: Vec<u8>,
}

impl Shard {
    /// A shard without peers. `seed` feeds its only source of randomness; `start` and
    /// `ntp_start` are the same moment on two clocks.
    pub fn new(
        config: ShardConfig,
        certificate: Certificate,
        seed: u64,
        start: Instant,
        ntp_start: NtpTime,
    ) -> Self {
        let mut router = Router::new();
        let others = (0..config.shards).map(ShardId);
        let neighbours = others.filter(|shard| *shard != config.shard).collect();
        router.set_neighbours(neighbours, start, ntp_start);
        Self {
            certificate,
            rng: StdRng::seed_from_u64(seed),
            clock: ShardClock::new(start, ntp_start),
            peers: PeerTable::default(),
            publications: HashMap::new(),
            data_rooms: HashMap::new(),
            router,
            waiting: Waiting::new(config.sound_hold),
            at_hand: None,
            deal: Deal::default(),
            timers: TimerQueue::default(),
            events: VecDeque::new(),
            stats: ShardStats::default(),
            isolation: Isolation::default(),
            forwarded_since: None,
            notes_retry: None,
            scratch: Vec::with_capacity(RTCP_BYTES_MAX),
            config,
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = [
            self.timers.next(),
            self.router.poll_timeout(),
            self.waiting.next_due(),
            self.notes_retry,
        ];
        timers.into_iter().flatten().min()
    }

    /// Looks at every peer whose time has come.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut impl SendBatch) {
        self.until_done(|shard| {
            shard.fan_out_ready(now, out);
            shard.run_timers(now, out);
        });
        if self
            .router
            .poll_timeout()
            .is_some_and(|deadline| deadline <= now)
        {
            self.router.handle_timeout(now);
        }
    }

    fn run_timers(&mut self, now: Instant, out: &mut impl SendBatch) {
        while let Some((deadline, index)) = self.timers.pop_due(now) {
            let Some(entry) = self.peers.at_mut(index) else {
                continue;
            };
            if entry.armed != Some(deadline) {
                continue;
            }
            entry.armed = None;
            self.peers.touch(index);
            if !self.isolation.is_broken(index) {
                self.isolation.turn = Some(index);
                self.handle_timer(now, index, out);
                self.isolation.turn = None;
            }
        }
    }

    fn handle_timer(&mut self, now: Instant, index: PeerIndex, out: &mut impl SendBatch) {
        let Some(entry) = self.peers.at_mut(index) else {
            return;
        };
        entry.may_fault(Fault::Timer);
        entry.transport.handle_timeout(now);
        self.send_reports(now, index, out);
        self.send_probes(now, index, out);
    }

    /// Ends a wake-up: forwards the packets that need not wait, carries out what the router decided,
    /// writes what peers want to send, re-arms their timers, and tells other shards what is new.
    pub fn flush(&mut self, now: Instant, out: &mut impl SendBatch, links: &mut impl Links) {
        loop {
            self.until_done(|shard| {
                shard.fan_out_ready(now, out);
                shard.flush_peers(now, out);
                shard.send_late(now, out);
            });
            if !self.isolation.is_any_broken() {
                break;
            }
            // What others see has changed: once more.
            self.end_broken(now);
        }
        self.send_backfills(now, links);
        self.send_notes(now, links);
    }

    fn flush_peers(&mut self, now: Instant, out: &mut impl SendBatch) {
        loop {
            // A peer that came or went below may have changed what others see, and whose
            // publishers are to be asked for a keyframe.
            self.drain_router(now);
            let Some(index) = self.peers.pop_touched() else {
                return;
            };
            if !self.isolation.is_broken(index) {
                self.isolation.turn = Some(index);
                self.flush_peer(now, index, out);
                self.isolation.turn = None;
            }
        }
    }

    fn flush_peer(&mut self, now: Instant, index: PeerIndex, out: &mut impl SendBatch) {
        if let Some(entry) = self.peers.at_mut(index) {
            entry.may_fault(Fault::Flush);
            self.may_fault_itself(index);
        }
        self.drain_transport(now, index, out);
        self.send_feedback(now, index, out);
        self.look_for_first_packet(now, index);
        self.arm(index);
    }

    /// In debug builds panics in nobody's turn if a test asked for it.
    fn may_fault_itself(&mut self, index: PeerIndex) {
        let turn = self.isolation.turn.take();
        if let Some(entry) = self.peers.at_mut(index) {
            entry.may_fault(Fault::Shard);
        }
        self.isolation.turn = turn;
    }

    /// Takes over the counters of the shard in whose place this one is. Its peers are gone.
    pub fn succeed(&mut self, before: &Self) {
        self.stats = before.stats.clone();
        for entry in before.peers.iter() {
            let reason = CloseReason::InternalError;
            self.stats.closed[reason as usize] += 1;
            self.stats.nacks_out += entry.receiver.stats().nacks_out;
            entry.progress.end(reason, &mut self.stats);
        }
    }

    /// Takes the next event for the control plane.
    pub fn poll_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    /// Counts discards that the shell made on the shard's behalf.
    pub fn count_drop(&mut self, reason: DropReason, number: u64) {
        self.stats.drops.add(reason, number);
    }

    fn look_for_first_packet(&mut self, now: Instant, index: PeerIndex) {
        if let Some(entry) = self.peers.at_mut(index)
            && entry.progress.awaits_packet()
            && entry.receiver.has_media()
        {
            let phase = ConnectPhase::FirstPacket;
            entry.progress.finish(now, phase, &mut self.stats);
        }
    }

    fn arm(&mut self, index: PeerIndex) {
        let Some(entry) = self.peers.at_mut(index) else {
            return;
        };
        let transport = entry.transport.poll_timeout().map(|(deadline, _)| deadline);
        // Without keys its feedback cannot leave: waking for it would be waking in vain.
        let feedback = entry.receiver.poll_timeout().filter(|_| entry.connected);
        let probe = entry.sender.poll_timeout().filter(|_| entry.connected);
        let deadline = [transport, feedback, entry.next_sender_report, probe]
            .into_iter()
            .flatten()
            .min();
        let Some(deadline) = deadline else { return };
        if entry.armed.is_none_or(|armed| deadline < armed) {
            entry.armed = Some(deadline);
            self.timers.arm(deadline, index);
        }
    }
}
