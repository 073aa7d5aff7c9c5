//! Large keyframes on narrow links: what is too much at once is sent a little later, not into a queue
//! that drops it.

use std::time::Duration;

use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_testkit::{ClientConfig, Direction, LinkConfig, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{Bitrate, DropReason};
use rand::RngExt;

/// The link, and the bytes of its queue: 150 ms.
const LINK: Bitrate = Bitrate::kbps(3_000);
const QUEUE: usize = 56_250;
/// A camera of 800 kbit/s whose keyframes have this many times the bytes of a frame: 100 kB, nearly
/// twice what the queue holds.
const KEYFRAME_FACTOR: usize = 30;
/// So many, one every two seconds.
const KEYFRAMES: usize = 10;

struct Figures {
    /// Packets that were asked for again, and that are missing for good.
    nacks: u64,
    residual_loss: f64,
    /// Longest time without a picture, and without sound.
    freeze: Duration,
    silence: Duration,
    given_up: u64,
}

fn call(seed: u64) -> Figures {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::new(seed);
    let near = LinkConfig {
        latency: Duration::from_millis(rng.random_range(1..30)),
        ..LinkConfig::default()
    };
    let mut video = VideoConfig::single(VideoCodec::Vp8);
    video.encodings[0].bitrate = Bitrate::kbps(800);
    video.keyframe_factor = KEYFRAME_FACTOR;
    let config = ClientConfig::new(world.next_address())
        .with_audio(1)
        .with_video(2, video);
    let publisher = world.join(config, near);
    let config = ClientConfig::new(world.next_address()).with_slots(1, 1);
    let subscriber = world.join(config, near);
    let down = LinkConfig {
        rate: Some(LINK),
        queue_bytes: QUEUE,
        ..near
    };
    let home = world.client(subscriber).address();
    world.network.set_link(home, Direction::Down, down);
    // Until the estimate has found the link.
    world.run_for(Duration::from_secs(20));
    let from = world.now();
    let before = world.client(subscriber).received(1).stats();
    for _ in 0..KEYFRAMES {
        let ssrc = world.client_mut(publisher).camera(1).expect("one").ssrc(0);
        let camera = world.client_mut(publisher).camera(1);
        camera.expect("one").request_keyframe(ssrc);
        world.run_for(Duration::from_secs(2));
    }
    let to = world.now();
    let given_up = world.stats().drops.get(DropReason::HeldTooLong);
    let client = world.client(subscriber);
    let (sound, picture) = (client.received(0), client.received(1));
    assert_eq!(picture.violations(), []);
    assert_eq!(sound.violations(), []);
    Figures {
        nacks: picture.stats().nacks - before.nacks,
        residual_loss: picture.stats().residual_loss(),
        freeze: picture.longest_freeze(from, to),
        silence: sound.longest_freeze(from, to),
        given_up,
    }
}

#[test]
fn large_keyframes_fit_narrow_links() {
    let all = for_seeds(call);
    let keyframes = (KEYFRAMES * all.len()) as u64;
    let nacks: u64 = all.iter().map(|figures| figures.nacks).sum();
    let longest = |of: fn(&Figures) -> Duration| all.iter().map(of).max().expect("some");
    let (freeze, silence) = (longest(|call| call.freeze), longest(|call| call.silence));
    let losses = all.iter().map(|figures| figures.residual_loss);
    let loss = losses.fold(0.0, f64::max);
    eprintln!(
        "{keyframes} keyframes of 100 kB: {nacks} packets asked for again, residual loss {loss:.4}, \
         freeze {freeze:?}, silence {silence:?}"
    );
    // Sent at once they cost 127 packets each, a loss of 2 % and freezes of 4 s.
    assert!(nacks < 20 * keyframes, "{nacks} for {keyframes} keyframes");
    assert!(loss < 0.001, "{loss}");
    assert!(freeze < Duration::from_millis(700), "{freeze:?}");
    assert!(silence < Duration::from_millis(250), "{silence:?}");
    assert!(all.iter().all(|figures| figures.given_up == 0));
}
