//! Rooms that span shards. What a participant sees and hears must not depend on who is where.

mod churn;
mod join;
mod layers;
mod mute;
mod overfull;
mod repair;
mod sources;
mod speakers;

use std::time::Duration;

use plenum_testkit::{Client, LinkConfig, World};
use rand::RngExt;

/// An access link like those of most people.
fn access(rng: &mut plenum_testkit::seed::SimRng) -> LinkConfig {
    LinkConfig {
        latency: Duration::from_millis(rng.random_range(1..60)),
        jitter: Duration::from_millis(rng.random_range(0..10)),
        ..LinkConfig::default()
    }
}

/// Waits until everybody is connected.
fn connect(world: &mut World) {
    let connected = world.run_until(Duration::from_secs(3), |world| {
        world.clients().all(Client::is_connected)
    });
    assert!(connected, "not connected after {:?}", world.elapsed());
}
