//! Remembers when packets with transport-wide sequence numbers arrived, and turns that into
//! feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! Invariant: every recorded arrival is reported once or more; a packet that comes after its
//! neighbours were reported moves the next feedback back to it.

use crate::transport_feedback::{TICK_US, encode};
use plenum_types::{SequenceExtender, SequenceNumber, Ssrc};
use std::time::{Duration, Instant};

/// Arrivals remembered, 8 bytes each; a power of two. Less than a feedback interval's packets
/// would lose some, at 100 ms and 50 Mbit/s about 500.
const MEMORY: u64 = 2_048;

/// Longest that an arrival waits to be reported. Shorter makes the publisher's estimate quicker
/// and costs packets.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Shortest time between two feedbacks.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(50);

/// So many unreported arrivals make feedback due after [`SHORTEST_INTERVAL`].
const BATCH: u32 = 20;

/// Most lost packets that a feedback begins with. Longer gaps are not told of: nobody learns
/// anything from them.
const LONGEST_LOSS: u64 = 512;

#[derive(Clone, Copy, Default)]
struct Arrival {
    /// Lower half of the extended sequence number; tells whether the place is of this packet.
    sequence: u32,
    /// Ticks since `origin`, wrapping.
    ticks: u32,
}

pub(super) struct Arrivals {
    ring: Box<[Arrival]>,
    /// When the first packet came; times count from here.
    origin: Option<Instant>,
    extender: SequenceExtender,
    /// Extended number of the next packet to tell about.
    unreported: u64,
    waiting: u32,
    due: Option<Instant>,
    last_feedback: Option<Instant>,
    count: u8,
    media: Ssrc,
}

impl Arrivals {
    pub(super) fn new() -> Self {
        Self {
            ring: vec![Arrival::default(); MEMORY as usize].into(),
            origin: None,
            extender: SequenceExtender::default(),
            unreported: 0,
            waiting: 0,
            due: None,
            last_feedback: None,
            count: 0,
            media: Ssrc(0),
        }
    }

    /// A packet of `media` arrived with `sequence`.
    pub(super) fn record(&mut self, now: Instant, media: Ssrc, sequence: u16) {
        self.media = media;
        let sequence = SequenceNumber(sequence);
        let mut newest = self.extender.newest();
        let mut extended = self.extender.extend(sequence);
        if newest.is_some_and(|newest| extended + MEMORY <= newest) {
            // So far back only a sender that started anew.
            self.extender = SequenceExtender::default();
            self.ring.fill(Arrival::default());
            extended = self.extender.extend(sequence);
            newest = None;
        }
        if self.has(extended) {
            return;
        }
        self.unreported = match newest {
            None => extended,
            // A late packet, or a gap wider than the memory.
            Some(newest) => {
                let oldest = (newest.max(extended) + 1).saturating_sub(MEMORY);
                self.unreported.min(extended).max(oldest)
            }
        };
        self.remember(now, extended);
    }

    fn remember(&mut self, now: Instant, extended: u64) {
        let origin = *self.origin.get_or_insert(now);
        let elapsed = now.saturating_duration_since(origin);
        self.ring[(extended % MEMORY) as usize] = Arrival {
            sequence: extended as u32,
            ticks: (elapsed.as_micros() as u64 / TICK_US) as u32,
        };
        self.waiting += 1;
        if self.waiting == 1 {
            self.due = Some(now + LONGEST_WAIT);
        } else if self.waiting == BATCH {
            let soonest = self
                .last_feedback
                .map_or(now, |last| last + SHORTEST_INTERVAL);
            self.due = self.due.map(|due| due.min(soonest));
        }
    }

    /// When feedback should be sent.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Appends a feedback of at most `budget` bytes if one is due. Whether one was written.
    pub(super) fn write_feedback(
        &mut self,
        now: Instant,
        sender: Ssrc,
        budget: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let (Some(newest), Some(due)) = (self.extender.newest(), self.due) else {
            return false;
        };
        if due > now {
            return false;
        }
        self.skip_long_loss(newest);
        let ring = &self.ring;
        let arrivals = (self.unreported..=newest).map(|extended| {
            let place = ring[(extended % MEMORY) as usize];
            (place.sequence == extended as u32).then_some(place.ticks)
        });
        let base = self.unreported as u16;
        let encoded = encode(sender, self.media, self.count, base, arrivals, budget, out);
        let Some(encoded) = encoded else {
            return false;
        };
        self.count = self.count.wrapping_add(1);
        self.unreported += u64::from(encoded.statuses);
        self.last_feedback = Some(now);
        if self.unreported > newest {
            self.waiting = 0;
            self.due = None;
        }
        true
    }

    /// Says nothing of a gap that is too long for one feedback.
    fn skip_long_loss(&mut self, newest: u64) {
        let received = (self.unreported..=newest).find(|extended| self.has(*extended));
        if let Some(received) = received.filter(|first| first - self.unreported > LONGEST_LOSS) {
            self.unreported = received;
        }
    }

    fn has(&self, extended: u64) -> bool {
        self.ring[(extended % MEMORY) as usize].sequence == extended as u32
    }
}
