//! What the estimate says of links.

use std::time::Duration;

use plenum_testkit::{Direction, LinkConfig};
use plenum_tests::for_seeds;

use crate::call::{Call, TOP, link, seconds};

#[test]
fn finds_a_narrow_link_and_follows_it() {
    for_seeds(|seed| {
        let mut call = Call::new(seed, link(500, 50));
        call.world.run_for(seconds(20));
        let at_500 = call.mean_estimate(seconds(5));
        call.set_downlink(link(800, 50));
        call.world.run_for(seconds(15));
        let at_800 = call.mean_estimate(seconds(5));
        call.set_downlink(link(100, 100));
        let shown = call.layer();
        let down = call.time_until(seconds(3), |layer| layer < shown);
        call.world.run_for(seconds(16));
        let at_100 = call.mean_estimate(seconds(4));
        println!(
            "{at_500} of 500, {at_800} of 800, {at_100} of 100 kbit/s; first layer down after {down:?}"
        );
        assert!((350..=550).contains(&at_500), "{at_500}");
        assert!((600..=900).contains(&at_800), "{at_800}");
        assert!((65..=115).contains(&at_100), "{at_100}");
        assert!(down.is_some_and(|down| down <= seconds(1)), "{down:?}");
    });
}

#[test]
fn finds_a_wide_link_by_probing() {
    for_seeds(|seed| {
        let mut call = Call::new(seed, link(10_000, 25));
        call.world.run_for(seconds(20));
        let estimate = call.estimate();
        let stats = call.world.stats();
        let share = stats.probe_bytes_out as f64 / stats.rtp_bytes_out as f64;
        println!(
            "{estimate} kbit/s after 20 s; {:.2} % of the bytes are probes",
            100.0 * share
        );
        assert!(estimate >= 5_000, "{estimate}");
        assert!(share <= 0.05, "{share}");
        assert_eq!(call.layer(), Some(TOP));
    });
}

#[test]
fn takes_random_loss_for_no_congestion() {
    for_seeds(|seed| {
        let lossy = LinkConfig {
            loss: 0.1,
            ..link(5_000, 25)
        };
        let mut call = Call::new(seed, lossy);
        call.world.run_for(seconds(8));
        let estimate = call.estimate();
        println!("{estimate} kbit/s after 8 s");
        assert!(estimate >= 1_000, "{estimate}");
    });
}

#[test]
fn does_not_hold_the_publishers_losses_against_the_subscriber() {
    for_seeds(|seed| {
        let mut call = Call::new(seed, link(5_000, 25));
        call.world.run_for(seconds(5));
        let before = call.estimate();
        let home = call.world.client(call.publisher).address();
        let lossy = LinkConfig {
            loss: 0.2,
            latency: Duration::from_millis(20),
            ..LinkConfig::default()
        };
        call.world.network.set_link(home, Direction::Up, lossy);
        let mean = call.mean_estimate(seconds(10));
        println!("{before} kbit/s before, {mean} while the publisher loses a fifth");
        assert!(mean * 10 >= before * 8, "{before} → {mean}");
        assert_eq!(call.layer(), Some(TOP));
    });
}
