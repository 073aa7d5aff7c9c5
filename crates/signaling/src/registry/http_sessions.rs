//! Sessions of WHIP and WHEP: participants whose client asks by HTTP and is told nothing but
//! answers. They leave by DELETE, or when their transport ends.

use plenum_types::{ParticipantId, RoomId};
use rand::Rng;

use super::Registry;
use super::follow::slot_specs;
use super::join::{Wish, shown_name};
use super::offer::gone;
use super::plan::{Plan, Planner, Request};
use crate::http_session::{
    Condition, SessionAct, SessionError, SessionKey, SessionReply, SessionRequest,
};
use crate::ids;
use crate::messages::{ErrorCode, ParticipantKind, SlotSpec};
use crate::negotiation::{Fragment, FragmentHead, Offer, Way};
use crate::refusal::Refusal;
use crate::room::{EventLog, Participant, Session};
use crate::token::{Claims, Grants};

/// Random characters of a session's address: 24 of 64 make 144 bits.
const KEY_CHARACTERS: usize = 24;
/// Random characters of an entity tag. It must be another one with each restart.
const TAG_CHARACTERS: usize = 12;

/// A session.
#[derive(Debug)]
pub(super) struct HttpSession {
    way: Way,
    room: RoomId,
    who: ParticipantId,
    /// Stands for the ICE session.
    tag: String,
    /// For the answers to restarts.
    head: FragmentHead,
}

impl Registry {
    /// Answers a request over HTTP.
    pub(crate) fn handle_session(
        &mut self,
        request: &SessionRequest,
        rng: &mut dyn Rng,
    ) -> Result<SessionReply, SessionError> {
        let grants = grants_of(request)?;
        match &request.act {
            SessionAct::Open { sdp, follows } => {
                let opened = self.open(request, grants, sdp, follows.as_deref(), rng);
                if opened.is_err() {
                    self.joins.refused += 1;
                }
                opened
            }
            SessionAct::Patch {
                session,
                condition,
                fragment,
            } => {
                self.find(request, session)?;
                self.patch(session, condition.as_ref(), fragment, rng)
            }
            SessionAct::Look { session } => {
                self.find(request, session)?;
                Ok(SessionReply::Found)
            }
            SessionAct::End { session } => {
                let (room, who) = self.find(request, session)?;
                self.leave_quietly(room, who);
                Ok(SessionReply::Ended)
            }
        }
    }

    /// Handling a request failed in a way that should not happen: whoever has no session after it
    /// is given up, with whatever it had.
    pub(crate) fn handle_session_panic(&mut self) {
        let lost: Vec<_> = self
            .rooms
            .values()
            .flat_map(|room| room.participants.values().map(|who| (room.id, who)))
            .filter(|(_, who)| who.kind != ParticipantKind::Standard)
            .filter(|(_, who)| {
                let open = who
                    .http
                    .as_ref()
                    .map(|key| self.http_sessions.contains_key(key));
                open != Some(true) || who.session.is_none()
            })
            .map(|(room, who)| (room, who.id))
            .collect();
        for (room, who) in lost {
            self.give_up(room, who);
        }
    }

    fn open(
        &mut self,
        request: &SessionRequest,
        grants: Grants,
        sdp: &str,
        follows: Option<&str>,
        rng: &mut dyn Rng,
    ) -> Result<SessionReply, SessionError> {
        self.check_room_for_more()?;
        let mut offer = Offer::read(sdp)?;
        offer.narrow(request.way)?;
        let open = self.names.get(&request.room);
        offer.restrict(open.map_or(&[], |room| self.codecs_of(*room)))?;
        let slots = match request.way {
            Way::Ingest => Vec::new(),
            Way::Playback => self.playback_slots(&request.room, &offer, follows)?,
        };
        let kind = kind_of(request.way);
        let wish = Wish {
            room: Some(request.room.clone()),
            name: None,
            sdk: None,
            kind,
        };
        let (room, replaced) = self.admit(&request.claims, &wish)?;
        let prepared = self.prepare(room, &grants, sdp, &slots, &offer, rng);
        let (session, plan) = prepared.inspect_err(|_| self.close_if_empty(room))?;
        let key = SessionKey(ids::url_text(KEY_CHARACTERS, rng));
        let who = self.make_place(room, replaced);
        let claims = request.claims.clone();
        let participant = Participant {
            id: who,
            name: shown_name(&claims, &wish).to_owned(),
            identity: claims.sub,
            metadata: claims.metadata.unwrap_or_default(),
            attributes: claims.attributes,
            grants,
            kind,
            follows: follows.map(str::to_owned),
            http: Some(key.clone()),
            connection: None,
            gone_at: None,
            token_expires: request.claims.exp,
            token_warning: None,
            moderated_s: None,
            awaits_offer: None,
            resume_secret: None,
            events: EventLog::default(),
            session: None,
        };
        self.settle(room, participant);
        let session = self.open_peer(room, who, session);
        let answers = plan.answers.clone();
        self.carry_out(room, who, session, plan);
        let sdp = self.answer(room, who, &offer, &answers)?;
        let tag = ids::url_text(TAG_CHARACTERS, rng);
        let known = HttpSession {
            way: request.way,
            room,
            who,
            tag: tag.clone(),
            head: FragmentHead::of(&sdp),
        };
        self.http_sessions.insert(key.clone(), known);
        let session = key;
        Ok(SessionReply::Opened { session, tag, sdp })
    }

    fn check_room_for_more(&self) -> Result<(), SessionError> {
        if self.closing {
            return Err(SessionError::Closing);
        }
        if self.connections.len() + self.http_sessions.len() >= self.config.limits.connections {
            return Err(SessionError::Refused(Refusal::new(
                ErrorCode::ServerFull,
                "Try again later, or on another server: this one has all the clients it may have.",
            )));
        }
        Ok(())
    }

    /// What the slots of a viewer show at first. A room that nobody publishes in is not opened
    /// for viewers.
    fn playback_slots(
        &self,
        name: &str,
        offer: &Offer,
        follows: Option<&str>,
    ) -> Result<Vec<SlotSpec>, SessionError> {
        let id = self.names.get(name).ok_or(SessionError::NothingLive)?;
        let room = self.rooms.get(id).ok_or(SessionError::NothingLive)?;
        let leader = follows.map(|identity| {
            let leader = room.by_identity(identity);
            leader.and_then(|id| room.participants.get(&id))
        });
        let live = match leader {
            None => !room.owners.is_empty(),
            Some(leader) => leader.is_some_and(|them| !them.publications().is_empty()),
        };
        if !live {
            return Err(SessionError::NothingLive);
        }
        Ok(slot_specs(offer, leader.flatten()))
    }

    /// Plans the session without doing anything yet. What would be left out is a reason to refuse
    /// it as a whole.
    fn prepare(
        &mut self,
        room: RoomId,
        grants: &Grants,
        sdp: &str,
        slots: &[SlotSpec],
        offer: &Offer,
        rng: &mut dyn Rng,
    ) -> Result<(Session, Plan), Refusal> {
        let room = self.rooms.get(&room).ok_or_else(gone)?;
        let shard = self.placement.place(room);
        let session = Session::open(self.ids.peer(), shard, offer, rng);
        let request = Request {
            sdp,
            publications: &[],
            slots,
        };
        let planner = Planner {
            room,
            grants,
            limits: &self.config.limits,
            request: &request,
            session: &session,
            ids: &mut self.ids,
            rng,
        };
        let mut plan = planner.plan(offer)?;
        match plan.refusals.pop() {
            None => Ok((session, plan)),
            Some(refusal) => Err(refusal),
        }
    }

    /// The session that the request names, if it is the caller's.
    fn find(
        &self,
        request: &SessionRequest,
        key: &SessionKey,
    ) -> Result<(RoomId, ParticipantId), SessionError> {
        let known = self.http_sessions.get(key).ok_or(SessionError::Unknown)?;
        let room = self.rooms.get(&known.room).ok_or(SessionError::Unknown)?;
        if known.way != request.way || room.name != request.room {
            return Err(SessionError::Unknown);
        }
        let owner = room.participants.get(&known.who);
        let owner = owner.ok_or(SessionError::Unknown)?;
        if owner.identity != request.claims.sub {
            return Err(SessionError::NotYours);
        }
        Ok((known.room, known.who))
    }

    /// RFC 9725 §4.3.1 to §4.3.3.
    fn patch(
        &mut self,
        key: &SessionKey,
        condition: Option<&Condition>,
        fragment: &Fragment,
        rng: &mut dyn Rng,
    ) -> Result<SessionReply, SessionError> {
        let known = self.http_sessions.get(key).ok_or(SessionError::Unknown)?;
        let condition = condition.ok_or(SessionError::Unconditional)?;
        if !condition.holds(&known.tag) {
            return Err(SessionError::Stale);
        }
        let (room, who) = (known.room, known.who);
        let participant = self.participant_mut(room, who);
        let session = participant.ok_or_else(gone)?.session.take();
        let session = session.ok_or_else(gone)?;
        let Some(remote) = fragment.ice.as_ref().filter(|ice| **ice != session.remote) else {
            self.put_session(room, who, session);
            return Ok(SessionReply::Trickled);
        };
        let session = self.restart_ice(session, remote, rng);
        let (local, shard) = (session.local.clone(), session.shard);
        self.put_session(room, who, session);
        let known = self.http_sessions.get(key).ok_or(SessionError::Unknown)?;
        let fragment = known.head.write(&local, self.candidates(shard));
        let tag = ids::url_text(TAG_CHARACTERS, rng);
        let known = self.http_sessions.get_mut(key);
        known.ok_or(SessionError::Unknown)?.tag.clone_from(&tag);
        Ok(SessionReply::Restarted { tag, fragment })
    }
}

const fn kind_of(way: Way) -> ParticipantKind {
    match way {
        Way::Ingest => ParticipantKind::Ingress,
        Way::Playback => ParticipantKind::Egress,
    }
}

/// What the session may do, from the token: no more than the way needs. Viewers are hidden.
fn grants_of(request: &SessionRequest) -> Result<Grants, SessionError> {
    let Claims { video: granted, .. } = &request.claims;
    granted.room_for(Some(&request.room))?;
    let (permitted, grant) = match request.way {
        Way::Ingest => (granted.info().can_publish, "canPublish"),
        Way::Playback => (granted.may_subscribe(), "canSubscribe"),
    };
    if !permitted {
        return Err(SessionError::Refused(Refusal::new(
            ErrorCode::NotPermitted,
            format!("Ask for a token that grants video.{grant} and does not hide its bearer."),
        )));
    }
    let mut grants = granted.clone();
    if request.way == Way::Playback {
        grants.hidden = true;
    }
    Ok(grants)
}
