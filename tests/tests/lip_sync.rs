//! Sender reports let a receiver play sound and picture of one participant together, also after
//! its slots went over to another participant.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{Client, ClientConfig, ClientId, Clock, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{SlotPolicy, SlotWish};
use rand::RngExt;

/// What a viewer does not notice.
const SKEW_MAX: f64 = 0.020;

/// Wall clock at which the newest frame of a section was captured, as its sender reports tell, less
/// the time at which it really was, in seconds.
fn clock_offset(client: &Client, index: usize, rate: f64) -> f64 {
    let stream = client.received(index);
    let log = client.wire_log();
    let report = log
        .sender_reports
        .iter()
        .rfind(|report| Some(report.ssrc) == stream.ssrc())
        .expect("a sender report");
    let frame = stream.frames().last().expect("a frame");
    let wall = report.ntp.seconds_since(Clock::ntp_origin());
    let captured = frame.stamp.captured_us as f64 / 1e6;
    wall + report.seconds_to(frame.timestamp, rate) - captured
}

fn pin_both(world: &mut World, subscriber: ClientId, publisher: ClientId) {
    for index in [0, 1] {
        let policy = SlotPolicy::Pinned(world.publication(publisher, index));
        world.set_wish(subscriber, index, SlotWish::new(policy));
    }
}

fn sound_and_picture_stay_together(seed: u64) {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::new(seed);
    let mut link = || LinkConfig {
        latency: Duration::from_millis(rng.random_range(1..80)),
        jitter: Duration::from_millis(rng.random_range(0..10)),
        ..LinkConfig::default()
    };
    let publishers = [10, 20].map(|source| {
        let config = ClientConfig::new(world.next_address())
            .with_audio(source)
            .with_video(source + 1, VideoConfig::single(VideoCodec::Vp8));
        (source, world.join(config, link()))
    });
    let config = ClientConfig::new(world.next_address()).with_slots(1, 1);
    let subscriber = world.join(config, link());
    assert!(world.run_until(Duration::from_secs(2), |world| {
        world.clients().all(Client::is_connected)
    }));
    for (source, publisher) in publishers {
        pin_both(&mut world, subscriber, publisher);
        world.run_for(Duration::from_millis(3_500));
        let client = world.client(subscriber);
        for index in [0, 1] {
            let stream = client.received(index);
            assert_eq!(stream.violations(), []);
            let newest = stream.frames().last().map(|frame| frame.stamp.source);
            assert_eq!(newest, Some(source + index as u32));
        }
        let sound = clock_offset(client, 0, 48_000.0);
        let picture = clock_offset(client, 1, 90_000.0);
        assert!(
            (sound - picture).abs() < SKEW_MAX,
            "{source}: sound {sound:.4} s, picture {picture:.4} s"
        );
    }
}

#[test]
fn of_each_participant() {
    for_seeds(sound_and_picture_stay_together);
}
