//! ICE and DTLS of the peers: their datagrams in both directions, and what they report. Router
//! decisions that reach a peer's receiver or the control plane pass through here too.

use crate::shard::Shard;
use plenum_media::PeerEvent;
use plenum_routing::RouterEvent;
use plenum_types::{
    CloseReason, ConnectPhase, DropReason, ExtensionKind, MediaEvent, MediaKind, Path, PeerIndex,
    Remote, SendBatch, SlotBinding, SlotConfig, SlotId, SrtpProfile,
};
use std::time::Instant;

impl Shard {
    pub(crate) fn handle_stun(
        &mut self,
        now: Instant,
        path: Path,
        peer: PeerIndex,
        datagram: &[u8],
    ) -> Result<(), DropReason> {
        self.stats.stun_in += 1;
        let entry = self.peers.at_mut(peer).ok_or(DropReason::UnknownUfrag)?;
        let handled = entry.transport.handle_stun(now, path, datagram);
        self.drain_peer_events(now, peer);
        if handled.is_ok() {
            self.peers.confirm_address(peer, path.remote);
        }
        handled
    }

    /// The TCP connection that `remote` names is closed. A client whose media went over it comes
    /// back by a check on a new one; nothing is sent to it meanwhile.
    pub fn handle_disconnect(&mut self, now: Instant, remote: Remote) {
        let owner = self.peers.index_at_address(remote);
        if let Some(peer) = owner.filter(|peer| !self.isolation.is_broken(*peer)) {
            self.in_turn(Some(peer), |shard| shard.disconnect(now, peer, remote));
        }
    }

    fn disconnect(&mut self, now: Instant, peer: PeerIndex, remote: Remote) {
        if let Some(entry) = self.peers.at_mut(peer) {
            entry.transport.handle_disconnect(remote);
            self.drain_peer_events(now, peer);
            self.peers.touch(peer);
        }
    }

    /// Whether a peer has proved, by an authenticated check, that `remote` is its own.
    pub fn is_proven(&self, remote: Remote) -> bool {
        self.peers.index_at_address(remote).is_some()
    }

    pub(crate) fn handle_dtls(
        &mut self,
        now: Instant,
        path: Path,
        peer: PeerIndex,
        datagram: &[u8],
    ) -> Result<(), DropReason> {
        self.stats.dtls_in += 1;
        let entry = self.peers.at_mut(peer).ok_or(DropReason::UnknownAddress)?;
        let handled = entry.transport.handle_dtls(now, path, datagram);
        self.drain_peer_events(now, peer);
        handled
    }

    /// Writes the peer's own datagrams, acts on what it reports, and ends it if asked to.
    pub(crate) fn drain_transport(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        out: &mut impl SendBatch,
    ) {
        while let Some(entry) = self.peers.at_mut(peer) {
            let Some(transmit) = entry.transport.poll_transmit() else {
                break;
            };
            match out.reserve(transmit.path, transmit.bytes.len()) {
                Some(buffer) => {
                    buffer[..transmit.bytes.len()].copy_from_slice(&transmit.bytes);
                    out.commit(transmit.bytes.len());
                }
                None => self.stats.drops.count(DropReason::SendBatchFull),
            }
        }
        self.drain_peer_events(now, peer);
        if let Some(reason) = self.peers.at(peer).and_then(|entry| entry.ending) {
            self.remove_peer(now, peer, reason);
        }
    }

    fn drain_peer_events(&mut self, now: Instant, peer: PeerIndex) {
        while let Some(entry) = self.peers.at_mut(peer) {
            let Some(event) = entry.transport.poll_event() else {
                return;
            };
            let id = entry.id;
            match event {
                PeerEvent::Connected { profile } => self.on_connected(now, peer, profile),
                PeerEvent::PathAdded(address) => {
                    let stats = &mut self.stats;
                    entry.progress.finish(now, ConnectPhase::Ice, stats);
                    self.peers.add_address(peer, address);
                }
                PeerEvent::PathRemoved(address) => self.peers.remove_address(peer, address),
                PeerEvent::SelectedPathChanged(path) => {
                    tracing::debug!(peer = %id, remote = %path.remote, "path selected");
                }
                PeerEvent::Interrupted => {
                    self.events
                        .push_back(MediaEvent::PeerInterrupted { peer: id });
                }
                PeerEvent::Resumed => self.events.push_back(MediaEvent::PeerResumed { peer: id }),
                // It goes at the next flush, when its goodbye has been written.
                PeerEvent::Closed(reason) => {
                    entry.ending.get_or_insert(reason);
                }
                PeerEvent::DataChannelOpened { label, id: channel } => {
                    tracing::debug!(peer = %id, label, "data channel open");
                    entry.data.open(&label, channel);
                }
                PeerEvent::DataReceived {
                    id: channel, bytes, ..
                } => self.on_data(now, peer, channel, &bytes),
            }
        }
    }

    fn on_connected(&mut self, now: Instant, peer: PeerIndex, profile: SrtpProfile) {
        let Some(entry) = self.peers.at_mut(peer) else {
            return;
        };
        entry.connected = true;
        let stats = &mut self.stats;
        entry.progress.finish(now, ConnectPhase::Dtls, stats);
        entry.next_sender_report = Some(now);
        self.events.push_back(MediaEvent::PeerConnected {
            peer: entry.id,
            profile,
        });
        self.router.wake_peer(now, peer);
    }

    /// Before there is feedback, a subscriber that will send it gets a cautious start.
    pub(crate) fn assume_bandwidth(&mut self, now: Instant, peer: PeerIndex, slot: &SlotConfig) {
        let tells = slot
            .extensions
            .id(ExtensionKind::TransportSequence)
            .is_some()
            && slot.kind == MediaKind::Video;
        let Some(entry) = self.peers.at_mut(peer).filter(|_| tells) else {
            return;
        };
        let estimate = entry.sender.estimate(now);
        let estimate = estimate.unwrap_or_else(|| entry.sender.first_estimate());
        self.router.set_estimate(now, peer, estimate);
    }

    pub(crate) fn remove_peer(&mut self, now: Instant, peer: PeerIndex, reason: CloseReason) {
        self.router.remove_peer(now, peer);
        let Some(entry) = self.peers.remove(peer) else {
            return;
        };
        self.forget_data(peer, entry.room);
        for publication in &entry.publications {
            self.publications.remove(publication);
        }
        self.stats.closed[reason as usize] += 1;
        entry.progress.end(reason, &mut self.stats);
        self.stats.nacks_out += entry.receiver.stats().nacks_out;
        tracing::debug!(peer = %entry.id, room = %entry.room, reason = reason.as_str(), "peer closed");
        self.events.push_back(MediaEvent::PeerClosed {
            peer: entry.id,
            reason,
        });
    }

    /// Carries out what the router decided.
    pub(crate) fn drain_router(&mut self, now: Instant) {
        while let Some(event) = self.router.poll_event() {
            match event {
                RouterEvent::RequestKeyframe {
                    id,
                    peer,
                    encoding,
                    cause,
                    ..
                } => {
                    self.stats.keyframe_requests[cause as usize] += 1;
                    if let Some(entry) = self.peers.at_mut(peer) {
                        entry.receiver.request_keyframe(now, id, encoding);
                        self.peers.touch(peer);
                    }
                }
                RouterEvent::SlotChanged {
                    peer,
                    slot,
                    binding,
                } => {
                    self.on_slot_changed(peer, slot, binding);
                }
                RouterEvent::LayersWanted {
                    publication,
                    encodings,
                } => {
                    self.events.push_back(MediaEvent::LayersWanted {
                        publication,
                        encodings,
                    });
                }
                RouterEvent::DemandChanged { peer, demand } => {
                    if let Some(entry) = self.peers.at_mut(peer) {
                        entry.sender.set_demand(now, demand);
                        self.peers.touch(peer);
                    }
                }
                RouterEvent::SpeakersChanged { room, speakers } => {
                    self.events
                        .push_back(MediaEvent::SpeakersChanged { room, speakers });
                }
            }
        }
    }

    fn on_slot_changed(&mut self, peer: PeerIndex, slot: SlotId, binding: SlotBinding) {
        let Some(entry) = self.peers.at_mut(peer) else {
            return;
        };
        match entry
            .slot_bindings
            .iter_mut()
            .find(|(known, _)| *known == slot)
        {
            Some((_, known)) => *known = binding,
            None => entry.slot_bindings.push((slot, binding)),
        }
        self.events.push_back(MediaEvent::SlotChanged {
            peer: entry.id,
            slot,
            binding,
        });
    }
}
