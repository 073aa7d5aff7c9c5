//! Carrying out an offer: compare the session before and after, tell shard and room the
//! difference, answer.

use plenum_types::{IceCredentials, MediaCommand, ParticipantId, RoomId, ShardId, SlotWish};
use rand::Rng;

use super::Registry;
use super::plan::{Plan, Planner, Request};
use crate::ids;
use crate::messages::{AnsweredPublication, ErrorCode, ServerMessage};
use crate::negotiation::{Answer, Candidates, Offer, SectionAnswer};
use crate::refusal::Refusal;
use crate::room::{Publication, Session, Slot};
use crate::token::Grants;

impl Registry {
    pub(super) fn handle_offer(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        id: u32,
        request: &Request<'_>,
        rng: &mut dyn Rng,
    ) -> Result<(), Refusal> {
        let mut offer = Offer::read(request.sdp)?;
        offer.restrict(self.codecs_of(room))?;
        let session = self.session_for(room, who, &offer, rng)?;
        let is_new = session.version == 0;
        let plan = match self.plan(room, who, request, &session, &offer, rng) {
            Ok(plan) => plan,
            Err(refusal) => {
                // Nothing has happened: what was there stays.
                if !is_new {
                    self.put_session(room, who, session);
                }
                return Err(refusal);
            }
        };
        let session = if is_new {
            self.open_peer(room, who, session)
        } else {
            self.restart_ice(session, &offer.ice, rng)
        };
        let answers = plan.answers.clone();
        let refusals = self.carry_out(room, who, session, plan);
        let sdp = self.answer(room, who, &offer, &answers)?;
        let publications = self.answered_publications(room, who);
        let answer = ServerMessage::Answer {
            id,
            sdp,
            publications,
        };
        self.tell(room, who, answer);
        let awaited = self.participant_mut(room, who);
        if let Some(since) = awaited.and_then(|them| them.awaits_offer.take()) {
            let took = self.now.saturating_duration_since(since);
            self.join_times.note_answered(took);
        }
        for refusal in refusals {
            self.tell(room, who, refusal.message(false, Some(id)));
        }
        Ok(())
    }

    /// The session that the offer is about, taken out of the participant: the one there is, or,
    /// if the client's certificate is another, a new one (the one there is stays in place).
    fn session_for(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        offer: &Offer,
        rng: &mut dyn Rng,
    ) -> Result<Session, Refusal> {
        let participant = self.participant_mut(room, who).ok_or_else(gone)?;
        let known = participant
            .session
            .take_if(|session| session.fingerprint == offer.fingerprint);
        if let Some(known) = known {
            return Ok(known);
        }
        let shard = self
            .placement
            .place(self.rooms.get(&room).ok_or_else(gone)?);
        Ok(Session::open(self.ids.peer(), shard, offer, rng))
    }

    pub(super) fn put_session(&mut self, room: RoomId, who: ParticipantId, session: Session) {
        if let Some(participant) = self.participant_mut(room, who) {
            participant.session = Some(session);
        }
    }

    fn plan(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        request: &Request<'_>,
        session: &Session,
        offer: &Offer,
        rng: &mut dyn Rng,
    ) -> Result<Plan, Refusal> {
        let room = self.rooms.get(&room).ok_or_else(gone)?;
        let participant = room.participants.get(&who).ok_or_else(gone)?;
        let planner = Planner {
            room,
            grants: &participant.grants,
            limits: &self.config.limits,
            request,
            session,
            ids: &mut self.ids,
            rng,
        };
        planner.plan(offer)
    }

    /// Ends the peer there was, with its publications, and announces the new one to the shard.
    pub(super) fn open_peer(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        session: Session,
    ) -> Session {
        let before = self
            .participant_mut(room, who)
            .and_then(|participant| participant.session.take());
        if let Some(before) = before {
            for publication in before.publications() {
                self.end_publication(room, who, publication.id);
            }
            self.slots -= before.slots().count();
            let peer = before.peer;
            self.command(before.shard, MediaCommand::RemovePeer { peer });
            self.close_seat(peer);
        }
        let config = Box::new(session.peer_config(room));
        self.command(session.shard, MediaCommand::AddPeer(config));
        self.set_data_access(room, who, session.peer, session.shard);
        let max_publish_bitrate = self
            .participant(room, who)
            .and_then(|participant| participant.grants.publish_limit());
        if max_publish_bitrate.is_some() {
            let command = MediaCommand::LimitPublishing {
                peer: session.peer,
                max_publish_bitrate,
            };
            self.command(session.shard, command);
        }
        self.open_seat(room, who, session.peer, session.shard);
        session
    }

    /// RFC 8445 §2.4: new credentials of the client ask for new ones of ours.
    pub(super) fn restart_ice(
        &mut self,
        mut session: Session,
        remote: &IceCredentials,
        rng: &mut dyn Rng,
    ) -> Session {
        if session.remote != *remote {
            session.local = ids::ice_credentials(session.shard, session.peer, rng);
            session.remote = remote.clone();
            let command = MediaCommand::RestartIce {
                peer: session.peer,
                local: session.local.clone(),
                remote: session.remote.clone(),
            };
            self.command(session.shard, command);
        }
        session
    }

    /// Tells shard and room what is different, endings first. Returns what to tell the client.
    pub(super) fn carry_out(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        mut session: Session,
        plan: Plan,
    ) -> Vec<Refusal> {
        let peer = session.peer;
        let grants = self.participant(room, who).map(|them| them.grants.clone());
        let grants = grants.unwrap_or_default();
        let before = std::mem::replace(&mut session.lines, plan.lines);
        session.last_slot = plan.last_slot;
        session.version += 1;
        for (mid, line) in &before {
            let after = session.lines.get(mid);
            let publication = after.and_then(|line| line.publication.as_ref());
            if let Some(was) = &line.publication
                && publication.is_none_or(|now| now.id != was.id)
            {
                self.end_publication(room, who, was.id);
            }
            let slot = after.and_then(|line| line.slot.as_ref());
            if let Some(was) = &line.slot
                && slot.is_none_or(|now| now.id != was.id)
            {
                let slot = was.id;
                self.slots -= 1;
                self.command(session.shard, MediaCommand::RemoveSlot { peer, slot });
            }
        }
        for (mid, line) in &session.lines {
            let was = before.get(mid);
            if let Some(publication) = &line.publication {
                let was = was.and_then(|line| line.publication.as_ref());
                let was = was.filter(|was| was.id == publication.id);
                self.update_publication(room, who, &session, was, publication);
            }
            if let Some(slot) = &line.slot {
                let was = was.and_then(|line| line.slot.as_ref());
                let was = was.filter(|was| was.id == slot.id).map(|was| was.wish);
                self.update_slot(&session, &grants, was, slot);
            }
        }
        self.put_session(room, who, session);
        self.weigh(room, who);
        self.lead(room, who);
        plan.refusals
    }

    fn update_publication(
        &mut self,
        room_id: RoomId,
        who: ParticipantId,
        session: &Session,
        was: Option<&Publication>,
        now: &Publication,
    ) {
        if was == Some(now) {
            return;
        }
        let publication = now.id;
        match was {
            Some(was) if was.same_media(now) => {
                let muted = now.muted;
                if was.muted != muted {
                    let command = MediaCommand::MutePublication { publication, muted };
                    self.command_all(room_id, &command);
                }
            }
            was => {
                if was.is_some() {
                    let command = MediaCommand::RemovePublication { publication };
                    self.command_all(room_id, &command);
                }
                self.announce(room_id, session, now);
            }
        }
        if let Some(room) = self.rooms.get_mut(&room_id)
            && room.owners.insert(publication, who).is_none()
        {
            self.publications += 1;
        }
        self.note_started(room_id, who, now);
        let message = ServerMessage::Published {
            participant: who.to_string(),
            publication: now.info(),
        };
        self.broadcast(room_id, Some(who), message);
    }

    fn update_slot(
        &mut self,
        session: &Session,
        grants: &Grants,
        was: Option<SlotWish>,
        now: &Slot,
    ) {
        let (shard, peer) = (session.shard, session.peer);
        match was {
            None => {
                let slot = Box::new(now.config(grants));
                self.slots += 1;
                self.command(shard, MediaCommand::AddSlot { peer, slot });
            }
            Some(wish) if wish != now.wish => {
                let (slot, wish) = (now.id, grants.permitted(now.wish));
                self.command(shard, MediaCommand::SetSlotWish { peer, slot, wish });
            }
            Some(_) => {}
        }
    }

    /// The answer's description.
    pub(super) fn answer(
        &self,
        room: RoomId,
        who: ParticipantId,
        offer: &Offer,
        sections: &[SectionAnswer],
    ) -> Result<String, Refusal> {
        let participant = self.participant(room, who);
        let session = participant
            .and_then(|them| them.session.as_ref())
            .ok_or_else(gone)?;
        let ice: &IceCredentials = &session.local;
        let answer = Answer {
            offer,
            sections,
            session_id: session.id,
            version: session.version,
            ice,
            fingerprint: &self.config.fingerprint,
            candidates: self.candidates(session.shard),
            cname: &session.cname,
        };
        Ok(answer.write())
    }

    /// Where a shard receives media.
    pub(super) fn candidates(&self, shard: ShardId) -> Candidates<'_> {
        let udp = self.config.candidates.get(usize::from(shard.0));
        Candidates {
            udp: udp.map_or(&[], Vec::as_slice),
            tcp: &self.config.tcp_candidates,
        }
    }

    fn answered_publications(&self, room: RoomId, who: ParticipantId) -> Vec<AnsweredPublication> {
        let participant = self.participant(room, who);
        let session = participant.and_then(|them| them.session.as_ref());
        let publications = session.into_iter().flat_map(Session::publications);
        publications
            .map(|publication| AnsweredPublication {
                mid: publication.mid.to_string(),
                id: publication.id.to_string(),
            })
            .collect()
    }
}

pub(super) fn gone() -> Refusal {
    Refusal::new(ErrorCode::Internal, "Join again: the participant is gone.")
}
