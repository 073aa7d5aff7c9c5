//! Viewers whose slots show one participant, whatever it publishes.
//!
//! The viewer's first video slot shows its oldest video, the second the next one, and so with
//! sound. A slot with nothing to show is off. What ended is not shown by itself; what is new is
//! pinned here.

use plenum_types::{MediaKind, ParticipantId, PublicationId, RoomId, SlotId, SlotPolicy, SlotWish};

use super::Registry;
use crate::messages::{PolicyName, SlotSpec};
use crate::negotiation::Offer;
use crate::room::{Participant, Session};

impl Registry {
    /// A participant has offered anew: those who follow it see what it publishes now.
    pub(super) fn lead(&mut self, room_id: RoomId, who: ParticipantId) {
        let Some(room) = self.rooms.get(&room_id) else {
            return;
        };
        let Some(leader) = room.participants.get(&who) else {
            return;
        };
        let shown = Shown::of(leader);
        if shown.is_empty() {
            return;
        }
        let followers = room
            .participants
            .values()
            .filter(|them| them.follows.as_deref() == Some(&leader.identity));
        let changes: Vec<(ParticipantId, SlotId, SlotWish)> = followers
            .filter_map(|them| Some((them.id, them.session.as_ref()?)))
            .flat_map(|(id, session)| {
                let wishes = wishes(session, shown.clone());
                wishes.into_iter().map(move |(slot, wish)| (id, slot, wish))
            })
            .collect();
        for (follower, slot, wish) in changes {
            self.set_wish(room_id, follower, slot, wish);
        }
    }
}

/// What a participant publishes, oldest last: taken from the end.
#[derive(Clone)]
struct Shown {
    audio: Vec<PublicationId>,
    video: Vec<PublicationId>,
}

impl Shown {
    fn of(leader: &Participant) -> Self {
        let newest_first = |kind| {
            let publications = leader.publications().into_iter().rev();
            let publications = publications.filter(|publication| publication.kind == kind);
            publications.map(|publication| publication.id).collect()
        };
        Self {
            audio: newest_first(MediaKind::Audio),
            video: newest_first(MediaKind::Video),
        }
    }

    fn is_empty(&self) -> bool {
        self.audio.is_empty() && self.video.is_empty()
    }

    fn next(&mut self, kind: MediaKind) -> Option<PublicationId> {
        match kind {
            MediaKind::Audio => self.audio.pop(),
            MediaKind::Video => self.video.pop(),
        }
    }
}

/// What the slots of a viewer show, in the order in which they were offered.
fn wishes(session: &Session, mut shown: Shown) -> Vec<(SlotId, SlotWish)> {
    let mut slots: Vec<_> = session.slots().collect();
    slots.sort_unstable_by_key(|slot| slot.id);
    slots
        .into_iter()
        .map(|slot| {
            let policy = shown
                .next(slot.kind)
                .map_or(SlotPolicy::Off, SlotPolicy::Pinned);
            let wish = SlotWish {
                policy,
                ..slot.wish
            };
            (slot.id, wish)
        })
        .collect()
}

/// The slots of a new viewer, who follows `leader` or, without one, whoever speaks.
pub(super) fn slot_specs(offer: &Offer, leader: Option<&Participant>) -> Vec<SlotSpec> {
    let mut shown = leader.map(Shown::of);
    let sections = offer.sections.iter();
    let sections = sections.filter_map(|section| Some((section.mid, section.rtp()?.kind)));
    sections
        .map(|(mid, kind)| {
            let pinned = shown.as_mut().map(|shown| shown.next(kind));
            SlotSpec {
                mid: mid.to_string(),
                policy: Some(match pinned {
                    None => PolicyName::Speaker,
                    Some(Some(_)) => PolicyName::Pinned,
                    Some(None) => PolicyName::Off,
                }),
                publication: pinned.flatten().map(|id| id.to_string()),
                ..SlotSpec::default()
            }
        })
        .collect()
}
