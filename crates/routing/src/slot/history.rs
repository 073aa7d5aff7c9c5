//! Finds again what went out under a sequence number, so that it can be sent again (RFC 4588).
//!
//! Segments are mappings that can be turned round, so only the last few of them are kept, and
//! beside them when each number was last sent again.

use std::time::{Duration, Instant};

use plenum_types::SequenceNumber;

use crate::slot::segment::Segment;

/// Segments kept behind the current one. Each lasts from switch to switch; more answer NACKs over
/// a burst of switches.
const SEGMENTS: usize = 4;
/// Most repetitions between two of the same packet (power of two): numbers that share a place share
/// its pause, so that asking for many packets in turn gets round no limit. More repair a longer
/// burst within one round trip.
const REPETITIONS: usize = 256;
/// Least time between two repetitions of a packet, if the round trip is shorter or not known.
const REPEAT_MIN: Duration = Duration::from_millis(20);
/// Longest such time: a bogus round trip must not stop repairs.
const REPEAT_MAX: Duration = Duration::from_millis(500);

/// Past segments, and repetitions.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Newest last. Each with the last number sent in it.
    past: [Option<(Segment, u64)>; SEGMENTS],
    /// When a packet was last sent again, by the lower bits of its number. Empty until one was.
    repeated: Vec<Option<Instant>>,
}

impl History {
    /// `segment` has ended with the number `last`.
    pub(crate) fn push(&mut self, segment: Segment, last: u64) {
        self.past.rotate_left(1);
        self.past[SEGMENTS - 1] = Some((segment, last));
    }

    /// The segment that ended last.
    pub(crate) fn latest(&self) -> Option<&Segment> {
        self.past[SEGMENTS - 1].as_ref().map(|(segment, _)| segment)
    }

    /// The past segment in which `number` was sent.
    pub(crate) fn find(&self, number: u64) -> Option<&Segment> {
        self.past
            .iter()
            .rev()
            .flatten()
            .find(|(segment, last)| (segment.first_out..=*last).contains(&number))
            .map(|(segment, _)| segment)
    }

    /// Whether `sequence` may be sent again now; if so, it counts as sent.
    pub(crate) fn try_repeat(
        &mut self,
        now: Instant,
        sequence: SequenceNumber,
        rtt: Option<Duration>,
    ) -> bool {
        if self.repeated.is_empty() {
            self.repeated.resize(REPETITIONS, None);
        }
        let pause = rtt.unwrap_or(REPEAT_MIN).clamp(REPEAT_MIN, REPEAT_MAX);
        let entry = &mut self.repeated[usize::from(sequence.0) & (REPETITIONS - 1)];
        let recent = entry.is_some_and(|at| now.saturating_duration_since(at) < pause);
        if !recent {
            *entry = Some(now);
        }
        !recent
    }
}

/// Whether a packet that was forwarded at `sent_at` cannot have been missed yet: whoever asks for
/// it has not seen it because the publisher's own repair of it has only just passed through here.
/// An eighth of the round trip is left to its jitter.
pub(crate) fn is_on_its_way(now: Instant, sent_at: Instant, rtt: Option<Duration>) -> bool {
    let rtt = rtt.unwrap_or_default().min(REPEAT_MAX);
    now.saturating_duration_since(sent_at) < rtt - rtt / 8
}
