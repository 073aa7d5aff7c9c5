//! Speakers: when they are looked at, and whom another order concerns.
//!
//! A change of speakers costs as much as there are subscribers whose slots change. Of the others
//! each costs a comparison: subscribers of the same wishes, and a thousand listeners are that, share
//! one assignment.

use std::time::Instant;

use plenum_types::{MediaKind, PeerIndex, Speaker, SpeechActivity};

use crate::assign::{Candidate, Wish, assign};
use crate::event::RouterEvent;
use crate::index::Publisher;
use crate::remote::News;
use crate::speakers::{self, Recent};
use crate::timers::Timer;
use crate::{PublicationIndex, Router, SlotIndex};

impl Router {
    /// Somebody begins to speak: waiting for the next look would cut the beginning.
    pub(super) fn look_at_speakers_soon(&mut self, now: Instant, publication: PublicationIndex) {
        let Some(publication) = self.publications.get(publication.key()) else {
            return;
        };
        let room = publication.room;
        let at = self.rooms[room].speakers.look_soon(now);
        self.timers.set(Timer::Speakers(room), at);
    }

    pub(super) fn check_speakers(&mut self, now: Instant, key: usize) {
        let since = self.stamp(now);
        let Some(room) = self.rooms.get_mut(key) else {
            return;
        };
        room.speakers.on_look(now);
        let id = room.id;
        let publications = room.publications.clone();
        let mut speaking = Vec::new();
        for index in &publications {
            let publication = &mut self.publications[index.key()];
            if publication.kind != MediaKind::Audio {
                continue;
            }
            self.timers
                .set(Timer::Speakers(key), now + speakers::INTERVAL);
            if publication.origin.is_some() {
                continue;
            }
            let level = publication.speech.speaking(now);
            let activity = match level {
                Some(_) => publication.speech.activity(now),
                None => SpeechActivity::default(),
            };
            speaking.extend(level.map(|level| Speaker {
                publication: publication.id,
                level,
            }));
            if publication.try_turn(level.is_some(), since, activity) {
                self.tell_followers(*index, News::Turn);
            }
        }
        let mut reordered = self.reorder_speakers(key);
        for index in publications {
            reordered |= self.take_place(key, index);
        }
        if reordered {
            self.follow_speakers(now, key);
        }
        if let Some(speakers) = self.rooms[key].speakers.tell(now, speaking) {
            self.events
                .push_back(RouterEvent::SpeakersChanged { room: id, speakers });
        }
    }

    /// Lets a publication of this shard go before the speakers that it beats. Whether it did.
    fn take_place(&mut self, key: usize, index: PublicationIndex) -> bool {
        let is_replica = self.publications[index.key()].origin.is_some();
        let Some(stamp) = self.rooms[key]
            .speakers
            .better_stamp(index)
            .filter(|_| !is_replica)
        else {
            return false;
        };
        self.publications[index.key()].take_place(stamp);
        self.tell_followers(index, News::Turn);
        self.reorder_speakers(key)
    }

    /// Puts the speakers of a room in order. Whether that is another one.
    pub(super) fn reorder_speakers(&mut self, key: usize) -> bool {
        let Some(room) = self.rooms.get_mut(key) else {
            return false;
        };
        let recent = room.publications.iter().filter_map(|index| {
            let publication = &self.publications[index.key()];
            Some(Recent {
                index: *index,
                id: publication.id,
                turn: publication.turn?,
            })
        });
        room.speakers.update(recent.collect())
    }

    /// The speakers of a room have another order: finds anew what slots show, and touches those
    /// subscribers only for whom that makes a difference.
    pub(super) fn follow_speakers(&mut self, now: Instant, room: usize) {
        let candidates = self.candidates(room);
        let all: Vec<Candidate> = candidates.iter().map(|(_, candidate)| *candidate).collect();
        let mut shared = Shared::default();
        for at in 0..self.rooms[room].peers.len() {
            let peer = self.rooms[room].peers[at];
            self.wishes_of(peer, &candidates, &mut shared.wishes);
            if shared.wishes.is_empty() {
                continue;
            }
            // Nobody is given what is their own: who publishes has an assignment of their own.
            let publishes = !self.publications_of(Publisher::Local(peer)).is_empty();
            shared.assign(peer, publishes, &all);
            let current = shared.wishes.iter().map(|wish| wish.current);
            if current.eq(shared.found.iter().copied()) {
                continue;
            }
            let slots = self.slots_of_peer(peer).to_vec();
            self.set_assigned(&slots, &shared.found, &candidates);
            self.allocate_peer(now, peer);
        }
    }

    pub(super) fn set_assigned(
        &mut self,
        slots: &[SlotIndex],
        found: &[Option<usize>],
        candidates: &[(PublicationIndex, Candidate)],
    ) {
        for (index, found) in slots.iter().zip(found) {
            self.slots[index.key()].assigned = found.map(|at| candidates[at].0);
        }
    }
}

/// The assignment made last, for all who wish the same.
#[derive(Default)]
struct Shared {
    wishes: Vec<Wish>,
    found: Vec<Option<usize>>,
    /// What `found` was made from, if it holds for everybody.
    made_from: Vec<Wish>,
}

impl Shared {
    fn assign(&mut self, peer: PeerIndex, publishes: bool, candidates: &[Candidate]) {
        if !publishes && self.made_from == self.wishes {
            return;
        }
        self.found = assign(peer, &self.wishes, candidates);
        self.made_from.clear();
        if !publishes {
            self.made_from.extend_from_slice(&self.wishes);
        }
    }
}
