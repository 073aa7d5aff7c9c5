use super::*;
use proptest::prelude::*;

fn layer(height: u32, active: bool, kbps: u64) -> Choice {
    let encoding = (height / 180).ilog2() as u8;
    Choice {
        encoding,
        size: Some(Pixels {
            width: height * 16 / 9,
            height,
        }),
        active,
        bitrate: Some(Bitrate::kbps(kbps)),
        ..SOUND
    }
}

const SOUND: Choice = Choice {
    encoding: 0,
    limit: LayerLimit::NONE,
    layer: LayerId {
        spatial: 0,
        temporal: 0,
    },
    size: None,
    active: true,
    bitrate: None,
};

fn three() -> [Choice; 3] {
    [
        layer(180, true, 150),
        layer(360, true, 500),
        layer(720, true, 1_500),
    ]
}

fn demand(layers: &[Choice], viewport: Option<(u32, u32)>) -> Demand<'_> {
    Demand {
        choices: layers,
        viewport: viewport.map(|(width, height)| Pixels { width, height }),
        priority: Priority::default(),
        adaptive: true,
        limited: false,
        current: None,
        failed: false,
    }
}

fn estimate(bitrate: Bitrate, basis: EstimateBasis) -> Option<BandwidthEstimate> {
    Some(BandwidthEstimate { bitrate, basis })
}

fn budget(bitrate: Bitrate) -> Option<BandwidthEstimate> {
    estimate(bitrate, EstimateBasis::Congested)
}

fn targets(demands: &[Demand<'_>], budget: Option<BandwidthEstimate>) -> Vec<Target> {
    allocate(demands, budget).0
}

fn one(layers: &[Choice], viewport: Option<(u32, u32)>) -> (Option<u8>, SlotReason) {
    let target = targets(&[demand(layers, viewport)], None)[0];
    (target.choice, target.reason)
}

#[test]
fn the_viewport_decides() {
    let layers = three();
    assert_eq!(one(&layers, None), (Some(2), SlotReason::Best));
    assert_eq!(
        one(&layers, Some((320, 180))),
        (Some(0), SlotReason::Viewport)
    );
    assert_eq!(
        one(&layers, Some((400, 225))),
        (Some(0), SlotReason::Viewport)
    );
    assert_eq!(
        one(&layers, Some((420, 240))),
        (Some(1), SlotReason::Viewport)
    );
    assert_eq!(
        one(&layers, Some((1_920, 1_080))),
        (Some(2), SlotReason::Best)
    );
    assert_eq!(one(&layers, Some((0, 180))), (None, SlotReason::NotVisible));
    // A wide picture in a tall box is as wide as the box.
    assert_eq!(
        one(&layers, Some((320, 1_000))),
        (Some(0), SlotReason::Viewport)
    );
}

#[test]
fn an_inactive_layer_is_replaced_by_the_next_lower() {
    let mut layers = three();
    layers[2].active = false;
    assert_eq!(one(&layers, None), (Some(1), SlotReason::LayerInactive));
    layers[1].active = false;
    layers[0].active = false;
    assert_eq!(one(&layers, None), (Some(2), SlotReason::Best));
    layers[2].active = true;
    assert_eq!(
        one(&layers, Some((10, 10))),
        (Some(2), SlotReason::LayerInactive)
    );
}

#[test]
fn audio_is_never_reduced() {
    let layers = [SOUND];
    let audio = Demand {
        adaptive: false,
        limited: false,
        ..demand(&layers, Some((0, 0)))
    };
    let target = targets(&[audio], budget(Bitrate(0)))[0];
    assert_eq!(target.choice, Some(0));
    assert_eq!(target.reason, SlotReason::Best);
}

#[test]
fn a_budget_goes_to_lowest_layers_first_then_by_priority() {
    let layers = three();
    let mut demands = [demand(&layers, None), demand(&layers, None)];
    demands[1].priority.wished = 1;
    let found = targets(&demands, budget(Bitrate::kbps(750)));
    assert_eq!(found[0].choice, Some(0));
    assert_eq!(found[1].choice, Some(1));
    assert_eq!(found[1].reason, SlotReason::Bandwidth);
    let found = targets(&demands, budget(Bitrate::kbps(200)));
    assert_eq!(found[0].choice, None);
    assert_eq!(found[0].wanted, Some(2));
    assert_eq!(found[0].reason, SlotReason::Bandwidth);
    assert_eq!(found[1].choice, Some(0));
}

#[test]
fn a_better_layer_needs_more_room_to_come_than_to_stay() {
    let layers = three();
    let mut slot = demand(&layers, None);
    let at = |slot: &Demand<'_>, kbps| targets(&[*slot], budget(Bitrate::kbps(kbps)))[0].choice;
    slot.current = Some(0);
    assert_eq!(at(&slot, 560), Some(0));
    assert_eq!(at(&slot, 575), Some(1));
    slot.current = Some(1);
    assert_eq!(at(&slot, 560), Some(1));
    assert_eq!(at(&slot, 499), Some(0));
    assert_eq!(at(&slot, 149), Some(0));
    assert_eq!(at(&slot, 119), None);
    slot.failed = true;
    assert_eq!(at(&slot, 1_900), Some(1));
    assert_eq!(at(&slot, 2_700), Some(2));
}

#[test]
fn what_flows_well_is_not_taken_away() {
    let layers = three();
    let mut demands = [demand(&layers, None), demand(&layers, None)];
    demands[1].current = Some(1);
    let little = Bitrate::kbps(100);
    let given = |basis| -> Vec<Option<u8>> {
        let found = targets(&demands, estimate(little, basis));
        found.iter().map(|target| target.choice).collect()
    };
    assert_eq!(given(EstimateBasis::Assumed), [Some(0), Some(1)]);
    assert_eq!(given(EstimateBasis::Proven), [None, Some(1)]);
    assert_eq!(given(EstimateBasis::Congested), [None, None]);
}

#[test]
fn nobody_goes_without_a_picture_while_another_has_a_better_one() {
    let layers = three();
    let mut demands = [demand(&layers, None), demand(&layers, None)];
    demands[0].current = Some(1);
    let given = |demands: &[Demand<'_>]| {
        let found = targets(demands, estimate(Bitrate::kbps(520), EstimateBasis::Proven));
        [found[0].choice, found[1].choice]
    };
    assert_eq!(given(&demands), [Some(0), Some(0)]);
    demands[0].priority.wished = 1;
    assert_eq!(given(&demands), [Some(1), None]);
}

#[test]
fn fewer_frames_come_before_no_picture_and_all_frames_before_a_larger_one() {
    let mut choices = three().to_vec();
    let mut fewer = layer(180, true, 60);
    fewer.limit = LayerLimit::NONE.with_temporal(0);
    choices.insert(0, fewer);
    let slot = demand(&choices, Some((320, 180)));
    let at = |kbps| targets(&[slot], budget(Bitrate::kbps(kbps)))[0];
    assert_eq!(at(300).choice, Some(1));
    assert_eq!(at(300).reason, SlotReason::Viewport);
    assert_eq!((at(100).choice, at(100).wanted), (Some(0), Some(1)));
    assert_eq!(at(100).reason, SlotReason::Bandwidth);
    assert_eq!(at(50).choice, None);
}

#[test]
fn sound_comes_out_of_the_budget_first() {
    let sound = [Choice {
        bitrate: Some(Bitrate::kbps(100)),
        ..SOUND
    }];
    let layers = three();
    let audio = Demand {
        adaptive: false,
        limited: false,
        ..demand(&sound, None)
    };
    let demands = [audio, demand(&layers, None)];
    let (found, sums) = allocate(&demands, budget(Bitrate::kbps(600)));
    assert_eq!(found[1].choice, Some(0));
    assert_eq!(sums.allocated, Bitrate::kbps(250));
    assert_eq!(sums.next, Some(Bitrate::kbps(100 + 575)));
    assert_eq!(sums.most, Bitrate::kbps(1_600));
    assert_eq!(allocate(&demands, None).1.next, None);
}

#[test]
fn a_screen_share_comes_before_cameras_unless_they_are_wished_more() {
    let layers = three();
    let mut demands = [demand(&layers, None), demand(&layers, None)];
    demands[1].priority.screen = true;
    let found = targets(&demands, budget(Bitrate::kbps(800)));
    assert_eq!(
        (found[0].choice, found[1].choice),
        (Some(0), Some(1)),
        "{found:?}"
    );
    let found = targets(&demands, budget(Bitrate::kbps(200)));
    assert_eq!((found[0].choice, found[1].choice), (None, Some(0)));
    demands[0].priority.wished = 1;
    let found = targets(&demands, budget(Bitrate::kbps(200)));
    assert_eq!((found[0].choice, found[1].choice), (Some(0), None));
}

prop_compose! {
    fn any_layers()(count in 1_usize..4)(
        layers in proptest::collection::vec((any::<bool>(), any::<bool>(), 1_u64..3_000), count),
    ) -> Vec<Choice> {
        layers.into_iter().enumerate().map(|(at, (known, active, kbps))| {
            let mut view = layer(180 << at, active, kbps);
            if !known { view.size = None; }
            view
        }).collect()
    }
}

type AnyDemand = (Vec<Choice>, Option<(u32, u32)>, u8);

fn any_demand() -> impl Strategy<Value = AnyDemand> {
    let viewport = proptest::option::of((0_u32..2_000, 0_u32..1_200));
    (any_layers(), viewport, 0_u8..3)
}

proptest! {
    #[test]
    fn holds_for_any_call(
        slots in proptest::collection::vec(any_demand(), 0..10),
        allowed in proptest::option::of(0_u64..8_000),
    ) {
        let demands: Vec<Demand<'_>> = slots.iter().map(|(layers, viewport, priority)| Demand {
            priority: Priority { wished: *priority, screen: false },
            ..demand(layers, *viewport)
        }).collect();
        let allowed = allowed.map(Bitrate::kbps);
        let budgeted = allowed.and_then(budget);
        let got = targets(&demands, budgeted);
        let free = targets(&demands, None);
        let mut spent = 0;
        for ((demand, got), want) in demands.iter().zip(&got).zip(&free) {
            // Never more than wanted, and never an inactive layer while another is active.
            prop_assert!(got.choice <= want.choice);
            if let Some(layer) = got.choice {
                let chosen = &demand.choices[usize::from(layer)];
                prop_assert!(chosen.active || demand.choices.iter().all(|layer| !layer.active));
                spent += cost(demand, layer);
            }
            prop_assert_eq!(got.reason == SlotReason::Bandwidth, got.choice != want.choice);
        }
        if let Some(allowed) = allowed {
            prop_assert!(spent <= allowed.bits_per_second());
        }
    }
}
