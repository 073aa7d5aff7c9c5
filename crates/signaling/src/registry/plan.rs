//! What an offer would make of a session, without doing it yet: so that an offer is either
//! carried out as a whole or changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use plenum_types::{Mid, SlotId, SlotWish};
use rand::Rng;

use super::requests::collect;
use crate::config::Limits;
use crate::ids::{self, Ids};
use crate::messages::{ErrorCode, PublicationSpec, SlotSpec};
use crate::negotiation::{Offer, RtpSection, SectionAnswer, SlotStream};
use crate::refusal::Refusal;
use crate::room::{Line, Publication, Room, Session, Slot, WishChange};
use crate::token::Grants;

/// What a client sends with an offer.
pub(super) struct Request<'a> {
    pub(super) sdp: &'a str,
    pub(super) publications: &'a [PublicationSpec],
    pub(super) slots: &'a [SlotSpec],
}

/// What would come of it.
pub(super) struct Plan {
    /// The m-lines of the session after the offer.
    pub(super) lines: BTreeMap<Mid, Line>,
    /// For the answer, in the order of the offer.
    pub(super) answers: Vec<SectionAnswer>,
    /// What was left out, to be told after the answer.
    pub(super) refusals: Vec<Refusal>,
    /// The last slot id given.
    pub(super) last_slot: u16,
}

/// Makes a [`Plan`].
pub(super) struct Planner<'a> {
    pub(super) room: &'a Room,
    pub(super) grants: &'a Grants,
    pub(super) limits: &'a Limits,
    pub(super) request: &'a Request<'a>,
    /// The session before; a new one has no lines.
    pub(super) session: &'a Session,
    pub(super) ids: &'a mut Ids,
    pub(super) rng: &'a mut dyn Rng,
}

impl Planner<'_> {
    pub(super) fn plan(mut self, offer: &Offer) -> Result<Plan, Refusal> {
        let mut plan = Plan {
            lines: BTreeMap::new(),
            answers: Vec::with_capacity(offer.sections.len()),
            refusals: Vec::new(),
            last_slot: self.session.last_slot,
        };
        for section in &offer.sections {
            let mut answer = SectionAnswer::default();
            if let Some(rtp) = section.rtp() {
                let line = self.plan_line(&mut plan, section.mid, rtp)?;
                answer.receive = line.publication.is_some();
                answer.send = line.slot.as_ref().map(|slot| SlotStream {
                    ssrc: slot.ssrc,
                    rtx_ssrc: slot.rtx_ssrc,
                });
                plan.lines.insert(section.mid, line);
            }
            plan.answers.push(answer);
        }
        self.check_limits(&plan)?;
        Ok(plan)
    }

    fn plan_line(
        &mut self,
        plan: &mut Plan,
        mid: Mid,
        section: &RtpSection,
    ) -> Result<Line, Refusal> {
        let before = self.session.lines.get(&mid).cloned().unwrap_or_default();
        let mut line = Line::default();
        if section.sends {
            line.publication = self.plan_publication(plan, mid, section, &before)?;
            if line.publication.is_none() {
                line.ended_track = before.ended_track;
            }
        }
        if section.receives {
            line.slot = self.plan_slot(plan, mid, section, before.slot.as_ref())?;
        }
        Ok(line)
    }

    fn plan_publication(
        &mut self,
        plan: &mut Plan,
        mid: Mid,
        section: &RtpSection,
        before: &Line,
    ) -> Result<Option<Publication>, Refusal> {
        let default = PublicationSpec::default();
        let mut specs = self.request.publications.iter();
        let spec = specs
            .find(|spec| spec.mid == mid.as_str())
            .unwrap_or(&default);
        let track_id = Publication::track_id_of(mid, section, spec);
        let was = before
            .publication
            .as_ref()
            .filter(|was| was.track_id == track_id && was.kind == section.kind);
        if before.ended_track.as_deref() == Some(track_id.as_str()) {
            return Ok(None);
        }
        let source = Publication::source_of(section, spec, was);
        if !self.grants.may_publish(source) {
            let refusal = Refusal::new(
                ErrorCode::NotPermitted,
                "Ask for a token that permits this: canPublish, canPublishSources, canSubscribe.",
            );
            collect(&mut plan.refusals, refusal, Some(mid));
            return Ok(None);
        }
        let planned = plan.lines.values();
        let planned = planned.filter(|line| line.publication.is_some()).count();
        let most = self.grants.publications(usize::MAX);
        if planned >= most {
            let refusal = Refusal::new(
                ErrorCode::NotPermitted,
                format!(
                    "Publish at most {most} tracks, or ask for a token with a higher maxPublishTracks."
                ),
            );
            collect(&mut plan.refusals, refusal, Some(mid));
            return Ok(None);
        }
        let id = was.map_or_else(|| self.ids.publication(), |was| was.id);
        Publication::of(id, mid, section, spec, was).map(Some)
    }

    fn plan_slot(
        &mut self,
        plan: &mut Plan,
        mid: Mid,
        section: &RtpSection,
        was: Option<&Slot>,
    ) -> Result<Option<Slot>, Refusal> {
        if !self.grants.may_subscribe() {
            let refusal = Refusal::new(
                ErrorCode::NotPermitted,
                "Ask for a token that permits this: canPublish, canPublishSources, canSubscribe.",
            );
            collect(&mut plan.refusals, refusal, Some(mid));
            return Ok(None);
        }
        let mut slot = Slot {
            id: SlotId(0),
            kind: section.kind,
            mid,
            codecs: section
                .codecs
                .iter()
                .map(|codec| codec.parameters)
                .collect(),
            extensions: section.slot_extensions(),
            ssrc: plenum_types::Ssrc(0),
            rtx_ssrc: None,
            wish: self.plan_wish(plan, mid, section, was),
        };
        match was.filter(|was| was.same_media(&slot)) {
            Some(was) => {
                slot.id = was.id;
                slot.ssrc = was.ssrc;
                slot.rtx_ssrc = was.rtx_ssrc;
            }
            None => self.number_slot(plan, &mut slot)?,
        }
        Ok(Some(slot))
    }

    fn plan_wish(
        &self,
        plan: &mut Plan,
        mid: Mid,
        section: &RtpSection,
        was: Option<&Slot>,
    ) -> SlotWish {
        let was = was.map_or_else(|| Slot::default_wish(section.kind), |slot| slot.wish);
        let spec = self
            .request
            .slots
            .iter()
            .find(|spec| spec.mid == mid.as_str());
        let changed = spec.map(|spec| WishChange { was, spec }.apply(self.room));
        match changed {
            None => was,
            Some(Ok(wish)) => wish,
            Some(Err(refusal)) => {
                collect(&mut plan.refusals, refusal, Some(mid));
                was
            }
        }
    }

    /// Gives a new slot its id and SSRCs. Ids are not used again within a peer.
    fn number_slot(&mut self, plan: &mut Plan, slot: &mut Slot) -> Result<(), Refusal> {
        plan.last_slot = plan.last_slot.checked_add(1).ok_or_else(|| {
            Refusal::new(
                ErrorCode::TooManySlots,
                "Open a new peer connection: this one has used up its slots.",
            )
        })?;
        slot.id = SlotId(plan.last_slot);
        let mut taken = BTreeSet::new();
        for line in plan.lines.values() {
            taken.extend(
                line.slot
                    .iter()
                    .flat_map(|slot| [Some(slot.ssrc), slot.rtx_ssrc]),
            );
        }
        let is_taken = |ssrc| taken.contains(&Some(ssrc)) || self.session.sends(ssrc);
        slot.ssrc = ids::ssrc(is_taken, self.rng);
        let repaired = |codec: &plenum_types::CodecParameters| codec.rtx_payload_type.is_some();
        if slot.codecs.iter().any(repaired) {
            let main = slot.ssrc;
            slot.rtx_ssrc = Some(ids::ssrc(|ssrc| ssrc == main || is_taken(ssrc), self.rng));
        }
        Ok(())
    }

    fn check_limits(&self, plan: &Plan) -> Result<(), Refusal> {
        let lines = || plan.lines.values();
        let publications = lines().filter(|line| line.publication.is_some()).count();
        let slots = lines().filter(|line| line.slot.is_some()).count();
        if publications > self.limits.publications {
            return Err(Refusal::new(
                ErrorCode::TooManyPublications,
                format!("Publish at most {} tracks.", self.limits.publications),
            ));
        }
        let most = self.room.settings.slots(self.limits.slots);
        if slots > most {
            return Err(Refusal::new(
                ErrorCode::TooManySlots,
                format!("Offer at most {most} slots."),
            ));
        }
        Ok(())
    }
}
