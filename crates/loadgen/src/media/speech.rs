//! Who speaks: the publishers of a room take turns, so that the server has active speakers to
//! find.

use std::time::Duration;

use plenum_types::AudioLevel;

/// How long one speaks before another does.
const TURN: Duration = Duration::from_secs(3);
/// Level of those who listen: a microphone in a quiet room.
const LISTENING: AudioLevel = AudioLevel(90);
/// Loudest level of a voice, and how much quieter it gets.
const VOICE: u8 = 25;
const VOICE_RANGE: u64 = 15;

/// One publisher's part in the conversation of its room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speech {
    /// The same for the whole room.
    pub(crate) seed: u64,
    /// Which publisher of the room, of how many.
    pub(crate) index: u32,
    pub(crate) publishers: u32,
}

impl Speech {
    /// The level of the packet that is sent `at` after the run began, and whether it is voice.
    pub(crate) fn level(&self, at: Duration) -> (AudioLevel, bool) {
        let turn = at.as_secs() / TURN.as_secs();
        let speaker = mix(self.seed ^ turn) % u64::from(self.publishers.max(1));
        if speaker != u64::from(self.index) {
            return (LISTENING, false);
        }
        let quieter = mix(self.seed ^ at.as_micros() as u64) % VOICE_RANGE;
        (AudioLevel(VOICE + quieter as u8), true)
    }
}

/// A good mix of all bits (SplitMix64).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speakers(at: Duration) -> Vec<u32> {
        let speaks = |index: &u32| {
            Speech {
                seed: 5,
                index: *index,
                publishers: 4,
            }
            .level(at)
            .1
        };
        (0..4).filter(speaks).collect()
    }

    #[test]
    fn one_speaks_at_a_time_and_all_get_their_turn() {
        let mut heard = std::collections::BTreeSet::new();
        for second in 0..300 {
            let speakers = speakers(Duration::from_secs(second));
            assert_eq!(speakers.len(), 1);
            heard.extend(speakers);
        }
        assert_eq!(heard.len(), 4);
    }

    #[test]
    fn a_turn_is_not_interrupted() {
        let begin = speakers(Duration::from_secs(3));
        assert_eq!(speakers(Duration::from_millis(5_999)), begin);
    }
}
