//! Why a subscriber gets what it gets.

use std::time::Instant;

use plenum_types::{PeerIndex, PeerQuality, SlotQuality};

use crate::{Router, SlotIndex};

impl Router {
    pub(super) fn explain_slots(&self, now: Instant, peer: PeerIndex) -> PeerQuality {
        let Some(state) = self.peer(peer) else {
            return PeerQuality::default();
        };
        PeerQuality {
            estimate: state.estimate.map(|estimate| estimate.bitrate),
            allocated: state.sums.allocated,
            wanted: state.sums.most,
            slots: state
                .slots
                .iter()
                .map(|index| self.explain_slot(now, *index))
                .collect(),
            ..PeerQuality::default()
        }
    }

    fn explain_slot(&self, now: Instant, index: SlotIndex) -> SlotQuality {
        let slot = &self.slots[index.key()];
        let bitrate = slot.shown().and_then(|shown| {
            let encoding = self.encoding(shown.source)?;
            encoding.bitrate(shown.limit)
        });
        SlotQuality {
            slot: slot.id,
            binding: self.binding(slot),
            bitrate,
            decisions: slot.decisions.tell(now),
        }
    }
}
