//! The send batch: packets are encrypted in the place from which they are sent, and leave as few
//! messages as the kernel allows.
//!
//! Fan-out writes one packet to each subscriber in turn, the kernel wants the packets of one
//! subscriber together. So each destination collects a [`Run`] in its own chunk of one arena, and
//! [`Batch::send`] hands each run over as one message. Datagrams to one destination leave in the
//! order of their commits: runs leave in the order in which they were opened, and only the newest
//! run of a destination grows.
//!
//! A packet is copied within the batch in one case only: it is longer than the segments of the
//! run behind which it was written (once or twice a video frame).

mod destinations;
mod run;

use plenum_types::{Path, SendBatch};

use destinations::{Destinations, Place};
use run::{RUN_BYTES, RUN_SEGMENTS, Run};

/// Most runs at a time, so also most destinations that can share in segmentation offload in one
/// wake-up. The batch is sent when they are used up. Their memory is touched only when used.
const MAX_RUNS: usize = 4_096;

/// Distance of two chunks: a run, plus one cache line so that chunks do not all begin in the same
/// cache set.
const CHUNK: usize = RUN_BYTES + 64;

/// Datagrams per run from which on waiting for more gains little (see [`RUN_SEGMENTS`]).
const RIPE_RUN: usize = 8;

/// Datagrams from which on a batch is worth sending before all input is handled: about a
/// millisecond of work, the latency added to the first of them.
const RIPE_DATAGRAMS: usize = 1_024;

/// Where the batch hands its runs over.
pub(crate) trait RunSink {
    /// Sends `bytes` to `path`, cut into segments of `segment` bytes (the last may be shorter),
    /// or as one datagram. `count` is how many datagrams that makes. Counts its own failures.
    fn send_run(&mut self, path: &Path, bytes: &[u8], segment: Option<usize>, count: u16);

    /// Most segments of one message; 1 without segmentation offload.
    fn max_segments(&self) -> usize;
}

/// A [`SendBatch`] that collects runs.
pub(crate) struct Batch<S> {
    sink: S,
    arena: Box<[u8]>,
    runs: Vec<Run>,
    destinations: Destinations,
    datagrams: usize,
    segments: u16,
    reserved: Option<Reservation>,
}

/// A place promised by `reserve`.
#[derive(Clone, Copy)]
struct Reservation {
    path: Path,
    place: Place,
    /// The run to extend; `None` opens the next one.
    extends: Option<u16>,
    /// Where the datagram is written.
    offset: usize,
    /// How long it may be.
    capacity: usize,
}

impl<S: RunSink> Batch<S> {
    /// An empty batch in front of `sink`.
    pub(crate) fn new(sink: S) -> Self {
        let mut batch = Self {
            sink,
            arena: vec![0; MAX_RUNS * CHUNK].into_boxed_slice(),
            runs: Vec::with_capacity(MAX_RUNS),
            destinations: Destinations::new(),
            datagrams: 0,
            segments: 1,
            reserved: None,
        };
        batch.limit_segments();
        batch
    }

    /// Hands everything over and empties the batch.
    pub(crate) fn send(&mut self) {
        for (index, run) in self.runs.iter().enumerate() {
            let start = index * CHUNK;
            let bytes = &self.arena[start..start + run.bytes as usize];
            self.sink
                .send_run(&run.path, bytes, run.segment_size(), run.count);
        }
        self.runs.clear();
        self.destinations.clear();
        self.datagrams = 0;
        self.reserved = None;
        self.limit_segments();
    }

    /// Whether sending now costs little compared with collecting on: enough is collected, and in
    /// long runs.
    pub(crate) fn is_ripe(&self) -> bool {
        self.datagrams >= RIPE_DATAGRAMS && self.datagrams >= RIPE_RUN * self.runs.len()
    }

    /// Where runs are handed over.
    pub(crate) fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Asks the sink again, because it may find out while sending what the system can.
    fn limit_segments(&mut self) {
        let most = usize::from(RUN_SEGMENTS).min(self.sink.max_segments());
        self.segments = most.max(1) as u16;
    }

    /// Opens a run for the datagram of `length` bytes that lies at `offset`.
    fn open_run(&mut self, path: Path, place: Place, offset: usize, length: u16) {
        let index = self.runs.len();
        let start = index * CHUNK;
        if offset != start {
            self.arena
                .copy_within(offset..offset + usize::from(length), start);
        }
        self.runs.push(Run::new(path, length));
        self.destinations.put(place, index as u16);
    }
}

impl<S: RunSink> SendBatch for Batch<S> {
    fn reserve(&mut self, path: Path, capacity: usize) -> Option<&mut [u8]> {
        self.reserved = None;
        if capacity > RUN_BYTES {
            return None;
        }
        if self.runs.len() == MAX_RUNS {
            self.send();
        }
        let place = self.destinations.find(&path, &self.runs);
        let extends = place
            .run
            .filter(|run| self.runs[usize::from(*run)].has_room(capacity, self.segments));
        let offset = match extends {
            Some(run) => usize::from(run) * CHUNK + self.runs[usize::from(run)].bytes as usize,
            None => self.runs.len() * CHUNK,
        };
        self.reserved = Some(Reservation {
            path,
            place,
            extends,
            offset,
            capacity,
        });
        Some(&mut self.arena[offset..offset + capacity])
    }

    fn commit(&mut self, length: usize) {
        let Some(reserved) = self.reserved.take() else {
            debug_assert!(false, "commit without reservation");
            return;
        };
        debug_assert!(length <= reserved.capacity, "commit beyond the reservation");
        let length = length.min(reserved.capacity) as u16;
        self.datagrams += 1;
        let appended = reserved
            .extends
            .is_some_and(|run| self.runs[usize::from(run)].try_append(length));
        if !appended {
            self.open_run(reserved.path, reserved.place, reserved.offset, length);
        }
    }
}

#[cfg(test)]
mod tests;
