//! A slot that is behind what comes: it is sent the packets of its source from the publication's
//! store, in their order and paced, until it has caught up. Meanwhile those that come are not
//! forwarded at once: they are in the store, and have their turn.

use std::time::Instant;

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
    /// How many more may go before the next pause.
    pub(crate) left: u8,
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
