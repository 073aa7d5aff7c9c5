//! What a slot has sent: the end of the stream that the next segment continues.

use std::time::{Duration, Instant};

use plenum_types::{MediaKind, RtpTimestamp};
use rand::{Rng, RngExt};

use crate::fields::Counters;
use crate::publication::clock::ticks_in;
use crate::slot::segment::Rewritten;

/// First sequence numbers are below this, so that the first wrap is far: a receiver that misses
/// the first packets still guesses the SRTP rollover counter right (RFC 3711 §3.3.1).
const FIRST_SEQUENCE_END: u64 = 1 << 15;
/// First sequence numbers are at least this: a packet from before the first one must not wrap.
const FIRST_SEQUENCE_MIN: u64 = 1_000;
/// Where counting starts, so that earlier numbers stay above zero.
const FIRST_CYCLE: u64 = 1 << 16;
/// A new segment's timestamp may be this far from where the time passed since the last packet
/// puts it; beyond it the publishers' clocks are not believed.
const MISALIGNMENT_MAX: Duration = Duration::from_millis(1_000);
/// Least step of the timestamp at a switch: sound of the last packet is played before the next.
const AUDIO_STEP_MIN: Duration = Duration::from_millis(20);
/// The same for video, where it only keeps two frames apart.
const VIDEO_STEP_MIN: Duration = Duration::from_millis(1);

/// The newest of everything that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    number: u64,
    timestamp: RtpTimestamp,
    counters: Counters,
    /// `None` before the first packet.
    at: Option<Instant>,
    rate: u32,
    step_min: Duration,
}

impl Outgoing {
    /// Starts at a random number and timestamp (RFC 3550 §5.1).
    pub(crate) fn new(kind: MediaKind, rate: u32, rng: &mut dyn Rng) -> Self {
        Self {
            number: FIRST_CYCLE + rng.random_range(FIRST_SEQUENCE_MIN..FIRST_SEQUENCE_END),
            timestamp: RtpTimestamp(rng.random()),
            counters: Counters::default(),
            at: None,
            rate,
            step_min: match kind {
                MediaKind::Audio => AUDIO_STEP_MIN,
                MediaKind::Video => VIDEO_STEP_MIN,
            },
        }
    }

    /// The newest number sent, or the one before the first.
    pub(crate) const fn newest(&self) -> u64 {
        self.number
    }

    pub(crate) const fn sent_at(&self) -> Option<Instant> {
        self.at
    }

    pub(crate) const fn newest_timestamp(&self) -> RtpTimestamp {
        self.timestamp
    }

    pub(crate) const fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn on_sent(&mut self, now: Instant, packet: &Rewritten) {
        if packet.number > self.number {
            self.number = packet.number;
            self.timestamp = packet.timestamp;
            self.counters.update(&packet.fields);
            self.at = Some(now);
        }
    }

    /// The timestamp for the first packet of a segment, which came at `now`: before the newest that
    /// was sent, if it was held back. `aligned` is where the publishers' clocks
    /// put it; it is taken if it is plausible and later than what was sent.
    pub(crate) fn next_timestamp(&self, now: Instant, aligned: Option<RtpTimestamp>) -> Next {
        let Some(at) = self.at else {
            return Next {
                timestamp: self.timestamp,
                ahead: 0,
            };
        };
        let by_time = match now.checked_duration_since(at) {
            Some(passed) => self.timestamp.plus(ticks_in(passed, self.rate)),
            None => self
                .timestamp
                .minus(ticks_in(at.saturating_duration_since(now), self.rate)),
        };
        let tolerance = ticks_in(MISALIGNMENT_MAX, self.rate);
        let wanted = aligned
            .filter(|aligned| aligned.distance_from(by_time).unsigned_abs() <= tolerance)
            .unwrap_or(by_time);
        let earliest = self.timestamp.plus(ticks_in(self.step_min, self.rate));
        let ahead = earliest.distance_from(wanted).max(0).unsigned_abs();
        Next {
            timestamp: wanted.plus(ahead),
            ahead,
        }
    }
}

/// Where a new segment starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) timestamp: RtpTimestamp,
    /// How much later that is than it should be, because it must not go back in time. The segment
    /// after it takes this back, so that it does not add up from switch to switch.
    pub(crate) ahead: u32,
}
