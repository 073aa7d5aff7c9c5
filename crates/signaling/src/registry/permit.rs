//! Other grants during a stay: from a backend, or from a new token.

use plenum_types::{MediaCommand, ParticipantId, RoomId, SlotId, SlotWish};

use super::Registry;
use crate::messages::ServerMessage;
use crate::room::{Participant, Session};
use crate::token::Grants;

impl Registry {
    /// From here on these are in force. What is published and no longer allowed ends.
    pub(super) fn permit(&mut self, room: RoomId, who: ParticipantId, grants: &Grants) {
        let Some(participant) = self.participant_mut(room, who) else {
            return;
        };
        if participant.grants == *grants {
            return;
        }
        let before = std::mem::replace(&mut participant.grants, grants.clone());
        let ended = no_longer_allowed(participant);
        let wishes = other_wishes(participant, &before);
        for publication in ended {
            // It was there a moment ago.
            let _ = self.unpublish(room, who, &publication);
            let participant = who.to_string();
            let message = ServerMessage::Unpublished {
                participant,
                publication,
            };
            self.tell(room, who, message);
        }
        self.change_wishes(room, who, wishes);
        if grants.publish_limit() != before.publish_limit() {
            self.limit_publishing(room, who, grants.publish_limit());
        }
        if grants.info().can_publish_data != before.info().can_publish_data {
            self.tell_data_access(room, who);
        }
        let grants = grants.info();
        self.tell(room, who, ServerMessage::GrantsChanged { grants });
    }

    fn change_wishes(&mut self, room: RoomId, who: ParticipantId, wishes: Vec<(SlotId, SlotWish)>) {
        let session = self
            .participant(room, who)
            .and_then(|them| them.session.as_ref());
        let Some((peer, shard)) = session.map(|session| (session.peer, session.shard)) else {
            return;
        };
        for (slot, wish) in wishes {
            self.command(shard, MediaCommand::SetSlotWish { peer, slot, wish });
        }
    }
}

/// What it publishes against its grants, the newest first where there is too much.
fn no_longer_allowed(participant: &Participant) -> Vec<String> {
    let grants = &participant.grants;
    let publications = participant.publications();
    let (allowed, ended): (Vec<_>, Vec<_>) = publications
        .into_iter()
        .partition(|publication| grants.may_publish(publication.source));
    let beyond = allowed.into_iter().skip(grants.publications(usize::MAX));
    let ended = ended.into_iter().chain(beyond);
    ended
        .map(|publication| publication.id.to_string())
        .collect()
}

/// What the shard must be told of its slots.
fn other_wishes(participant: &Participant, before: &Grants) -> Vec<(SlotId, SlotWish)> {
    let slots = participant.session.iter().flat_map(Session::slots);
    slots
        .filter_map(|slot| {
            let now = participant.grants.permitted(slot.wish);
            (now != before.permitted(slot.wish)).then_some((slot.id, now))
        })
        .collect()
}
