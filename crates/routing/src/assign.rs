//! Which publication each slot of a subscriber shows.
//!
//! A pure function of the wishes, the room's publications and the speaker order. Pinned slots are
//! served first, then those in speaker order, then those that take all: each of the latter two
//! shows only what no slot of the subscriber shows already. A slot keeps its publication as long
//! as it is among those to be shown, so that nothing moves without need.

use plenum_types::{MediaKind, PeerIndex};

/// A publication of the room. Candidates are given oldest first and named by their position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// Itself a subscriber here; `None` for one of another shard.
    pub(crate) publisher: Option<PeerIndex>,
    pub(crate) kind: MediaKind,
    pub(crate) muted: bool,
    /// Place of its speaker among the recent ones, 0 first; `None` if not heard recently.
    pub(crate) speaker_rank: Option<usize>,
}

/// [`SlotPolicy`](plenum_types::SlotPolicy) with the publication found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Off,
    Pinned(Option<usize>),
    SpeakerOrder,
    All,
}

/// A slot of the subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) kind: MediaKind,
    pub(crate) policy: Policy,
    /// What the slot shows so far.
    pub(crate) current: Option<usize>,
}

/// What each slot of `subscriber` is to show. Never one of its own publications, never one of
/// another kind.
pub(crate) fn assign(
    subscriber: PeerIndex,
    wishes: &[Wish],
    candidates: &[Candidate],
) -> Vec<Option<usize>> {
    let mut shown = vec![false; candidates.len()];
    let mut result = vec![None; wishes.len()];
    for (wish, slot) in wishes.iter().zip(&mut result) {
        if let Policy::Pinned(Some(position)) = wish.policy
            && fits(subscriber, wish.kind, candidates.get(position))
        {
            *slot = Some(position);
            shown[position] = true;
        }
    }
    for policy in [Policy::SpeakerOrder, Policy::All] {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let slots: Vec<usize> = (0..wishes.len())
                .filter(|slot| wishes[*slot].policy == policy && wishes[*slot].kind == kind)
                .collect();
            if slots.is_empty() {
                continue;
            }
            let mut eligible: Vec<usize> = (0..candidates.len())
                .filter(|at| !shown[*at] && fits(subscriber, kind, candidates.get(*at)))
                .collect();
            let mut held = vec![false; candidates.len()];
            for at in slots.iter().filter_map(|slot| wishes[*slot].current) {
                if let Some(held) = held.get_mut(at) {
                    *held = true;
                }
            }
            match policy {
                // `sort_by_key` is stable: the older one wins where the keys are equal.
                Policy::SpeakerOrder => {
                    eligible.sort_by_key(|at| speaker_key(&candidates[*at], held[*at]));
                }
                _ => eligible.sort_by_key(|at| !held[*at]),
            }
            eligible.truncate(slots.len());
            place(&slots, wishes, &eligible, &mut result);
            for at in eligible {
                shown[at] = true;
            }
        }
    }
    result
}

/// Recent speakers in their order; then who can be heard or seen, who has a slot, who is oldest.
fn speaker_key(candidate: &Candidate, held: bool) -> (usize, bool, bool) {
    let rank = if candidate.muted {
        None
    } else {
        candidate.speaker_rank
    };
    (rank.unwrap_or(usize::MAX), candidate.muted, !held)
}

/// Gives the `chosen` to the `slots`: who has a slot keeps it, the others fill up in order.
fn place(slots: &[usize], wishes: &[Wish], chosen: &[usize], result: &mut [Option<usize>]) {
    let mut unplaced = chosen.to_vec();
    for slot in slots {
        if let Some(current) = wishes[*slot].current
            && let Some(at) = unplaced.iter().position(|chosen| *chosen == current)
        {
            unplaced.remove(at);
            result[*slot] = Some(current);
        }
    }
    let mut rest = unplaced.into_iter();
    for slot in slots {
        if result[*slot].is_none() {
            result[*slot] = rest.next();
        }
    }
}

fn fits(subscriber: PeerIndex, kind: MediaKind, candidate: Option<&Candidate>) -> bool {
    candidate
        .is_some_and(|candidate| candidate.kind == kind && candidate.publisher != Some(subscriber))
}

#[cfg(test)]
mod tests;
