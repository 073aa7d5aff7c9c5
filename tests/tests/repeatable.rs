//! A call repeats from its seed: what an engineer sees with a printed seed is what failed.

use std::time::Duration;

use plenum_testkit::media::VideoConfig;
use plenum_testkit::receive::{ReceivedStream, StreamStats};
use plenum_testkit::{ClientConfig, LinkConfig, World};
use plenum_tests::for_seeds;

/// When, and what of it.
type Trace = (Vec<(Duration, String)>, Vec<StreamStats>);

fn call(seed: u64) -> Trace {
    let mut world = World::new(seed);
    let link = LinkConfig {
        jitter: Duration::from_millis(5),
        loss: 0.02,
        reordering: 0.01,
        duplication: 0.01,
        ..LinkConfig::default()
    };
    for source in [10, 20] {
        let config = ClientConfig::new(world.next_address())
            .with_audio(source)
            .with_video(source + 1, VideoConfig::simulcast())
            .with_slots(1, 1);
        world.join(config, link);
    }
    world.run_for(Duration::from_secs(3));
    let start = world.now() - world.elapsed();
    let events = world.events().iter();
    let events = events
        .map(|event| (event.at - start, format!("{:?}", event.event)))
        .collect();
    let streams = world
        .clients()
        .flat_map(|client| client.received_all().map(ReceivedStream::stats))
        .collect();
    (events, streams)
}

#[test]
fn from_its_seed() {
    for_seeds(|seed| assert_eq!(call(seed), call(seed)));
}
