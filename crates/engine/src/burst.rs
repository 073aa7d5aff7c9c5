//! The packets of one room that wait to be forwarded together.
//!
//! Packets come in by publisher but are cheapest to send by subscriber: its keys, numbers and
//! slots are then touched once for all of them, they are encrypted into memory that is still in
//! the cache, and they leave in one message (UDP GSO). So packets are collected, and then dealt
//! out subscriber by subscriber (see [`deal`]). Which bursts wait, and for how long, is up to
//! [`waiting`].

pub(crate) mod deal;
mod fan_out;
pub(crate) mod waiting;

use plenum_routing::Arrival;
use plenum_rtp::PacketDescription;
use plenum_types::{MediaKind, RoomIndex};
use std::time::Instant;

/// Most packets of a burst: as many as one message carries. More would send two messages to one
/// subscriber with nothing in between; fewer would cut frames apart.
pub(crate) const PACKETS: usize = 16;

/// Bytes that are set aside for packets at the start; grows once if packets are larger.
const BYTES: usize = PACKETS * 1_500;

/// Most padding that makes a packet of a frame as long as the longest, bytes. libwebrtc cuts a
/// frame into parts that differ by one byte; beyond a few, padding costs more than a message.
const FRAME_PADDING_MAX: u16 = 4;

/// Most padding that makes sound packets of several publishers equally long, bytes. More joins
/// more of them into one message, at some kilobits per second each.
const SOUND_PADDING_MAX: u16 = 20;

/// A packet that was taken and not forwarded yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BurstPacket {
    start: usize,
    length: usize,
    group: u8,
    pub(crate) description: PacketDescription,
    pub(crate) arrival: Arrival,
}

/// The packets of one encoding.
#[derive(Clone, Copy, Debug)]
struct Group {
    arrival: Arrival,
    kind: MediaKind,
    /// Longest payload, bytes.
    longest: u16,
}

/// See the module.
pub(crate) struct Burst {
    pub(crate) room: RoomIndex,
    /// When its first packet came.
    pub(crate) since: Instant,
    bytes: Vec<u8>,
    packets: Vec<BurstPacket>,
    groups: Vec<Group>,
}

impl Burst {
    /// An empty burst that begins at `now`.
    fn new(now: Instant, room: RoomIndex) -> Self {
        Self {
            room,
            since: now,
            bytes: Vec::with_capacity(BYTES),
            packets: Vec::with_capacity(PACKETS),
            groups: Vec::with_capacity(PACKETS),
        }
    }

    /// Begins anew with the memory that is there.
    fn restart(&mut self, now: Instant, room: RoomIndex) {
        (self.room, self.since) = (room, now);
        self.bytes.clear();
        self.packets.clear();
        self.groups.clear();
    }

    pub(crate) fn is_full(&self) -> bool {
        self.packets.len() >= PACKETS
    }

    /// Takes a copy of `packet`.
    pub(crate) fn push(
        &mut self,
        packet: &[u8],
        description: &PacketDescription,
        arrival: &Arrival,
    ) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(packet);
        let group = self.join_group(description, arrival);
        self.packets.push(BurstPacket {
            start,
            length: packet.len(),
            group,
            description: *description,
            arrival: *arrival,
        });
    }

    fn join_group(&mut self, description: &PacketDescription, arrival: &Arrival) -> u8 {
        let payload = description.header.payload_len as u16;
        let is_same = |group: &Group| group.arrival.is_of_same_encoding(arrival);
        // Most often it is the one before.
        if let Some(at) = self.groups.iter().rposition(is_same) {
            let group = &mut self.groups[at];
            group.longest = group.longest.max(payload);
            return at as u8;
        }
        self.groups.push(Group {
            arrival: *arrival,
            kind: description.codec.kind(),
            longest: payload,
        });
        (self.groups.len() - 1) as u8
    }

    /// The packets of the group at `group`, in the order in which they came.
    fn group(&self, group: u8) -> impl Iterator<Item = &BurstPacket> {
        self.packets
            .iter()
            .filter(move |packet| packet.group == group)
    }

    /// The packet as its publisher sent it.
    pub(crate) fn bytes(&self, packet: &BurstPacket) -> &[u8] {
        &self.bytes[packet.start..packet.start + packet.length]
    }

    /// Padding that makes a packet as long as those it can share a message with: a picture's
    /// packets the others of their frame, sound packets those of other publishers.
    pub(crate) fn padding(&self, packet: &BurstPacket) -> u8 {
        let group = &self.groups[usize::from(packet.group)];
        let (longest, most) = match group.kind {
            MediaKind::Video => (group.longest, FRAME_PADDING_MAX),
            MediaKind::Audio => (self.longest_sound(), SOUND_PADDING_MAX),
        };
        let short = longest - packet.description.header.payload_len as u16;
        if short <= most { short as u8 } else { 0 }
    }

    fn longest_sound(&self) -> u16 {
        let sounds = self
            .groups
            .iter()
            .filter(|group| group.kind == MediaKind::Audio);
        sounds.map(|group| group.longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
