//! Peers, publications and slots coming and going.

use std::time::Instant;

use plenum_types::{MediaKind, PeerIndex, PublicationConfig, RoomId, SlotConfig, SlotId};
use rand::Rng;

use crate::event::RouterEvent;
use crate::index::{EncodingRef, Publisher};
use crate::peer::Peer;
use crate::publication::{Encoding, Publication};
use crate::remote::News;
use crate::room::Room;
use crate::slot::{Links, Slot};
use crate::speakers;
use crate::timers::Timer;
use crate::{PublicationIndex, Router, SlotIndex};

/// Index of nothing.
const NOWHERE: u32 = u32::MAX;

impl Router {
    pub(super) fn insert_peer(&mut self, room: RoomId, peer: PeerIndex) {
        let place = peer.0 as usize;
        if self.peers.len() <= place {
            self.peers.resize_with(place + 1, || None);
        }
        if self.peers[place].is_some() {
            return;
        }
        let key = self.room_key(room);
        self.rooms[key].peers.push(peer);
        self.peers[place] = Some(Peer::new(key));
    }

    /// The key of a room, which comes into being if it has to.
    pub(super) fn room_key(&mut self, room: RoomId) -> usize {
        let rooms = &mut self.rooms;
        *self
            .room_keys
            .entry(room)
            .or_insert_with(|| rooms.insert(Room::new(room)))
    }

    pub(super) fn close_room_if_empty(&mut self, key: usize) {
        if self.rooms[key].is_empty() {
            let room = self.rooms.remove(key);
            self.room_keys.remove(&room.id);
            self.timers.cancel(Timer::Speakers(key));
        }
    }

    pub(super) fn drop_peer(&mut self, now: Instant, peer: PeerIndex) {
        let Some(state) = self.peer(peer) else {
            return;
        };
        let (room, slots, publications) =
            (state.room, state.slots.clone(), state.publications.clone());
        for slot in slots {
            self.drop_slot(now, slot);
        }
        for publication in publications {
            self.drop_publication(now, publication);
        }
        self.peers[peer.0 as usize] = None;
        self.rooms[room].peers.retain(|other| *other != peer);
        self.close_room_if_empty(room);
    }

    pub(super) fn insert_publication(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        config: &PublicationConfig,
    ) -> PublicationIndex {
        if let Some(index) = self.publication_index(config.publication) {
            return index;
        }
        let Some(room) = self.peer(peer).map(|state| state.room) else {
            return PublicationIndex(NOWHERE);
        };
        let publisher = Publisher::Local(peer);
        let publication = Publication::new(publisher, room, config, self.next_generation);
        for shard in &self.neighbours {
            self.outbox.add(*shard, News::Published(config.publication));
        }
        self.place_publication(now, publication)
    }

    /// Puts a publication into its room.
    pub(super) fn place_publication(
        &mut self,
        now: Instant,
        publication: Publication,
    ) -> PublicationIndex {
        let (id, room, kind) = (publication.id, publication.room, publication.kind);
        let publisher = publication.publisher;
        let encodings = publication.encodings.len();
        self.next_generation = self.next_generation.wrapping_add(encodings as u32);
        let index = PublicationIndex::from_key(self.publications.insert(publication));
        self.publication_keys.insert(id, index);
        if let Some(publications) = self.publications_of_mut(publisher) {
            publications.push(index);
        }
        let all = &mut self.rooms[room].publications;
        let at = all.partition_point(|other| self.publications[other.key()].id < id);
        all.insert(at, index);
        if kind == MediaKind::Audio {
            self.timers
                .set(Timer::Speakers(room), now + speakers::INTERVAL);
        }
        self.reassign_room(now, room);
        self.watch_layers_wanted(now, index);
        index
    }

    pub(super) fn publications_of(&self, publisher: Publisher) -> &[PublicationIndex] {
        let publications = match publisher {
            Publisher::Local(peer) => self.peer(peer).map(|peer| &peer.publications),
            Publisher::Remote(key) => self.remotes.get(key).map(|remote| &remote.publications),
        };
        publications.map_or(&[], Vec::as_slice)
    }

    fn publications_of_mut(&mut self, publisher: Publisher) -> Option<&mut Vec<PublicationIndex>> {
        match publisher {
            Publisher::Local(peer) => Some(&mut self.peer_mut(peer)?.publications),
            Publisher::Remote(key) => Some(&mut self.remotes.get_mut(key)?.publications),
        }
    }

    pub(super) fn drop_publication(&mut self, now: Instant, index: PublicationIndex) {
        let Some(publication) = self.publications.get(index.key()) else {
            return;
        };
        let (id, publisher, room) = (publication.id, publication.publisher, publication.room);
        let home = publication.home();
        for encoding in 0..publication.encodings.len() as u8 {
            let source = EncodingRef {
                publication: index,
                encoding,
            };
            self.timers.cancel(Timer::Keyframe(source));
            self.timers.cancel(Timer::Activity(source));
        }
        self.timers.cancel(Timer::Allocate(index));
        self.timers.cancel(Timer::Demand(index));
        self.timers.cancel(Timer::LayersWanted(index));
        for slot in self.slots_of(index).to_vec() {
            self.unbind(slot, index);
        }
        self.publications.remove(index.key());
        self.publication_keys.remove(&id);
        if let Some(publications) = self.publications_of_mut(publisher) {
            publications.retain(|other| *other != index);
        }
        if let (Publisher::Remote(key), Some(home)) = (publisher, home) {
            self.on_replica_dropped(id, key, home);
        }
        let state = &mut self.rooms[room];
        state.publications.retain(|other| *other != index);
        state.speakers.remove(index);
        self.reassign_room(now, room);
        self.close_room_if_empty(room);
    }

    /// Takes every trace of a publication that ends out of a slot.
    fn unbind(&mut self, index: SlotIndex, publication: PublicationIndex) {
        let slot = &mut self.slots[index.key()];
        let of = |source: EncodingRef| source.publication == publication;
        if slot.shown().is_some_and(|shown| of(shown.source)) {
            slot.pause();
        }
        if slot.target.is_some_and(|target| of(target.source)) {
            slot.target = None;
        }
        if slot.assigned == Some(publication) {
            slot.assigned = None;
        }
        self.relink(index);
    }

    pub(super) fn insert_slot(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        config: &SlotConfig,
        asleep: bool,
        rng: &mut dyn Rng,
    ) -> SlotIndex {
        if let Some(index) = self.slot_index(peer, config.slot) {
            return index;
        }
        if self.peer(peer).is_none() {
            return SlotIndex(NOWHERE);
        }
        let entry = self.slots.vacant_entry();
        let index = SlotIndex::from_key(entry.key());
        let slot = entry.insert(Slot::new(peer, index, config, rng));
        slot.asleep = asleep;
        if let Some(state) = self.peer_mut(peer) {
            state.slots.push(index);
        }
        self.reassign_peer(now, peer);
        index
    }

    /// The peer's slots that are asleep begin to be sent what they are bound to.
    pub(super) fn wake_slots(&mut self, now: Instant, peer: PeerIndex) {
        for index in self.slots_of_peer(peer).to_vec() {
            let slot = &mut self.slots[index.key()];
            if std::mem::take(&mut slot.asleep) {
                self.relink(index);
            }
        }
        self.allocate_peer(now, peer);
    }

    pub(super) fn drop_slot(&mut self, now: Instant, index: SlotIndex) {
        self.set_links(index, Links::default());
        let slot = self.slots.remove(index.key());
        if let Some((publication, _)) = slot.wants {
            self.watch_layers_wanted(now, publication);
        }
        // Whoever hears of the slot after it is gone would take it for a new one.
        self.events.retain(|event| {
            !matches!(event, RouterEvent::SlotChanged { peer, slot: id, .. }
                if *peer == slot.peer && *id == slot.id)
        });
        if let Some(state) = self.peer_mut(slot.peer) {
            state.slots.retain(|other| *other != index);
        }
    }

    pub(super) fn slot_index(&self, peer: PeerIndex, id: SlotId) -> Option<SlotIndex> {
        self.slots_of_peer(peer)
            .iter()
            .find(|index| self.slots[index.key()].id == id)
            .copied()
    }

    pub(super) fn peer(&self, peer: PeerIndex) -> Option<&Peer> {
        self.peers.get(peer.0 as usize)?.as_ref()
    }

    pub(super) fn peer_mut(&mut self, peer: PeerIndex) -> Option<&mut Peer> {
        self.peers.get_mut(peer.0 as usize)?.as_mut()
    }

    pub(super) fn encoding(&self, source: EncodingRef) -> Option<&Encoding> {
        self.publications
            .get(source.publication.key())?
            .encoding(source.encoding)
    }

    pub(super) fn encoding_mut(&mut self, source: EncodingRef) -> Option<&mut Encoding> {
        self.publications
            .get_mut(source.publication.key())?
            .encodings
            .get_mut(usize::from(source.encoding))
    }
}
