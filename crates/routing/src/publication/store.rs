//! Recent packets of one encoding, so that lost ones can be sent again (RFC 4588).
//!
//! Each packet is kept once, whoever it was forwarded to; what differs per subscriber is
//! computed again when it is asked for. Bytes lie one packet after the other in a ring, and
//! records in a table by sequence number. Both are as large as the packets of the last
//! [`AGE_MAX`] need at the stream's rate: they grow when a packet would have to go that is younger,
//! and shrink after the rate has fallen. At a steady rate nothing is allocated.

use std::time::{Duration, Instant};

use plenum_rtp::PacketDescription;

mod byte_ring;

use byte_ring::{ByteRing, Position};

/// How long a packet can be asked for. Longer repairs over longer round trips and costs memory.
const AGE_MAX: Duration = Duration::from_millis(1_000);
/// First size of the table, packets (power of two): a second of sound.
const RECORDS_FIRST: usize = 64;
/// Largest size of the table (power of two): a second at 35 Mbit/s. Beyond it packets go younger.
const RECORDS_MAX: usize = 4_096;

/// Lost packets in a row beyond which what lies before does not belong to what follows.
const MISSING_MAX: u32 = 32;

/// What is known of a packet that was stored.
#[derive(Debug)]
struct Record {
    number: u64,
    stored_at: Instant,
    position: Position,
    description: PacketDescription,
}

/// A packet that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'s> {
    pub(crate) packet: &'s [u8],
    pub(crate) description: &'s PacketDescription,
    /// When it came, and was forwarded.
    pub(crate) stored_at: Instant,
}

/// Recent packets by extended sequence number.
#[derive(Debug, Default)]
pub(crate) struct PacketStore {
    /// Empty until the first packet.
    records: Vec<Option<Record>>,
    bytes: ByteRing,
    newest: u64,
}

impl PacketStore {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps a copy of `packet`. One that is too old for the table is not kept.
    pub(crate) fn push(
        &mut self,
        now: Instant,
        number: u64,
        packet: &[u8],
        description: &PacketDescription,
    ) {
        if self.records.is_empty() {
            self.records.resize_with(RECORDS_FIRST, || None);
            self.newest = number;
        }
        if number + self.records.len() as u64 <= self.newest {
            return;
        }
        self.newest = self.newest.max(number);
        self.make_room(now, number);
        if let Some(size) = self.bytes.wanted_size(now, packet.len()) {
            self.resize_bytes(size);
        }
        let index = self.index(number);
        self.records[index] = Some(Record {
            number,
            stored_at: now,
            position: self.bytes.push(packet),
            description: *description,
        });
    }

    /// The packet with `number`, if it is still here.
    pub(crate) fn find(&self, now: Instant, number: u64) -> Option<Stored<'_>> {
        let record = self.records.get(self.index(number))?.as_ref()?;
        if record.number != number || record.is_expired(now) {
            return None;
        }
        Some(Stored {
            packet: self.bytes.read(record.position)?,
            description: &record.description,
            stored_at: record.stored_at,
        })
    }

    /// The newest number that was kept.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    /// The first number from `number` on that is still here.
    pub(crate) fn next_from(&self, now: Instant, number: u64) -> Option<u64> {
        let oldest = (self.newest + 1).saturating_sub(self.records.len() as u64);
        (number.max(oldest)..=self.newest).find(|number| self.find(now, *number).is_some())
    }

    /// The first number that came at `from` or later, of those that are in a row but for a few
    /// lost ones.
    pub(crate) fn first_since(&self, from: Instant) -> Option<u64> {
        let oldest = (self.newest + 1).saturating_sub(self.records.len() as u64);
        let mut first = None;
        let mut missing = 0;
        for number in (oldest..=self.newest).rev() {
            match self.records.get(self.index(number))?.as_ref() {
                Some(record) if record.number == number => {
                    if record.stored_at < from {
                        break;
                    }
                    first = Some(number);
                    missing = 0;
                }
                _ => missing += 1,
            }
            if missing > MISSING_MAX {
                break;
            }
        }
        first
    }

    /// Bytes that it takes.
    #[cfg(test)]
    fn memory(&self) -> usize {
        self.records.capacity() * size_of::<Option<Record>>() + self.bytes.size()
    }

    /// Doubles the table if `number` would take the place of a packet that can still be asked for.
    fn make_room(&mut self, now: Instant, number: u64) {
        let taken = |record: &Option<Record>| {
            let younger = |record: &Record| record.number != number && !record.is_expired(now);
            record.as_ref().is_some_and(younger)
        };
        if !taken(&self.records[self.index(number)]) || self.records.len() >= RECORDS_MAX {
            return;
        }
        let mut larger: Vec<Option<Record>> = Vec::new();
        larger.resize_with(self.records.len() * 2, || None);
        for record in self.records.drain(..).flatten() {
            let index = (record.number as usize) & (larger.len() - 1);
            larger[index] = Some(record);
        }
        self.records = larger;
    }

    /// Moves the packets into a ring of `size` bytes.
    fn resize_bytes(&mut self, size: usize) {
        let mut live: Vec<&mut Record> = self.records.iter_mut().flatten().collect();
        // In the order in which they lie, so that what does not fit any more is the oldest.
        live.sort_by_key(|record| record.position.start());
        let positions = live.into_iter().map(|record| &mut record.position);
        self.bytes = self.bytes.resized(size, positions);
    }

    fn index(&self, number: u64) -> usize {
        (number as usize) & (self.records.len().max(1) - 1)
    }
}

impl Record {
    fn is_expired(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.stored_at) > AGE_MAX
    }
}

#[cfg(test)]
mod tests;
