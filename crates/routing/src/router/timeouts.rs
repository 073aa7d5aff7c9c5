//! What happens without a packet: keyframe requests repeated, layers gone silent, speakers.

use std::time::Instant;

use plenum_types::{KeyframeCause, MediaKind};

use crate::event::RouterEvent;
use crate::index::{EncodingRef, Publisher};
use crate::publication::Encoding;
use crate::remote::News;
use crate::timers::Timer;
use crate::{PublicationIndex, Router};

/// Most timers run in one call; the rest follow at once in the next. Keeps packets flowing.
const TIMERS_MAX: usize = 1_024;

impl Router {
    pub(super) fn run_timers(&mut self, now: Instant) {
        for _ in 0..TIMERS_MAX {
            match self.timers.pop(now) {
                Some(Timer::Keyframe(source)) => self.repeat_keyframe(now, source),
                Some(Timer::Activity(source)) => self.check_activity(now, source),
                Some(Timer::Allocate(publication)) => self.allocate_slots_of(now, publication),
                Some(Timer::LayersWanted(publication)) => self.review_layers_wanted(publication),
                Some(Timer::Demand(publication)) => self.tell_demand(publication),
                Some(Timer::Speakers(room)) => self.check_speakers(now, room),
                None => return,
            }
        }
    }

    fn repeat_keyframe(&mut self, now: Instant, source: EncodingRef) {
        let Some(publication) = self.publications.get(source.publication.key()) else {
            return;
        };
        let muted = publication.muted;
        let Some(encoding) = self.encoding_mut(source) else {
            return;
        };
        let wanted = !muted && encoding.is_wanted();
        let send = encoding.keyframes.on_timeout(now, wanted);
        let due = encoding.keyframes.due();
        self.timers.set_or_cancel(Timer::Keyframe(source), due);
        if let Some(cause) = send {
            self.tell_keyframe(source, cause);
        }
    }

    pub(super) fn tell_keyframe(&mut self, source: EncodingRef, cause: KeyframeCause) {
        let Some(publication) = self.publications.get(source.publication.key()) else {
            return;
        };
        let id = publication.id;
        match (publication.publisher, publication.origin) {
            (Publisher::Local(peer), _) => self.events.push_back(RouterEvent::RequestKeyframe {
                publication: source.publication,
                id,
                peer,
                encoding: source.encoding,
                cause,
            }),
            (Publisher::Remote(_), Some(origin)) => {
                self.outbox
                    .add(origin.home, News::Keyframe(id, source.encoding));
            }
            (Publisher::Remote(_), None) => {}
        }
    }

    fn check_activity(&mut self, now: Instant, source: EncodingRef) {
        let Some(encoding) = self.encoding_mut(source) else {
            return;
        };
        if encoding.activity.on_timeout(now) {
            // All it holds is too old to be asked for.
            encoding.forget_packets();
            self.tell_followers(source.publication, |id| News::Layer(id, source.encoding));
            // Where no layer flows there is none to go to: what is shown stays.
            if self.has_active_layer(source.publication) {
                self.allocate_slots_of(now, source.publication);
            }
        } else {
            self.watch_activity(source);
        }
    }

    fn has_active_layer(&self, publication: PublicationIndex) -> bool {
        self.publications
            .get(publication.key())
            .is_some_and(|publication| {
                publication
                    .encodings
                    .iter()
                    .any(|encoding| encoding.activity.is_active())
            })
    }

    /// Wakes when an encoding that is active may have fallen silent. Only the layers of simulcast
    /// are watched: where there is no other layer to show, silence changes nothing.
    pub(super) fn watch_activity(&mut self, source: EncodingRef) {
        let Some(publication) = self.publications.get(source.publication.key()) else {
            return;
        };
        if publication.kind == MediaKind::Audio || publication.encodings.len() < 2 {
            return;
        }
        let silent_at = publication
            .encoding(source.encoding)
            .and_then(|encoding| encoding.activity.silent_at());
        self.timers
            .set_or_cancel(Timer::Activity(source), silent_at);
    }

    /// Finds anew which layers those get that show a publication.
    pub(super) fn allocate_slots_of(&mut self, now: Instant, publication: PublicationIndex) {
        let mut peers: Vec<_> = self
            .slots_of(publication)
            .iter()
            .map(|slot| self.slots[slot.key()].peer)
            .collect();
        peers.sort_unstable();
        peers.dedup();
        for peer in peers {
            self.allocate_peer(now, peer);
        }
    }

    pub(super) fn mute(&mut self, now: Instant, index: PublicationIndex, muted: bool) {
        let publication = &mut self.publications[index.key()];
        if publication.muted == muted {
            return;
        }
        publication.muted = muted;
        publication.speech.reset();
        if publication.kind == MediaKind::Audio {
            // What was said before is not heard after.
            publication
                .encodings
                .iter_mut()
                .for_each(Encoding::forget_packets);
        }
        for encoding in &mut publication.encodings {
            encoding.group.forget();
        }
        let room = publication.room;
        for slot in self.slots_of(index).to_vec() {
            let slot = &mut self.slots[slot.key()];
            if slot
                .shown()
                .is_some_and(|shown| shown.source.publication == index)
            {
                slot.pause();
            }
        }
        self.reassign_room(now, room);
        self.watch_layers_wanted(now, index);
    }
}
