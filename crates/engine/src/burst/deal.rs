//! Who is given what of a burst.
//!
//! Invariant: a slot is given the packets of one encoding in the order in which they came. Across
//! encodings the larger packets go first, because only the last datagram of a message may be
//! shorter than the others.

use super::{Burst, BurstPacket, PACKETS};
use plenum_routing::{PeerSlot, Router, SlotIndex};
use plenum_types::PeerIndex;

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// What one slot has to be given: a group of packets.
#[derive(Clone, Copy, Debug)]
struct Delivery {
    slot: SlotIndex,
    group: u8,
    /// The next delivery to the same peer, or [`NONE`].
    next: u32,
}

/// First and last delivery to a peer, or [`NONE`].
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
}

const EMPTY: Chain = Chain {
    first: NONE,
    last: NONE,
};

/// The plan for one burst. Its memory is reused from one to the next.
#[derive(Default)]
pub(crate) struct Deal {
    /// Groups of the burst, in the order in which they are forwarded.
    order: Vec<u8>,
    deliveries: Vec<Delivery>,
    /// By [`PeerIndex`].
    chains: Vec<Chain>,
    /// Peers that are given something, in the order in which they are served.
    peers: Vec<PeerIndex>,
}

impl Deal {
    /// Makes the plan for `burst`, and forgets the one before.
    pub(crate) fn plan(&mut self, burst: &Burst, router: &Router) {
        self.clear();
        self.order.reserve(PACKETS);
        self.order.extend(0..burst.groups.len() as u8);
        // At most PACKETS of them; such short slices are sorted without allocation.
        self.order
            .sort_by_key(|at| std::cmp::Reverse(burst.groups[usize::from(*at)].longest));
        for position in 0..self.order.len() {
            let group = self.order[position];
            let arrival = &burst.groups[usize::from(group)].arrival;
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
            self.chains.resize(peer + 1, EMPTY);
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

    /// What a peer is given of `burst`: slots, each with the packets of one encoding.
    pub(crate) fn deliveries_to<'d>(
        &'d self,
        peer: PeerIndex,
        burst: &'d Burst,
    ) -> impl Iterator<Item = (SlotIndex, impl Iterator<Item = &'d BurstPacket>)> {
        let mut next = self
            .chains
            .get(peer.0 as usize)
            .map_or(NONE, |chain| chain.first);
        std::iter::from_fn(move || {
            let delivery = self.deliveries.get(next as usize)?;
            next = delivery.next;
            Some((delivery.slot, burst.group(delivery.group)))
        })
    }

    fn clear(&mut self) {
        self.order.clear();
        self.deliveries.clear();
        for peer in self.peers.drain(..) {
            self.chains[peer.0 as usize] = EMPTY;
        }
    }
}
