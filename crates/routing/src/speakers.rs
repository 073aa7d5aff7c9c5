//! Who is speaking, from the audio levels that ride in packets (RFC 6464).
//!
//! A reduction of Volfovitsh and Cohen, "Dominant Speaker Identification for Multipoint
//! Videoconferencing" (2012), to its first two time scales. *Immediate*: a packet is loud if it
//! stands out of the publication's own noise floor, which follows quiet at once and noise slowly.
//! *Medium*: the share of loud time over the last few hundred milliseconds must pass a threshold,
//! so that a click or a cough is no speech; falling below a lower one, for a while, ends it, so
//! that a breath is no pause. The paper's long scale and its pairwise comparison of speakers are
//! left out: slots in speaker order keep whoever is already there, which gives the same calm.

use std::time::{Duration, Instant};

use plenum_types::{AudioLevel, PublicationId, Speaker, SpeakerTurn};

use crate::PublicationIndex;

/// How often the speakers of a room are looked at: changes come at most four times a second.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);
/// Quietest level that can be speech, dB below overload. Raising it hears distant voices and noise.
const QUIETEST_SPEECH_DB: f32 = 55.0;
/// How far speech stands out of the noise floor, dB.
const MARGIN_DB: f32 = 8.0;
/// How fast the floor rises towards lasting noise, dB/s. Faster mistakes long vowels for noise.
const FLOOR_RISE_DB_S: f32 = 3.0;
/// Share by which the floor falls towards a quieter packet.
const FLOOR_FALL: f32 = 0.2;
/// Memory of the share of loud time. Longer is calmer and later.
const ACTIVITY_MEMORY_S: f32 = 0.25;
/// Memory of the level that is shown.
const LEVEL_MEMORY_S: f32 = 0.3;
/// Share of loud time at which speech starts.
const SPEECH_STARTS: f32 = 0.6;
/// Share of loud time below which it may end.
const SPEECH_ENDS: f32 = 0.2;
/// How long it must stay below before it ends.
const HANGOVER: Duration = Duration::from_millis(700);
/// Longest time that one packet speaks for; beyond it the sender was silent (DTX).
const PACKET_TIME_MAX: Duration = Duration::from_millis(60);
/// Change of a level that is worth telling, dB.
const LEVEL_STEP_DB: u8 = 6;
/// Most speakers told.
const SPEAKERS_MAX: usize = 8;

/// Loudness of digital silence and of overload, dB above silence.
const OVERLOAD_DB: f32 = 127.0;

/// The speech of one audio publication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speech {
    /// Decibels above digital silence.
    floor: f32,
    loudness: f32,
    /// Share of loud time, 0 to 1.
    activity: f32,
    last: Option<Instant>,
    loud_at: Option<Instant>,
    speaking: bool,
}

impl Default for Speech {
    fn default() -> Self {
        Self {
            floor: OVERLOAD_DB - QUIETEST_SPEECH_DB - MARGIN_DB,
            loudness: 0.0,
            activity: 0.0,
            last: None,
            loud_at: None,
            speaking: false,
        }
    }
}

impl Speech {
    /// A packet came with its level.
    pub(crate) fn on_level(&mut self, now: Instant, level: AudioLevel) {
        let loudness = OVERLOAD_DB - f32::from(level.0.min(127));
        let since = self.elapsed(now);
        if since > PACKET_TIME_MAX {
            self.decay(since - PACKET_TIME_MAX);
        }
        let seconds = since.min(PACKET_TIME_MAX).as_secs_f32();
        self.last = Some(now);
        if loudness < self.floor {
            self.floor += (loudness - self.floor) * FLOOR_FALL;
        } else {
            self.floor = loudness.min(self.floor + FLOOR_RISE_DB_S * seconds);
        }
        let loud =
            loudness >= OVERLOAD_DB - QUIETEST_SPEECH_DB && loudness >= self.floor + MARGIN_DB;
        let target = if loud { 1.0 } else { 0.0 };
        self.activity += (target - self.activity) * share(seconds, ACTIVITY_MEMORY_S);
        self.loudness += (loudness - self.loudness) * share(seconds, LEVEL_MEMORY_S);
        if self.activity >= SPEECH_ENDS {
            self.loud_at = Some(now);
        }
        if self.activity >= SPEECH_STARTS {
            self.speaking = true;
        }
    }

    /// The smoothed level if somebody speaks at `now`.
    pub(crate) fn speaking(&mut self, now: Instant) -> Option<AudioLevel> {
        let quiet_for = self
            .loud_at
            .map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        self.speaking &= quiet_for < HANGOVER;
        self.speaking.then(|| self.level())
    }

    /// Forgets all but the noise floor; for muting.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            floor: self.floor,
            ..Self::default()
        };
    }

    fn level(&self) -> AudioLevel {
        AudioLevel((OVERLOAD_DB - self.loudness).round().clamp(0.0, 127.0) as u8)
    }

    fn elapsed(&self, now: Instant) -> Duration {
        self.last.map_or(Duration::from_millis(20), |last| {
            now.saturating_duration_since(last)
        })
    }

    fn decay(&mut self, silence: Duration) {
        let seconds = silence.as_secs_f32();
        self.activity *= 1.0 - share(seconds, ACTIVITY_MEMORY_S);
        self.loudness *= 1.0 - share(seconds, LEVEL_MEMORY_S);
    }
}

/// Weight of the last `seconds` in a mean that remembers `memory` seconds.
fn share(seconds: f32, memory: f32) -> f32 {
    seconds / (seconds + memory)
}

/// The speakers of one room.
///
/// Their order is a function of their turns alone, so that all shards of the room have the same.
#[derive(Debug, Default)]
pub(crate) struct SpeakerOrder {
    /// Those speaking now first, who began first; then the others, who ceased last first.
    recent: Vec<Recent>,
    told: Vec<Speaker>,
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
        self.recent
            .iter()
            .position(|recent| recent.index == publication)
    }

    /// The publication is gone.
    pub(crate) fn remove(&mut self, publication: PublicationIndex) {
        self.recent.retain(|recent| recent.index != publication);
    }

    /// Everybody who speaks or spoke. Whether their order is another one.
    pub(crate) fn update(&mut self, mut recent: Vec<Recent>) -> bool {
        recent.sort_by_key(|recent| {
            let SpeakerTurn { speaking, since } = recent.turn;
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
        reordered
    }

    /// These `speaking` now are this shard's to tell of. Some: loudest first, if that is news.
    pub(crate) fn tell(&mut self, mut speaking: Vec<Speaker>) -> Option<Vec<Speaker>> {
        speaking.sort_by_key(|speaker| speaker.level);
        speaking.truncate(SPEAKERS_MAX);
        if !self.is_news(&speaking) {
            return None;
        }
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
}

#[cfg(test)]
mod tests;
