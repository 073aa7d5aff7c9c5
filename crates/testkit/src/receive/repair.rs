//! Which missing packets to ask for, and when to ask again (RFC 4585 §6.2.1).
//!
//! The stack's own NACK generator is not used: it does not see that a packet came back on the
//! retransmission stream (RFC 4588) and would ask for it for ever.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plenum_types::SequenceNumber;

/// Wait before a packet counts as lost rather than late; libwebrtc waits for none to 20 ms.
const REORDER_WAIT: Duration = Duration::from_millis(15);
/// Wait before asking again: somewhat more than a round trip of the scenarios.
const RETRY: Duration = Duration::from_millis(100);
/// Requests for one packet.
const TRIES_MAX: u8 = 10;
/// Packets asked for at once.
const REQUESTS_MAX: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Request {
    due: Instant,
    tries: u8,
}

/// The requests of one stream.
#[derive(Debug, Default)]
pub(crate) struct Repair {
    requests: BTreeMap<u64, Request>,
}

impl Repair {
    /// Tells which packets are missing now.
    pub(crate) fn set_missing(&mut self, now: Instant, missing: impl Iterator<Item = u64>) {
        let mut requests = BTreeMap::new();
        for number in missing.take(REQUESTS_MAX) {
            let request = self.requests.get(&number).copied().unwrap_or(Request {
                due: now + REORDER_WAIT,
                tries: 0,
            });
            requests.insert(number, request);
        }
        self.requests = requests;
    }

    /// The sequence numbers to ask for now.
    pub(crate) fn poll(&mut self, now: Instant) -> Vec<SequenceNumber> {
        let mut wanted = Vec::new();
        for (&number, request) in &mut self.requests {
            if request.due <= now && request.tries < TRIES_MAX {
                request.tries += 1;
                request.due = now + RETRY;
                wanted.push(SequenceNumber(number as u16));
            }
        }
        wanted
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.requests
            .values()
            .filter(|request| request.tries < TRIES_MAX)
            .map(|request| request.due)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn asks_until_the_packet_comes() {
        let start = Clock::new().now();
        let mut repair = Repair::default();
        repair.set_missing(start, [65_536 + 7].into_iter());
        assert!(repair.poll(start).is_empty());
        let due = repair.poll_timeout().unwrap();
        assert_eq!(repair.poll(due), [SequenceNumber(7)]);
        assert!(repair.poll(due).is_empty());
        assert_eq!(repair.poll(due + RETRY), [SequenceNumber(7)]);
        repair.set_missing(due, std::iter::empty());
        assert_eq!(repair.poll_timeout(), None);
    }
}
