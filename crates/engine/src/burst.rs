//! The packets of one wake-up that wait to be forwarded, and in which order they will be.
//!
//! Packets come in by publisher but are cheapest to send by subscriber: its keys, numbers and
//! slots are then touched once for all of them, they are encrypted into memory that is still in
//! the cache, and they leave in one message (UDP GSO). So packets are collected until the wake-up
//! ends or [`PACKETS`] have come, and then dealt out subscriber by subscriber.
//!
//! Invariant: a slot is given the packets of one encoding in the order in which they came. Across
//! encodings the larger packets go first, because only the last datagram of a message may be
//! shorter than the others.

use plenum_routing::{Arrival, PeerSlot, Router, SlotIndex};
use plenum_rtp::PacketDescription;
use plenum_types::PeerIndex;

/// Most packets of a burst: as many as one message carries. More would send two messages to one
/// subscriber with nothing in between; fewer would cut frames apart.
pub(crate) const PACKETS: usize = 16;

/// Bytes that are set aside for packets at the start; grows once if packets are larger.
const BYTES: usize = PACKETS * 1_500;

/// Most padding that makes a packet as long as the longest of its encoding, bytes. libwebrtc cuts
/// a frame into parts that differ by one byte; beyond a few, padding costs more than a message.
const PADDING_MAX: u16 = 4;

/// The end of a chain.
const NONE: u32 = u32::MAX;

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
    /// Longest payload, bytes.
    longest: u16,
}

/// What one slot has to be given: a group of packets.
#[derive(Clone, Copy, Debug)]
struct Delivery {
    slot: SlotIndex,
    group: u8,
    /// The next delivery to the same peer, or [`NONE`].
    next: u32,
}

/// First and last delivery of a peer, or [`NONE`].
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
}

/// See the module.
pub(crate) struct Burst {
    bytes: Vec<u8>,
    packets: Vec<BurstPacket>,
    groups: Vec<Group>,
    /// Positions of `groups`, in the order in which they are forwarded.
    order: Vec<u8>,
    deliveries: Vec<Delivery>,
    /// By [`PeerIndex`].
    chains: Vec<Chain>,
    /// Peers that are given something, in the order in which they are served.
    peers: Vec<PeerIndex>,
}

impl Default for Burst {
    fn default() -> Self {
        Self {
            bytes: Vec::with_capacity(BYTES),
            packets: Vec::with_capacity(PACKETS),
            groups: Vec::with_capacity(PACKETS),
            order: Vec::with_capacity(PACKETS),
            deliveries: Vec::new(),
            chains: Vec::new(),
            peers: Vec::new(),
        }
    }
}

impl Burst {
    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
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
        let group = self.join_group(arrival, description.header.payload_len as u16);
        self.packets.push(BurstPacket {
            start,
            length: packet.len(),
            group,
            description: *description,
            arrival: *arrival,
        });
    }

    fn join_group(&mut self, arrival: &Arrival, payload: u16) -> u8 {
        let is_same = |group: &Group| {
            group.arrival.publication() == arrival.publication()
                && group.arrival.encoding() == arrival.encoding()
        };
        // Most often it is the one before.
        if let Some(at) = self.groups.iter().rposition(is_same) {
            let group = &mut self.groups[at];
            group.longest = group.longest.max(payload);
            return at as u8;
        }
        self.groups.push(Group {
            arrival: *arrival,
            longest: payload,
        });
        (self.groups.len() - 1) as u8
    }

    /// Finds out who is given what. Afterwards [`peers`](Self::peer) and
    /// [`deliveries_to`](Self::deliveries_to) tell.
    pub(crate) fn deal(&mut self, router: &Router) {
        self.order.clear();
        self.order.extend(0..self.groups.len() as u8);
        let groups = &self.groups;
        // At most PACKETS of them; an insertion sort, so nothing is allocated.
        self.order
            .sort_by_key(|at| std::cmp::Reverse(groups[usize::from(*at)].longest));
        for position in 0..self.order.len() {
            let group = self.order[position];
            let arrival = &self.groups[usize::from(group)].arrival;
            for listed in router.slots_of_encoding(arrival.publication(), arrival.encoding()) {
                self.append(*listed, group);
            }
        }
    }

    fn append(&mut self, to: PeerSlot, group: u8) {
        let at = self.deliveries.len() as u32;
        self.deliveries.push(Delivery {
            slot: to.slot,
            group,
            next: NONE,
        });
        let peer = to.peer.0 as usize;
        if peer >= self.chains.len() {
            let empty = Chain {
                first: NONE,
                last: NONE,
            };
            self.chains.resize(peer + 1, empty);
        }
        let chain = &mut self.chains[peer];
        if chain.first == NONE {
            chain.first = at;
            self.peers.push(to.peer);
        } else {
            self.deliveries[chain.last as usize].next = at;
        }
        chain.last = at;
    }

    /// The peer that is served at `position`.
    pub(crate) fn peer(&self, position: usize) -> Option<PeerIndex> {
        self.peers.get(position).copied()
    }

    /// What a peer is given: slots, each with the packets of one encoding.
    pub(crate) fn deliveries_to(
        &self,
        peer: PeerIndex,
    ) -> impl Iterator<Item = (SlotIndex, impl Iterator<Item = &BurstPacket>)> {
        let mut next = self
            .chains
            .get(peer.0 as usize)
            .map_or(NONE, |chain| chain.first);
        std::iter::from_fn(move || {
            let delivery = self.deliveries.get(next as usize)?;
            next = delivery.next;
            let of_group = |packet: &&BurstPacket| packet.group == delivery.group;
            Some((delivery.slot, self.packets.iter().filter(of_group)))
        })
    }

    /// The packet as its publisher sent it.
    pub(crate) fn bytes(&self, packet: &BurstPacket) -> &[u8] {
        &self.bytes[packet.start..packet.start + packet.length]
    }

    /// Padding that makes a packet as long as the others of its frame, so that they leave in one
    /// message.
    pub(crate) fn padding(&self, packet: &BurstPacket) -> u8 {
        let longest = self.groups[usize::from(packet.group)].longest;
        let short = longest - packet.description.header.payload_len as u16;
        if short <= PADDING_MAX { short as u8 } else { 0 }
    }

    /// Forgets packets and plan; memory stays.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.packets.clear();
        self.groups.clear();
        self.deliveries.clear();
        for peer in self.peers.drain(..) {
            self.chains[peer.0 as usize] = Chain {
                first: NONE,
                last: NONE,
            };
        }
    }
}
