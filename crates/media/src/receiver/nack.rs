//! Which packets are missing and when to ask for them (RFC 4585 §6.2.1).
//!
//! A packet is asked for once it is surely not just late, then again every round trip until it
//! comes or the tries are used up.

use std::time::{Duration, Instant};

/// Time for a reordered packet to come by itself. Longer asks for less that is not lost, and
/// repairs later.
const REORDERING: Duration = Duration::from_millis(8);

/// Shortest time between two requests for a packet; the round trip if that is longer.
const RETRY_MIN: Duration = Duration::from_millis(50);

/// Used while the round trip is not known.
const RETRY_DEFAULT: Duration = Duration::from_millis(100);

/// Requests for one packet. After that it is given up: a keyframe is the better repair.
const MAX_TRIES: u8 = 10;

/// Missing packets of one stream. At the bound all are forgotten and a keyframe is asked for.
const MAX_MISSING: usize = 500;

/// Room for missing packets when the first is, so that bursts of loss need no more. A stream that
/// loses nothing has none.
const MISSING_FIRST: usize = 32;

#[derive(Clone, Copy, Debug)]
struct Missing {
    /// Extended sequence number.
    sequence: u64,
    ask_at: Instant,
    tries: u8,
}

/// The missing packets of one stream, oldest first.
#[derive(Debug, Default)]
pub(super) struct NackList {
    missing: Vec<Missing>,
    /// Not after the first `ask_at`.
    due: Option<Instant>,
    retry: Option<Duration>,
}

/// More packets are missing than is worth asking for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyMissing;

impl NackList {
    /// Packets `from..to` were skipped by one that came now.
    pub(super) fn on_gap(
        &mut self,
        now: Instant,
        from: u64,
        to: u64,
    ) -> Result<(), TooManyMissing> {
        if self.missing.len() as u64 + (to - from) > MAX_MISSING as u64 {
            self.clear();
            return Err(TooManyMissing);
        }
        let ask_at = now + REORDERING;
        if self.missing.capacity() == 0 {
            self.missing.reserve(MISSING_FIRST);
        }
        self.missing.extend((from..to).map(|sequence| Missing {
            sequence,
            ask_at,
            tries: 0,
        }));
        self.due = Some(self.due.map_or(ask_at, |due| due.min(ask_at)));
        Ok(())
    }

    /// A packet that may have been missing came.
    pub(super) fn on_late_packet(&mut self, sequence: u64) {
        let place = self
            .missing
            .binary_search_by_key(&sequence, |missing| missing.sequence);
        if let Ok(place) = place {
            self.missing.remove(place);
        }
        if self.missing.is_empty() {
            self.due = None;
        }
    }

    /// The round trip time to the sender of the stream.
    pub(super) fn set_rtt(&mut self, rtt: Duration) {
        self.retry = Some(rtt.max(RETRY_MIN));
    }

    /// Forgets what is missing.
    pub(super) fn clear(&mut self) {
        self.missing.clear();
        self.due = None;
    }

    /// When to ask next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Puts into `wanted` the packets to ask for now, at most `limit`, and counts the try.
    pub(super) fn take_due(&mut self, now: Instant, limit: usize, wanted: &mut Vec<u64>) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let again = now + self.retry.unwrap_or(RETRY_DEFAULT);
        self.missing.retain_mut(|missing| {
            if missing.ask_at > now || wanted.len() >= limit {
                return true;
            }
            if missing.tries == MAX_TRIES {
                return false;
            }
            wanted.push(missing.sequence);
            missing.tries += 1;
            missing.ask_at = again;
            true
        });
        self.due = self.missing.iter().map(|missing| missing.ask_at).min();
    }
}
