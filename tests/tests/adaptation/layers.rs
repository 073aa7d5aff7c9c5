//! What is shown for it.

use plenum_tests::for_seeds;
use plenum_types::SlotReason;

use crate::call::{Call, PICTURE, TOP, link, seconds};

#[test]
fn comes_back_after_a_drop() {
    for_seeds(|seed| {
        let mut call = Call::new(seed, link(10_000, 25));
        assert!(
            call.time_until(seconds(5), |layer| layer == Some(TOP))
                .is_some()
        );
        call.world.run_for(seconds(3));
        call.set_downlink(link(800, 25));
        let down = call.time_until(seconds(3), |layer| layer < Some(TOP));
        call.world.run_for(seconds(10));
        assert!(call.layer() < Some(TOP), "{:?}", call.layer());
        call.set_downlink(link(10_000, 25));
        let back = call.time_until(seconds(10), |layer| layer == Some(TOP));
        println!("down after {down:?}, the top layer again after {back:?}");
        assert!(back.is_some(), "{} kbit/s", call.estimate());
    });
}

#[test]
fn pauses_the_picture_and_keeps_the_sound_where_nothing_else_fits() {
    for_seeds(|seed| {
        let mut call = Call::new(seed, link(5_000, 25));
        call.world.run_for(seconds(5));
        call.set_downlink(link(100, 25));
        assert!(
            call.time_until(seconds(5), |layer| layer.is_none())
                .is_some()
        );
        call.world.run_for(seconds(2));
        let before = call.sound_packets();
        call.world.run_for(seconds(10));
        let heard = call.sound_packets() - before;
        let picture = call.picture();
        println!("{heard} of 500 packets of sound, {picture:?}");
        assert_eq!(
            picture.map(|binding| binding.reason),
            Some(SlotReason::Bandwidth)
        );
        assert!(heard >= 495, "{heard}");
        call.set_downlink(link(5_000, 25));
        let back = call.time_until(seconds(10), |layer| layer == Some(TOP));
        println!("the top layer again after {back:?}");
        assert!(back.is_some(), "{} kbit/s", call.estimate());
    });
}

#[test]
fn is_steady_on_a_steady_link() {
    for_seeds(|seed| {
        let kbps = 200 + seed * 173 % 1_800;
        let mut call = Call::new(seed, link(kbps, 30));
        call.world.run_for(seconds(15));
        let from = call.world.now();
        call.world.run_for(seconds(60));
        let switches = call.switches(from);
        let stream = call.world.client(call.subscriber).received(PICTURE);
        let freeze = stream.longest_freeze(from, call.world.now());
        println!("{kbps} kbit/s: {switches} switches a minute, longest freeze {freeze:?}");
        assert!(switches <= 6, "{kbps} kbit/s: {switches}");
        assert_eq!(stream.violations(), []);
    });
}
