use super::*;
use crate::testing::at;
use plenum_types::NtpTime;

const SPEECH: AudioLevel = AudioLevel(28);
const QUIET: AudioLevel = AudioLevel(85);

/// Feeds `seconds` of packets, 20 ms each, with the level that `level` gives for each.
fn feed(speech: &mut Speech, from_ms: u64, to_ms: u64, level: impl Fn(u64) -> AudioLevel) {
    for ms in (from_ms..to_ms).step_by(20) {
        speech.on_level(at(ms), level(ms));
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
                turns[voice] = Some(SpeakerTurn { speaking, since });
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
