//! From wishes to targets: assignment, allocation, and what they mean for each slot.

use std::time::Instant;

use plenum_types::{
    KeyframeCause, LayerId, MediaKind, PeerIndex, SlotBinding, SlotPolicy, SlotReason,
};

use crate::allocate::{Choice, Demand, Priority, Target, allocate};
use crate::assign::{Candidate, Policy, Wish, assign};
use crate::decisions::Bandwidth;
use crate::event::{PeerSlot, RouterEvent};
use crate::index::{EncodingRef, Publisher};
use crate::limit::LayerLimit;
use crate::publication::Publication;
use crate::slot::{Links, Slot, SlotTarget};
use crate::{PublicationIndex, Router, SlotIndex};

impl Router {
    /// Finds anew what every slot in a room shows.
    pub(super) fn reassign_room(&mut self, now: Instant, room: usize) {
        let candidates = self.candidates(room);
        for peer in self.rooms[room].peers.clone() {
            self.reassign(now, peer, &candidates);
        }
    }

    /// Finds anew what the slots of a peer show.
    pub(super) fn reassign_peer(&mut self, now: Instant, peer: PeerIndex) {
        if let Some(state) = self.peer(peer) {
            let candidates = self.candidates(state.room);
            self.reassign(now, peer, &candidates);
        }
    }

    fn reassign(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        candidates: &[(PublicationIndex, Candidate)],
    ) {
        let slots = self.slots_of_peer(peer).to_vec();
        if slots.is_empty() {
            return;
        }
        let mut wishes = Vec::with_capacity(slots.len());
        self.wishes_of(peer, candidates, &mut wishes);
        let all: Vec<Candidate> = candidates.iter().map(|(_, candidate)| *candidate).collect();
        let found = assign(peer, &wishes, &all);
        self.set_assigned(&slots, &found, candidates);
        self.allocate_peer(now, peer);
    }

    /// What the slots of a peer are to show, in terms of `candidates`.
    pub(super) fn wishes_of(
        &self,
        peer: PeerIndex,
        candidates: &[(PublicationIndex, Candidate)],
        wishes: &mut Vec<Wish>,
    ) {
        let position = |index: PublicationIndex| candidates.iter().position(|(at, _)| *at == index);
        wishes.clear();
        wishes.extend(self.slots_of_peer(peer).iter().map(|index| {
            let slot = &self.slots[index.key()];
            Wish {
                kind: slot.kind,
                policy: match slot.wish.policy {
                    SlotPolicy::Off => Policy::Off,
                    SlotPolicy::Pinned(id) => {
                        Policy::Pinned(self.publication_index(id).and_then(position))
                    }
                    SlotPolicy::SpeakerOrder => Policy::SpeakerOrder,
                    SlotPolicy::All => Policy::All,
                },
                current: slot.assigned.and_then(position),
            }
        }));
    }

    /// The publications of a room, oldest first. A video ranks as the sound of its publisher.
    pub(super) fn candidates(&self, room: usize) -> Vec<(PublicationIndex, Candidate)> {
        let room = &self.rooms[room];
        let rank_of_voice = |publisher: Publisher| {
            let publications = self.publications_of(publisher).iter();
            publications
                .filter_map(|index| room.speakers.rank(*index))
                .min()
        };
        let describe = |index: &PublicationIndex| {
            let publication = &self.publications[index.key()];
            let speaker_rank = match publication.kind {
                MediaKind::Audio => room.speakers.rank(*index),
                MediaKind::Video => rank_of_voice(publication.publisher),
            };
            let candidate = Candidate {
                publisher: match publication.publisher {
                    Publisher::Local(peer) => Some(peer),
                    Publisher::Remote(_) => None,
                },
                kind: publication.kind,
                muted: publication.muted,
                speaker_rank,
            };
            (*index, candidate)
        };
        room.publications.iter().map(describe).collect()
    }

    /// Finds anew which layer every slot of a peer gets.
    pub(super) fn allocate_peer(&mut self, now: Instant, peer: PeerIndex) {
        let Some(state) = self.peer(peer) else {
            return;
        };
        let (slots, budget) = (state.slots.clone(), state.budget());
        let overloaded = state.is_overloaded();
        let refusals: Vec<Option<SlotReason>> =
            slots.iter().map(|index| self.refusal(*index)).collect();
        let mut choices: Vec<Vec<Choice>> =
            slots.iter().map(|index| self.choices(*index)).collect();
        let limited: Vec<bool> = slots
            .iter()
            .zip(&mut choices)
            .map(|(index, choices)| self.limit_choices(*index, choices))
            .collect();
        let open: Vec<usize> = (0..slots.len())
            .filter(|at| refusals[*at].is_none() && !choices[*at].is_empty())
            .collect();
        let demands: Vec<Demand<'_>> = open
            .iter()
            .map(|at| {
                let slot = &self.slots[slots[*at].key()];
                Demand {
                    choices: &choices[*at],
                    viewport: slot.wish.viewport,
                    priority: Priority {
                        wished: slot.wish.priority,
                        screen: self
                            .assigned_publication(slot)
                            .is_some_and(|shown| shown.screen),
                    },
                    adaptive: slot.kind == MediaKind::Video,
                    limited: limited[*at],
                    current: slot
                        .given()
                        .and_then(|given| position(&choices[*at], given)),
                    failed: slot.attempts.has_failed(now),
                }
            })
            .collect();
        let mut targets: Vec<Target> = refusals
            .iter()
            .map(|refusal| Target {
                choice: None,
                wanted: None,
                reason: refusal.unwrap_or(SlotReason::NoSource),
            })
            .collect();
        let (found, sums) = allocate(&demands, budget);
        for (at, target) in open.into_iter().zip(found) {
            targets[at] = target;
        }
        let bandwidth = Bandwidth {
            estimate: budget.map(|budget| budget.bitrate),
            allocated: sums.allocated,
        };
        for ((index, target), choices) in slots.into_iter().zip(targets).zip(&choices) {
            let slot = &mut self.slots[index.key()];
            slot.decisions
                .record(now, &target, choices, &slot.wish, bandwidth);
            let best = target.wanted.max(target.choice);
            let best = best.map(|at| choices[usize::from(at)].encoding);
            self.want_layers(now, index, best);
            self.apply_target(now, index, target, choices, overloaded);
        }
        if let Some(state) = self.peer_mut(peer) {
            state.sums = sums;
        }
        self.tell_bitrates(peer, sums);
    }

    /// Why a slot cannot show anything at all.
    fn refusal(&self, index: SlotIndex) -> Option<SlotReason> {
        let slot = &self.slots[index.key()];
        if slot.wish.policy == SlotPolicy::Off {
            return Some(SlotReason::Off);
        }
        let Some(publication) = self.assigned_publication(slot) else {
            return Some(SlotReason::NoSource);
        };
        if publication.muted {
            return Some(SlotReason::Muted);
        }
        (!publication.fits(&slot.codecs)).then_some(SlotReason::CodecNotNegotiated)
    }

    fn assigned_publication(&self, slot: &Slot) -> Option<&Publication> {
        self.publications.get(slot.assigned?.key())
    }

    fn choices(&self, index: SlotIndex) -> Vec<Choice> {
        let slot = &self.slots[index.key()];
        self.assigned_publication(slot)
            .map(|publication| publication.choices(slot.temporal_limit))
            .unwrap_or_default()
    }

    /// Leaves what a slot may be given; whether that is not all.
    fn limit_choices(&self, index: SlotIndex, choices: &mut Vec<Choice>) -> bool {
        let Some(ceiling) = self.slots[index.key()].wish.ceiling else {
            return false;
        };
        let lowest = choices.first().map_or(0, |choice| choice.layer.spatial);
        let before = choices.len();
        choices.retain(|choice| choice.layer.spatial <= ceiling.max(lowest));
        choices.len() < before
    }

    /// `overloaded`: a slot that is lowered shows nothing until the next keyframe, so that the queue
    /// before it drains; unless less of the same stream is enough, which flows alone at once.
    fn apply_target(
        &mut self,
        now: Instant,
        index: SlotIndex,
        target: Target,
        choices: &[Choice],
        overloaded: bool,
    ) {
        let slot = &mut self.slots[index.key()];
        let given = slot.given();
        let before = given.and_then(|given| position(choices, given));
        let chosen = target.choice.map(|at| choices[usize::from(at)]);
        if target.choice > before {
            slot.attempts.on_raised(now);
        } else if target.choice < before && target.reason == SlotReason::Bandwidth {
            slot.attempts.on_lowered(now);
            let drains = given
                .zip(chosen)
                .is_some_and(|(given, chosen)| chosen.encoding == given.source.encoding);
            if overloaded && !drains {
                slot.pause();
            }
        }
        slot.reason = target.reason;
        slot.target = slot
            .assigned
            .zip(chosen)
            .map(|(publication, chosen)| SlotTarget {
                source: EncodingRef {
                    publication,
                    encoding: chosen.encoding,
                },
                limit: chosen.limit,
            });
        let Some(target) = slot.target else {
            slot.pause();
            self.relink(index);
            self.tell_binding(index);
            return;
        };
        self.relink(index);
        self.start_pre_roll(now, index);
        if let Some(encoding) = self.encoding_mut(target.source)
            && target.limit != LayerLimit::NONE
        {
            encoding.enable_limit(target.limit);
        }
        if self.is_waiting(&self.slots[index.key()]) && !self.start_replay(now, index) {
            self.ask_keyframe(now, target.source, KeyframeCause::SlotSwitch);
        }
        self.tell_binding(index);
    }

    /// Whether a slot needs a keyframe to show its target: it shows another encoding, or smaller
    /// pictures of the same.
    fn is_waiting(&self, slot: &Slot) -> bool {
        let shows_target = |target: SlotTarget| {
            let encoding = self.encoding(target.source);
            slot.shown().zip(encoding).is_some_and(|(shown, encoding)| {
                shown.shows(target.source, encoding)
                    && encoding
                        .limit_for(target.limit)
                        .is_none_or(|limit| shown.limit.spatial >= limit.spatial)
            })
        };
        slot.kind == MediaKind::Video && slot.target.is_some_and(|target| !shows_target(target))
    }

    /// Puts a slot into the lists of what it shows and is to show, and out of others.
    pub(super) fn relink(&mut self, index: SlotIndex) {
        let slot = &self.slots[index.key()];
        let shown = slot.shown().map(|shown| shown.source);
        let target = slot.target.map(|target| target.source);
        let shown_publication = shown.map(|source| source.publication);
        let links = Links {
            encodings: [target, shown.filter(|_| shown != target)],
            publications: [
                slot.assigned,
                shown_publication.filter(|_| shown_publication != slot.assigned),
            ],
            asleep: slot.asleep,
        };
        self.set_links(index, links);
    }

    pub(super) fn set_links(&mut self, index: SlotIndex, links: Links) {
        let slot = &mut self.slots[index.key()];
        let listed = PeerSlot {
            peer: slot.peer,
            slot: index,
        };
        let before = std::mem::replace(&mut slot.links, links);
        let stays = |source: &EncodingRef| {
            let both = before.encodings.contains(&Some(*source))
                && links.encodings.contains(&Some(*source));
            both && before.asleep == links.asleep
        };
        // In first: what goes from one list to another is wanted all the time.
        for source in links.encodings.into_iter().flatten() {
            if !stays(&source)
                && let Some(encoding) = self.encoding_mut(source)
            {
                let wanted = encoding.is_wanted_here();
                match links.asleep {
                    true => encoding.sleepers += 1,
                    false => encoding.slots.push(listed),
                }
                if !wanted {
                    self.on_demand_changed(source);
                }
            }
        }
        for source in before.encodings.into_iter().flatten() {
            if !stays(&source)
                && let Some(encoding) = self.encoding_mut(source)
            {
                match before.asleep {
                    true => encoding.sleepers -= 1,
                    false => remove(&mut encoding.slots, &listed),
                }
                if !encoding.is_wanted_here() {
                    self.on_demand_changed(source);
                }
            }
        }
        for publication in before.publications.into_iter().flatten() {
            if !links.publications.contains(&Some(publication))
                && let Some(publication) = self.publications.get_mut(publication.key())
            {
                remove(&mut publication.slots, &index);
            }
        }
        for publication in links.publications.into_iter().flatten() {
            if !before.publications.contains(&Some(publication))
                && let Some(publication) = self.publications.get_mut(publication.key())
            {
                publication.slots.push(index);
            }
        }
    }

    /// Tells what a slot shows, if that has changed.
    pub(super) fn tell_binding(&mut self, index: SlotIndex) {
        let binding = self.binding(&self.slots[index.key()]);
        let slot = &mut self.slots[index.key()];
        if slot.asleep {
            return;
        }
        if slot.told.replace(binding) != Some(binding) {
            self.events.push_back(RouterEvent::SlotChanged {
                peer: slot.peer,
                slot: slot.id,
                binding,
            });
        }
    }

    /// What is seen now: until a switch happens, the old source.
    pub(super) fn binding(&self, slot: &Slot) -> SlotBinding {
        let id = |index: PublicationIndex| Some(self.publications.get(index.key())?.id);
        let assigned = slot.assigned.and_then(id);
        if slot.kind == MediaKind::Audio {
            return SlotBinding {
                publication: assigned,
                layer: slot.target.map(|_| LayerId::default()),
                reason: slot.reason,
            };
        }
        let shown = slot.shown().and_then(|shown| {
            let publication = self.publications.get(shown.source.publication.key())?;
            let layer = publication.layer_id(shown.source.encoding, shown.limit);
            Some((publication.id, layer))
        });
        SlotBinding {
            publication: shown.map(|(publication, _)| publication).or(assigned),
            layer: shown.map(|(_, layer)| layer),
            reason: if self.is_waiting(slot) {
                SlotReason::WaitingForKeyframe
            } else {
                slot.reason
            },
        }
    }
}

/// Which of the choices a target is, or the best that is no better: what there is may have changed.
fn position(choices: &[Choice], target: SlotTarget) -> Option<u8> {
    let key = |encoding: u8, limit: LayerLimit| (encoding, limit.spatial, limit.temporal);
    let given = key(target.source.encoding, target.limit);
    let at = choices
        .iter()
        .rposition(|choice| key(choice.encoding, choice.limit) <= given)
        .unwrap_or(0);
    u8::try_from(at).ok()
}

fn remove<T: PartialEq>(list: &mut Vec<T>, gone: &T) {
    if let Some(at) = list.iter().position(|other| other == gone) {
        list.swap_remove(at);
    }
}
