//! What the control plane asks of the shard. A command for something that is gone is ignored:
//! the two planes may cross.

use crate::fault::Fault;
use crate::peers::PeerEntry;
use crate::shard::Shard;
use plenum_media::{Peer, Receiver};
use plenum_types::{
    Bitrate, CloseReason, MediaCommand, MediaEvent, PeerConfig, PeerId, PeerIndex,
    PublicationConfig, PublicationId, ShardStats, SlotConfig, SlotId, SlotWish, Ssrc,
};
use rand::RngExt;
use std::time::Instant;

impl Shard {
    /// Carries out one command.
    pub fn handle_command(&mut self, now: Instant, command: MediaCommand) {
        let peer = command.peer().and_then(|peer| self.peers.index_of(peer));
        if !peer.is_some_and(|peer| self.isolation.is_broken(peer)) {
            self.in_turn(peer, |shard| shard.carry_out(now, peer, command));
        }
    }

    fn carry_out(&mut self, now: Instant, peer: Option<PeerIndex>, command: MediaCommand) {
        if let Some(entry) = peer.and_then(|peer| self.peers.at_mut(peer)) {
            entry.may_fault(Fault::Command);
        }
        match command {
            MediaCommand::AddPeer(config) => self.add_peer(now, *config),
            MediaCommand::RestartIce {
                peer,
                local,
                remote,
            } => {
                let Some(index) = self.peers.index_of(peer) else {
                    return;
                };
                self.peers.add_ufrag(index, &local.ufrag);
                if let Some(entry) = self.peers.at_mut(index) {
                    entry.transport.restart_ice(now, &local, &remote);
                }
                self.peers.touch(index);
            }
            MediaCommand::RemovePeer { peer } => self.begin_removal(now, peer),
            MediaCommand::AddPublication { peer, publication } => {
                self.add_publication(now, peer, &publication);
            }
            MediaCommand::AddRemotePublication {
                room,
                home,
                publisher,
                publication,
            } => {
                self.router
                    .add_replica(now, room, home, publisher, &publication);
            }
            MediaCommand::ForgetRoom { room } => self.router.forget_room(now, room),
            MediaCommand::RemovePublication { publication } => {
                self.remove_publication(now, publication);
            }
            MediaCommand::MutePublication { publication, muted } => {
                self.router.set_muted(now, publication, muted);
            }
            MediaCommand::AddSlot { peer, slot } => self.add_slot(now, peer, &slot),
            MediaCommand::RemoveSlot { peer, slot } => self.remove_slot(now, peer, slot),
            MediaCommand::SetSlotWish { peer, slot, wish } => {
                self.set_slot_wish(now, peer, slot, wish);
            }
            MediaCommand::LimitPublishing {
                peer,
                max_publish_bitrate,
            } => self.limit_publishing(now, peer, max_publish_bitrate),
            MediaCommand::SetDataAccess { peer, access } => self.set_data_access(now, peer, access),
            MediaCommand::DeliverData(message) => self.deliver_data(now, &message),
            MediaCommand::ExplainPeer { peer, request } => self.explain_peer(now, peer, request),
            // For whoever drives the shard.
            MediaCommand::StartAnew => {}
            MediaCommand::ReportStats => {
                let stats = Box::new(self.stats_now(now));
                self.events.push_back(MediaEvent::Stats(stats));
            }
        }
    }

    fn add_peer(&mut self, now: Instant, config: PeerConfig) {
        let id = config.peer;
        if self.peers.len() >= self.config.peers_max {
            tracing::debug!(peer = %id, limit = self.config.peers_max, "shard is full");
            self.refuse_peer(id);
            return;
        }
        let transport = match Peer::new(&config, &self.certificate, now, &mut self.rng) {
            Ok(transport) => transport,
            Err(error) => {
                tracing::debug!(peer = %id, %error, "peer refused");
                self.refuse_peer(id);
                return;
            }
        };
        let mut receiver = Receiver::new(Ssrc(self.rng.random()));
        receiver.set_cname(&config.cname);
        #[cfg_attr(
            not(debug_assertions),
            expect(unused_mut, reason = "only tests change it")
        )]
        let mut entry = PeerEntry::new(id, config.room, config.cname, transport, receiver, now);
        #[cfg(debug_assertions)]
        {
            entry.fault = Fault::asked_by(&config.remote.ufrag);
        }
        let index = self.peers.insert(entry);
        self.peers.add_ufrag(index, &config.local.ufrag);
        self.peers.touch(index);
        self.router.add_peer(config.room, index);
    }

    fn refuse_peer(&mut self, peer: PeerId) {
        let reason = CloseReason::InternalError;
        self.stats.closed[reason as usize] += 1;
        self.events
            .push_back(MediaEvent::PeerClosed { peer, reason });
    }

    /// The client is told at the next flush, then the peer goes; routing ends at once.
    fn begin_removal(&mut self, now: Instant, peer: PeerId) {
        let Some(index) = self.peers.index_of(peer) else {
            return;
        };
        self.router.remove_peer(now, index);
        if let Some(entry) = self.peers.at_mut(index) {
            for publication in std::mem::take(&mut entry.publications) {
                self.publications.remove(&publication);
            }
            entry.ending = Some(CloseReason::Removed);
            entry.transport.close(now);
        }
        self.peers.touch(index);
    }

    fn add_publication(&mut self, now: Instant, peer: PeerId, config: &PublicationConfig) {
        let Some(index) = self.live_index(peer) else {
            return;
        };
        if let Some(entry) = self.peers.at_mut(index) {
            entry.receiver.add_publication(config);
            entry.publications.push(config.publication);
        }
        self.publications.insert(config.publication, index);
        self.router.add_publication(now, index, config);
    }

    fn remove_publication(&mut self, now: Instant, publication: PublicationId) {
        if let Some(owner) = self.publications.remove(&publication)
            && let Some(entry) = self.peers.at_mut(owner)
        {
            entry.receiver.remove_publication(publication);
            entry.publications.retain(|known| *known != publication);
        }
        self.router.remove_publication(now, publication);
    }

    /// Until the subscriber can decrypt its slots sleep: a keyframe sent to it would be lost on it.
    /// But it is asked for already.
    fn add_slot(&mut self, now: Instant, peer: PeerId, config: &SlotConfig) {
        let Some(index) = self.live_index(peer) else {
            return;
        };
        self.assume_bandwidth(now, index, config);
        let connected = self.peers.at(index).is_some_and(|entry| entry.connected);
        if connected {
            self.router.add_slot(now, index, config, &mut self.rng);
        } else {
            self.router
                .add_sleeping_slot(now, index, config, &mut self.rng);
        }
    }

    fn remove_slot(&mut self, now: Instant, peer: PeerId, slot: SlotId) {
        let Some(index) = self.live_index(peer) else {
            return;
        };
        if let Some(entry) = self.peers.at_mut(index) {
            entry.slot_bindings.retain(|(known, _)| *known != slot);
        }
        self.router.remove_slot(now, index, slot);
    }

    fn set_slot_wish(&mut self, now: Instant, peer: PeerId, slot: SlotId, wish: SlotWish) {
        let Some(index) = self.live_index(peer) else {
            return;
        };
        self.router.set_slot_wish(now, index, slot, wish);
    }

    fn limit_publishing(&mut self, now: Instant, peer: PeerId, limit: Option<Bitrate>) {
        if let Some(index) = self.live_index(peer)
            && let Some(entry) = self.peers.at_mut(index)
        {
            entry.receiver.set_publish_limit(now, limit);
            self.peers.touch(index);
        }
    }

    /// The peer, unless it is on its way out.
    fn live_index(&self, peer: PeerId) -> Option<PeerIndex> {
        let index = self.peers.index_of(peer)?;
        self.peers
            .at(index)
            .filter(|entry| entry.ending.is_none())
            .map(|_| index)
    }

    fn explain_peer(&mut self, now: Instant, peer: PeerId, request: u64) {
        let Some(index) = self.live_index(peer) else {
            return;
        };
        let mut quality = Box::new(self.router.explain(now, index));
        if let Some(entry) = self.peers.at(index) {
            quality.rtt = entry.sender.rtt();
            quality.loss = entry.sender.loss();
        }
        self.events.push_back(MediaEvent::PeerExplained {
            peer,
            request,
            quality,
        });
    }

    /// Counters as they are, gauges taken now.
    fn stats_now(&self, now: Instant) -> ShardStats {
        let mut stats = self.stats.clone();
        stats.peers = self.peers.len() as u64;
        stats.publications = self.publications.len() as u64;
        stats.replicas = self.router.replicas() as u64;
        stats.feeds = self.router.feeds() as u64;
        for entry in self.peers.iter() {
            stats.peers_connected += u64::from(entry.connected);
            stats.nacks_out += entry.receiver.stats().nacks_out;
            stats.estimated_bitrate += entry
                .sender
                .estimate(now)
                .map_or(0, |estimate| estimate.bitrate.0);
            stats.allocated_bitrate += entry.sender.allocated().0;
            for (_, binding) in &entry.slot_bindings {
                stats.slots[binding.reason as usize][binding.state() as usize] += 1;
            }
        }
        stats
    }
}
