//! A slot that is behind what comes: it is sent the packets of its source from the publication's
//! store, in their order and paced, until it has caught up. Meanwhile those that come are not
//! forwarded at once: they are in the store, and have their turn.

use std::time::{Duration, Instant};

use crate::index::EncodingRef;
use crate::slot::Slot;

/// How far behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lag {
    pub(crate) source: EncodingRef,
    /// Of the stream that `source` was when this began.
    pub(crate) generation: u32,
    /// The first number that was not sent yet.
    pub(crate) next: u64,
    /// When the next packets are due.
    pub(crate) due: Instant,
    pub(crate) pace: Pace,
    /// Packets and bytes that may go before the next pause.
    pub(crate) left: Allowance,
}

/// How fast a slot catches up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// What is sent at once.
    pub(crate) step: Allowance,
    /// And how long then nothing is.
    pub(crate) pause: Duration,
}

/// Packets and bytes, whichever is used up first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) packets: u32,
    pub(crate) bytes: u32,
}

impl Lag {
    /// Uses up what a packet of `bytes` takes.
    pub(crate) fn take(&mut self, bytes: u32) {
        self.left.packets = self.left.packets.saturating_sub(1);
        self.left.bytes = self.left.bytes.saturating_sub(bytes);
    }

    /// Whether it is time to pause.
    pub(crate) const fn is_used_up(&self) -> bool {
        self.left.packets == 0 || self.left.bytes == 0
    }
}

impl Slot {
    /// Whether a packet that comes has to wait for those before it.
    #[inline]
    pub(crate) fn is_behind(&self, source: EncodingRef, number: u64) -> bool {
        self.lag
            .as_ref()
            .is_some_and(|lag| lag.source == source && number >= lag.next)
    }
}
