use super::*;
use proptest::prelude::*;

const ME: PeerIndex = PeerIndex(0);

fn video(publisher: u32, speaker_rank: Option<usize>) -> Candidate {
    Candidate {
        publisher: Some(PeerIndex(publisher)),
        kind: MediaKind::Video,
        muted: false,
        speaker_rank,
    }
}

fn wish(policy: Policy, current: Option<usize>) -> Wish {
    Wish {
        kind: MediaKind::Video,
        policy,
        current,
    }
}

#[test]
fn all_takes_the_oldest_unshown_and_stays() {
    let candidates = [video(1, None), video(2, None), video(3, None)];
    let wishes = [wish(Policy::All, None), wish(Policy::All, Some(2))];
    assert_eq!(assign(ME, &wishes, &candidates), [Some(0), Some(2)]);
}

#[test]
fn what_is_pinned_is_not_shown_again() {
    let candidates = [video(1, Some(0)), video(2, None), video(3, None)];
    let wishes = [
        wish(Policy::All, None),
        wish(Policy::SpeakerOrder, None),
        wish(Policy::Pinned(Some(0)), None),
        wish(Policy::Off, Some(1)),
    ];
    assert_eq!(
        assign(ME, &wishes, &candidates),
        [Some(2), Some(1), Some(0), None]
    );
}

#[test]
fn a_speaker_keeps_its_slot_until_an_active_one_displaces_it() {
    let mut candidates = [
        video(1, Some(1)),
        video(2, Some(0)),
        video(3, None),
        video(4, None),
    ];
    let wishes = [
        wish(Policy::SpeakerOrder, Some(0)),
        wish(Policy::SpeakerOrder, Some(1)),
    ];
    assert_eq!(assign(ME, &wishes, &candidates), [Some(0), Some(1)]);
    for (candidate, rank) in candidates.iter_mut().zip([Some(2), Some(1), None, Some(0)]) {
        candidate.speaker_rank = rank;
    }
    assert_eq!(assign(ME, &wishes, &candidates), [Some(3), Some(1)]);
}

#[test]
fn silence_is_filled_with_the_oldest_that_are_not_muted() {
    let mut candidates = [video(1, None), video(2, None), video(3, None)];
    candidates[0].muted = true;
    let wishes = [wish(Policy::SpeakerOrder, None); 2];
    assert_eq!(assign(ME, &wishes, &candidates), [Some(1), Some(2)]);
}

prop_compose! {
    fn any_candidate()(
        publisher in 0_u32..6, audio: bool, muted: bool,
        speaker_rank in proptest::option::of(0_usize..6),
    ) -> Candidate {
        let kind = if audio { MediaKind::Audio } else { MediaKind::Video };
        Candidate { publisher: Some(PeerIndex(publisher)), kind, muted, speaker_rank }
    }
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let policy = prop_oneof![
        Just(Policy::Off),
        proptest::option::of(0_usize..14).prop_map(Policy::Pinned),
        Just(Policy::SpeakerOrder),
        Just(Policy::All),
    ];
    let current = proptest::option::of(0_usize..14);
    (policy, any::<bool>(), current).prop_map(|(policy, audio, current)| Wish {
        kind: if audio {
            MediaKind::Audio
        } else {
            MediaKind::Video
        },
        policy,
        current,
    })
}

proptest! {
    #[test]
    fn holds_for_any_room(
        candidates in proptest::collection::vec(any_candidate(), 0..12),
        wishes in proptest::collection::vec(any_wish(), 0..12),
    ) {
        let result = assign(ME, &wishes, &candidates);
        prop_assert_eq!(result.len(), wishes.len());
        let mut shared = Vec::new();
        for (wish, shown) in wishes.iter().zip(&result) {
            if let Some(shown) = shown {
                prop_assert!(candidates[*shown].publisher != Some(ME));
                prop_assert_eq!(candidates[*shown].kind, wish.kind);
            }
            match wish.policy {
                Policy::Off => prop_assert_eq!(*shown, None),
                Policy::Pinned(at) => prop_assert!(shown.is_none() || *shown == at),
                _ => shared.extend(*shown),
            }
        }
        // Nothing is shown twice, except what is pinned twice.
        let pinned = |at: &usize| wishes.iter().any(|w| w.policy == Policy::Pinned(Some(*at)));
        let mut distinct = shared.clone();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), shared.len());
        for (wish, shown) in wishes.iter().zip(&result) {
            if matches!(wish.policy, Policy::SpeakerOrder | Policy::All) {
                if let Some(shown) = shown {
                    let elsewhere = wishes.iter().zip(&result)
                        .any(|(w, s)| matches!(w.policy, Policy::Pinned(_)) && *s == Some(*shown));
                    prop_assert!(!elsewhere);
                } else {
                    // Empty only if nothing is left to show.
                    let left = (0..candidates.len()).find(|at| {
                        fits(ME, wish.kind, candidates.get(*at))
                            && !pinned(at) && !shared.contains(at)
                    });
                    prop_assert_eq!(left, None);
                }
            }
        }
        // Assigning again from the result changes nothing.
        let settled: Vec<Wish> = wishes.iter().zip(&result)
            .map(|(wish, shown)| Wish { current: *shown, ..*wish })
            .collect();
        prop_assert_eq!(assign(ME, &settled, &candidates), result);
    }
}
