//! What the network loses between a publisher and its shard, or between another shard and its
//! subscriber, is repaired: the replica answers from its own store.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::receive::StreamStats;
use plenum_testkit::{ClientConfig, Direction, LinkConfig, World};
use plenum_tests::for_seeds;

const CLEAN: LinkConfig = LinkConfig {
    latency: Duration::from_millis(20),
    jitter: Duration::from_millis(5),
    loss: 0.0,
    reordering: 0.0,
    duplication: 0.0,
    rate: None,
    queue_bytes: 0,
};
const LOSSY: LinkConfig = LinkConfig {
    loss: 0.05,
    ..CLEAN
};
/// Share of packets that may be missing in the end, over all seeds.
const RESIDUAL_LOSS_MAX: f64 = 0.001;
/// Share of packets that may come twice, over all seeds.
const DUPLICATES_MAX: f64 = 0.01;

fn call(seed: u64, publisher_suffers: bool) -> StreamStats {
    let mut world = World::with_shards(seed, 2);
    let config =
        ClientConfig::new(world.next_address()).with_video(1, VideoConfig::single(VideoCodec::Vp8));
    let publisher = world.join(config, CLEAN);
    let config = ClientConfig::new(world.next_address()).with_slots(0, 1);
    let subscriber = world.join(config, CLEAN);
    assert!(world.run_until(Duration::from_secs(3), |world| {
        world.client(subscriber).received(0).stats().frames > 0
    }));
    let suffers = if publisher_suffers {
        publisher
    } else {
        subscriber
    };
    let address = world.client(suffers).address();
    for direction in [Direction::Up, Direction::Down] {
        world.network.set_link(address, direction, LOSSY);
    }
    world.run_for(Duration::from_secs(4));
    for direction in [Direction::Up, Direction::Down] {
        world.network.set_link(address, direction, CLEAN);
    }
    // What is still missing is repaired or given up.
    world.run_for(Duration::from_millis(1_500));
    let stream = world.client(subscriber).received(0);
    assert_eq!(stream.violations(), []);
    stream.stats()
}

fn is_repaired(publisher_suffers: bool) {
    let all = for_seeds(|seed| call(seed, publisher_suffers));
    let total = all
        .iter()
        .fold(StreamStats::default(), |sum, stats| StreamStats {
            packets: sum.packets + stats.packets,
            duplicates: sum.duplicates + stats.duplicates,
            late: sum.late + stats.late,
            given_up: sum.given_up + stats.given_up,
            nacks: sum.nacks + stats.nacks,
            ..sum
        });
    assert!(total.nacks > 0);
    assert!(total.residual_loss() <= RESIDUAL_LOSS_MAX, "{total:?}");
    assert!(total.duplicate_share() <= DUPLICATES_MAX, "{total:?}");
}

#[test]
fn of_the_subscriber() {
    is_repaired(false);
}

#[test]
fn of_the_publisher() {
    is_repaired(true);
}
