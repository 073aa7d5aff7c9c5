//! A run: datagrams to one destination that can leave in one call.
//!
//! UDP GSO (`UDP_SEGMENT`, Linux udp(7)) cuts one message into datagrams of equal size, of which
//! only the last may be shorter. So a run takes datagrams of the size of its first until one is
//! shorter, and then it is closed.

use plenum_types::Path;

/// Datagrams in one message. More cost less each, with little to gain beyond this; longer
/// line-rate bursts make shallow queues on the way drop.
pub(crate) const RUN_SEGMENTS: u16 = 16;

/// Most bytes of a run: [`RUN_SEGMENTS`] datagrams of a media packet's size, and below the 64 KiB
/// that one message may have.
pub(crate) const RUN_BYTES: usize = RUN_SEGMENTS as usize * 1_280;

/// Datagrams to `path` that lie one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Where they go.
    pub(crate) path: Path,
    /// Their bytes in all.
    pub(crate) bytes: u32,
    /// Size of each but the last.
    pub(crate) segment: u16,
    /// How many they are.
    pub(crate) count: u16,
    /// Whether no more can be added.
    pub(crate) closed: bool,
}

impl Run {
    /// A run of one.
    pub(crate) const fn new(path: Path, length: u16) -> Self {
        Self {
            path,
            bytes: length as u32,
            segment: length,
            count: 1,
            closed: length == 0,
        }
    }

    /// Whether a datagram of at most `capacity` bytes may be written behind the run.
    pub(crate) const fn has_room(&self, capacity: usize, segments: u16) -> bool {
        !self.closed && self.count < segments && self.bytes as usize + capacity <= RUN_BYTES
    }

    /// Appends a datagram that has been written behind the run; `false` if it does not fit the
    /// rule of equal sizes. The run is closed then: what follows must leave after it.
    pub(crate) const fn try_append(&mut self, length: u16) -> bool {
        if length > self.segment || length == 0 {
            self.closed = true;
            return false;
        }
        self.bytes += length as u32;
        self.count += 1;
        self.closed = length < self.segment;
        true
    }

    /// The segment size for the kernel; `None` for a single datagram.
    pub(crate) fn segment_size(&self) -> Option<usize> {
        (self.count > 1).then_some(usize::from(self.segment))
    }
}
