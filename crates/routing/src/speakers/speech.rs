//! Whether one publication is heard to speak.
//!
//! Time is cut into units of [`UNIT`], each of them loud or not; the last [`UNITS`] of them are the
//! bits of a word. So the medium and the long scale are counts of bits, and nothing grows.

use std::time::{Duration, Instant};

use plenum_types::{AudioLevel, SpeechActivity};

/// How finely loud time is counted: what most packets of sound last.
const UNIT: Duration = Duration::from_millis(20);
/// The long scale, in units. More is calmer: who takes the floor has to speak for longer.
const UNITS: u32 = u64::BITS;
/// The medium scale, in units. Longer bridges syllables and hears changes later.
const MEDIUM: u32 = 10;
/// Quietest level that can be speech, dB below overload. Raising it hears distant voices and noise.
const QUIETEST_SPEECH_DB: f32 = 55.0;
/// How far speech stands out of the noise floor, dB.
const MARGIN_DB: f32 = 8.0;
/// How fast the floor rises towards lasting noise, dB/s. Faster mistakes long vowels for noise.
const FLOOR_RISE_DB_S: f32 = 3.0;
/// The same while the level hardly moves, as that of no voice does.
const STEADY_RISE_DB_S: f32 = 8.0;
/// A level that stays within this is steady, dB.
const STEADY_DB: f32 = 5.0;
/// Over this span and the one before it is seen whether the level moves. Longer than a syllable.
const SPAN: Duration = Duration::from_millis(320);
/// Share by which the floor falls towards a quieter packet.
const FLOOR_FALL: f32 = 0.2;
/// The floor does not fall below: what is quieter is no speech anyway, and the floor must not have
/// far to rise when noise begins.
const FLOOR_MIN: f32 = OVERLOAD_DB - QUIETEST_SPEECH_DB - MARGIN_DB;
/// Memory of the level that is shown, and of the immediate scale.
const LEVEL_MEMORY_S: f32 = 0.3;
/// Loud units of the long scale at which speech starts. More ignores longer coughs, and has more to
/// make up for by pre-roll.
const SPEECH_STARTS: u32 = 14;
/// Loud units of the medium scale that must be among them: it goes on.
const SPEECH_GOES_ON: u32 = 4;
/// Speech ends when of so many units fewer than [`SPEECH_LASTS`] were loud: longer than a breath.
const HANGOVER: u32 = 42;
const SPEECH_LASTS: u32 = 2;
/// Quiet units within a stretch of speech: between words, not between sentences.
const PAUSE: u32 = 15;
/// Longest time that one packet speaks for; beyond it the sender was silent (DTX).
const PACKET_UNITS_MAX: u32 = 3;
/// Without levels for so long a sender counts as one that tells none.
const LEVELS_MISSED: Duration = Duration::from_secs(1);
/// Loudness guessed from the size of a packet, where no level is told: an encoder of variable
/// bitrate gives more bytes to a voice than to a quiet room, about so many per decibel.
const GUESS_BASE_DB: f32 = 57.0;
const GUESS_BYTES_PER_DB: f32 = 3.0;
const GUESS_MAX_DB: f32 = 97.0;

/// Loudness of overload, dB above digital silence.
const OVERLOAD_DB: f32 = 127.0;

/// What a packet tells of its sound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// Level and voice bit (RFC 6464), if it has them.
    pub(crate) level: Option<(AudioLevel, bool)>,
    /// Bytes of payload.
    pub(crate) payload: usize,
}

/// The speech of one audio publication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speech {
    /// Decibels above digital silence.
    floor: f32,
    loudness: f32,
    /// Loud units, the newest in the lowest bit.
    loud: u64,
    /// The end of the newest unit.
    until: Option<Instant>,
    levelled_at: Option<Instant>,
    /// Some packets had the voice bit: it means something.
    tells_voice: bool,
    range: Range,
    speaking: bool,
}

/// How far the level moves.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    since: Option<Instant>,
    /// Least and most of this span and of the one before.
    now: Option<(f32, f32)>,
    before: Option<(f32, f32)>,
}

impl Default for Speech {
    fn default() -> Self {
        Self {
            floor: FLOOR_MIN,
            loudness: 0.0,
            loud: 0,
            until: None,
            levelled_at: None,
            tells_voice: false,
            range: Range::default(),
            speaking: false,
        }
    }
}

impl Speech {
    /// A packet came. True if with it somebody is found to speak.
    pub(crate) fn on_packet(&mut self, now: Instant, heard: Heard) -> bool {
        let Some((loudness, voice)) = self.loudness_of(now, heard) else {
            return false;
        };
        let units = self.advance(now);
        let seconds = (UNIT * units.min(PACKET_UNITS_MAX)).as_secs_f32();
        self.loudness += (loudness - self.loudness) * share(seconds, LEVEL_MEMORY_S);
        self.range.update(now, loudness);
        self.follow_noise(loudness, seconds);
        let is_loud = voice && loudness >= self.floor + MARGIN_DB;
        if is_loud {
            self.loud |= match units {
                0 | 1 => 1,
                // It speaks for the units that it lasts; of a longer silence only the last.
                units if units <= PACKET_UNITS_MAX => (1 << units) - 1,
                _ => 1,
            };
        }
        let starts = !self.speaking
            && self.loud.count_ones() >= SPEECH_STARTS
            && newest(self.loud, MEDIUM).count_ones() >= SPEECH_GOES_ON;
        self.speaking |= starts;
        starts
    }

    /// The smoothed level if somebody speaks at `now`.
    pub(crate) fn speaking(&mut self, now: Instant) -> Option<AudioLevel> {
        let lately = newest(self.loud_at(now), HANGOVER).count_ones();
        self.speaking &= lately >= SPEECH_LASTS;
        self.speaking.then(|| self.level())
    }

    /// How much speech there is at `now`, on the three scales.
    pub(crate) fn activity(&self, now: Instant) -> SpeechActivity {
        let loud = self.loud_at(now);
        let above = (self.loudness - self.floor).clamp(0.0, OVERLOAD_DB);
        SpeechActivity {
            immediate: above as u8,
            medium: newest(loud, MEDIUM).count_ones() as u8,
            long: loud.count_ones() as u8,
        }
    }

    /// When the speech began that is heard at `now`; `None` if that is longer ago than is known.
    pub(crate) fn began(&self, now: Instant) -> Option<Instant> {
        let loud = self.loud_at(now);
        let mut begin = None;
        let mut pause = 0;
        for unit in 0..UNITS {
            if loud & 1 << unit != 0 {
                begin = Some(unit);
                pause = 0;
            } else {
                pause += 1;
                if pause > PAUSE {
                    return now.checked_sub(UNIT * (begin? + 1));
                }
            }
        }
        None
    }

    /// Forgets all but the noise floor; for muting.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            floor: self.floor,
            tells_voice: self.tells_voice,
            ..Self::default()
        };
    }

    /// Loudness in decibels above silence, and whether it can be a voice. `None` where a packet of
    /// a sender that tells levels has none.
    fn loudness_of(&mut self, now: Instant, heard: Heard) -> Option<(f32, bool)> {
        if let Some((level, voice)) = heard.level {
            self.levelled_at = Some(now);
            self.tells_voice |= voice;
            let loudness = OVERLOAD_DB - f32::from(level.0.min(127));
            return Some((loudness, voice || !self.tells_voice));
        }
        let told = |at: Instant| now.saturating_duration_since(at) < LEVELS_MISSED;
        if self.levelled_at.is_some_and(told) {
            return None;
        }
        let guess = GUESS_BASE_DB + heard.payload as f32 / GUESS_BYTES_PER_DB;
        Some((guess.min(GUESS_MAX_DB), true))
    }

    /// Moves on to `now`; returns by how many units.
    fn advance(&mut self, now: Instant) -> u32 {
        let Some(until) = self.until else {
            self.until = Some(now);
            return 1;
        };
        let units = units_in(now.saturating_duration_since(until));
        self.loud = shifted(self.loud, units);
        self.until = Some(if units < UNITS {
            until + UNIT * units
        } else {
            now
        });
        units
    }

    fn follow_noise(&mut self, loudness: f32, seconds: f32) {
        if loudness < self.floor {
            self.floor += (loudness - self.floor) * FLOOR_FALL;
        } else {
            let rise = if self.range.is_steady() {
                STEADY_RISE_DB_S
            } else {
                FLOOR_RISE_DB_S
            };
            self.floor = loudness.min(self.floor + rise * seconds);
        }
        self.floor = self.floor.max(FLOOR_MIN);
    }

    fn loud_at(&self, now: Instant) -> u64 {
        let since = self
            .until
            .map_or(Duration::ZERO, |until| now.saturating_duration_since(until));
        shifted(self.loud, units_in(since))
    }

    fn level(&self) -> AudioLevel {
        AudioLevel((OVERLOAD_DB - self.loudness).round().clamp(0.0, 127.0) as u8)
    }
}

impl Range {
    fn update(&mut self, now: Instant, loudness: f32) {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= SPAN {
            self.before = self.now.take();
            self.since = Some(now);
        }
        self.now = Some(self.now.map_or((loudness, loudness), |(least, most)| {
            (least.min(loudness), most.max(loudness))
        }));
    }

    fn is_steady(&self) -> bool {
        self.now
            .zip(self.before)
            .is_some_and(|(now, before)| now.1.max(before.1) - now.0.min(before.0) < STEADY_DB)
    }
}

fn units_in(time: Duration) -> u32 {
    let units = time.as_millis() / UNIT.as_millis();
    units.min(u128::from(UNITS)) as u32
}

fn shifted(loud: u64, units: u32) -> u64 {
    loud.checked_shl(units).unwrap_or(0)
}

/// The newest `units` units.
const fn newest(loud: u64, units: u32) -> u64 {
    loud & ((1 << units) - 1)
}

/// Weight of the last `seconds` in a mean that remembers `memory` seconds.
fn share(seconds: f32, memory: f32) -> f32 {
    seconds / (seconds + memory)
}
