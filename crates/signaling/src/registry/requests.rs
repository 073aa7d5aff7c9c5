//! What a participant may ask for beside an offer.

use plenum_types::{MediaCommand, Mid, ParticipantId, PublicationId, RoomId, SlotId, SlotWish};
use rand::Rng;

use super::Registry;
use crate::ids;
use crate::messages::{ClientMessage, ErrorCode, ServerMessage, SlotSpec};
use crate::refusal::Refusal;
use crate::room::{Room, WishChange};
use crate::sdp::MAX_MEDIA;

impl Registry {
    pub(super) fn handle_request(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        message: ClientMessage,
        rng: &mut dyn Rng,
    ) {
        match message {
            ClientMessage::Offer {
                id,
                sdp,
                publications,
                slots,
            } => {
                let request = super::plan::Request {
                    sdp: &sdp,
                    publications: &publications,
                    slots: &slots,
                };
                let entries = publications.len().max(slots.len());
                let answered = check_entries(entries)
                    .and_then(|()| self.handle_offer(room, who, id, &request, rng));
                if let Err(refusal) = answered {
                    self.tell(room, who, refusal.message(false, Some(id)));
                }
            }
            ClientMessage::Mute { publication, muted } => {
                let result = self.mute(room, who, &publication, muted);
                self.tell_refusal(room, who, result);
            }
            ClientMessage::Unpublish { publication } => {
                let result = self.unpublish(room, who, &publication);
                self.tell_refusal(room, who, result);
            }
            ClientMessage::Explain { id } => {
                let result = self.explain(room, who, id);
                self.tell_refusal(room, who, result);
            }
            ClientMessage::Slots { slots } => match check_entries(slots.len()) {
                Ok(()) => self.change_slots(room, who, &slots),
                Err(refusal) => self.tell_refusal(room, who, Err(refusal)),
            },
            // Trickle: with ICE lite the client's checks tell its addresses. The others have been
            // answered before.
            ClientMessage::Trickle { .. }
            | ClientMessage::Join { .. }
            | ClientMessage::RefreshToken { .. }
            | ClientMessage::Resume { .. }
            | ClientMessage::Ping { .. }
            | ClientMessage::Leave {} => {}
        }
    }

    fn tell_refusal(&mut self, room: RoomId, who: ParticipantId, result: Result<(), Refusal>) {
        if let Err(refusal) = result {
            self.tell(room, who, refusal.message(false, None));
        }
    }

    pub(super) fn mute(
        &mut self,
        room_id: RoomId,
        who: ParticipantId,
        text: &str,
        muted: bool,
    ) -> Result<(), Refusal> {
        let publication = self.own_publication(room_id, who, text)?;
        let participant = self.participant_mut(room_id, who);
        let known = participant
            .and_then(|them| them.session.as_mut())
            .and_then(|session| session.publication_mut(publication));
        let Some(known) = known.filter(|known| known.muted != muted) else {
            return Ok(());
        };
        known.muted = muted;
        let command = MediaCommand::MutePublication { publication, muted };
        self.command_all(room_id, &command);
        let message = ServerMessage::Muted {
            participant: who.to_string(),
            publication: publication.to_string(),
            muted,
        };
        self.broadcast(room_id, None, message);
        Ok(())
    }

    pub(super) fn unpublish(
        &mut self,
        room_id: RoomId,
        who: ParticipantId,
        text: &str,
    ) -> Result<(), Refusal> {
        let publication = self.own_publication(room_id, who, text)?;
        let participant = self.participant_mut(room_id, who);
        let lines = participant
            .and_then(|them| them.session.as_mut())
            .map(|session| session.lines.values_mut());
        for line in lines.into_iter().flatten() {
            if let Some(known) = line.publication.take_if(|known| known.id == publication) {
                line.ended_track = Some(known.track_id);
            }
        }
        self.end_publication(room_id, who, publication);
        self.weigh(room_id, who);
        Ok(())
    }

    /// Tells shard and room that a publication has ended.
    pub(super) fn end_publication(
        &mut self,
        room_id: RoomId,
        who: ParticipantId,
        publication: PublicationId,
    ) {
        self.note_ended(room_id, who, publication);
        let owners = self.rooms.get_mut(&room_id).map(|room| &mut room.owners);
        if owners
            .and_then(|owners| owners.remove(&publication))
            .is_some()
        {
            self.publications -= 1;
        }
        let command = MediaCommand::RemovePublication { publication };
        self.command_all(room_id, &command);
        let message = ServerMessage::Unpublished {
            participant: who.to_string(),
            publication: publication.to_string(),
        };
        self.broadcast(room_id, Some(who), message);
    }

    fn own_publication(
        &self,
        room: RoomId,
        who: ParticipantId,
        text: &str,
    ) -> Result<PublicationId, Refusal> {
        let owners = self.rooms.get(&room).map(|room| &room.owners);
        ids::publication_id(text)
            .filter(|id| owners.and_then(|owners| owners.get(id)) == Some(&who))
            .ok_or_else(|| {
                Refusal::new(
                    ErrorCode::UnknownPublication,
                    "Name a publication of your own that has not ended.",
                )
            })
    }

    /// Changes what can be changed; what cannot is told in one error per code.
    fn change_slots(&mut self, room_id: RoomId, who: ParticipantId, specs: &[SlotSpec]) {
        let mut refusals = Vec::new();
        for spec in specs {
            let changed = self
                .rooms
                .get(&room_id)
                .ok_or_else(unknown_slot)
                .and_then(|room| wish_after(room, who, spec));
            match changed {
                Ok((slot, wish)) => self.set_wish(room_id, who, slot, wish),
                Err(refusal) => collect(&mut refusals, refusal, Mid::new(&spec.mid).ok()),
            }
        }
        for refusal in refusals {
            self.tell(room_id, who, refusal.message(false, None));
        }
    }

    pub(super) fn set_wish(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        slot: SlotId,
        wish: SlotWish,
    ) {
        let Some(participant) = self.participant_mut(room, who) else {
            return;
        };
        let permitted = participant.grants.permitted(wish);
        let Some(session) = participant.session.as_mut() else {
            return;
        };
        let (peer, shard) = (session.peer, session.shard);
        let known = session
            .lines
            .values_mut()
            .filter_map(|line| line.slot.as_mut())
            .find(|known| known.id == slot && known.wish != wish);
        if let Some(known) = known {
            known.wish = wish;
            let wish = permitted;
            self.command(shard, MediaCommand::SetSlotWish { peer, slot, wish });
        }
    }
}

/// Each entry may become a command, and the shard's queue is everybody's.
fn check_entries(entries: usize) -> Result<(), Refusal> {
    if entries <= MAX_MEDIA {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::TooLarge,
        format!("Send at most {MAX_MEDIA} entries in publications or slots, one for each m-line."),
    ))
}

fn wish_after(
    room: &Room,
    who: ParticipantId,
    spec: &SlotSpec,
) -> Result<(SlotId, SlotWish), Refusal> {
    let session = room
        .participants
        .get(&who)
        .and_then(|participant| participant.session.as_ref());
    let line = Mid::new(&spec.mid)
        .ok()
        .and_then(|mid| session?.lines.get(&mid));
    let slot = line
        .and_then(|line| line.slot.as_ref())
        .ok_or_else(unknown_slot)?;
    let was = slot.wish;
    let wish = WishChange { was, spec }.apply(room)?;
    Ok((slot.id, wish))
}

fn unknown_slot() -> Refusal {
    Refusal::new(
        ErrorCode::UnknownSlot,
        "Name slots by the mid of an m-line that your last offer receives on.",
    )
}

/// Adds a refusal about `mid`, together with others of its code.
pub(super) fn collect(refusals: &mut Vec<Refusal>, refusal: Refusal, mid: Option<Mid>) {
    let known = refusals.iter().position(|other| other.code == refusal.code);
    let index = known.unwrap_or_else(|| {
        refusals.push(refusal);
        refusals.len() - 1
    });
    refusals[index].mids.extend(mid);
}
