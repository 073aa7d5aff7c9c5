//! What backends do to participants.

use std::collections::BTreeMap;

use plenum_types::{Bitrate, MediaCommand, ParticipantId, PeerId, PeerQuality, RoomId};

use super::Registry;
use super::join::MAX_SHOWN_NAME;
use super::placement::Seat;
use crate::admin::{AdminError, AdminReply, ParticipantChange, QualityView, Whom};
use crate::messages::{ClosingReason, LeaveReason, ServerMessage};
use crate::output::Output;

/// Longest metadata, bytes: what fits a token.
const MAX_METADATA: usize = 16 * 1024;
/// Most attributes, and most bytes of them together.
const ATTRIBUTES_MAX: (usize, usize) = (64, 16 * 1024);
/// Largest limit on what may be published, bits per second.
const BITRATE_MAX: u64 = 1_000_000_000_000;
/// Numbers of questions from here on are backends'; those below are participants' own.
pub(super) const BACKEND_QUESTIONS: u64 = 1 << 32;

impl Registry {
    pub(super) fn whom(&self, whom: &Whom) -> Result<(RoomId, ParticipantId), AdminError> {
        let room = self.room_named(&whom.room)?;
        let mut everybody = self.rooms[&room].participants.values();
        everybody
            .find(|them| them.identity == whom.identity)
            .map(|them| (room, them.id))
            .ok_or(AdminError::UnknownParticipant)
    }

    /// Sends away everybody of that identity, viewers too, and lets nobody back with a token made
    /// until now.
    pub(super) fn expel(&mut self, whom: &Whom, now_s: u64) -> Result<AdminReply, AdminError> {
        let (room, _) = self.whom(whom)?;
        let all = self.rooms[&room].participants.values();
        let theirs = all.filter(|them| them.identity == whom.identity);
        let theirs: Vec<_> = theirs.map(|them| (them.id, them.token_expires)).collect();
        let expires = theirs.iter().map(|(_, expires)| *expires).max();
        self.revoked
            .revoke(&whom.room, &whom.identity, now_s, expires.unwrap_or(now_s));
        for (who, _) in theirs {
            let closing = Some(ClosingReason::Removed);
            self.remove_participant(room, who, LeaveReason::Removed, closing);
        }
        self.close_if_empty(room);
        Ok(AdminReply::Done)
    }

    pub(super) fn mute_from_outside(
        &mut self,
        whom: &Whom,
        publication: &str,
        muted: bool,
    ) -> Result<AdminReply, AdminError> {
        let (room, who) = self.whom(whom)?;
        self.mute(room, who, publication, muted)
            .map_err(|_| AdminError::UnknownPublication)?;
        Ok(AdminReply::Done)
    }

    pub(super) fn change_participant(
        &mut self,
        whom: &Whom,
        change: &ParticipantChange,
        now_s: u64,
    ) -> Result<AdminReply, AdminError> {
        let (room, who) = self.whom(whom)?;
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let is_nameless = change.name.as_ref().is_some_and(String::is_empty);
        if is_nameless
            || length(&change.name) > MAX_SHOWN_NAME
            || length(&change.metadata) > MAX_METADATA
            || change.attributes.as_ref().is_some_and(is_too_much)
            || change.max_publish_bitrate > Some(BITRATE_MAX)
        {
            return Err(AdminError::OutOfRange);
        }
        self.describe(room, who, change);
        if let Some(before) = self.participant(room, who).map(|them| them.grants.clone()) {
            let grants = change.apply(before);
            if let Some(participant) = self.participant_mut(room, who)
                && participant.grants != grants
            {
                participant.moderated_s = Some(now_s);
            }
            self.permit(room, who, &grants);
        }
        let participant = self.participant(room, who);
        let participant = participant.ok_or(AdminError::UnknownParticipant)?;
        Ok(AdminReply::Participant(participant.info()))
    }

    /// Another name or other metadata.
    fn describe(&mut self, room: RoomId, who: ParticipantId, change: &ParticipantChange) {
        let Some(participant) = self.participant_mut(room, who) else {
            return;
        };
        let name = change.name.clone().filter(|name| *name != participant.name);
        let metadata = change
            .metadata
            .clone()
            .filter(|metadata| *metadata != participant.metadata);
        let attributes = change
            .attributes
            .clone()
            .filter(|attributes| *attributes != participant.attributes);
        if name.is_none() && metadata.is_none() && attributes.is_none() {
            return;
        }
        participant.name = name.unwrap_or_else(|| participant.name.clone());
        participant.metadata = metadata.unwrap_or_else(|| participant.metadata.clone());
        participant.attributes = attributes.unwrap_or_else(|| participant.attributes.clone());
        let message = ServerMessage::ParticipantUpdated {
            id: who.to_string(),
            name: participant.name.clone(),
            metadata: participant.metadata.clone(),
            attributes: participant.attributes.clone(),
        };
        if participant.grants.hidden {
            self.tell(room, who, message);
        } else {
            self.broadcast(room, None, message);
        }
    }

    /// Tells the encoders of a participant how much they may make.
    pub(super) fn limit_publishing(
        &mut self,
        room: RoomId,
        who: ParticipantId,
        limit: Option<Bitrate>,
    ) {
        let participant = self.participant(room, who);
        let session = participant.and_then(|them| them.session.as_ref());
        if let Some((peer, shard)) = session.map(|session| (session.peer, session.shard)) {
            let max_publish_bitrate = limit;
            let command = MediaCommand::LimitPublishing {
                peer,
                max_publish_bitrate,
            };
            self.command(shard, command);
        }
    }

    /// Asks the participant's shard; the answer comes as an event.
    pub(super) fn explain_to_backend(&mut self, whom: &Whom) -> Result<AdminReply, AdminError> {
        let (room, who) = self.whom(whom)?;
        let participant = self.participant(room, who);
        let session = participant.and_then(|them| them.session.as_ref());
        let (peer, shard) = session
            .map(|session| (session.peer, session.shard))
            .ok_or(AdminError::NoMedia)?;
        self.questions += 1;
        let request = BACKEND_QUESTIONS + self.questions;
        self.command(shard, MediaCommand::ExplainPeer { peer, request });
        Ok(AdminReply::Asked(request))
    }

    /// A shard has answered a backend's question.
    pub(super) fn answer_backend(&mut self, peer: PeerId, request: u64, quality: &PeerQuality) {
        let Some(&Seat { room, who, .. }) = self.peers.get(&peer) else {
            return;
        };
        let view = QualityView {
            network: quality.into(),
            slots: self.slot_explanations(room, who, quality),
        };
        self.outputs
            .push_back(Output::Answer(request, Box::new(view)));
    }
}

fn is_too_much(attributes: &BTreeMap<String, String>) -> bool {
    let (most, most_bytes) = ATTRIBUTES_MAX;
    let bytes: usize = attributes
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    attributes.len() > most || bytes > most_bytes
}
