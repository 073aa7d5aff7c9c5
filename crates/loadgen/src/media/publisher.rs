//! The tracks of one client: when the next frame of each is due, and what the server asks of them.

use std::time::{Duration, Instant};

use plenum_media::SrtpSession;
use plenum_rtp::rtcp::{RtcpPacket, RtcpWriter};
use plenum_types::{Codec, ExtensionMap, Mid, Pixels, Rid};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::encoding::{Encoding, Transport};
use super::payload::{PAYLOAD_MIN, Part};
use super::speech::Speech;
use super::split;
use super::stamp::Stamp;
use crate::client::Context;

/// 50 packets a second.
const SOUND_PERIOD: Duration = Duration::from_millis(20);
/// Bytes of a packet of sound: Opus varies.
const SOUND_BYTES: std::ops::RangeInclusive<usize> = 80..=100;
/// A frame that goes out this long after its time is noticed by whoever watches it.
const LATE: Duration = Duration::from_millis(20);
/// Behind by more than this, frames are left out as a camera would.
const BEHIND_MAX: Duration = Duration::from_millis(200);
/// How much the size of frames varies, where it may.
const VARIATION: f64 = 0.05;
/// How much larger a keyframe is, where sizes vary.
const KEYFRAME_FACTOR: usize = 3;

/// One encoding of a video track.
#[derive(Clone, Debug)]
pub(crate) struct LayerPlan {
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: u32,
    /// `None` without simulcast.
    pub(crate) rid: Option<Rid>,
    pub(crate) size: Pixels,
    /// Mean bytes of a frame.
    pub(crate) frame_bytes: usize,
}

/// Sound of a track.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sound {
    pub(crate) ssrc: u32,
    pub(crate) speech: Speech,
}

/// What a track carries.
#[derive(Clone, Debug)]
pub(crate) enum TrackSource {
    Video {
        codec: Codec,
        layers: Vec<LayerPlan>,
        period: Duration,
        /// Most bytes of a packet's payload.
        payload_max: usize,
        /// Whether frames vary in size as an encoder's do.
        varies: bool,
    },
    Audio(Sound),
}

/// A track, and what was negotiated about it.
#[derive(Clone, Debug)]
pub(crate) struct TrackPlan {
    pub(crate) mid: Mid,
    pub(crate) payload_type: u8,
    pub(crate) rtx_payload_type: Option<u8>,
    pub(crate) source: TrackSource,
}

struct Track {
    source: TrackSource,
    encodings: Vec<Encoding>,
    period: Duration,
    due: Instant,
    timestamp: u32,
}

/// All that a client sends.
pub(crate) struct Publisher {
    tracks: Vec<Track>,
    transport: Transport,
    rng: SmallRng,
}

impl Publisher {
    /// Frames begin at random moments within their period after `now`.
    pub(crate) fn new(now: Instant, plans: Vec<TrackPlan>, ids: ExtensionMap, seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let tracks = plans
            .into_iter()
            .map(|plan| Track::new(now, plan, &mut rng))
            .collect();
        Self {
            tracks,
            transport: Transport {
                ids,
                transport_sequence: rng.random::<u16>() / 2,
            },
            rng,
        }
    }

    /// When the next frame is due; `None` if there are no tracks.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.tracks.iter().map(|track| track.due).min()
    }

    /// Sends the frames that are due.
    pub(crate) fn handle_timeout(&mut self, context: &mut Context<'_>, srtp: &mut SrtpSession) {
        for track in &mut self.tracks {
            if context.now >= track.due {
                track.send(context, srtp, &mut self.transport, &mut self.rng);
                track.advance(context.now);
            }
        }
    }

    /// Writes the sender reports, and says of which stream the first is.
    pub(crate) fn report(&self, writer: &mut RtcpWriter<'_>) {
        for encoding in self.tracks.iter().flat_map(|track| &track.encodings) {
            encoding.report(writer);
        }
    }

    /// The stream in whose name the client speaks, if it sends any.
    pub(crate) fn first_ssrc(&self) -> Option<u32> {
        let track = self.tracks.first()?;
        Some(track.encodings.first()?.ssrc)
    }

    /// Does what the server asks for.
    pub(crate) fn handle_rtcp(
        &mut self,
        context: &mut Context<'_>,
        srtp: &mut SrtpSession,
        packet: &RtcpPacket<'_>,
    ) {
        match packet {
            RtcpPacket::Nack { media, pairs, .. } => {
                let transport = &mut self.transport;
                let Some(encoding) = find(&mut self.tracks, media.0) else {
                    return;
                };
                for sequence in *pairs {
                    context.tally.counters.nacks_received += 1;
                    encoding.send_again(context, srtp, transport, sequence.0);
                }
            }
            RtcpPacket::Pli { media, .. } => self.on_keyframe_wanted(context, media.0),
            RtcpPacket::Fir { entries, .. } => {
                for (ssrc, _) in *entries {
                    self.on_keyframe_wanted(context, ssrc.0);
                }
            }
            RtcpPacket::SenderReport { reports, .. }
            | RtcpPacket::ReceiverReport { reports, .. } => {
                for block in *reports {
                    if let Some(encoding) = find(&mut self.tracks, block.ssrc.0) {
                        encoding.is_known = true;
                    }
                }
            }
            _ => {}
        }
    }

    fn on_keyframe_wanted(&mut self, context: &mut Context<'_>, ssrc: u32) {
        if let Some(encoding) = find(&mut self.tracks, ssrc) {
            context.tally.counters.plis_received += 1;
            encoding.keyframe_wanted = true;
        }
    }
}

fn find(tracks: &mut [Track], ssrc: u32) -> Option<&mut Encoding> {
    tracks
        .iter_mut()
        .flat_map(|track| &mut track.encodings)
        .find(|encoding| encoding.ssrc == ssrc)
}

impl Track {
    fn new(now: Instant, plan: TrackPlan, rng: &mut SmallRng) -> Self {
        let TrackPlan {
            mid,
            payload_type,
            rtx_payload_type,
            source,
        } = plan;
        let (encodings, period) = match &source {
            TrackSource::Video { layers, period, .. } => {
                let encodings = layers.iter().map(|layer| {
                    let rtx = rtx_payload_type.map(|number| (layer.rtx_ssrc, number));
                    Encoding::new(layer.ssrc, payload_type, rtx, mid, layer.rid)
                });
                (encodings.collect(), *period)
            }
            TrackSource::Audio(sound) => {
                let encoding = Encoding::new(sound.ssrc, payload_type, None, mid, None);
                (vec![encoding], SOUND_PERIOD)
            }
        };
        Self {
            source,
            encodings,
            period,
            due: now + period.mul_f64(rng.random::<f64>()),
            timestamp: rng.random::<u32>() / 2,
        }
    }

    /// Plans the frame after the one that was due.
    fn advance(&mut self, now: Instant) {
        let clock_rate = match &self.source {
            TrackSource::Video { .. } => 90_000.0,
            TrackSource::Audio(_) => 48_000.0,
        };
        let ticks = (self.period.as_secs_f64() * clock_rate).round() as u32;
        let behind = now.saturating_duration_since(self.due);
        let periods = if behind > BEHIND_MAX {
            (behind.as_nanos() / self.period.as_nanos()) as u32 + 1
        } else {
            1
        };
        self.due += self.period * periods;
        self.timestamp = self.timestamp.wrapping_add(ticks.wrapping_mul(periods));
    }

    fn send(
        &mut self,
        context: &mut Context<'_>,
        srtp: &mut SrtpSession,
        transport: &mut Transport,
        rng: &mut SmallRng,
    ) {
        let before = context.tally.counters.packets_sent;
        match self.source.clone() {
            TrackSource::Audio(sound) => self.send_sound(context, srtp, transport, sound, rng),
            TrackSource::Video {
                codec,
                layers,
                payload_max,
                varies,
                ..
            } => {
                for (index, layer) in layers.iter().enumerate() {
                    let shape = Shape {
                        codec,
                        payload_max,
                        varies,
                    };
                    self.send_picture(context, srtp, transport, index, layer, shape, rng);
                }
            }
        }
        if context.now.duration_since(self.due) > LATE {
            let sent = context.tally.counters.packets_sent - before;
            context.tally.counters.late_sends += sent;
        }
    }

    fn send_sound(
        &mut self,
        context: &mut Context<'_>,
        srtp: &mut SrtpSession,
        transport: &mut Transport,
        sound: Sound,
        rng: &mut SmallRng,
    ) {
        let Some(encoding) = self.encodings.first_mut() else {
            return;
        };
        let level = sound.speech.level(context.clock.since_start(context.now));
        let part = Part {
            codec: Codec::Opus,
            keyframe: false,
            index: 0,
            count: 1,
            picture: 0,
            size: Pixels::default(),
            stamp: Stamp {
                sent_us: context.clock.wall_us(),
            },
            length: rng.random_range(SOUND_BYTES),
        };
        encoding.send(context, srtp, transport, self.timestamp, Some(level), part);
    }

    #[expect(clippy::too_many_arguments, reason = "what a frame is made of, and where it goes")]
    fn send_picture(
        &mut self,
        context: &mut Context<'_>,
        srtp: &mut SrtpSession,
        transport: &mut Transport,
        index: usize,
        layer: &LayerPlan,
        shape: Shape,
        rng: &mut SmallRng,
    ) {
        let Some(encoding) = self.encodings.get_mut(index) else {
            return;
        };
        let keyframe = std::mem::take(&mut encoding.keyframe_wanted);
        let total = shape.frame_bytes(layer.frame_bytes, keyframe, rng);
        let count = split::parts(total, shape.payload_max).min(usize::from(u8::MAX));
        let stamp = Stamp {
            sent_us: context.clock.wall_us(),
        };
        for index in 0..count {
            let part = Part {
                codec: shape.codec,
                keyframe,
                index: index as u8,
                count: count as u8,
                picture: encoding.frames as u16,
                size: layer.size,
                stamp,
                length: split::part_bytes(total, count, index).max(PAYLOAD_MIN),
            };
            encoding.send(context, srtp, transport, self.timestamp, None, part);
        }
        encoding.frames = encoding.frames.wrapping_add(1);
    }
}

/// How the frames of a track are cut.
#[derive(Clone, Copy)]
struct Shape {
    codec: Codec,
    payload_max: usize,
    varies: bool,
}

impl Shape {
    fn frame_bytes(self, mean: usize, keyframe: bool, rng: &mut SmallRng) -> usize {
        if !self.varies {
            return mean;
        }
        let factor = 1.0 + rng.random_range(-VARIATION..=VARIATION);
        let mean = if keyframe { mean * KEYFRAME_FACTOR } else { mean };
        (mean as f64 * factor) as usize
    }
}
