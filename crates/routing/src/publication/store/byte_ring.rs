//! Bytes of packets, one after the other, the oldest overwritten by the newest.
//!
//! Positions count bytes since the start and never repeat, so that it can be told from a position
//! alone whether its bytes are still there. A packet does not wrap around the end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::AGE_MAX;

/// Smallest ring, bytes (power of two): a second of sound.
const BYTES_MIN: usize = 4 * 1_024;
/// Largest ring, bytes (power of two): a second at 33 Mbit/s. Beyond it packets go younger.
const BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// How often it is noted how far the ring has come. Shorter sizes it closer.
const MARK_INTERVAL: Duration = Duration::from_millis(100);
/// A ring this many times larger than needed is halved. Less would follow every keyframe.
const SHRINK_FACTOR: usize = 8;

/// Where a packet lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    start: u64,
    length: usize,
}

impl Position {
    pub(super) const fn start(&self) -> u64 {
        self.start
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct ByteRing {
    /// A power of two long; empty at first.
    bytes: Vec<u8>,
    /// Where the next packet goes.
    head: u64,
    /// Where the head was when, oldest first: one from before [`AGE_MAX`] ago, and later ones.
    marks: VecDeque<(Instant, u64)>,
}

impl ByteRing {
    /// A ring of `size` bytes with the packets at `positions`, given oldest first, which become
    /// those in the new ring.
    pub(super) fn resized<'p>(
        &mut self,
        size: usize,
        positions: impl Iterator<Item = &'p mut Position>,
    ) -> Self {
        let mut moved = Self {
            bytes: vec![0; size],
            head: self.head,
            marks: std::mem::take(&mut self.marks),
        };
        for position in positions {
            if let Some(packet) = self.read(*position) {
                *position = moved.push(packet);
            }
        }
        let shift = moved.head - self.head;
        for (_, head) in &mut moved.marks {
            *head += shift;
        }
        moved
    }

    /// Bytes that it can hold.
    #[cfg(test)]
    pub(super) const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The size that the ring must be brought to before `length` bytes more are written, if it is
    /// another than it has: larger if a packet would go that can still be asked for, smaller if
    /// far less is needed.
    pub(super) fn wanted_size(&mut self, now: Instant, length: usize) -> Option<usize> {
        let marked = self.mark(now);
        let recent = self.marks.front().map_or(0, |(_, head)| self.head - head) as usize;
        // Up to one packet's length is lost at the end of the ring.
        let needed = recent + 2 * length;
        let size = self.bytes.len();
        if needed > size && size < BYTES_MAX {
            return Some(needed.next_power_of_two().clamp(BYTES_MIN, BYTES_MAX));
        }
        let can_shrink = marked && size > BYTES_MIN && needed * SHRINK_FACTOR < size;
        can_shrink.then_some(size / 2)
    }

    /// Notes the head now and then; whether it did.
    fn mark(&mut self, now: Instant) -> bool {
        let is_old = |at: Instant, age: Duration| now.saturating_duration_since(at) >= age;
        if self
            .marks
            .back()
            .is_some_and(|(at, _)| !is_old(*at, MARK_INTERVAL))
        {
            return false;
        }
        while self
            .marks
            .get(1)
            .is_some_and(|(at, _)| is_old(*at, AGE_MAX))
        {
            self.marks.pop_front();
        }
        self.marks.push_back((now, self.head));
        true
    }

    /// Writes a packet. One that is larger than the ring is not kept.
    pub(super) fn push(&mut self, packet: &[u8]) -> Position {
        let size = self.bytes.len();
        if packet.len() > size {
            // No bytes are at the position of an empty packet that is long gone.
            return Position {
                start: 0,
                length: size + 1,
            };
        }
        let mut offset = self.offset(self.head);
        if offset + packet.len() > size {
            self.head += (size - offset) as u64;
            offset = 0;
        }
        let start = self.head;
        self.bytes[offset..offset + packet.len()].copy_from_slice(packet);
        self.head += packet.len() as u64;
        Position {
            start,
            length: packet.len(),
        }
    }

    /// The packet at `position`, if it has not been overwritten.
    pub(super) fn read(&self, position: Position) -> Option<&[u8]> {
        if self.head - position.start > self.bytes.len() as u64 {
            return None;
        }
        let offset = self.offset(position.start);
        self.bytes.get(offset..offset + position.length)
    }

    const fn offset(&self, position: u64) -> usize {
        position as usize & (self.bytes.len() - 1)
    }
}
