//! Recent packets of one encoding, so that lost ones can be sent again (RFC 4588).
//!
//! Each packet is kept once, whoever it was forwarded to; what differs per subscriber is
//! computed again when it is asked for. A ring by sequence number bounds the count, an age bounds
//! the memory: buffers of packets that are too old are used for new ones, so that nothing is
//! allocated once the stream has reached its usual rate.

use std::time::{Duration, Instant};

use plenum_rtp::PacketDescription;
use plenum_types::MediaKind;

/// How long a packet can be asked for. Longer repairs over longer round trips and costs memory.
const AGE_MAX: Duration = Duration::from_millis(1_000);
/// Most packets of a video encoding (power of two): 1 s at 4.5 Mbit/s.
const VIDEO_PACKETS: usize = 512;
/// Most packets of an audio encoding (power of two): 1.2 s of 10 ms packets.
const AUDIO_PACKETS: usize = 128;
/// First size of a buffer, bytes: a video packet of usual size.
const VIDEO_BUFFER: usize = 1_280;
/// First size of a buffer, bytes: an Opus packet of usual size.
const AUDIO_BUFFER: usize = 320;
/// Most expired packets taken out per packet that comes in. More than one, to catch up.
const SWEEP: usize = 4;

/// A packet that was stored.
#[derive(Debug)]
struct Entry {
    number: u64,
    stored_at: Instant,
    description: PacketDescription,
    bytes: Vec<u8>,
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
#[derive(Debug)]
pub(crate) struct PacketStore {
    /// Empty until the first packet.
    ring: Vec<Option<Entry>>,
    capacity: usize,
    buffer_size: usize,
    newest: u64,
    /// Where expired packets are looked for next.
    cursor: u64,
    spare: Vec<Vec<u8>>,
}

impl PacketStore {
    pub(crate) fn new(kind: MediaKind) -> Self {
        let (capacity, buffer_size) = match kind {
            MediaKind::Video => (VIDEO_PACKETS, VIDEO_BUFFER),
            MediaKind::Audio => (AUDIO_PACKETS, AUDIO_BUFFER),
        };
        Self {
            ring: Vec::new(),
            capacity,
            buffer_size,
            newest: 0,
            cursor: 0,
            spare: Vec::new(),
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.ring.clear();
        self.spare.clear();
    }

    /// Keeps a copy of `packet`. One that is too old for the ring is not kept.
    pub(crate) fn push(
        &mut self,
        now: Instant,
        number: u64,
        packet: &[u8],
        description: &PacketDescription,
    ) {
        if self.ring.is_empty() {
            self.ring.resize_with(self.capacity, || None);
            self.spare.reserve(self.capacity);
            (self.newest, self.cursor) = (number, number);
        }
        if number + self.capacity as u64 <= self.newest {
            return;
        }
        self.newest = self.newest.max(number);
        self.sweep(now);
        let mut bytes = self
            .spare
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(self.buffer_size.max(packet.len())));
        bytes.clear();
        bytes.extend_from_slice(packet);
        let index = self.index(number);
        let replaced = self.ring[index].replace(Entry {
            number,
            stored_at: now,
            description: *description,
            bytes,
        });
        self.recycle(replaced);
    }

    /// The packet with `number`, if it is still here.
    pub(crate) fn find(&self, now: Instant, number: u64) -> Option<Stored<'_>> {
        let entry = self.ring.get(self.index(number))?.as_ref()?;
        (entry.number == number && !entry.is_expired(now)).then_some(Stored {
            packet: &entry.bytes,
            description: &entry.description,
            stored_at: entry.stored_at,
        })
    }

    /// Takes out expired packets, oldest first.
    fn sweep(&mut self, now: Instant) {
        let reach = (self.newest + 1).saturating_sub(self.capacity as u64);
        self.cursor = self.cursor.max(reach);
        for _ in 0..SWEEP {
            let index = self.index(self.cursor);
            let here = self.ring[index].as_ref();
            if self.cursor >= self.newest || here.is_some_and(|entry| !entry.is_expired(now)) {
                return;
            }
            let expired = self.ring[index].take();
            self.recycle(expired);
            self.cursor += 1;
        }
    }

    fn recycle(&mut self, entry: Option<Entry>) {
        if let Some(entry) = entry
            && self.spare.len() < self.spare.capacity()
        {
            self.spare.push(entry.bytes);
        }
    }

    const fn index(&self, number: u64) -> usize {
        (number as usize) & (self.capacity - 1)
    }
}

impl Entry {
    fn is_expired(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.stored_at) > AGE_MAX
    }
}
