//! What subscribers saw: packets and gaps, per stream and summed up.

use crate::media::Stamp;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// One stream at one subscriber.
#[derive(Default)]
struct Stream {
    first: u64,
    newest: u64,
    received: u64,
}

/// All that was seen, shared by the subscribers.
#[derive(Default)]
pub(crate) struct Tally {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    streams: BTreeMap<(usize, u32), Stream>,
    stamped: u64,
}

/// The sums.
pub(crate) struct Totals {
    pub(crate) received: u64,
    pub(crate) expected: u64,
    /// Packets whose payload had its stamp.
    pub(crate) stamped: u64,
}

impl Tally {
    fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self
            .inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub(crate) fn on_packet(&self, subscriber: usize, ssrc: u32, sequence: u16, payload: &[u8]) {
        self.with(|inner| {
            let stream = inner.streams.entry((subscriber, ssrc)).or_default();
            if stream.received == 0 {
                stream.first = (1 << 16) + u64::from(sequence);
                stream.newest = stream.first;
            } else {
                let ahead = sequence.wrapping_sub(stream.newest as u16).cast_signed();
                stream.newest = stream
                    .newest
                    .max(stream.newest.saturating_add_signed(i64::from(ahead)));
            }
            stream.received += 1;
            inner.stamped += u64::from(Stamp::find(payload).is_some());
        });
    }

    /// Forgets what came, so that joining does not count.
    pub(crate) fn restart_counting(&self) {
        self.with(|inner| {
            inner.streams.clear();
            inner.stamped = 0;
        });
    }

    pub(crate) fn totals(&self) -> Totals {
        self.with(|inner| Totals {
            received: inner.streams.values().map(|stream| stream.received).sum(),
            expected: inner
                .streams
                .values()
                .map(|stream| stream.newest - stream.first + 1)
                .sum(),
            stamped: inner.stamped,
        })
    }
}
