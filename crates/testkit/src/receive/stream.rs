//! One incoming stream of a participant.

use std::time::{Duration, Instant};

use bytes::Bytes;
use plenum_types::{RtpTimestamp, SequenceNumber, Ssrc};

use super::decoder::{DecodedFrame, Decoder};
use super::order::{Arrival, Next, Reorder};
use super::repair::Repair;
use super::violation::Violation;
use crate::media::VideoCodec;

/// Least time between two keyframe requests, as libwebrtc keeps it.
const PLI_INTERVAL: Duration = Duration::from_millis(300);

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Opus; not repaired.
    Audio,
    /// Video, repaired by NACK and keyframe requests.
    Video,
}

impl StreamKind {
    const fn clock_rate(self) -> f64 {
        match self {
            Self::Audio => 48_000.0,
            Self::Video => 90_000.0,
        }
    }
}

/// A packet off the wire, decrypted, retransmissions unwrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingPacket {
    /// Stream.
    pub ssrc: Ssrc,
    /// Position in the stream.
    pub sequence: SequenceNumber,
    /// Media time.
    pub timestamp: RtpTimestamp,
    /// Marker bit.
    pub marker: bool,
    /// `None` for audio.
    pub codec: Option<VideoCodec>,
    /// Payload.
    pub payload: Bytes,
}

/// Counters of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamStats {
    /// Packets, duplicates not counted.
    pub packets: u64,
    /// Packets received again.
    pub duplicates: u64,
    /// Packets that came after they had been given up.
    pub late: u64,
    /// Packets given up, for good or until they came late.
    pub given_up: u64,
    /// Sequence numbers asked for.
    pub nacks: u64,
    /// Keyframes asked for.
    pub plis: u64,
    /// Frames that could not be shown.
    pub undecodable: u64,
    /// Frames shown or played.
    pub frames: u64,
}

impl StreamStats {
    /// Share of packets that never came.
    pub fn residual_loss(&self) -> f64 {
        let lost = self.given_up.saturating_sub(self.late);
        lost as f64 / (self.packets + lost).max(1) as f64
    }

    /// Share of packets that came more than once.
    pub fn duplicate_share(&self) -> f64 {
        self.duplicates as f64 / self.packets.max(1) as f64
    }
}

/// An incoming stream: order, repair, decoder, and what was noticed.
#[derive(Debug)]
pub struct ReceivedStream {
    kind: StreamKind,
    order: Reorder<IncomingPacket>,
    repair: Repair,
    decoder: Decoder,
    ssrc: Option<Ssrc>,
    last_pli: Option<Instant>,
    stats: StreamStats,
    frames: Vec<DecodedFrame>,
}

impl ReceivedStream {
    /// A stream of which nothing has come yet.
    pub fn new(kind: StreamKind) -> Self {
        Self {
            kind,
            order: Reorder::default(),
            repair: Repair::default(),
            decoder: Decoder::default(),
            ssrc: None,
            last_pli: None,
            stats: StreamStats::default(),
            frames: Vec::new(),
        }
    }

    /// What it carries.
    pub const fn kind(&self) -> StreamKind {
        self.kind
    }

    /// Its SSRC, once a packet has come.
    pub const fn ssrc(&self) -> Option<Ssrc> {
        self.ssrc
    }

    /// Counters.
    pub fn stats(&self) -> StreamStats {
        StreamStats {
            undecodable: self.decoder.undecodable,
            frames: self.frames.len() as u64,
            ..self.stats
        }
    }

    /// The frames shown so far, oldest first.
    pub fn frames(&self) -> &[DecodedFrame] {
        &self.frames
    }

    /// What the forwarder did wrong.
    pub fn violations(&self) -> &[Violation] {
        &self.decoder.violations
    }

    /// A packet has come.
    pub fn on_packet(&mut self, now: Instant, packet: IncomingPacket) {
        self.ssrc = Some(packet.ssrc);
        match self.order.insert(now, packet.sequence, packet) {
            Arrival::New(_) => self.stats.packets += 1,
            Arrival::Duplicate => self.stats.duplicates += 1,
            Arrival::Late => {
                self.stats.packets += 1;
                self.stats.late += 1;
            }
        }
        self.advance(now);
    }

    /// Gives up what has been missing for too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When something is due: giving up, asking again, a keyframe request.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let repair = match self.kind {
            StreamKind::Audio => None,
            StreamKind::Video => self.repair.poll_timeout(),
        };
        let pli = self
            .decoder
            .keyframe_wanted
            .then_some(self.last_pli)
            .flatten()
            .map(|last| last + PLI_INTERVAL);
        [self.order.poll_timeout(), repair, pli]
            .into_iter()
            .flatten()
            .min()
    }

    /// The sequence numbers to ask for now.
    pub fn poll_nack(&mut self, now: Instant) -> Vec<SequenceNumber> {
        if self.kind == StreamKind::Audio {
            return Vec::new();
        }
        let wanted = self.repair.poll(now);
        self.stats.nacks += wanted.len() as u64;
        wanted
    }

    /// Whether to ask for a keyframe now.
    pub fn poll_pli(&mut self, now: Instant) -> bool {
        let allowed = self.last_pli.is_none_or(|last| now >= last + PLI_INTERVAL);
        let due = self.decoder.keyframe_wanted && allowed;
        if due {
            self.last_pli = Some(now);
            self.stats.plis += 1;
        }
        due
    }

    /// Longest time between two frames shown after `from`, that up to `to` included.
    pub fn longest_freeze(&self, from: Instant, to: Instant) -> Duration {
        let times = self.frames.iter().map(|frame| frame.at);
        let inside = times.filter(|at| (from..to).contains(at));
        let mut longest = Duration::ZERO;
        let mut last = from;
        for at in inside.chain([to]) {
            longest = longest.max(at - last);
            last = at;
        }
        longest
    }

    /// Largest change of the distance between media time and capture time over the frames shown:
    /// how far timestamps are from being aligned across switches.
    pub fn timestamp_drift(&self) -> Duration {
        let Some(first) = self.frames.first() else {
            return Duration::ZERO;
        };
        let offset = |frame: &DecodedFrame| {
            let ticks = frame.timestamp.distance_from(first.timestamp);
            let captured = frame.stamp.captured_us as f64 - first.stamp.captured_us as f64;
            f64::from(ticks) / self.kind.clock_rate() - captured / 1e6
        };
        let (low, high) = self
            .frames
            .iter()
            .map(offset)
            .fold((0.0_f64, 0.0_f64), |(low, high), offset| {
                (low.min(offset), high.max(offset))
            });
        Duration::from_secs_f64(high - low)
    }

    fn advance(&mut self, now: Instant) {
        while let Some(next) = self.order.poll(now) {
            match next {
                Next::Gap(count) => {
                    self.stats.given_up += count;
                    self.decoder.on_gap();
                }
                Next::Packet(sequence, packet) => {
                    let frame = self.decoder.on_packet(now, sequence, &packet);
                    self.frames.extend(frame);
                }
            }
        }
        self.repair.set_missing(now, self.order.missing());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{SourcePacket, VideoConfig, VideoSource};
    use crate::{clock::Clock, seed};

    struct Feed {
        start: Instant,
        stream: ReceivedStream,
    }

    impl Feed {
        fn new() -> Self {
            Self {
                start: Clock::new().now(),
                stream: ReceivedStream::new(StreamKind::Video),
            }
        }

        fn packets(&self, codec: VideoCodec) -> Vec<SourcePacket> {
            let config = VideoConfig {
                temporal_layers: 3,
                ..VideoConfig::single(codec)
            };
            let mut rng = seed::stream(1, 2);
            let mut source = VideoSource::new(5, config, &[Ssrc(1)], self.start, &mut rng);
            let mut packets = Vec::new();
            for _ in 0..90 {
                let now = source.next_at();
                packets.extend(source.poll(now, now - self.start));
            }
            packets
        }

        fn give(&mut self, packet: &SourcePacket, codec: VideoCodec) {
            let packet = IncomingPacket {
                ssrc: packet.ssrc,
                sequence: packet.sequence,
                timestamp: packet.timestamp,
                marker: packet.marker,
                codec: Some(codec),
                payload: packet.payload.clone().into(),
            };
            self.stream.on_packet(self.start, packet);
        }
    }

    #[test]
    fn an_untouched_stream_is_flawless() {
        for codec in [
            VideoCodec::Vp8,
            VideoCodec::Vp9,
            VideoCodec::H264,
            VideoCodec::Av1,
        ] {
            let mut feed = Feed::new();
            for packet in feed.packets(codec) {
                feed.give(&packet, codec);
            }
            assert_eq!(feed.stream.violations(), [], "{codec:?}");
            assert_eq!(feed.stream.stats().frames, 90);
            assert!(feed.stream.timestamp_drift() < Duration::from_millis(1));
        }
    }

    #[test]
    fn a_lost_packet_is_asked_for_then_a_keyframe() {
        let mut feed = Feed::new();
        let packets = feed.packets(VideoCodec::Vp8);
        // A packet of the keyframe, which is the first frame.
        for (index, packet) in packets.iter().enumerate() {
            if index != 1 {
                feed.give(packet, VideoCodec::Vp8);
            }
        }
        let due = feed.stream.poll_timeout().unwrap();
        assert_eq!(feed.stream.poll_nack(due), [packets[1].sequence]);
        assert!(!feed.stream.poll_pli(due));
        let given_up = feed.start + Duration::from_secs(2);
        feed.stream.handle_timeout(given_up);
        assert!(feed.stream.poll_pli(given_up));
        assert!(!feed.stream.poll_pli(given_up));
        assert_eq!(feed.stream.stats().frames, 0);
        assert_eq!(feed.stream.violations(), []);
        assert!(feed.stream.stats().residual_loss() > 0.0);
    }

    #[test]
    fn what_a_forwarder_may_not_do_is_noticed() {
        let mut feed = Feed::new();
        let packets = feed.packets(VideoCodec::Vp8);
        let dropped = packets.iter().rposition(|packet| packet.marker).unwrap() - 8;
        for (index, packet) in packets.iter().enumerate() {
            // Leaves one packet out and closes the gap in sequence numbers.
            let shift = u16::from(index > dropped);
            if index != dropped {
                let packet = SourcePacket {
                    sequence: packet.sequence.plus(0_u16.wrapping_sub(shift)),
                    ..packet.clone()
                };
                feed.give(&packet, VideoCodec::Vp8);
            }
        }
        assert!(!feed.stream.violations().is_empty());
    }
}
