//! Facts of the media plane, passed on to those whom they concern.

use plenum_types::{
    CloseReason, MediaEvent, ParticipantId, PeerId, PublicationId, RoomId, ShardId, SlotBinding,
    SlotId, Speaker,
};

use super::Registry;
use super::placement::Seat;
use crate::messages::{ClosingReason, ConnectionState, LeaveReason, ServerMessage};
use crate::names::camel_case;

impl Registry {
    /// A shard reports. Peers and rooms that are gone are ignored, because the planes may cross.
    pub(crate) fn handle_media_event(&mut self, shard: ShardId, event: MediaEvent) {
        match event {
            MediaEvent::PeerConnected { peer, .. } => {
                self.tell_connection(peer, ConnectionState::Connected);
            }
            MediaEvent::PeerInterrupted { peer } => {
                self.tell_connection(peer, ConnectionState::Interrupted);
            }
            MediaEvent::PeerResumed { peer } => {
                self.tell_connection(peer, ConnectionState::Resumed);
            }
            MediaEvent::PeerClosed { peer, reason } => self.on_peer_closed(peer, reason),
            MediaEvent::SlotChanged {
                peer,
                slot,
                binding,
            } => self.on_slot_changed(peer, slot, binding),
            MediaEvent::SpeakersChanged { room, speakers } => {
                self.on_speakers_changed(shard, room, speakers);
            }
            MediaEvent::ShardEnded { begins_anew } => self.on_shard_ended(shard, begins_anew),
            MediaEvent::LayersWanted {
                publication,
                encodings,
            } => self.on_layers_wanted(publication, &encodings),
            MediaEvent::PeerExplained {
                peer,
                request,
                quality,
            } => self.on_explained(peer, request, &quality),
            MediaEvent::DataSent(message) => self.deliver_data(Some(shard), message),
            MediaEvent::DataLost {
                peer,
                cause,
                messages,
            } => self.on_data_lost(peer, cause, messages),
            // Asked for by others than rooms.
            MediaEvent::Stats(_) => {}
        }
    }

    fn tell_connection(&mut self, peer: PeerId, state: ConnectionState) {
        if let Some(&Seat { room, who, .. }) = self.peers.get(&peer) {
            let reason = None;
            self.tell(room, who, ServerMessage::Connection { state, reason });
        }
    }

    pub(super) fn on_peer_closed(&mut self, peer: PeerId, reason: CloseReason) {
        let Some(Seat { room, who, .. }) = self.close_seat(peer) else {
            return;
        };
        self.note_failure(room, who, reason);
        let message = ServerMessage::Connection {
            state: ConnectionState::Closed,
            reason: Some(camel_case(reason.as_str())),
        };
        self.tell(room, who, message);
        let closing = Some(ClosingReason::ConnectionLost);
        self.remove_participant(room, who, LeaveReason::of_peer(reason), closing);
        self.close_if_empty(room);
    }

    fn on_slot_changed(&mut self, peer: PeerId, slot: SlotId, binding: SlotBinding) {
        let Some(&Seat { room, who, .. }) = self.peers.get(&peer) else {
            return;
        };
        if let Some(message) = self.slot_message(room, who, slot, binding) {
            self.tell(room, who, message);
        }
    }

    fn slot_message(
        &self,
        room: RoomId,
        who: ParticipantId,
        slot: SlotId,
        binding: SlotBinding,
    ) -> Option<ServerMessage> {
        let room = self.rooms.get(&room)?;
        let session = room.participants.get(&who)?.session.as_ref()?;
        let owner = binding.publication.and_then(|id| room.owners.get(&id));
        Some(ServerMessage::SlotChanged {
            mid: session.slot(slot)?.mid.to_string(),
            // A publication that has just ended is told as none; its ending is on its way.
            publication: owner.and(binding.publication).map(|id| id.to_string()),
            participant: owner.map(ToString::to_string),
            layer: owner.and(binding.layer).map(Into::into),
            reason: camel_case(binding.reason.as_str()),
        })
    }

    /// Tells the publisher which of its encodings it need not make.
    fn on_layers_wanted(&mut self, publication: PublicationId, wanted: &[bool]) {
        let owned = self.rooms.iter().find_map(|(room, state)| {
            let who = *state.owners.get(&publication)?;
            let participant = state.participants.get(&who)?;
            let layers = participant.wanted_layers(publication, wanted)?;
            Some((*room, who, layers))
        });
        if let Some((room, who, layers)) = owned {
            let publication = publication.to_string();
            let message = ServerMessage::LayersWanted {
                publication,
                layers,
            };
            self.tell(room, who, message);
        }
    }

    fn on_speakers_changed(&mut self, shard: ShardId, id: RoomId, speakers: Vec<Speaker>) {
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        // From a shard that has left the room since nothing counts any more.
        if room.shards.contains_key(&shard) {
            room.speakers.insert(shard, speakers);
            self.tell_speakers(id);
        }
    }

    /// Tells a room who speaks, if that is news.
    pub(super) fn tell_speakers(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        let speakers = room.all_speakers();
        if speakers != room.told_speakers {
            room.told_speakers = speakers;
            let message = room.speakers_message();
            self.broadcast(id, None, message);
            self.note_speaker(id);
        }
    }
}
