//! A synthetic camera: frames at a fixed rate in one to three encodings, with one to three
//! temporal layers each. Keyframes come at the start and on request, as browsers send them.

use std::time::{Duration, Instant};

use plenum_types::{Bitrate, Pixels, RtpTimestamp, SequenceNumber, Ssrc};
use rand::RngExt;

use super::payload::{FrameShape, VideoCodec, packetize};
use super::{SourcePacket, Stamp};
use crate::seed::SimRng;

/// A keyframe has this many times the bytes of another frame, if nothing else is said.
const KEYFRAME_FACTOR: usize = 4;
/// Frame sizes vary by this share of the mean.
const SIZE_VARIATION: f64 = 0.2;
/// Ticks of the RTP clock per second.
const CLOCK_RATE: f64 = 90_000.0;

/// One encoding of a camera.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodingConfig {
    /// Its name with simulcast; `None` for a camera of one encoding.
    pub rid: Option<String>,
    /// Picture size.
    pub size: Pixels,
    /// Mean bitrate of its payloads.
    pub bitrate: Bitrate,
}

/// A camera.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoConfig {
    /// Which codec.
    pub codec: VideoCodec,
    /// Frames per second.
    pub frame_rate: u32,
    /// 1 to 3.
    pub temporal_layers: u8,
    /// A keyframe has this many times the bytes of another frame.
    pub keyframe_factor: usize,
    /// Encodings, smallest picture first.
    pub encodings: Vec<EncodingConfig>,
}

impl VideoConfig {
    /// One VP8 encoding of 640 × 360 at 30 frames/s and 400 kbit/s.
    pub fn single(codec: VideoCodec) -> Self {
        Self {
            codec,
            frame_rate: 30,
            temporal_layers: 1,
            keyframe_factor: KEYFRAME_FACTOR,
            encodings: vec![EncodingConfig {
                rid: None,
                size: Pixels {
                    width: 640,
                    height: 360,
                },
                bitrate: Bitrate::kbps(400),
            }],
        }
    }

    /// VP8 simulcast of 320 × 180, 640 × 360 and 1280 × 720 at 30 frames/s, named q, h and f as
    /// browsers' examples do.
    pub fn simulcast() -> Self {
        let encoding = |rid: &str, width, kilobits| EncodingConfig {
            rid: Some(rid.to_owned()),
            size: Pixels {
                width,
                height: width * 9 / 16,
            },
            bitrate: Bitrate::kbps(kilobits),
        };
        Self {
            codec: VideoCodec::Vp8,
            frame_rate: 30,
            temporal_layers: 1,
            keyframe_factor: KEYFRAME_FACTOR,
            encodings: vec![
                encoding("q", 320, 150),
                encoding("h", 640, 400),
                encoding("f", 1_280, 1_000),
            ],
        }
    }
}

#[derive(Clone, Debug)]
struct EncodingState {
    config: EncodingConfig,
    ssrc: Ssrc,
    active: bool,
    sequence: SequenceNumber,
    timestamp_offset: u32,
    picture_id: u16,
    tl0_picture_index: u8,
    key_index: u8,
    frame: u32,
    /// Position in the temporal pattern.
    pattern: usize,
    /// The last frame of each temporal layer.
    last_of_layer: [u32; 3],
    keyframe_wanted: bool,
    keyframes: u64,
}

/// A camera.
#[derive(Clone, Debug)]
pub struct VideoSource {
    source: u32,
    config: VideoConfig,
    encodings: Vec<EncodingState>,
    start: Instant,
    ticks: u64,
    next_at: Instant,
    rng: SimRng,
}

impl VideoSource {
    /// A camera that films from `start` on. `ssrcs` has one entry per encoding.
    pub fn new(
        source: u32,
        config: VideoConfig,
        ssrcs: &[Ssrc],
        start: Instant,
        rng: &mut SimRng,
    ) -> Self {
        let frame_time = Duration::from_secs(1) / config.frame_rate;
        let encodings = config
            .encodings
            .iter()
            .zip(ssrcs)
            .map(|(config, &ssrc)| EncodingState {
                config: config.clone(),
                ssrc,
                active: true,
                sequence: SequenceNumber(rng.random()),
                timestamp_offset: rng.random(),
                picture_id: rng.random::<u16>() & 0x7fff,
                tl0_picture_index: rng.random(),
                key_index: rng.random::<u8>() & 0x1f,
                frame: 0,
                pattern: 0,
                last_of_layer: [0; 3],
                keyframe_wanted: true,
                keyframes: 0,
            })
            .collect();
        let start = start + frame_time.mul_f64(rng.random());
        Self {
            source,
            config,
            encodings,
            start,
            ticks: 0,
            next_at: start,
            rng: crate::seed::stream(rng.random(), u64::from(source)),
        }
    }

    /// When the next frame is due.
    pub const fn next_at(&self) -> Instant {
        self.next_at
    }

    /// Stream of an encoding.
    pub fn ssrc(&self, encoding: usize) -> Ssrc {
        self.encodings[encoding].ssrc
    }

    /// How many encodings there are.
    pub fn encodings(&self) -> usize {
        self.encodings.len()
    }

    /// Keyframes of an encoding so far.
    pub fn keyframes(&self, encoding: usize) -> u64 {
        self.encodings[encoding].keyframes
    }

    /// Starts or stops an encoding; it starts with a keyframe.
    pub fn set_active(&mut self, encoding: usize, active: bool) {
        let state = &mut self.encodings[encoding];
        state.keyframe_wanted |= active && !state.active;
        state.active = active;
    }

    /// Makes the next frame of the stream a keyframe. Returns whether the stream is of this camera.
    pub fn request_keyframe(&mut self, ssrc: Ssrc) -> bool {
        let found = self.encodings.iter_mut().find(|state| state.ssrc == ssrc);
        if let Some(state) = found {
            state.keyframe_wanted = true;
            return true;
        }
        false
    }

    /// RTP time of an encoding at `now`, for sender reports.
    pub fn timestamp_at(&self, encoding: usize, now: Instant) -> RtpTimestamp {
        let since_start = now.saturating_duration_since(self.start).as_secs_f64();
        self.timestamp(encoding, since_start)
    }

    fn timestamp(&self, encoding: usize, since_start: f64) -> RtpTimestamp {
        let ticks = (since_start * CLOCK_RATE).round() as u64 as u32;
        RtpTimestamp(
            self.encodings[encoding]
                .timestamp_offset
                .wrapping_add(ticks),
        )
    }

    /// The packets of the frame that is due by `now`, if any: all encodings are taken of one
    /// picture. `since_start` is the time of capture.
    pub fn poll(&mut self, now: Instant, since_start: Duration) -> Vec<SourcePacket> {
        let mut packets = Vec::new();
        if now < self.next_at {
            return packets;
        }
        let media_time = (self.next_at - self.start).as_secs_f64();
        for encoding in 0..self.encodings.len() {
            if self.encodings[encoding].active {
                let timestamp = self.timestamp(encoding, media_time);
                let shape = self.next_frame(encoding, since_start);
                self.send(encoding, timestamp, &shape, &mut packets);
            }
        }
        self.ticks += 1;
        let elapsed = self.ticks as f64 / f64::from(self.config.frame_rate);
        self.next_at = self.start + Duration::from_secs_f64(elapsed);
        packets
    }

    fn next_frame(&mut self, encoding: usize, captured: Duration) -> FrameShape {
        let mean = self.encodings[encoding].config.bitrate.bits_per_second() as usize
            / 8
            / self.config.frame_rate as usize;
        let variation = self.rng.random_range(-SIZE_VARIATION..=SIZE_VARIATION);
        let mut bytes = (mean as f64 * (1.0 + variation)) as usize;
        let state = &mut self.encodings[encoding];
        let keyframe = std::mem::take(&mut state.keyframe_wanted);
        if keyframe {
            bytes *= self.config.keyframe_factor;
            state.pattern = 0;
            state.keyframes += 1;
        }
        let step = PATTERNS[usize::from(self.config.temporal_layers.clamp(1, 3)) - 1];
        let (temporal, refers_to, layer_sync) = step[state.pattern % step.len()];
        state.pattern += 1;
        if temporal == 0 {
            state.tl0_picture_index = state.tl0_picture_index.wrapping_add(1);
            state.key_index = state.key_index.wrapping_add(1);
        }
        let reference = (!keyframe).then(|| state.last_of_layer[usize::from(refers_to)]);
        let shape = FrameShape {
            stamp: Stamp {
                source: self.source,
                encoding: encoding as u8,
                frame: state.frame,
                reference,
                temporal,
                part: 0,
                parts: 0,
                captured_us: captured.as_micros() as u64,
            },
            size: state.config.size,
            bytes,
            picture_id: state.picture_id,
            tl0_picture_index: state.tl0_picture_index,
            key_index: state.key_index & 0x1f,
            layer_sync,
            discardable: temporal > 0 && temporal + 1 == self.config.temporal_layers,
        };
        state.last_of_layer[usize::from(temporal)] = state.frame;
        state.frame += 1;
        state.picture_id = (state.picture_id + 1) & 0x7fff;
        shape
    }

    fn send(
        &mut self,
        encoding: usize,
        timestamp: RtpTimestamp,
        shape: &FrameShape,
        packets: &mut Vec<SourcePacket>,
    ) {
        let payloads = packetize(self.config.codec, shape);
        let state = &mut self.encodings[encoding];
        let last = payloads.len() - 1;
        for (part, payload) in payloads.into_iter().enumerate() {
            packets.push(SourcePacket {
                ssrc: state.ssrc,
                sequence: state.sequence,
                timestamp,
                marker: part == last,
                audio_level: None,
                payload,
            });
            state.sequence = state.sequence.plus(1);
        }
    }
}

/// Temporal patterns of libwebrtc for one to three layers: layer, the layer whose last frame is
/// referred to, and whether a receiver may start the layer here.
const PATTERNS: [&[(u8, u8, bool)]; 3] = [
    &[(0, 0, false)],
    &[(0, 0, false), (1, 0, true)],
    &[(0, 0, false), (2, 0, true), (1, 0, true), (2, 1, false)],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, seed};

    fn film(config: VideoConfig, seconds: u64) -> (VideoSource, Vec<SourcePacket>) {
        let start = Clock::new().now();
        let ssrcs = [Ssrc(1), Ssrc(2), Ssrc(3)];
        let mut source = VideoSource::new(9, config, &ssrcs, start, &mut seed::stream(1, 1));
        let end = start + Duration::from_secs(seconds);
        let mut packets = Vec::new();
        while source.next_at() < end {
            let now = source.next_at();
            packets.extend(source.poll(now, now - start));
        }
        (source, packets)
    }

    #[test]
    fn sends_at_the_configured_rate() {
        let (_, packets) = film(VideoConfig::simulcast(), 10);
        for (ssrc, kilobits) in [(1, 150), (2, 400), (3, 1_000)] {
            let bytes: usize = packets
                .iter()
                .filter(|packet| packet.ssrc == Ssrc(ssrc))
                .map(|packet| packet.payload.len())
                .sum();
            let rate = bytes * 8 / 10 / 1_000;
            assert!(rate > kilobits * 9 / 10, "{rate} for {kilobits}");
            assert!(rate < kilobits * 13 / 10, "{rate} for {kilobits}");
        }
    }

    #[test]
    fn encodings_of_a_picture_are_a_thirtieth_of_a_second_apart() {
        let (_, packets) = film(VideoConfig::simulcast(), 2);
        let mut last: Option<RtpTimestamp> = None;
        for packet in packets.iter().filter(|packet| packet.ssrc == Ssrc(3)) {
            if let Some(last) = last.filter(|last| *last != packet.timestamp) {
                let ticks = packet.timestamp.distance_from(last);
                assert!((2_999..=3_001).contains(&ticks), "{ticks}");
            }
            last = Some(packet.timestamp);
        }
    }

    #[test]
    fn keyframes_come_at_the_start_and_on_request() {
        let (mut source, packets) = film(VideoConfig::single(VideoCodec::Vp8), 1);
        let keyframes = packets
            .iter()
            .filter(|packet| Stamp::read(&packet.payload).unwrap().keyframe())
            .filter(|packet| packet.marker)
            .count();
        assert_eq!(keyframes, 1);
        assert!(source.request_keyframe(Ssrc(1)));
        assert!(!source.request_keyframe(Ssrc(5)));
        let now = source.next_at();
        let frame = source.poll(now, Duration::from_secs(1));
        assert!(Stamp::read(&frame[0].payload).unwrap().keyframe());
        assert_eq!(source.keyframes(0), 2);
    }

    #[test]
    fn a_frame_refers_to_an_earlier_one_of_no_higher_layer() {
        let config = VideoConfig {
            temporal_layers: 3,
            ..VideoConfig::single(VideoCodec::Vp8)
        };
        let (_, packets) = film(config, 2);
        let mut layer_of = std::collections::BTreeMap::new();
        for packet in &packets {
            let stamp = Stamp::read(&packet.payload).unwrap();
            layer_of.insert(stamp.frame, stamp.temporal);
            if let Some(reference) = stamp.reference {
                assert!(reference < stamp.frame);
                assert!(layer_of[&reference] <= stamp.temporal);
            }
        }
        assert_eq!(
            [0, 1, 2, 3, 4].map(|frame| layer_of[&frame]),
            [0, 2, 1, 2, 0]
        );
    }
}
