//! What subscribers saw: packets, gaps and latency, per stream and summed up.

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
    bytes: u64,
    latencies_us: Vec<u32>,
    join_ms: Vec<u32>,
    first_frame_ms: Vec<u32>,
}

/// The sums.
pub(crate) struct Totals {
    pub(crate) received: u64,
    pub(crate) expected: u64,
    pub(crate) bytes: u64,
    /// Sorted.
    pub(crate) latencies_us: Vec<u32>,
    /// Sorted.
    pub(crate) join_ms: Vec<u32>,
    /// Sorted.
    pub(crate) first_frame_ms: Vec<u32>,
}

impl Tally {
    fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self
            .inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub(crate) fn on_packet(
        &self,
        subscriber: usize,
        ssrc: u32,
        sequence: u16,
        payload: &[u8],
        now_us: u64,
    ) {
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
            inner.bytes += payload.len() as u64;
            if let Some(stamp) = Stamp::find(payload) {
                inner
                    .latencies_us
                    .push(now_us.saturating_sub(stamp.sent_us) as u32);
            }
        });
    }

    pub(crate) fn on_joined(&self, took_ms: u32) {
        self.with(|inner| inner.join_ms.push(took_ms));
    }

    pub(crate) fn on_first_frame(&self, took_ms: u32) {
        self.with(|inner| inner.first_frame_ms.push(took_ms));
    }

    /// Forgets packets and latencies, so that ramp-up does not count.
    pub(crate) fn restart_counting(&self) {
        self.with(|inner| {
            inner.streams.clear();
            inner.bytes = 0;
            inner.latencies_us.clear();
        });
    }

    pub(crate) fn received(&self) -> u64 {
        self.with(|inner| inner.streams.values().map(|stream| stream.received).sum())
    }

    pub(crate) fn totals(&self) -> Totals {
        self.with(|inner| {
            let sorted = |values: &[u32]| {
                let mut values = values.to_vec();
                values.sort_unstable();
                values
            };
            Totals {
                received: inner.streams.values().map(|stream| stream.received).sum(),
                expected: inner
                    .streams
                    .values()
                    .map(|stream| stream.newest - stream.first + 1)
                    .sum(),
                bytes: inner.bytes,
                latencies_us: sorted(&inner.latencies_us),
                join_ms: sorted(&inner.join_ms),
                first_frame_ms: sorted(&inner.first_frame_ms),
            }
        })
    }
}

/// The value below which `share` of the sorted values lie; `None` if there are none.
pub(crate) fn percentile(sorted: &[u32], share: f64) -> Option<u32> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * share).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_count_as_loss_over_the_wrap() {
        let tally = Tally::default();
        for sequence in [65_534_u16, 65_535, 0, 3, 2] {
            tally.on_packet(0, 1, sequence, &[0; 10], 0);
        }
        let totals = tally.totals();
        assert_eq!((totals.received, totals.expected), (5, 6));
    }

    #[test]
    fn percentiles_of_nothing_are_nothing() {
        assert_eq!(percentile(&[], 0.5), None);
        assert_eq!(percentile(&[1, 2, 3], 0.5), Some(2));
        assert_eq!(percentile(&[1, 2, 3], 1.0), Some(3));
    }
}
