//! Which layer each slot of a subscriber is to get.
//!
//! A pure function of what the slots want (the size at which they are shown), what the publishers
//! send (layers, sizes, activity, bitrates) and what the subscriber's network carries. First each slot's
//! wanted layer is found from its viewport; then, if a budget is given, layers are handed out one
//! step at a time, by priority, as long as they fit.

use plenum_types::{
    BandwidthEstimate, Bitrate, BitrateDemand, EstimateBasis, LayerId, Pixels, SlotReason,
};

use crate::limit::LayerLimit;

/// A picture may be shown this much larger than it is, in percent of its shown size. Lowering it
/// saves bitrate and blurs.
const SIZE_ENOUGH_PERCENT: u64 = 80;

/// Bitrate that a layer is taken to have until it was measured, bits per second, by picture size.
const BITRATE_UNMEASURED: [u64; 3] = [150_000, 500_000, 1_500_000];

/// Bitrate that sound is taken to have until it was measured, bits per second.
const SOUND_UNMEASURED: u64 = 40_000;

/// Of its bitrate, percent, that must be there for a lowest layer to stay.
const ENDURED_PERCENT: u64 = 80;

/// A better layer is given only if it fits with so much to spare, in percent of its bitrate. Less
/// switches up and down as the estimate breathes.
const HEADROOM_PERCENT: u64 = 15;
/// The same while the last try is not forgotten: only a link that is clearly wider now.
const HEADROOM_FAILED_PERCENT: u64 = 80;
/// The same for the smallest size, which is a picture or none.
const HEADROOM_LOWEST_PERCENT: u64 = 40;

/// What a slot may be given of a publication: an encoding, up to some layer. Worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) encoding: u8,
    pub(crate) limit: LayerLimit,
    /// As it is told: the highest layer of it.
    pub(crate) layer: LayerId,
    pub(crate) size: Option<Pixels>,
    pub(crate) active: bool,
    pub(crate) bitrate: Option<Bitrate>,
}

/// Who gets bandwidth first: what the subscriber says, and where it says the same, a screen share
/// before a camera, because what is read there is what the others talk about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Priority {
    pub(crate) wished: u8,
    pub(crate) screen: bool,
}

/// What one slot wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand<'a> {
    /// What there is of the publication that the slot shows; at least one.
    pub(crate) choices: &'a [Choice],
    pub(crate) viewport: Option<Pixels>,
    pub(crate) priority: Priority,
    /// Video. Audio is never reduced.
    pub(crate) adaptive: bool,
    /// There are better choices, which the subscriber may not have.
    pub(crate) limited: bool,
    /// The choice that it was given last, of the same publication.
    pub(crate) current: Option<u8>,
    /// A better layer was tried lately and did not last.
    pub(crate) failed: bool,
}

/// What one slot is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Which of the choices, or nothing.
    pub(crate) choice: Option<u8>,
    /// The choice that suffices for the viewport, whether or not it flows or fits.
    pub(crate) wanted: Option<u8>,
    pub(crate) reason: SlotReason,
}

/// The layer for each demand, and what they add up to. With a `budget`, video layers beyond it are
/// not given.
pub(crate) fn allocate(
    demands: &[Demand<'_>],
    budget: Option<BandwidthEstimate>,
) -> (Vec<Target>, BitrateDemand) {
    let wanted: Vec<Target> = demands.iter().map(wanted).collect();
    let mut targets = wanted.clone();
    if let Some(budget) = budget {
        fit(demands, &mut targets, budget);
    }
    let sums = sums(demands, &targets, &wanted);
    (targets, sums)
}

fn sums(demands: &[Demand<'_>], targets: &[Target], wanted: &[Target]) -> BitrateDemand {
    let total = |targets: &[Target]| -> u64 {
        let each = demands.iter().zip(targets);
        each.map(|(demand, target)| target.choice.map_or(0, |layer| cost(demand, layer)))
            .sum()
    };
    let allocated = total(targets);
    let steps = demands.iter().zip(targets).zip(wanted);
    let cheapest = steps
        .filter_map(|((demand, target), wanted)| {
            let next = next_layer(demand, wanted, target.choice)?;
            let paid = target.choice.map_or(0, |layer| cost(demand, layer));
            Some(needed(demand, next, None).saturating_sub(paid))
        })
        .min();
    BitrateDemand {
        allocated: Bitrate(allocated),
        next: cheapest.map(|step| Bitrate(allocated + step)),
        most: Bitrate(total(wanted)),
    }
}

/// What a slot gets if bandwidth is no question.
fn wanted(demand: &Demand<'_>) -> Target {
    if !demand.adaptive {
        return target(Some(0), SlotReason::Best);
    }
    if demand.viewport.is_some_and(|viewport| viewport.area() == 0) {
        return target(None, SlotReason::NotVisible);
    }
    let top = demand.choices.len().saturating_sub(1);
    let suffices = demand
        .viewport
        .and_then(|viewport| smallest_that_fills(demand.choices, viewport))
        .unwrap_or(top);
    let active = |at: &usize| demand.choices[*at].active;
    // Nothing active: the publisher has not begun. Wait for what is wanted.
    let chosen = (0..=suffices)
        .rev()
        .find(active)
        .or_else(|| (suffices..=top).find(active))
        .unwrap_or(suffices);
    let reason = if chosen != suffices {
        SlotReason::LayerInactive
    } else if chosen < top {
        SlotReason::Viewport
    } else if demand.limited {
        SlotReason::Limited
    } else {
        SlotReason::Best
    };
    Target {
        wanted: u8::try_from(suffices).ok(),
        ..target(u8::try_from(chosen).ok(), reason)
    }
}

const fn target(choice: Option<u8>, reason: SlotReason) -> Target {
    Target {
        choice,
        wanted: choice,
        reason,
    }
}

/// The picture is scaled to fit inside the viewport, so one of its sides decides. Choices of
/// unknown size do not take part; `None` if none is large enough. All its frames are wanted.
fn smallest_that_fills(choices: &[Choice], viewport: Pixels) -> Option<usize> {
    let enough =
        |have: u32, shown: u32| u64::from(have) * 100 >= u64::from(shown) * SIZE_ENOUGH_PERCENT;
    let fills = |choice: &&Choice| {
        choice.size.is_some_and(|size| {
            enough(size.width, viewport.width) || enough(size.height, viewport.height)
        })
    };
    let smallest = choices.iter().find(fills)?;
    choices
        .iter()
        .rposition(|choice| choice.is_as_large_as(smallest))
}

impl Choice {
    /// It differs in frame rate at most.
    pub(crate) fn is_as_large_as(&self, other: &Self) -> bool {
        self.encoding == other.encoding && self.limit.spatial == other.limit.spatial
    }
}

/// Gives up what does not fit: everyone's lowest layer first, by priority, then one step up at a
/// time, highest priority first, lowest layer first within a priority.
fn fit(demands: &[Demand<'_>], targets: &mut [Target], budget: BandwidthEstimate) {
    let sound = demands.iter().filter(|demand| !demand.adaptive);
    let sound: u64 = sound.map(|demand| cost(demand, 0)).sum();
    let left = budget.bitrate.bits_per_second().saturating_sub(sound);
    let mut order: Vec<usize> = (0..demands.len())
        .filter(|at| demands[*at].adaptive && targets[*at].choice.is_some())
        .collect();
    order.sort_by_key(|at| std::cmp::Reverse(demands[*at].priority));
    let mut granted = hand_out(demands, targets, &order, left, Keep::by(budget.basis));
    if budget.basis == EstimateBasis::Proven && is_unfair(demands, &order, &granted) {
        let fair = hand_out(demands, targets, &order, left, Keep::Lowest);
        let pictures = |granted: &[Option<u8>]| granted.iter().flatten().count();
        if pictures(&fair) > pictures(&granted) {
            granted = fair;
        }
    }
    for slot in order {
        if granted[slot] != targets[slot].choice {
            targets[slot].choice = granted[slot];
            targets[slot].reason = SlotReason::Bandwidth;
        }
    }
}

/// A slot has nothing while another, of no higher priority, has more than its lowest layer.
fn is_unfair(demands: &[Demand<'_>], order: &[usize], granted: &[Option<u8>]) -> bool {
    let starving = order.iter().find(|slot| granted[**slot].is_none());
    starving.is_some_and(|starving| {
        order.iter().any(|slot| {
            granted[*slot] > Some(0) && demands[*slot].priority <= demands[*starving].priority
        })
    })
}

fn hand_out(
    demands: &[Demand<'_>],
    targets: &[Target],
    order: &[usize],
    mut left: u64,
    keep: Keep,
) -> Vec<Option<u8>> {
    let mut granted: Vec<Option<u8>> = vec![None; demands.len()];
    for at in order {
        let (demand, target) = (&demands[*at], &targets[*at]);
        if let Some(kept) = kept(demand, target, keep) {
            granted[*at] = Some(kept);
            left = left.saturating_sub(cost(demand, kept));
        } else if let Some(rest) = grant(demand, target, &mut granted[*at], left) {
            left = rest;
        } else if let Some(lowest) = endured(demand, target, left) {
            granted[*at] = Some(lowest);
            left = 0;
        }
    }
    let groups = order.chunk_by(|one, other| demands[*one].priority == demands[*other].priority);
    for group in groups {
        raise(demands, targets, group, &mut granted, &mut left);
    }
    granted
}

/// Raises the slots of one priority in turns until nothing more fits.
fn raise(
    demands: &[Demand<'_>],
    targets: &[Target],
    slots: &[usize],
    granted: &mut [Option<u8>],
    left: &mut u64,
) {
    let steps = slots.iter().map(|slot| demands[*slot].choices.len()).max();
    for _ in 0..steps.unwrap_or(0) {
        for slot in slots {
            if granted[*slot].is_some()
                && let Some(rest) =
                    grant(&demands[*slot], &targets[*slot], &mut granted[*slot], *left)
            {
                *left = rest;
            }
        }
    }
}

/// One active layer more, not above the target. What is left of the budget if it fits.
fn grant(demand: &Demand<'_>, target: &Target, granted: &mut Option<u8>, left: u64) -> Option<u64> {
    let next = next_layer(demand, target, *granted)?;
    let paid = granted.map_or(0, |layer| cost(demand, layer));
    (left + paid).checked_sub(needed(demand, next, demand.current))?;
    *granted = Some(next);
    Some(left + paid - cost(demand, next))
}

/// What slots are given whether or not it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// Nothing.
    Nothing,
    /// The lowest layer, where a picture flows.
    Lowest,
    /// What flows.
    Current,
    /// What flows, and the lowest layer where nothing does.
    Any,
}

impl Keep {
    /// What flows well stays; while nothing is known, everybody gets a picture.
    const fn by(basis: EstimateBasis) -> Self {
        match basis {
            EstimateBasis::Assumed => Self::Any,
            EstimateBasis::Proven => Self::Current,
            EstimateBasis::Congested => Self::Nothing,
        }
    }
}

fn kept(demand: &Demand<'_>, wanted: &Target, keep: Keep) -> Option<u8> {
    let limit = wanted.choice?;
    let lowest = || next_layer(demand, wanted, None);
    let current = demand.current.map(|current| current.min(limit));
    let current = current.filter(|layer| demand.choices[usize::from(*layer)].active);
    match keep {
        Keep::Nothing => None,
        Keep::Lowest => current.and_then(|_| lowest()),
        Keep::Current => current,
        Keep::Any => current.or_else(lowest),
    }
}

/// The lowest layer, if the slot has a picture and nearly enough is left for it. Just after an
/// overuse the estimate is below what the link carries, so that its queue drains; that is no
/// reason to take away the last picture.
fn endured(demand: &Demand<'_>, wanted: &Target, left: u64) -> Option<u8> {
    demand.current?;
    let lowest = next_layer(demand, wanted, None)?;
    (cost(demand, lowest) * ENDURED_PERCENT <= left * 100).then_some(lowest)
}

/// The next active layer above `granted`, up to what `wanted` says.
fn next_layer(demand: &Demand<'_>, wanted: &Target, granted: Option<u8>) -> Option<u8> {
    let limit = wanted.choice.filter(|_| demand.adaptive)?;
    let from = granted.map_or(0, |layer| layer + 1);
    (from..=limit).find(|layer| *layer == limit || demand.choices[usize::from(*layer)].active)
}

/// What must be there to give a layer: more than it takes if the slot does not have it already.
fn needed(demand: &Demand<'_>, layer: u8, current: Option<u8>) -> u64 {
    let cost = cost(demand, layer);
    if current.is_some_and(|current| layer <= current) {
        return cost;
    }
    let at = usize::from(layer);
    let is_first_size = demand.choices[at].is_as_large_as(&demand.choices[0]);
    let headroom = match (demand.failed, is_first_size) {
        (false, _) => HEADROOM_PERCENT,
        (true, true) => HEADROOM_LOWEST_PERCENT,
        (true, false) => HEADROOM_FAILED_PERCENT,
    };
    cost + cost * headroom / 100
}

fn cost(demand: &Demand<'_>, layer: u8) -> u64 {
    let choice = &demand.choices[usize::from(layer)];
    let unmeasured = if demand.adaptive {
        let size = usize::from(choice.layer.spatial);
        BITRATE_UNMEASURED[size.min(BITRATE_UNMEASURED.len() - 1)]
    } else {
        SOUND_UNMEASURED
    };
    choice.bitrate.map_or(unmeasured, Bitrate::bits_per_second)
}

#[cfg(test)]
mod tests;
