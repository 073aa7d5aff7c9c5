//! The links between the shards of one process: for each ordered pair of shards a bounded ring of
//! packets, a ring that brings their buffers back, and a ring of notes of its own, so that media
//! cannot crowd them out. Each ring has one writer and one reader, and no lock.
//!
//! A shard that is asleep is woken at most once per wake-up of the writer.

use std::io;
use std::sync::Arc;

use mio::{Poll, Token, Waker};
use plenum_engine::{LinkMessage, LinkPacket, LinkRefused, Links};
use plenum_types::{LinkFill, LinkNote, ShardId};
use rtrb::{Consumer, Producer, PushError, RingBuffer};

use crate::handle::Bell;

/// Packets between two shards. At 200,000 packets a second ten milliseconds, which is longer than
/// a shard is away from its rings; then frames are left out. Memory is half a megabyte per ordered
/// pair, and a buffer for as many packets as were ever on their way at once.
const PACKETS: usize = 2_048;
/// Notes between two shards. They wait at the writer while there is no room; more wait less.
const NOTES: usize = 1_024;
/// First size of a packet's buffer, bytes.
const BUFFER_BYTES: usize = 1_500;

/// A packet on its way.
struct Parcel {
    packet: LinkPacket,
    bytes: Vec<u8>,
}

/// The way to one other shard.
struct Sending {
    packets: Producer<Parcel>,
    empties: Consumer<Vec<u8>>,
    notes: Producer<LinkNote>,
    bell: Arc<Bell>,
    /// Something was handed over since the bell rang.
    handed: bool,
}

/// The way from one other shard.
struct Receiving {
    from: ShardId,
    packets: Consumer<Parcel>,
    empties: Producer<Vec<u8>>,
    notes: Consumer<LinkNote>,
}

/// A shard's ends of all its links.
#[derive(Default)]
pub struct LinkEnds {
    /// By shard; none to itself.
    sending: Vec<Option<Sending>>,
    receiving: Vec<Receiving>,
}

/// Links between as many shards as there are `bells`, for each shard its ends.
pub(crate) fn connect(bells: &[Arc<Bell>]) -> Vec<LinkEnds> {
    let mut ends: Vec<LinkEnds> = bells.iter().map(|_| LinkEnds::default()).collect();
    for from in 0..bells.len() {
        for (to, bell) in bells.iter().enumerate() {
            if from == to {
                ends[from].sending.push(None);
                continue;
            }
            let (sending, receiving) = link(ShardId(from as u16), Arc::clone(bell));
            ends[from].sending.push(Some(sending));
            ends[to].receiving.push(receiving);
        }
    }
    ends
}

/// The ends of two shards that are awake, for benches: their bells wake nobody.
///
/// # Errors
///
/// If the bells cannot be made.
pub fn link_pair() -> io::Result<[LinkEnds; 2]> {
    let bell = |poll: &Poll| {
        let waker = Waker::new(poll.registry(), Token(0))?;
        io::Result::Ok(Arc::new(Bell::new(waker)))
    };
    let bells = [bell(&Poll::new()?)?, bell(&Poll::new()?)?];
    let mut ends = connect(&bells);
    let second = ends.remove(1);
    Ok([ends.remove(0), second])
}

fn link(from: ShardId, bell: Arc<Bell>) -> (Sending, Receiving) {
    let (packets_in, packets_out) = RingBuffer::new(PACKETS);
    // One more than can be on their way: the one that the reader looks at.
    let (empties_in, empties_out) = RingBuffer::new(PACKETS + 1);
    let (notes_in, notes_out) = RingBuffer::new(NOTES);
    let sending = Sending {
        packets: packets_in,
        empties: empties_out,
        notes: notes_in,
        bell,
        handed: false,
    };
    let receiving = Receiving {
        from,
        packets: packets_out,
        empties: empties_in,
        notes: notes_out,
    };
    (sending, receiving)
}

impl LinkEnds {
    /// Wakes the shards to which something was handed.
    pub(crate) fn ring(&mut self) {
        for sending in self.sending.iter_mut().flatten() {
            if std::mem::take(&mut sending.handed) {
                sending.bell.ring();
            }
        }
    }

    /// Visits what other shards have handed over, notes first, at most `most` of each kind from
    /// each shard. Returns whether anything is left.
    pub fn visit(&mut self, most: usize, mut take: impl FnMut(ShardId, LinkMessage<'_>)) -> bool {
        for receiving in &mut self.receiving {
            let from = receiving.from;
            for _ in 0..most {
                let Ok(note) = receiving.notes.pop() else {
                    break;
                };
                take(from, LinkMessage::Note(note));
            }
            for _ in 0..most {
                let Ok(parcel) = receiving.packets.pop() else {
                    break;
                };
                take(from, LinkMessage::Packet(parcel.packet, &parcel.bytes));
                // There is room for all there are. If the writer is gone nobody wants them.
                let _ = receiving.empties.push(parcel.bytes);
            }
        }
        self.receiving.iter().any(Receiving::is_waiting)
    }

    /// Packets that wait to be read.
    pub(crate) fn depth(&self) -> usize {
        let depths = self.receiving.iter();
        depths.map(|receiving| receiving.packets.slots()).sum()
    }

    fn sending(&mut self, to: ShardId) -> Option<&mut Sending> {
        self.sending.get_mut(usize::from(to.0))?.as_mut()
    }
}

impl Receiving {
    fn is_waiting(&self) -> bool {
        !self.notes.is_empty() || !self.packets.is_empty()
    }
}

impl Sending {
    fn try_packet(&mut self, packet: LinkPacket, content: &[u8]) -> Result<(), LinkRefused> {
        if self.packets.is_full() {
            return Err(LinkRefused::Full);
        }
        let mut bytes = self
            .empties
            .pop()
            .unwrap_or_else(|_| Vec::with_capacity(BUFFER_BYTES.max(content.len())));
        bytes.clear();
        bytes.extend_from_slice(content);
        self.packets
            .push(Parcel { packet, bytes })
            .map_err(|PushError::Full(_)| LinkRefused::Full)
    }

    fn free(&self) -> usize {
        // What was seen last is enough while it is plenty: looking again costs a cache line.
        let cached = self.packets.cached_slots();
        if cached > PACKETS / 2 {
            cached
        } else {
            self.packets.slots()
        }
    }
}

impl Links for LinkEnds {
    fn fill(&self, to: ShardId) -> LinkFill {
        let sending = self.sending.get(usize::from(to.0)).and_then(Option::as_ref);
        let open = sending.filter(|sending| !sending.packets.is_abandoned());
        open.map_or_else(LinkFill::default, |sending| LinkFill {
            used: PACKETS - sending.free(),
            capacity: PACKETS,
        })
    }

    fn try_send(&mut self, to: ShardId, message: LinkMessage<'_>) -> Result<(), LinkRefused> {
        let sending = self.sending(to).ok_or(LinkRefused::Gone)?;
        if sending.packets.is_abandoned() {
            return Err(LinkRefused::Gone);
        }
        match message {
            LinkMessage::Packet(packet, content) => sending.try_packet(packet, content)?,
            LinkMessage::Note(note) => sending
                .notes
                .push(note)
                .map_err(|PushError::Full(_)| LinkRefused::Full)?,
        }
        sending.handed = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
