//! The call that all scenarios use.

use std::time::{Duration, Instant};

use plenum_testkit::media::VideoConfig;
use plenum_testkit::{ClientConfig, ClientId, Direction, LinkConfig, World, seed};
use plenum_types::{Bitrate, MediaEvent, SlotBinding};
use rand::RngExt;

/// The subscriber's slots: sound, then picture.
pub(crate) const SOUND: usize = 0;
pub(crate) const PICTURE: usize = 1;
/// The best layer of the publisher.
pub(crate) const TOP: u8 = 2;

pub(crate) struct Call {
    pub(crate) world: World,
    pub(crate) publisher: ClientId,
    pub(crate) subscriber: ClientId,
}

/// A link of `kbps` with a queue of 300 ms.
pub(crate) fn link(kbps: u64, latency_ms: u64) -> LinkConfig {
    LinkConfig {
        latency: Duration::from_millis(latency_ms),
        jitter: Duration::from_millis(3),
        rate: Some(Bitrate::kbps(kbps)),
        queue_bytes: (kbps * 300 / 8) as usize,
        ..LinkConfig::default()
    }
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Call {
    /// A subscriber whose downlink is `down`.
    pub(crate) fn new(seed: u64, down: LinkConfig) -> Self {
        let mut rng = seed::stream(seed, 1);
        let mut world = World::new(seed);
        let near = LinkConfig {
            latency: Duration::from_millis(rng.random_range(1..30)),
            jitter: Duration::from_millis(rng.random_range(0..5)),
            ..LinkConfig::default()
        };
        let config = ClientConfig::new(world.next_address())
            .with_audio(1)
            .with_video(2, VideoConfig::simulcast());
        let publisher = world.join(config, near);
        world.run_for(Duration::from_millis(rng.random_range(0..1_000)));
        let config = ClientConfig::new(world.next_address()).with_slots(1, 1);
        let up = LinkConfig {
            rate: None,
            loss: 0.0,
            ..down
        };
        let subscriber = world.join(config, up);
        let mut call = Self {
            world,
            publisher,
            subscriber,
        };
        call.set_downlink(down);
        call
    }

    pub(crate) fn set_downlink(&mut self, down: LinkConfig) {
        let home = self.world.client(self.subscriber).address();
        self.world.network.set_link(home, Direction::Down, down);
    }

    /// The estimate, kbit/s. Only the subscriber has one.
    pub(crate) fn estimate(&mut self) -> u64 {
        self.world.stats().estimated_bitrate / 1_000
    }

    /// Mean of the estimate over `duration`, kbit/s.
    pub(crate) fn mean_estimate(&mut self, duration: Duration) -> u64 {
        const STEP: Duration = Duration::from_millis(200);
        let steps = duration.as_millis() / STEP.as_millis();
        let mut sum = 0;
        for _ in 0..steps {
            self.world.run_for(STEP);
            sum += self.estimate();
        }
        sum / steps as u64
    }

    pub(crate) fn picture(&self) -> Option<SlotBinding> {
        self.world.binding(self.subscriber, PICTURE)
    }

    /// The spatial layer that is shown; `None` if the picture is paused.
    pub(crate) fn layer(&self) -> Option<u8> {
        self.picture()?.layer.map(|layer| layer.spatial)
    }

    /// How long it takes until `layer` is shown.
    pub(crate) fn time_until(
        &mut self,
        limit: Duration,
        condition: impl Fn(Option<u8>) -> bool,
    ) -> Option<Duration> {
        let (from, subscriber) = (self.world.now(), self.subscriber);
        let shown = |world: &World| {
            let binding = world.binding(subscriber, PICTURE)?;
            binding.layer.map(|layer| layer.spatial)
        };
        self.world
            .run_until(limit, |world| condition(shown(world)))
            .then(|| self.world.now() - from)
    }

    /// How often another layer was shown since `from`.
    pub(crate) fn switches(&self, from: Instant) -> usize {
        let picture = self.world.slot(self.subscriber, PICTURE);
        let mut layers: Vec<Option<u8>> = self
            .world
            .events()
            .iter()
            .filter(|event| event.at >= from)
            .filter_map(|event| match event.event {
                MediaEvent::SlotChanged {
                    peer,
                    slot,
                    binding,
                } if (peer, slot) == picture => Some(binding.layer.map(|layer| layer.spatial)),
                _ => None,
            })
            .collect();
        layers.dedup();
        layers.len().saturating_sub(1)
    }

    /// Packets of sound that have come, 50 a second.
    pub(crate) fn sound_packets(&self) -> u64 {
        let stream = self.world.client(self.subscriber).received(SOUND);
        stream.stats().packets
    }
}
