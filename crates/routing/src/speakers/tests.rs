use super::*;
use crate::testing::at;
use plenum_types::{AudioLevel, NtpTime};

const SPEECH: AudioLevel = AudioLevel(28);
const QUIET: AudioLevel = AudioLevel(85);

/// Feeds `seconds` of packets, 20 ms each, with the level that `level` gives for each.
fn feed(speech: &mut Speech, from_ms: u64, to_ms: u64, level: impl Fn(u64) -> AudioLevel) {
    for ms in (from_ms..to_ms).step_by(20) {
        let level = Some((level(ms), true));
        speech.on_packet(at(ms), Heard { level, payload: 80 });
    }
}

/// Syllables: 160 ms loud, 60 ms quiet.
fn syllables(ms: u64) -> AudioLevel {
    if ms % 220 < 160 { SPEECH } else { QUIET }
}

#[test]
fn speech_is_heard_within_half_a_second_and_ends_after_a_second() {
    let mut speech = Speech::default();
    feed(&mut speech, 0, 2_000, |_| QUIET);
    assert!(speech.speaking(at(2_000)).is_none());
    feed(&mut speech, 2_000, 2_600, syllables);
    assert!(speech.speaking(at(2_600)).is_some());
    feed(&mut speech, 2_600, 20_000, syllables);
    assert!(speech.speaking(at(20_000)).is_some());
    feed(&mut speech, 20_000, 21_800, |_| QUIET);
    assert!(speech.speaking(at(21_800)).is_none());
}

#[test]
fn a_click_is_no_speech() {
    let mut speech = Speech::default();
    for second in 0..10 {
        let from = second * 1_000;
        feed(&mut speech, from, from + 80, |_| AudioLevel(5));
        assert!(speech.speaking(at(from + 80)).is_none());
        feed(&mut speech, from + 80, from + 1_000, |_| QUIET);
    }
}

#[test]
fn a_cough_is_no_speech_and_a_word_is() {
    for (length, speaks) in [(240, false), (400, true)] {
        let mut speech = Speech::default();
        feed(&mut speech, 0, 2_000, |_| QUIET);
        feed(&mut speech, 2_000, 2_000 + length, |_| AudioLevel(15));
        feed(&mut speech, 2_000 + length, 2_700, |_| QUIET);
        assert_eq!(speech.speaking(at(2_700)).is_some(), speaks, "{length} ms");
    }
}

#[test]
fn noise_that_begins_is_taken_for_speech_only_for_a_moment() {
    let mut speech = Speech::default();
    feed(&mut speech, 0, 5_000, |_| QUIET);
    // A fan, give or take 2 dB.
    feed(&mut speech, 5_000, 9_000, |ms| {
        AudioLevel(44 + (ms / 20 % 3) as u8)
    });
    assert!(speech.speaking(at(9_000)).is_none());
}

#[test]
fn the_voice_bit_counts_where_it_is_used() {
    for (used, speaks) in [(true, false), (false, true)] {
        let mut speech = Speech::default();
        for ms in (0..4_000).step_by(20) {
            let voice = used && ms < 1_000;
            let level = if ms < 1_000 { QUIET } else { syllables(ms) };
            let level = Some((level, voice));
            speech.on_packet(at(ms), Heard { level, payload: 80 });
        }
        assert_eq!(speech.speaking(at(4_000)).is_some(), speaks, "used: {used}");
    }
}

#[test]
fn missing_levels_change_nothing_and_none_at_all_are_guessed() {
    let mut some = Speech::default();
    let mut none = Speech::default();
    let mut heard = [0, 0];
    for ms in (0..8_000).step_by(20) {
        let talks = ms >= 4_000 && ms % 220 < 160;
        let level = if talks { SPEECH } else { QUIET };
        let level = (ms % 60 == 0).then_some((level, true));
        // A quiet room takes a third of the bytes.
        let payload = if talks { 100 } else { 30 };
        some.on_packet(at(ms), Heard { level, payload });
        let level = None;
        none.on_packet(at(ms), Heard { level, payload });
        heard[0] += u32::from(some.speaking(at(ms)).is_some());
        heard[1] += u32::from(none.speaking(at(ms)).is_some());
        if ms < 4_000 {
            assert_eq!(heard, [0, 0], "{ms} ms");
        }
    }
    assert!(heard[0] > 165 && heard[1] > 165, "{heard:?} of 200");
}

#[test]
fn where_speech_began_is_known_when_it_is_found() {
    let mut speech = Speech::default();
    feed(&mut speech, 0, 2_000, |_| QUIET);
    assert_eq!(speech.began(at(2_000)), None);
    let mut found = None;
    for ms in (2_000..3_000).step_by(20) {
        let level = Some((syllables(ms - 2_000), true));
        let starts = speech.on_packet(at(ms), Heard { level, payload: 80 });
        if starts {
            assert_eq!(found.replace(ms), None, "found twice");
            assert!(speech.began(at(ms)).is_some_and(|began| began <= at(2_000)));
            assert!(speech.began(at(ms)).is_some_and(|began| began >= at(1_960)));
        }
    }
    assert!(found.is_some_and(|ms| ms <= 2_400), "{found:?}");
    feed(&mut speech, 3_000, 5_000, syllables);
    assert_eq!(speech.began(at(5_000)), None, "longer ago than is known");
}

/// A room: each voice with its level while it speaks, by number.
fn order_of(voices: &[(u64, SpeechActivity)]) -> (SpeakerOrder, Vec<Recent>) {
    let recent: Vec<Recent> = voices
        .iter()
        .zip(0..)
        .map(|((since, activity), number)| Recent {
            index: PublicationIndex(number),
            id: PublicationId(u64::from(number)),
            turn: SpeakerTurn {
                speaking: true,
                since: NtpTime(*since),
                activity: *activity,
            },
        })
        .collect();
    let mut order = SpeakerOrder::default();
    order.update(recent.clone());
    (order, recent)
}

fn activity(immediate: u8, medium: u8, long: u8) -> SpeechActivity {
    SpeechActivity {
        immediate,
        medium,
        long,
    }
}

#[test]
fn the_floor_goes_to_who_has_more_on_all_scales() {
    let one = PublicationIndex(1);
    for (challenger, takes) in [
        (activity(30, 9, 50), true),
        // A cough is loud, but not for long.
        (activity(60, 10, 12), false),
        // As much, but not louder.
        (activity(21, 9, 50), false),
        // More, but quiet just now.
        (activity(30, 5, 50), false),
    ] {
        let (mut order, mut recent) = order_of(&[(100, activity(20, 6, 40)), (900, challenger)]);
        let stamp = order.better_stamp(one);
        assert_eq!(stamp, takes.then_some(NtpTime(99)), "{challenger:?}");
        if let Some(stamp) = stamp {
            recent[1].turn.since = stamp;
            assert!(order.update(recent));
            assert_eq!(order.rank(one), Some(0));
            assert_eq!(order.better_stamp(one), None);
        }
    }
}

/// Of five who speak at once the loudest are heard, and the order of shards does not matter.
#[test]
fn the_loudest_come_first_from_wherever_they_start() {
    let voices = [12, 24, 18, 6, 30].map(|db| activity(db, db / 3, db * 2));
    let stamped: Vec<_> = voices
        .iter()
        .zip(100..)
        .map(|(voice, at)| (at, *voice))
        .collect();
    for first in 0..5 {
        let (mut order, mut recent) = order_of(&stamped);
        // Each shard looks at its own voices, in any order, again and again.
        for round in 0..20 {
            let number = (first + round * 3) % 5;
            if let Some(stamp) = order.better_stamp(PublicationIndex(number as u32)) {
                recent[number].turn.since = stamp;
                order.update(recent.clone());
            }
        }
        let ranks = [0, 1, 2, 3, 4].map(|number| order.rank(PublicationIndex(number)));
        assert_eq!(ranks, [Some(3), Some(1), Some(2), Some(4), Some(0)]);
        let mut elsewhere = SpeakerOrder::default();
        recent.reverse();
        elsewhere.update(recent);
        for number in 0..5 {
            let index = PublicationIndex(number);
            assert_eq!(elsewhere.rank(index), order.rank(index));
        }
    }
}

#[test]
fn lasting_noise_becomes_the_floor() {
    let mut speech = Speech::default();
    feed(&mut speech, 0, 20_000, |_| AudioLevel(45));
    assert!(speech.speaking(at(20_000)).is_none());
    feed(&mut speech, 20_000, 21_000, |ms| {
        if ms % 220 < 160 {
            AudioLevel(25)
        } else {
            AudioLevel(45)
        }
    });
    assert!(speech.speaking(at(21_000)).is_some());
}

#[test]
fn a_breath_does_not_end_speech() {
    let mut speech = Speech::default();
    feed(&mut speech, 0, 2_000, syllables);
    feed(&mut speech, 2_000, 2_400, |_| QUIET);
    assert!(speech.speaking(at(2_400)).is_some());
}

#[test]
fn silence_without_packets_ends_speech() {
    let mut speech = Speech::default();
    feed(&mut speech, 0, 2_000, syllables);
    assert!(speech.speaking(at(2_100)).is_some());
    assert!(speech.speaking(at(3_500)).is_none());
}

#[test]
fn the_order_keeps_who_speaks_in_front() {
    let mut order = SpeakerOrder::default();
    let mut voices = [Speech::default(); 3];
    let mut turns = [None; 3];
    let mut changes = 0;
    for tick in 0..80_u64 {
        let from = tick * 250;
        // 0 speaks for 5 s, then 1, then both 1 and 2, then nobody.
        let speaks = |voice: usize| match tick / 20 {
            0 => voice == 0,
            1 => voice == 1,
            2 => voice >= 1,
            _ => false,
        };
        for (voice, speech) in voices.iter_mut().enumerate() {
            feed(speech, from, from + 250, |ms| {
                if speaks(voice) { syllables(ms) } else { QUIET }
            });
        }
        for (voice, speech) in voices.iter_mut().enumerate() {
            let speaking = speech.speaking(at(from + 250)).is_some();
            let turn = turns[voice].is_some_and(|turn: SpeakerTurn| turn.speaking);
            if speaking != turn {
                let since = NtpTime(tick);
                let activity = speech.activity(at(from + 250));
                turns[voice] = Some(SpeakerTurn {
                    speaking,
                    since,
                    activity,
                });
            }
        }
        let recent = (0..3).filter_map(|voice| {
            Some(Recent {
                index: PublicationIndex(voice as u32),
                id: PublicationId(voice as u64),
                turn: turns[voice]?,
            })
        });
        changes += usize::from(order.update(recent.collect()));
        match tick {
            19 => assert_eq!(order.rank(PublicationIndex(0)), Some(0)),
            39 | 59 => assert_eq!(order.rank(PublicationIndex(1)), Some(0)),
            _ => {}
        }
    }
    assert!(changes <= 6, "{changes} changes");
    assert_eq!(order.rank(PublicationIndex(0)), Some(2));
}
