//! Participants ask why they see what they see.

use plenum_types::{MediaCommand, ParticipantId, PeerId, PeerQuality, RoomId};

use super::Registry;
use super::moderate::BACKEND_QUESTIONS;
use super::placement::Seat;
use crate::messages::ErrorCode;
use crate::messages::{ServerMessage, SlotExplanation};
use crate::refusal::Refusal;

impl Registry {
    /// Asks the participant's shard; the answer comes as an event. `id` comes back with it.
    pub(super) fn explain(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        id: u32,
    ) -> Result<(), Refusal> {
        let participant = self.participant(room, who);
        let session = participant.and_then(|them| them.session.as_ref());
        let Some((peer, shard)) = session.map(|session| (session.peer, session.shard)) else {
            return Err(Refusal::new(
                ErrorCode::UnknownSlot,
                "Send an offer with slots first: without one there is nothing to explain.",
            ));
        };
        let request = u64::from(id);
        self.command(shard, MediaCommand::ExplainPeer { peer, request });
        Ok(())
    }

    /// A shard has answered.
    pub(super) fn on_explained(&mut self, peer: PeerId, request: u64, quality: &PeerQuality) {
        if request >= BACKEND_QUESTIONS {
            return self.answer_backend(peer, request, quality);
        }
        let Some(&Seat { room, who, .. }) = self.peers.get(&peer) else {
            return;
        };
        let message = ServerMessage::Quality {
            id: request as u32,
            network: quality.into(),
            slots: self.slot_explanations(room, who, quality),
        };
        self.tell(room, who, message);
    }

    pub(super) fn slot_explanations(
        &self,
        room: RoomId,
        who: ParticipantId,
        quality: &PeerQuality,
    ) -> Vec<SlotExplanation> {
        let participant = self.participant(room, who);
        let session = participant.and_then(|them| them.session.as_ref());
        let slots = quality.slots.iter().filter_map(|slot| {
            let mid = session?.slot(slot.slot)?.mid.to_string();
            Some(SlotExplanation::new(mid, slot))
        });
        slots.collect()
    }
}
