//! The send batch: packets are encrypted in the place from which they are sent, and leave in as
//! few messages as the kernel allows.
//!
//! The engine writes all that one subscriber gets in a row, so one [`Run`] is open at a time. It
//! leaves as one message as soon as a datagram comes that cannot be part of it: for another
//! destination, or of another size. So the memory that is encrypted into, and from which the
//! kernel copies, is always the same few kilobytes, and a datagram waits for none but its run.
//!
//! A datagram is copied within the batch in one case only: it is longer than the segments of the
//! run behind which it was written.

mod run;

use plenum_types::{Path, SendBatch};

use run::{RUN_BYTES, RUN_SEGMENTS, Run};

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
    /// The open run, from the start, and the datagram that is being written behind it.
    memory: Box<[u8]>,
    open: Option<Run>,
    reserved: Option<Reservation>,
    /// Datagrams committed since [`take_written`](Self::take_written).
    written: usize,
}

/// A place promised by `reserve`.
#[derive(Clone, Copy)]
struct Reservation {
    path: Path,
    /// Where the datagram is written.
    offset: usize,
    /// How long it may be.
    capacity: usize,
}

impl<S: RunSink> Batch<S> {
    /// An empty batch in front of `sink`.
    pub(crate) fn new(sink: S) -> Self {
        Self {
            sink,
            memory: vec![0; RUN_BYTES].into_boxed_slice(),
            open: None,
            reserved: None,
            written: 0,
        }
    }

    /// Hands over what is still open.
    pub(crate) fn send(&mut self) {
        if let Some(run) = self.open.take() {
            let bytes = &self.memory[..run.bytes as usize];
            self.sink
                .send_run(&run.path, bytes, run.segment_size(), run.count);
        }
    }

    /// Drops what is not handed over yet.
    pub(crate) const fn clear(&mut self) {
        (self.open, self.reserved, self.written) = (None, None, 0);
    }

    /// Where runs are handed over.
    pub(crate) fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Datagrams committed since the last call.
    pub(crate) const fn take_written(&mut self) -> usize {
        std::mem::replace(&mut self.written, 0)
    }

    /// Most datagrams of a run. Asks the sink each time, because it may find out while sending
    /// what the system can.
    fn segments(&self) -> u16 {
        usize::from(RUN_SEGMENTS).min(self.sink.max_segments()) as u16
    }
}

impl<S: RunSink> SendBatch for Batch<S> {
    fn reserve(&mut self, path: Path, capacity: usize) -> Option<&mut [u8]> {
        self.reserved = None;
        if capacity > RUN_BYTES {
            return None;
        }
        let segments = self.segments();
        let joins = |run: &Run| run.path == path && run.has_room(capacity, segments);
        if !self.open.as_ref().is_some_and(joins) {
            self.send();
        }
        let offset = self.open.as_ref().map_or(0, |run| run.bytes as usize);
        self.reserved = Some(Reservation {
            path,
            offset,
            capacity,
        });
        Some(&mut self.memory[offset..offset + capacity])
    }

    fn commit(&mut self, length: usize) {
        let Some(reserved) = self.reserved.take() else {
            debug_assert!(false, "commit without reservation");
            return;
        };
        debug_assert!(length <= reserved.capacity, "commit beyond the reservation");
        let length = length.min(reserved.capacity);
        self.written += 1;
        let appended = self
            .open
            .as_mut()
            .is_some_and(|run| run.try_append(length as u16));
        if !appended {
            self.send();
            self.memory
                .copy_within(reserved.offset..reserved.offset + length, 0);
            self.open = Some(Run::new(reserved.path, length as u16));
        }
    }
}

#[cfg(test)]
mod tests;
