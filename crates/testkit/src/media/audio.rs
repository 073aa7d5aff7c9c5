//! A synthetic microphone: one Opus frame every 20 ms, with an audio level.

use std::time::{Duration, Instant};

use plenum_types::{RtpTimestamp, SequenceNumber, Ssrc};
use rand::RngExt;

use super::{SourcePacket, Stamp};
use crate::seed::SimRng;

/// Length of an Opus frame.
const FRAME: Duration = Duration::from_millis(20);
/// Its length in ticks of the RTP clock of 48 kHz.
const FRAME_TICKS: u32 = 960;
/// TOC byte (RFC 6716 §3.1): fullband CELT, 20 ms, mono, one frame.
const OPUS_TOC: u8 = 0xf8;
/// Bytes of compressed sound beside stamp and TOC: 32 kbit/s in all.
const SOUND_BYTES: usize = 48;

/// A microphone.
#[derive(Clone, Debug)]
pub struct AudioSource {
    source: u32,
    ssrc: Ssrc,
    sequence: SequenceNumber,
    timestamp: RtpTimestamp,
    /// Level of RFC 6464 that frames carry: 0 loudest, 127 silence.
    pub level: u8,
    frame: u32,
    next_at: Instant,
}

impl AudioSource {
    /// A microphone that speaks from `start` on.
    pub fn new(source: u32, ssrc: Ssrc, start: Instant, rng: &mut SimRng) -> Self {
        Self {
            source,
            ssrc,
            sequence: SequenceNumber(rng.random()),
            timestamp: RtpTimestamp(rng.random()),
            level: 30,
            frame: 0,
            next_at: start + FRAME.mul_f64(rng.random()),
        }
    }

    /// When the next frame is due.
    pub const fn next_at(&self) -> Instant {
        self.next_at
    }

    /// The frame that is due by `now`, if any; `since_start` is the time of capture.
    pub fn poll(&mut self, now: Instant, since_start: Duration) -> Option<SourcePacket> {
        if now < self.next_at {
            return None;
        }
        let mut payload = vec![OPUS_TOC];
        payload.resize(1 + SOUND_BYTES, 0xaa);
        let stamp = Stamp {
            source: self.source,
            encoding: 0,
            frame: self.frame,
            reference: None,
            temporal: 0,
            part: 0,
            parts: 1,
            captured_us: since_start.as_micros() as u64,
        };
        stamp.write(&mut payload);
        let packet = SourcePacket {
            ssrc: self.ssrc,
            sequence: self.sequence,
            timestamp: self.timestamp,
            marker: self.frame == 0,
            audio_level: Some(self.level),
            payload,
        };
        self.sequence = self.sequence.plus(1);
        self.timestamp = self.timestamp.plus(FRAME_TICKS);
        self.frame += 1;
        self.next_at += FRAME;
        Some(packet)
    }

    /// RTP time at `now`, for sender reports.
    pub fn timestamp_at(&self, now: Instant) -> RtpTimestamp {
        let until_next = self.next_at.saturating_duration_since(now);
        let ticks = (until_next.as_secs_f64() * 48_000.0) as u32;
        RtpTimestamp(self.timestamp.0.wrapping_sub(ticks))
    }

    /// The stream.
    pub const fn ssrc(&self) -> Ssrc {
        self.ssrc
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, seed};

    #[test]
    fn speaks_fifty_times_a_second() {
        let start = Clock::new().now();
        let mut source = AudioSource::new(1, Ssrc(1), start, &mut seed::stream(1, 1));
        let end = start + Duration::from_secs(2);
        let mut frames = 0;
        let mut last: Option<SourcePacket> = None;
        while source.next_at() < end {
            let now = source.next_at();
            let packet = source.poll(now, now - start).unwrap();
            if let Some(last) = last {
                assert_eq!(packet.sequence.distance_from(last.sequence), 1);
                assert_eq!(packet.timestamp.distance_from(last.timestamp), 960);
            }
            last = Some(packet);
            frames += 1;
        }
        assert!((99..=100).contains(&frames), "{frames}");
    }
}
