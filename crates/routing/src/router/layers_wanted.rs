//! Tells publishers which of their encodings anybody wants.

use std::time::Instant;

use crate::event::RouterEvent;
use crate::index::Publisher;
use crate::publication::UNWANTED_AFTER;
use crate::timers::Timer;
use crate::{PublicationIndex, Router, SlotIndex};

impl Router {
    /// A slot wants the encodings up to `top` of what it is assigned. More than before is told at
    /// once, less is looked at in a while.
    pub(super) fn want_layers(&mut self, now: Instant, index: SlotIndex, top: Option<u8>) {
        let slot = &mut self.slots[index.key()];
        let wants = slot.assigned.zip(top);
        let before = std::mem::replace(&mut slot.wants, wants);
        if before == wants {
            return;
        }
        if let Some((publication, top)) = wants {
            self.raise_layers_wanted(publication, top);
        }
        if let Some((publication, _)) = before {
            self.watch_layers_wanted(now, publication);
        }
    }

    /// Fewer of a publication's encodings may be wanted than were told.
    pub(super) fn watch_layers_wanted(&mut self, now: Instant, publication: PublicationIndex) {
        let needless = self
            .wanted_of(publication)
            .is_some_and(|(told, wanted)| wanted < told);
        let timer = Timer::LayersWanted(publication);
        if needless && !self.timers.is_set(timer) {
            self.timers.set(timer, now + UNWANTED_AFTER);
        }
    }

    /// An encoding of a publication is wanted from now on, by a slot or, as the best of them, by
    /// another shard.
    pub(super) fn raise_layers_wanted(&mut self, publication: PublicationIndex, top: u8) {
        let told = self.publications.get(publication.key());
        if told.is_some_and(|known| top >= known.wanted.top()) {
            self.timers.cancel(Timer::LayersWanted(publication));
            self.tell_layers_wanted(publication, top);
        }
    }

    /// Tells what is wanted now, after more was for long.
    pub(super) fn review_layers_wanted(&mut self, publication: PublicationIndex) {
        if let Some((_, wanted)) = self.wanted_of(publication) {
            self.tell_layers_wanted(publication, wanted);
        }
    }

    fn tell_layers_wanted(&mut self, index: PublicationIndex, top: u8) {
        let Some(publication) = self.publications.get_mut(index.key()) else {
            return;
        };
        let Publisher::Local(_) = publication.publisher else {
            return;
        };
        if let Some(encodings) = publication.wanted.set(top) {
            self.events.push_back(RouterEvent::LayersWanted {
                publication: publication.id,
                encodings,
            });
        }
    }

    /// The best encoding that was told as wanted, and the best that is. `None` where there is no
    /// choice, and of replicas, whose publisher's shard tells it. A muted publication keeps what
    /// it has: nothing is sent, and all of it is wanted when its sound or picture comes back. What
    /// other shards want is not known in detail; where one follows, everything is wanted.
    fn wanted_of(&self, index: PublicationIndex) -> Option<(u8, u8)> {
        let publication = self.publications.get(index.key())?;
        if !publication.wanted.is_choice() || publication.origin.is_some() {
            return None;
        }
        let told = publication.wanted.top();
        if publication.muted || !publication.followers.is_empty() {
            return Some((told, told));
        }
        let tops = publication.slots.iter().filter_map(|slot| {
            let (of, top) = self.slots.get(slot.key())?.wants?;
            (of == index).then_some(top)
        });
        Some((told, tops.max().unwrap_or(0)))
    }
}
