use super::*;
use proptest::prelude::*;

fn layer(height: u32, active: bool, kbps: u64) -> LayerView {
    LayerView {
        size: Some(Pixels {
            width: height * 16 / 9,
            height,
        }),
        active,
        bitrate: Some(Bitrate::kbps(kbps)),
    }
}

fn three() -> [LayerView; 3] {
    [
        layer(180, true, 150),
        layer(360, true, 500),
        layer(720, true, 1_500),
    ]
}

fn demand(layers: &[LayerView], viewport: Option<(u32, u32)>) -> Demand<'_> {
    Demand {
        layers,
        viewport: viewport.map(|(width, height)| Pixels { width, height }),
        priority: 0,
        temporal: ALL_TEMPORAL,
        adaptive: true,
    }
}

fn one(layers: &[LayerView], viewport: Option<(u32, u32)>) -> (Option<u8>, SlotReason) {
    let target = allocate(&[demand(layers, viewport)], None)[0];
    (target.encoding, target.reason)
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
    let layers = [LayerView::default()];
    let audio = Demand {
        adaptive: false,
        ..demand(&layers, Some((0, 0)))
    };
    let target = allocate(&[audio], Some(Bitrate(0)))[0];
    assert_eq!(target.encoding, Some(0));
    assert_eq!(target.reason, SlotReason::Best);
}

#[test]
fn a_budget_goes_to_lowest_layers_first_then_by_priority() {
    let layers = three();
    let mut demands = [demand(&layers, None), demand(&layers, None)];
    demands[1].priority = 1;
    let targets = allocate(&demands, Some(Bitrate::kbps(700)));
    assert_eq!(targets[0].encoding, Some(0));
    assert_eq!(targets[1].encoding, Some(1));
    assert_eq!(targets[1].reason, SlotReason::Bandwidth);
    let targets = allocate(&demands, Some(Bitrate::kbps(200)));
    assert_eq!(targets[0], target(&demands[0], None, SlotReason::Bandwidth));
    assert_eq!(targets[1].encoding, Some(0));
}

prop_compose! {
    fn any_layers()(count in 1_usize..4)(
        layers in proptest::collection::vec((any::<bool>(), any::<bool>(), 1_u64..3_000), count),
    ) -> Vec<LayerView> {
        layers.into_iter().enumerate().map(|(at, (known, active, kbps))| {
            let mut view = layer(180 << at, active, kbps);
            if !known { view.size = None; }
            view
        }).collect()
    }
}

type AnyDemand = (Vec<LayerView>, Option<(u32, u32)>, u8);

fn any_demand() -> impl Strategy<Value = AnyDemand> {
    let viewport = proptest::option::of((0_u32..2_000, 0_u32..1_200));
    (any_layers(), viewport, 0_u8..3)
}

proptest! {
    #[test]
    fn holds_for_any_call(
        slots in proptest::collection::vec(any_demand(), 0..10),
        budget in proptest::option::of(0_u64..8_000),
    ) {
        let demands: Vec<Demand<'_>> = slots.iter().map(|(layers, viewport, priority)| Demand {
            priority: *priority,
            ..demand(layers, *viewport)
        }).collect();
        let budget = budget.map(Bitrate::kbps);
        let targets = allocate(&demands, budget);
        let free = allocate(&demands, None);
        let mut spent = 0;
        for ((demand, got), want) in demands.iter().zip(&targets).zip(&free) {
            // Never more than wanted, and never an inactive layer while another is active.
            prop_assert!(got.encoding <= want.encoding);
            if let Some(layer) = got.encoding {
                let chosen = &demand.layers[usize::from(layer)];
                prop_assert!(chosen.active || demand.layers.iter().all(|layer| !layer.active));
                spent += cost(demand, layer);
            }
            prop_assert_eq!(got.reason == SlotReason::Bandwidth, got.encoding != want.encoding);
        }
        if let Some(budget) = budget {
            prop_assert!(spent <= budget.bits_per_second());
        }
    }
}
