//! Send batches without a socket behind them.

use plenum_types::{Path, SendBatch};

/// Bytes of a run, as in the server's own batch: 16 datagrams of a media packet's size.
const RUN_BYTES: usize = 16 * 1_280;

/// What the server's batch does with memory: the datagrams of one run lie one behind the other,
/// and the next run overwrites it, as if it had been sent.
pub(crate) struct RunMemory {
    memory: Box<[u8]>,
    path: Option<Path>,
    used: usize,
    publisher: Path,
    copies: usize,
}

impl RunMemory {
    /// Without datagrams. Those to `publisher` are feedback, not copies.
    pub(crate) fn new(publisher: Path) -> Self {
        Self {
            memory: vec![0; RUN_BYTES].into_boxed_slice(),
            path: None,
            used: 0,
            publisher,
            copies: 0,
        }
    }

    /// Datagrams written to subscribers since the last call.
    pub(crate) const fn take_copies(&mut self) -> usize {
        std::mem::replace(&mut self.copies, 0)
    }
}

impl SendBatch for RunMemory {
    fn reserve(&mut self, path: Path, capacity: usize) -> Option<&mut [u8]> {
        if self.path != Some(path) || self.used + capacity > RUN_BYTES {
            self.path = Some(path);
            self.used = 0;
        }
        self.memory.get_mut(self.used..self.used + capacity)
    }

    fn commit(&mut self, length: usize) {
        self.used += length;
        self.copies += usize::from(self.path != Some(self.publisher));
    }
}

/// Keeps every datagram, for handshakes.
#[derive(Default)]
pub(crate) struct Outbox {
    written: Vec<u8>,
    pub(crate) datagrams: Vec<Vec<u8>>,
}

impl SendBatch for Outbox {
    fn reserve(&mut self, _path: Path, capacity: usize) -> Option<&mut [u8]> {
        self.written.clear();
        self.written.resize(capacity, 0);
        Some(&mut self.written)
    }

    fn commit(&mut self, length: usize) {
        self.datagrams.push(self.written[..length].to_vec());
    }
}
