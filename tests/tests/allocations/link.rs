//! The way from one shard to the only other: memory that is there from the start, as the server's
//! rings have it once they have been in use.

use std::collections::VecDeque;

use plenum_engine::{LinkMessage, LinkPacket, LinkRefused, Links};
use plenum_types::{LinkFill, LinkNote, ShardId};

/// Packets on their way at once: those of one instant.
const PACKETS: usize = 1_024;
/// Notes on their way at once.
const NOTES: usize = 256;
/// Bytes of a packet's buffer.
const BUFFER_BYTES: usize = 1_500;

/// Packets, the buffers that come back, and notes.
pub(crate) struct Link {
    packets: VecDeque<(LinkPacket, Vec<u8>)>,
    empties: Vec<Vec<u8>>,
    notes: VecDeque<LinkNote>,
}

impl Link {
    pub(crate) fn new() -> Self {
        let buffer = |_| Vec::with_capacity(BUFFER_BYTES);
        Self {
            packets: VecDeque::with_capacity(PACKETS),
            empties: (0..PACKETS).map(buffer).collect(),
            notes: VecDeque::with_capacity(NOTES),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.notes.is_empty()
    }

    pub(crate) fn poll_note(&mut self) -> Option<LinkNote> {
        self.notes.pop_front()
    }

    /// The next packet; its buffer is to be given back.
    pub(crate) fn poll_packet(&mut self) -> Option<(LinkPacket, Vec<u8>)> {
        self.packets.pop_front()
    }

    pub(crate) fn give_back(&mut self, buffer: Vec<u8>) {
        self.empties.push(buffer);
    }
}

impl Links for Link {
    fn fill(&self, _: ShardId) -> LinkFill {
        LinkFill {
            used: self.packets.len(),
            capacity: PACKETS,
        }
    }

    fn try_send(&mut self, _: ShardId, message: LinkMessage<'_>) -> Result<(), LinkRefused> {
        match message {
            LinkMessage::Packet(packet, bytes) => {
                let mut buffer = self.empties.pop().ok_or(LinkRefused::Full)?;
                buffer.clear();
                buffer.extend_from_slice(bytes);
                self.packets.push_back((packet, buffer));
            }
            LinkMessage::Note(_) if self.notes.len() == NOTES => return Err(LinkRefused::Full),
            LinkMessage::Note(note) => self.notes.push_back(note),
        }
        Ok(())
    }
}
