//! One stream: what came, what is missing, and what a receiver report says of it.

use std::time::Instant;

use plenum_rtp::rtcp::ReportBlock;
use plenum_types::{Codec, MediaKind, SequenceExtender, SequenceNumber, Ssrc};

use super::missing::Missing;
use super::pictures::Pictures;
use crate::client::Context;

/// What every packet shows without being decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clear {
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
}

impl Clear {
    #[inline]
    pub(super) fn read(datagram: &[u8]) -> Option<Self> {
        let &[_, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = datagram.first_chunk::<12>()?;
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        })
    }
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Newer than all before.
    InOrder,
    /// It had been missing.
    Late,
    /// It had come already, or was given up.
    Duplicate,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) ssrc: u32,
    pub(super) slot: usize,
    pub(super) codec: Codec,
    pub(super) payload_type: u8,
    pub(super) missing: Missing,
    pub(super) pictures: Pictures,
    extender: SequenceExtender,
    first: u64,
    received: u64,
    /// At the last report.
    reported: (u64, u64),
    jitter: Jitter,
    /// Middle of the NTP time of the last sender report, and when it came.
    sender_report: Option<(u32, Instant)>,
}

impl Stream {
    pub(super) fn new(
        now: Instant,
        first: &Clear,
        slot: usize,
        codec: Codec,
        flowing: bool,
    ) -> Self {
        Self {
            ssrc: first.ssrc,
            slot,
            codec,
            payload_type: first.payload_type,
            missing: Missing::default(),
            pictures: Pictures::new(now, first.timestamp, flowing),
            extender: SequenceExtender::default(),
            first: 0,
            received: 0,
            reported: (0, 0),
            jitter: Jitter::default(),
            sender_report: None,
        }
    }

    pub(super) fn is_video(&self) -> bool {
        self.codec.kind() == MediaKind::Video
    }

    /// Whether lost packets are asked for again: browsers do that for video alone.
    pub(super) fn is_repairable(&self) -> bool {
        self.is_video()
    }

    /// Takes account of a packet.
    #[inline]
    pub(super) fn on_packet(
        &mut self,
        context: &mut Context<'_>,
        wall_us: u64,
        clear: &Clear,
    ) -> Arrival {
        let newest = self.extender.newest();
        let sequence = self.extender.extend(SequenceNumber(clear.sequence));
        let mut gap = false;
        match newest {
            None => self.first = sequence,
            Some(newest) if sequence > newest => {
                gap = sequence > newest + 1;
                if gap {
                    self.missing.on_gap(context.now, newest + 1, sequence);
                }
            }
            Some(_) => {
                if !self.missing.on_late(sequence) {
                    return Arrival::Duplicate;
                }
                self.received += 1;
                return Arrival::Late;
            }
        }
        self.received += 1;
        self.jitter
            .on_packet(wall_us, clear.timestamp, self.codec.clock_rate());
        if self.is_video() {
            self.pictures
                .on_packet(context, clear.timestamp, clear.marker, gap);
        }
        Arrival::InOrder
    }

    pub(super) fn on_sender_report(&mut self, now: Instant, middle: u32) {
        self.sender_report = Some((middle, now));
    }

    /// What a receiver report says (RFC 3550 §6.4.1, appendix A.3).
    pub(super) fn report(&mut self, now: Instant) -> ReportBlock {
        let newest = self.extender.newest().unwrap_or_default();
        let expected = (newest + 1).saturating_sub(self.first);
        let (expected_before, received_before) = self.reported;
        let interval = expected - expected_before;
        let lost = interval.saturating_sub(self.received - received_before);
        self.reported = (expected, self.received);
        let (last_sr, delay) = self.sender_report.map_or((0, 0), |(middle, at)| {
            let delay = now.duration_since(at).as_secs_f64() * 65_536.0;
            (middle, delay as u32)
        });
        ReportBlock {
            ssrc: Ssrc(self.ssrc),
            fraction_lost: (256 * lost).checked_div(interval).unwrap_or(0).min(255) as u8,
            cumulative_lost: (expected as i64 - self.received as i64) as i32,
            highest_sequence: newest as u32,
            jitter: self.jitter.value(),
            last_sr,
            delay_since_last_sr: delay,
        }
    }
}

/// Interarrival jitter (RFC 3550 appendix A.8), scaled by 16.
#[derive(Debug, Default)]
struct Jitter {
    transit: Option<u32>,
    scaled: u32,
}

impl Jitter {
    #[inline]
    fn on_packet(&mut self, wall_us: u64, timestamp: u32, clock_rate: u32) {
        // Wraps as the timestamp does.
        let arrival = (wall_us.wrapping_mul(u64::from(clock_rate / 1_000)) / 1_000) as u32;
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let change = transit.wrapping_sub(before).cast_signed().unsigned_abs();
            self.scaled = self
                .scaled
                .wrapping_add(change)
                .wrapping_sub((self.scaled + 8) >> 4);
        }
    }

    const fn value(&self) -> u32 {
        self.scaled >> 4
    }
}

#[cfg(test)]
mod tests;
