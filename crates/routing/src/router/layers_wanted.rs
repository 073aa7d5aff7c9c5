//! Tells publishers which of their encodings anybody wants.

use std::time::Instant;

use plenum_types::ShardId;

use crate::event::RouterEvent;
use crate::publication::UNWANTED_AFTER;
use crate::remote::News;
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

    /// Another shard says what its slots want.
    pub(super) fn take_layers_wanted(
        &mut self,
        now: Instant,
        index: PublicationIndex,
        from: ShardId,
        top: u8,
    ) {
        let publication = &mut self.publications[index.key()];
        let known = publication.wanted_by.iter_mut();
        for (_, wanted) in known.filter(|(shard, _)| *shard == from) {
            *wanted = top;
        }
        self.raise_layers_wanted(index, top);
        self.watch_layers_wanted(now, index);
    }

    fn tell_layers_wanted(&mut self, index: PublicationIndex, top: u8) {
        let Some(publication) = self.publications.get_mut(index.key()) else {
            return;
        };
        let Some(encodings) = publication.wanted.set(top) else {
            return;
        };
        let publication_id = publication.id;
        match publication.origin {
            Some(origin) => {
                self.outbox
                    .add(origin.home, News::LayersWanted(publication_id));
            }
            None => self.events.push_back(RouterEvent::LayersWanted {
                publication: publication_id,
                encodings,
            }),
        }
    }

    /// The best encoding that was told as wanted, and the best that is. `None` where there is no
    /// choice. A muted publication keeps what it has: nothing is sent, and as much is wanted when
    /// its picture comes back.
    fn wanted_of(&self, index: PublicationIndex) -> Option<(u8, u8)> {
        let publication = self.publications.get(index.key())?;
        if !publication.wanted.is_choice() {
            return None;
        }
        let told = publication.wanted.top();
        if publication.muted {
            return Some((told, told));
        }
        let tops = publication.slots.iter().filter_map(|slot| {
            let (of, top) = self.slots.get(slot.key())?.wants?;
            (of == index).then_some(top)
        });
        let elsewhere = publication.wanted_by.iter().map(|(_, top)| *top);
        Some((told, tops.chain(elsewhere).max().unwrap_or(0)))
    }
}
