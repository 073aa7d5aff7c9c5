//! What a shard writes to: memory that is there from the start.

use std::ops::Range;

use plenum_types::{Path, SendBatch};

/// A send batch that has all its memory from the start.
pub(crate) struct Batch {
    pub(crate) bytes: Box<[u8]>,
    used: usize,
    reserved: Option<Path>,
    pub(crate) datagrams: Vec<(Path, Range<usize>)>,
}

/// Datagrams of one wake-up.
const BATCH_DATAGRAMS: usize = 4_096;
/// Bytes of one wake-up.
const BATCH_BYTES: usize = BATCH_DATAGRAMS * 1_500;

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; BATCH_BYTES].into_boxed_slice(),
            used: 0,
            reserved: None,
            datagrams: Vec::with_capacity(BATCH_DATAGRAMS),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.used = 0;
        self.datagrams.clear();
    }
}

impl SendBatch for Batch {
    fn reserve(&mut self, path: Path, capacity: usize) -> Option<&mut [u8]> {
        if self.datagrams.len() == BATCH_DATAGRAMS {
            return None;
        }
        self.reserved = Some(path);
        self.bytes.get_mut(self.used..self.used + capacity)
    }

    fn commit(&mut self, length: usize) {
        if let Some(path) = self.reserved.take() {
            let end = self.used + length;
            self.datagrams.push((path, self.used..end));
            self.used = end;
        }
    }
}
