//! Who is speaking, from the audio levels that ride in packets (RFC 6464).
//!
//! After Volfin and Cohen, "Dominant speaker identification for multipoint videoconferencing"
//! (IEEE 27th Convention of Electrical and Electronics Engineers in Israel, 2012): speech is looked
//! at on three time scales, and who speaks is not who is loudest but who beats the one before on
//! all of them. *Immediate*: how far the level stands out of the publication's own noise floor.
//! *Medium*: loud units among the last 200 ms, so that a click counts little. *Long*: loud units
//! among the last 1.3 s, so that a cough does. The paper's scores are ratios of likelihoods of a
//! binomial and an exponential distribution; ours are the counts themselves, which is what those
//! ratios come to where both are binomial.
//!
//! Invariant: the order of speakers is a function of their turns, which the publisher's shard makes
//! and tells. So all shards of a room have the same order. A speaker who beats another one is put
//! ahead by a stamp just before the other's.

use std::time::{Duration, Instant};

use plenum_types::{NtpTime, PublicationId, Speaker, SpeakerTurn, SpeechActivity};

use crate::PublicationIndex;

mod speech;

pub(crate) use speech::{Heard, Speech};

/// How often the speakers of a room are looked at, and told of at most.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);
/// They are looked at sooner when somebody begins to speak, but not before this has passed.
const INTERVAL_MIN: Duration = Duration::from_millis(40);
/// What a speaker must have more than another to go before: decibels above the own noise floor,
/// loud units of the last 200 ms, loud units of the last 1.3 s. More is calmer and later.
const AHEAD_IMMEDIATE: u8 = 3;
const AHEAD_MEDIUM: u8 = 2;
const AHEAD_LONG: u8 = 4;
/// Change of a level that is worth telling, dB.
const LEVEL_STEP_DB: u8 = 6;
/// Most speakers told.
const SPEAKERS_MAX: usize = 8;

/// The speakers of one room.
///
/// Their order is a function of their turns alone, so that all shards of the room have the same.
#[derive(Debug, Default)]
pub(crate) struct SpeakerOrder {
    /// Those speaking now first, by their stamps; then the others, who ceased last first.
    recent: Vec<Recent>,
    /// Places in `recent`, by publication.
    ranks: Vec<(PublicationIndex, usize)>,
    told: Vec<Speaker>,
    told_at: Option<Instant>,
    looked_at: Option<Instant>,
}

/// Somebody who speaks or spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recent {
    pub(crate) index: PublicationIndex,
    pub(crate) id: PublicationId,
    pub(crate) turn: SpeakerTurn,
}

impl SpeakerOrder {
    /// Place of a publication among recent speakers, 0 first.
    pub(crate) fn rank(&self, publication: PublicationIndex) -> Option<usize> {
        let at = self
            .ranks
            .binary_search_by_key(&publication, |(index, _)| *index)
            .ok()?;
        Some(self.ranks[at].1)
    }

    /// The publication is gone.
    pub(crate) fn remove(&mut self, publication: PublicationIndex) {
        self.recent.retain(|recent| recent.index != publication);
        self.rank_all();
    }

    /// Everybody who speaks or spoke. Whether their order is another one.
    pub(crate) fn update(&mut self, mut recent: Vec<Recent>) -> bool {
        recent.sort_by_key(|recent| {
            let SpeakerTurn {
                speaking, since, ..
            } = recent.turn;
            let at = if speaking {
                since.0
            } else {
                u64::MAX - since.0
            };
            (!speaking, at, recent.id)
        });
        let order = |recent: &Recent| recent.index;
        let reordered = !recent.iter().map(order).eq(self.recent.iter().map(order));
        self.recent = recent;
        if reordered {
            self.rank_all();
        }
        reordered
    }

    /// The stamp by which a speaker goes before the first of those that it beats; `None` if it
    /// beats nobody who is ahead of it.
    pub(crate) fn better_stamp(&self, publication: PublicationIndex) -> Option<NtpTime> {
        let own = self.recent.get(self.rank(publication)?)?;
        let ahead = self.recent.iter().take_while(|recent| {
            let other = recent.index != publication;
            other && recent.turn.speaking && own.turn.speaking
        });
        let mut beaten = ahead.filter(|recent| beats(own.turn.activity, recent.turn.activity));
        let first = beaten.next()?;
        Some(NtpTime(first.turn.since.0.saturating_sub(1)))
    }

    /// When to look at the speakers because somebody begins to speak at `now`.
    pub(crate) fn look_soon(&self, now: Instant) -> Instant {
        self.looked_at
            .map_or(now, |last| now.max(last + INTERVAL_MIN))
    }

    /// The speakers are looked at.
    pub(crate) fn on_look(&mut self, now: Instant) {
        self.looked_at = Some(now);
    }

    /// These `speaking` now are this shard's to tell of. Some: loudest first, if that is news.
    pub(crate) fn tell(
        &mut self,
        now: Instant,
        mut speaking: Vec<Speaker>,
    ) -> Option<Vec<Speaker>> {
        let is_early = |last: Instant| now.saturating_duration_since(last) < INTERVAL;
        if self.told_at.is_some_and(is_early) {
            return None;
        }
        speaking.sort_by_key(|speaker| speaker.level);
        speaking.truncate(SPEAKERS_MAX);
        if !self.is_news(&speaking) {
            return None;
        }
        self.told_at = Some(now);
        self.told.clone_from(&speaking);
        Some(speaking)
    }

    /// Other people, or a level that has moved.
    fn is_news(&self, speakers: &[Speaker]) -> bool {
        speakers.len() != self.told.len()
            || speakers.iter().any(|speaker| {
                let told = self
                    .told
                    .iter()
                    .find(|told| told.publication == speaker.publication);
                told.is_none_or(|told| told.level.0.abs_diff(speaker.level.0) >= LEVEL_STEP_DB)
            })
    }

    fn rank_all(&mut self) {
        let places = self.recent.iter().enumerate();
        self.ranks.clear();
        self.ranks
            .extend(places.map(|(rank, recent)| (recent.index, rank)));
        self.ranks.sort_unstable();
    }
}

/// Whether a speaker takes the place of another.
fn beats(own: SpeechActivity, other: SpeechActivity) -> bool {
    own.immediate >= other.immediate + AHEAD_IMMEDIATE
        && own.medium >= other.medium + AHEAD_MEDIUM
        && own.long >= other.long + AHEAD_LONG
}

/// Whether activity has changed enough to be told to other shards.
pub(crate) fn has_moved(before: SpeechActivity, now: SpeechActivity) -> bool {
    before.immediate.abs_diff(now.immediate) >= AHEAD_IMMEDIATE
        || before.medium.abs_diff(now.medium) >= AHEAD_MEDIUM
        || before.long.abs_diff(now.long) >= AHEAD_LONG
}

#[cfg(test)]
mod tests;
