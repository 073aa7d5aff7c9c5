//! The peers of a shard, and the four ways to find one: by index on the packet path, by address
//! when a datagram arrives, by ICE user name before the address is proven, by id for commands.

use crate::data::PeerData;
use crate::fault::Fault;
use crate::progress::Progress;
use plenum_media::{Peer, Receiver, Sender};
use plenum_types::{
    CloseReason, PeerId, PeerIndex, PublicationId, Remote, RoomId, SlotBinding, SlotId,
};
use slab::Slab;
use std::collections::HashMap;
use std::time::Instant;

/// User names that lead to a peer: the current one and the one before an ICE restart.
const UFRAGS_PER_PEER: usize = 2;

/// A peer with both directions of its media.
pub(crate) struct PeerEntry {
    pub(crate) id: PeerId,
    pub(crate) room: RoomId,
    pub(crate) cname: String,
    /// ICE, DTLS, SRTP, data channels.
    pub(crate) transport: Peer,
    /// Streams that the client publishes.
    pub(crate) receiver: Receiver,
    /// Feedback on what the client receives.
    pub(crate) sender: Sender,
    /// Its data messages.
    pub(crate) data: PeerData,
    /// Keys are there: slots are awake.
    pub(crate) connected: bool,
    /// What it publishes.
    pub(crate) publications: Vec<PublicationId>,
    /// How far it has come in connecting.
    pub(crate) progress: Progress,
    /// What each slot last reported, for the gauge.
    pub(crate) slot_bindings: Vec<(SlotId, SlotBinding)>,
    /// When the next sender reports are due.
    pub(crate) next_sender_report: Option<Instant>,
    /// The deadline that stands in the timer queue.
    pub(crate) armed: Option<Instant>,
    /// Whether the peer is in the list of peers to look at on flush.
    pub(crate) touched: bool,
    /// Why it ends, once it does; it goes at the next flush.
    pub(crate) ending: Option<CloseReason>,
    /// Where handling it is to panic.
    #[cfg(debug_assertions)]
    pub(crate) fault: Option<Fault>,
    ufrags: Vec<String>,
    addresses: Vec<Remote>,
}

impl PeerEntry {
    /// In debug builds panics if a test asked for it here.
    #[inline]
    pub(crate) fn may_fault(&mut self, here: Fault) {
        #[cfg(debug_assertions)]
        crate::fault::strike(&mut self.fault, here);
        #[cfg(not(debug_assertions))]
        let _ = here;
    }

    pub(crate) fn new(
        id: PeerId,
        room: RoomId,
        cname: String,
        transport: Peer,
        receiver: Receiver,
        now: Instant,
    ) -> Self {
        Self {
            id,
            room,
            cname,
            transport,
            receiver,
            sender: Sender::new(),
            data: PeerData::default(),
            connected: false,
            publications: Vec::new(),
            progress: Progress::new(now),
            slot_bindings: Vec::new(),
            next_sender_report: None,
            armed: None,
            touched: false,
            ending: None,
            #[cfg(debug_assertions)]
            fault: None,
            ufrags: Vec::new(),
            addresses: Vec::new(),
        }
    }
}

#[derive(Default)]
pub(crate) struct PeerTable {
    peers: Slab<PeerEntry>,
    by_id: HashMap<PeerId, PeerIndex>,
    by_address: HashMap<Remote, PeerIndex>,
    by_ufrag: HashMap<String, PeerIndex>,
    touched: Vec<PeerIndex>,
}

impl PeerTable {
    pub(crate) fn insert(&mut self, entry: PeerEntry) -> PeerIndex {
        let id = entry.id;
        let index = PeerIndex(self.peers.insert(entry) as u32);
        self.by_id.insert(id, index);
        index
    }

    pub(crate) fn remove(&mut self, index: PeerIndex) -> Option<PeerEntry> {
        let entry = self.peers.try_remove(index.0 as usize)?;
        self.by_id.remove(&entry.id);
        for ufrag in &entry.ufrags {
            self.by_ufrag.remove(ufrag);
        }
        for address in &entry.addresses {
            // Another peer may have proved to own the address since.
            if self.by_address.get(address) == Some(&index) {
                self.by_address.remove(address);
            }
        }
        Some(entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &PeerEntry> {
        self.peers.iter().map(|(_, entry)| entry)
    }

    pub(crate) fn at(&self, index: PeerIndex) -> Option<&PeerEntry> {
        self.peers.get(index.0 as usize)
    }

    pub(crate) fn at_mut(&mut self, index: PeerIndex) -> Option<&mut PeerEntry> {
        self.peers.get_mut(index.0 as usize)
    }

    pub(crate) fn index_of(&self, id: PeerId) -> Option<PeerIndex> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn index_at_address(&self, address: Remote) -> Option<PeerIndex> {
        self.by_address.get(&address).copied()
    }

    pub(crate) fn index_of_ufrag(&self, ufrag: &str) -> Option<PeerIndex> {
        self.by_ufrag.get(ufrag).copied()
    }

    /// Lets `ufrag` lead to the peer; the one before the last is forgotten.
    pub(crate) fn add_ufrag(&mut self, index: PeerIndex, ufrag: &str) {
        let Some(entry) = self.peers.get_mut(index.0 as usize) else {
            return;
        };
        if entry.ufrags.len() == UFRAGS_PER_PEER {
            let oldest = entry.ufrags.remove(0);
            self.by_ufrag.remove(&oldest);
        }
        entry.ufrags.push(ufrag.to_owned());
        self.by_ufrag.insert(ufrag.to_owned(), index);
    }

    /// The peer has proved that it owns `address`. Whoever had it before has lost it.
    pub(crate) fn add_address(&mut self, index: PeerIndex, address: Remote) {
        self.by_address.insert(address, index);
        if let Some(entry) = self.peers.get_mut(index.0 as usize)
            && !entry.addresses.contains(&address)
        {
            entry.addresses.push(address);
        }
    }

    /// The peer has shown again that it owns `address`. If another had claimed it, from a forged
    /// source for example, it is given back.
    pub(crate) fn confirm_address(&mut self, index: PeerIndex, address: Remote) {
        if self.index_at_address(address) != Some(index)
            && let Some(entry) = self.at(index)
            && entry.addresses.contains(&address)
        {
            self.by_address.insert(address, index);
        }
    }

    pub(crate) fn remove_address(&mut self, index: PeerIndex, address: Remote) {
        if let Some(entry) = self.peers.get_mut(index.0 as usize) {
            entry.addresses.retain(|known| *known != address);
        }
        if self.by_address.get(&address) == Some(&index) {
            self.by_address.remove(&address);
        }
    }

    /// Has the peer looked at on the next flush. Cheap when repeated.
    pub(crate) fn touch(&mut self, index: PeerIndex) {
        if let Some(entry) = self.peers.get_mut(index.0 as usize)
            && !entry.touched
        {
            entry.touched = true;
            self.touched.push(index);
        }
    }

    /// Takes one peer that was touched.
    pub(crate) fn pop_touched(&mut self) -> Option<PeerIndex> {
        while let Some(index) = self.touched.pop() {
            if let Some(entry) = self.peers.get_mut(index.0 as usize)
                && entry.touched
            {
                entry.touched = false;
                return Some(index);
            }
        }
        None
    }
}
