//! What a subscriber's slots get and would get, told to whoever probes for bandwidth; and the
//! slots that carry the padding of probes.

use plenum_types::{BandwidthEstimate, BitrateDemand, PeerIndex};

use std::time::Instant;

use crate::Router;
use crate::event::{Forward, RouterEvent};

impl Router {
    pub(super) fn take_estimate(
        &mut self,
        now: Instant,
        peer: PeerIndex,
        estimate: BandwidthEstimate,
    ) {
        let Some(state) = self.peer_mut(peer) else {
            return;
        };
        if state.estimate.replace(estimate) != Some(estimate) {
            self.allocate_peer(now, peer);
        }
    }

    /// Tells what is given and wanted, if that has changed. A subscriber that cannot be probed
    /// wants nothing.
    pub(super) fn tell_bitrates(&mut self, peer: PeerIndex, sums: BitrateDemand) {
        let can_be_probed = self
            .slots_of_peer(peer)
            .iter()
            .any(|index| self.slots[index.key()].carries_padding());
        let demand = if can_be_probed {
            sums
        } else {
            BitrateDemand::default()
        };
        if let Some(state) = self.peer_mut(peer)
            && state.demand != demand
        {
            state.demand = demand;
            self.events
                .push_back(RouterEvent::DemandChanged { peer, demand });
        }
    }

    pub(super) fn padding_of(&mut self, peer: PeerIndex) -> Option<Forward> {
        let carries = |index: &&crate::SlotIndex| self.slots[index.key()].carries_padding();
        let index = *self.slots_of_peer(peer).iter().find(carries)?;
        self.slots[index.key()].padding()
    }
}
