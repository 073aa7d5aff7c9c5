//! A shard does not look at its links for a while: sound is not touched, the pictures that are
//! missed least go first, nobody sees a loss, and all comes back.

use std::time::Duration;

use plenum_testkit::media::VideoConfig;
use plenum_testkit::{ClientConfig, ClientId, LinkPlan, World, seed};
use plenum_tests::for_seeds;
use plenum_types::{DropReason, Pixels, RoomId, ShardId, SlotPolicy, SlotWish};
use rand::RngExt;

use crate::{access, connect};

/// Fills the link to more than seven eighths.
const STALL: Duration = Duration::from_millis(600);
/// Packets: what three encodings, 240 packets a second with the sound, make in half a second.
const ROOM: usize = 128;
/// From the end of a stall to pictures of all layers: a keyframe request and the keyframe.
const BACK_MAX: Duration = Duration::from_millis(1_500);
/// Widths at which the three encodings suffice.
const WIDTHS: [u32; 3] = [320, 640, 1_280];

const HOME: ShardId = ShardId(0);
const AWAY: ShardId = ShardId(1);

struct Call {
    world: World,
    /// Of one encoding each.
    viewers: [ClientId; 3],
}

fn call(seed: u64, temporal_layers: u8) -> Call {
    let mut rng = seed::stream(seed, 1);
    let mut world = World::with_shards(seed, 2);
    world.links.plan = LinkPlan {
        packets: ROOM,
        ..LinkPlan::default()
    };
    let video = VideoConfig {
        temporal_layers,
        ..VideoConfig::simulcast()
    };
    let config = ClientConfig::new(world.next_address())
        .with_audio(1)
        .with_video(2, video);
    let publisher = world.join_shard(HOME, RoomId(1), config, access(&mut rng));
    let viewers = WIDTHS.map(|width| {
        let config = ClientConfig::new(world.next_address()).with_slots(1, 1);
        let viewer = world.join_shard(AWAY, RoomId(1), config, access(&mut rng));
        let wish = SlotWish {
            viewport: Some(Pixels {
                width,
                height: width * 9 / 16,
            }),
            ..SlotWish::new(SlotPolicy::Pinned(world.publication(publisher, 1)))
        };
        world.set_wish(viewer, 1, wish);
        viewer
    });
    connect(&mut world);
    world.run_for(Duration::from_secs(3));
    Call { world, viewers }
}

impl Call {
    fn frames(&self) -> [u64; 3] {
        let frames = |id| self.world.client(id).received(1).stats().frames;
        self.viewers.map(frames)
    }

    fn stall(&mut self) {
        let until = self.world.now() + STALL;
        self.world.links.stall(HOME, AWAY, until);
        self.world.run_for(STALL);
    }

    fn comes_back(&mut self) {
        for (viewer, encoding) in self.viewers.into_iter().zip(0..) {
            let before = self.world.now();
            let back = self.world.run_until(BACK_MAX, |world| {
                let frames = world.client(viewer).received(1).frames();
                frames
                    .last()
                    .is_some_and(|frame| frame.at > before && frame.stamp.encoding == encoding)
            });
            assert!(back, "{encoding} does not come back");
        }
    }

    fn check(&self) {
        for viewer in self.viewers {
            let client = self.world.client(viewer);
            for index in [0, 1] {
                let stream = client.received(index);
                assert_eq!(stream.violations(), [], "{index}");
                let stats = stream.stats();
                let unseen = (stats.given_up, stats.undecodable, stats.plis);
                assert_eq!(unseen, (0, 0, 0), "{viewer:?} {index}: {stats:?}");
            }
            // Every frame of sound has come: they are numbered without a gap.
            let sound = client.received(0).frames();
            let gap = sound
                .windows(2)
                .find(|pair| pair[1].stamp.frame != pair[0].stamp.frame + 1);
            assert!(gap.is_none(), "{gap:?}");
        }
    }
}

fn an_overfull_link(seed: u64, temporal_layers: u8) {
    let mut rng = seed::stream(seed, 2);
    let mut call = call(seed, temporal_layers);
    assert_eq!(call.world.stats_of(HOME).drops.get(DropReason::LinkFull), 0);
    for _ in 0..3 {
        call.stall();
        call.comes_back();
        call.world
            .run_for(Duration::from_millis(rng.random_range(500..1_000)));
    }
    let stats = call.world.stats_of(HOME);
    assert!(stats.drops.get(DropReason::LinkFull) > 0);
    call.check();
}

#[test]
fn leaves_out_whole_frames_of_higher_layers() {
    for_seeds(|seed| an_overfull_link(seed, 1));
}

#[test]
fn leaves_out_the_highest_temporal_layer_first() {
    for_seeds(|seed| an_overfull_link(seed, 3));
}

#[test]
fn keeps_the_lowest_encoding_longest() {
    for_seeds(|seed| {
        let mut call = call(seed, 1);
        let before = call.frames();
        call.stall();
        // What waited is read at once; nothing was asked for yet.
        call.world.run_for(Duration::from_millis(100));
        let after = call.frames();
        let shown: Vec<u64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
        assert!(shown[0] > shown[1] && shown[0] > shown[2], "{shown:?}");
        call.comes_back();
        call.check();
    });
}
