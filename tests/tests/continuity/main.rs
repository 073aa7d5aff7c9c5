//! Whatever a slot shows, its subscriber sees one stream, of every codec: no gap that the server
//! made, picture ids and timestamps that go on, no frame that refers to one not sent, no freeze.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, ClientId, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{Pixels, SlotPolicy, SlotWish};
use rand::RngExt;

/// From the wish to the first frame that fulfils it.
const SWITCH_MAX: Duration = Duration::from_millis(700);
/// What was shown before is shown until the switch: two frames and some jitter, and between two
/// participants the difference of their ways here.
const FREEZE_MAX: Duration = Duration::from_millis(160);

/// How long a participant is muted, in milliseconds: longer than packets are on their way, so that
/// what is seen afterwards was sent afterwards.
const MUTED: std::ops::Range<u64> = 150..900;

/// Both participants' pictures, and who watches.
struct Call {
    world: World,
    publishers: [ClientId; 2],
    subscriber: ClientId,
    codec: VideoCodec,
}

impl Call {
    fn new(seed: u64, codec: VideoCodec) -> Self {
        let mut rng = seed::stream(seed, 1);
        let mut world = World::new(seed);
        let mut link = || LinkConfig {
            latency: Duration::from_millis(rng.random_range(1..60)),
            jitter: Duration::from_millis(rng.random_range(0..10)),
            ..LinkConfig::default()
        };
        let publishers = [0, 1].map(|source| {
            let video = VideoConfig {
                codec,
                temporal_layers: 3,
                ..VideoConfig::simulcast()
            };
            let config = ClientConfig::new(world.next_address()).with_video(source, video);
            world.join(config, link())
        });
        let config = ClientConfig::new(world.next_address()).with_slots(0, 1);
        let subscriber = world.join(config, link());
        assert!(world.run_until(Duration::from_secs(2), |world| {
            world.clients().all(plenum_testkit::Client::is_connected)
        }));
        world.run_for(Duration::from_millis(300));
        Self {
            world,
            publishers,
            subscriber,
            codec,
        }
    }

    /// Shows a participant at a width, and waits until that is seen.
    fn show(&mut self, source: u32, width: u32, encoding: u8) {
        let publisher = self.publishers[source as usize];
        let wish = SlotWish {
            viewport: Some(Pixels {
                width,
                height: width * 9 / 16,
            }),
            ..SlotWish::new(SlotPolicy::Pinned(self.world.publication(publisher, 0)))
        };
        self.world.set_wish(self.subscriber, 0, wish);
        self.await_picture(source, encoding);
    }

    fn await_picture(&mut self, source: u32, encoding: u8) {
        let (subscriber, asked_at) = (self.subscriber, self.world.now());
        let seen = self.world.run_until(SWITCH_MAX, |world| {
            let newest = world.client(subscriber).received(0).frames().last();
            newest.is_some_and(|frame| {
                frame.at > asked_at
                    && (frame.stamp.source, frame.stamp.encoding) == (source, encoding)
            })
        });
        let binding = self.world.binding(self.subscriber, 0);
        let codec = self.codec;
        assert!(seen, "{codec:?}: {source} in {encoding}: {binding:?}");
    }

    /// Mutes a participant for a while.
    fn mute(&mut self, source: u32, time: Duration) {
        let id = self.world.publication(self.publishers[source as usize], 0);
        self.world.mute(id, true);
        self.world.run_for(time);
        self.world.mute(id, false);
    }
}

fn stays_one_stream(seed: u64, codec: VideoCodec) {
    let mut rng = seed::stream(seed, 2);
    let mut call = Call::new(seed, codec);
    let steps = [
        (0, 320, 0),
        (0, 1_280, 2),
        (1, 640, 1),
        (0, 640, 1),
        (0, 320, 0),
        (1, 320, 0),
        (1, 1_280, 2),
    ];
    let mut freezes = Vec::new();
    for (source, width, encoding) in steps {
        let before = call.world.now();
        let first = freezes.is_empty();
        call.show(source, width, encoding);
        let from = if first { call.world.now() } else { before };
        call.world
            .run_for(Duration::from_millis(rng.random_range(200..700)));
        let stream = call.world.client(call.subscriber).received(0);
        freezes.push(stream.longest_freeze(from, call.world.now()));
        call.mute(source, Duration::from_millis(rng.random_range(MUTED)));
        call.await_picture(source, encoding);
    }
    let stream = call.world.client(call.subscriber).received(0);
    assert_eq!(stream.violations(), [], "{codec:?}");
    let stats = stream.stats();
    assert_eq!((stats.undecodable, stats.given_up), (0, 0), "{stats:?}");
    assert!(
        freezes.iter().all(|freeze| *freeze < FREEZE_MAX),
        "{freezes:?}"
    );
}

#[test]
fn of_vp8() {
    for_seeds(|seed| stays_one_stream(seed, VideoCodec::Vp8));
}

#[test]
fn of_vp9() {
    for_seeds(|seed| stays_one_stream(seed, VideoCodec::Vp9));
}

#[test]
fn of_h264() {
    for_seeds(|seed| stays_one_stream(seed, VideoCodec::H264));
}

#[test]
fn of_av1() {
    for_seeds(|seed| stays_one_stream(seed, VideoCodec::Av1));
}
