//! What a client wants sent: datagrams one behind the other in one buffer, runs of equal size
//! together, so that the kernel takes a run in one call (UDP GSO).

use std::net::SocketAddr;
use std::ops::Range;

/// Most datagrams of a run: the kernel's `UDP_MAX_SEGMENTS` of old.
const SEGMENTS_MAX: usize = 64;
/// Most bytes of a run, below what fits the length field of IP and UDP.
const RUN_BYTES_MAX: usize = 60_000;

/// Datagrams for one address that one call can send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) bytes: Range<usize>,
    /// Size of all but the last, which may be smaller.
    pub(crate) segment: usize,
    /// How many.
    pub(crate) segments: usize,
    /// `None`: the server's address, once it is known.
    pub(crate) to: Option<SocketAddr>,
    /// A smaller one has come: nothing may follow.
    closed: bool,
}

/// Reused by all clients of a thread, one after the other.
#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    runs: Vec<Run>,
}

impl Outbox {
    /// Adds a datagram for `to`.
    pub(crate) fn datagram(&mut self, to: Option<SocketAddr>, datagram: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(datagram);
        self.add(start, to, false);
    }

    /// Adds a datagram of at most `longest` bytes to the server, which `write` fills; it returns
    /// the length, or `None` if there is nothing to send after all. Joins the run before it if
    /// the sizes allow.
    pub(crate) fn write(&mut self, longest: usize, write: impl FnOnce(&mut [u8]) -> Option<usize>) {
        let start = self.bytes.len();
        self.bytes.resize(start + longest, 0);
        let length = write(&mut self.bytes[start..]).unwrap_or(0);
        self.bytes.truncate(start + length);
        if length > 0 {
            self.add(start, None, true);
        }
    }

    fn add(&mut self, start: usize, to: Option<SocketAddr>, joins: bool) {
        let length = self.bytes.len() - start;
        if joins
            && let Some(last) = self.runs.last_mut()
            && last.to == to
            && last.takes(length)
        {
            last.bytes.end += length;
            last.segments += 1;
            last.closed = length < last.segment;
            return;
        }
        self.runs.push(Run {
            bytes: start..start + length,
            segment: length,
            segments: 1,
            to,
            closed: !joins,
        });
    }

    /// What is to be sent, in order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (&Run, &[u8])> {
        self.runs
            .iter()
            .map(|run| (run, &self.bytes[run.bytes.clone()]))
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Forgets what was sent; keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
    }
}

impl Run {
    fn takes(&self, length: usize) -> bool {
        !self.closed
            && length <= self.segment
            && self.segments < SEGMENTS_MAX
            && self.bytes.len() + length <= RUN_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(lengths: &[usize]) -> Vec<(usize, usize)> {
        let mut outbox = Outbox::default();
        for length in lengths {
            outbox.write(2_000, |buffer| {
                buffer[0] = 1;
                Some(*length)
            });
        }
        outbox
            .runs()
            .map(|(run, bytes)| {
                assert!(bytes.len() <= run.segment * run.segments);
                (run.segment, run.segments)
            })
            .collect()
    }

    #[test]
    fn equal_sizes_run_together_and_a_smaller_one_ends_the_run() {
        assert_eq!(runs(&[100, 100, 100]), [(100, 3)]);
        assert_eq!(runs(&[100, 100, 99, 99]), [(100, 3), (99, 1)]);
        assert_eq!(runs(&[99, 100, 100]), [(99, 1), (100, 2)]);
        assert_eq!(runs(&[0, 100]), [(100, 1)]);
    }

    #[test]
    fn a_run_has_a_bound() {
        assert_eq!(runs(&[100; 65]), [(100, 64), (100, 1)]);
        assert_eq!(runs(&[1_500; 41]), [(1_500, 40), (1_500, 1)]);
    }

    #[test]
    fn single_datagrams_stay_alone() {
        let mut outbox = Outbox::default();
        let to = Some("192.0.2.1:5".parse().unwrap());
        outbox.datagram(to, &[1; 10]);
        outbox.datagram(to, &[2; 10]);
        assert_eq!(outbox.runs().count(), 2);
        outbox.clear();
        assert!(outbox.is_empty());
    }
}
