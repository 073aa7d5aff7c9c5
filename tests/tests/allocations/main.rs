//! Forwarding a packet allocates nothing: one publisher, five subscribers on the same shard or on
//! another, real ICE, DTLS, SRTP and feedback, and an allocator that counts.
//!
//! Counted is what `Shard::handle_datagram`, `Shard::handle_link` and `Shard::fan_out` do with RTP
//! once the call has settled. What a shard does with STUN, DTLS, RTCP and notes may allocate.

mod batch;
mod call;
mod link;

use std::time::Duration;

use plenum_testkit::LinkConfig;
use plenum_testkit::client::Client;
use plenum_testkit::media::{VideoCodec, VideoConfig};
use plenum_types::Bitrate;

use call::Call;

/// Packets to forward while counting.
const FORWARDED_MIN: usize = 100_000;
/// Until joins, first keyframes and the growth of buffers are over. A packet is kept for a
/// second, so buffers have their size after a few.
const WARM_UP: Duration = Duration::from_secs(6);
/// Bitrate of each encoding; high, so that the call is short.
const BITRATE: Bitrate = Bitrate::kbps(2_500);

fn forwards_without_allocation(video: &VideoConfig, link: LinkConfig) {
    call_without_allocation(video, link, 1);
}

/// The subscribers are on a shard of their own: all that they get has crossed.
fn crosses_without_allocation(video: &VideoConfig, link: LinkConfig) {
    let call = call_without_allocation(video, link, 2);
    let crossed = call.count.crossed;
    assert!(crossed * call.clients.len() > FORWARDED_MIN, "{crossed}");
}

fn call_without_allocation(video: &VideoConfig, link: LinkConfig, shards: u16) -> Call {
    let mut call = Call::new(video, link, shards);
    call.run(WARM_UP, false, |_| false);
    assert!(call.clients.iter().all(Client::is_connected));
    call.run(Duration::from_secs(300), true, |call| {
        call.count.forwarded >= FORWARDED_MIN
    });
    let count = &call.count;
    assert!(count.forwarded >= FORWARDED_MIN, "{count:?}");
    assert!(
        count.allocations_elsewhere > 0,
        "the counter is not in place"
    );
    assert_eq!(count.allocations, 0, "{count:?}");
    for client in &call.clients[1..] {
        for stream in client.received_all() {
            assert!(stream.stats().packets > 0, "nothing was received");
            assert_eq!(stream.violations(), []);
        }
    }
    call
}

fn single(codec: VideoCodec) -> VideoConfig {
    let mut video = VideoConfig::single(codec);
    video.encodings[0].bitrate = BITRATE;
    video
}

fn simulcast() -> VideoConfig {
    let mut video = VideoConfig::simulcast();
    for encoding in &mut video.encodings {
        encoding.bitrate = BITRATE;
    }
    video
}

fn lossy() -> LinkConfig {
    LinkConfig {
        jitter: Duration::from_millis(10),
        loss: 0.02,
        ..LinkConfig::default()
    }
}

#[test]
fn vp8() {
    forwards_without_allocation(&single(VideoCodec::Vp8), LinkConfig::default());
}

#[test]
fn vp8_simulcast() {
    forwards_without_allocation(&simulcast(), LinkConfig::default());
}

#[test]
fn vp9() {
    forwards_without_allocation(&single(VideoCodec::Vp9), LinkConfig::default());
}

#[test]
fn h264() {
    forwards_without_allocation(&single(VideoCodec::H264), LinkConfig::default());
}

#[test]
fn av1() {
    forwards_without_allocation(&single(VideoCodec::Av1), LinkConfig::default());
}

#[test]
fn vp8_with_loss_and_jitter() {
    forwards_without_allocation(&single(VideoCodec::Vp8), lossy());
}

#[test]
fn vp8_simulcast_across_shards() {
    crosses_without_allocation(&simulcast(), LinkConfig::default());
}

#[test]
fn av1_across_shards() {
    crosses_without_allocation(&single(VideoCodec::Av1), LinkConfig::default());
}

#[test]
fn vp8_with_loss_and_jitter_across_shards() {
    crosses_without_allocation(&single(VideoCodec::Vp8), lossy());
}
