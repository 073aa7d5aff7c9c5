//! Coming back after the WebSocket was lost, into the same stay: media has gone on, and what
//! happened meanwhile is told.

use plenum_types::{ParticipantId, RoomId};
use subtle::ConstantTimeEq;

use super::{Registry, Timer};
use crate::connection::ConnectionId;
use crate::ids;
use crate::messages::{ClosingReason, ErrorCode, ServerMessage};
use crate::refusal::Refusal;

/// What a client that comes back says.
pub(super) struct Stay {
    pub(super) room: Option<String>,
    /// `PA_...`.
    pub(super) participant: String,
    pub(super) secret: String,
    /// Events that it has.
    pub(super) received: u64,
}

impl Registry {
    /// A refusal leaves the connection open: the client may join on it.
    pub(super) fn handle_resume(&mut self, connection: ConnectionId, stay: &Stay) {
        match self.find_stay(connection, stay) {
            Ok((room, who)) => self.resume(connection, room, who, stay.received),
            Err(refusal) => self.send(connection, refusal.message(false, None)),
        }
    }

    fn find_stay(
        &self,
        connection: ConnectionId,
        stay: &Stay,
    ) -> Result<(RoomId, ParticipantId), Refusal> {
        let claims = &self.connections.get(&connection).ok_or_else(over)?.claims;
        let name = claims.video.room_for(stay.room.as_deref())?;
        let room = *self.names.get(&name).ok_or_else(over)?;
        let who = ids::participant_id(&stay.participant).ok_or_else(over)?;
        let participant = self.participant(room, who).ok_or_else(over)?;
        let is_theirs = participant.identity == claims.sub
            && participant
                .resume_secret
                .as_ref()
                .is_some_and(|secret| is_same(&secret.0, &stay.secret));
        if !is_theirs || participant.events.after(stay.received).is_none() {
            return Err(over());
        }
        Ok((room, who))
    }

    fn resume(
        &mut self,
        connection: ConnectionId,
        room: RoomId,
        who: ParticipantId,
        received: u64,
    ) {
        let Some(participant) = self.participant_mut(room, who) else {
            return;
        };
        let missed = participant.events.after(received).unwrap_or_default();
        participant.events.acknowledge(received);
        let before = participant.connection.replace(connection);
        if let Some(gone_at) = participant.gone_at.take() {
            self.timers.remove(&(gone_at, Timer::Grace(room, who)));
        }
        if let Some(before) = before {
            // Its end was not noticed yet.
            self.send(before, ServerMessage::closing(ClosingReason::Replaced));
            self.close(before, ClosingReason::Replaced.close_code());
        }
        if let Some(known) = self.connections.get_mut(&connection) {
            known.joined = Some((room, who));
            self.timers
                .remove(&(known.join_by, Timer::Join(connection)));
        }
        if let Some(known) = self.connections.get(&connection) {
            let (expires, expiry) = (known.claims.exp, self.expiry(connection, &known.claims));
            if let Some(participant) = self.participant_mut(room, who) {
                participant.token_expires = expires;
            }
            self.watch_token(room, who, expiry);
        }
        self.joins.resumed += 1;
        let resumed = ServerMessage::Resumed {
            missed: missed.len(),
        };
        self.send(connection, resumed);
        for event in missed {
            self.send_shared(vec![connection], event);
        }
    }
}

/// In constant time.
fn is_same(secret: &str, told: &str) -> bool {
    secret.as_bytes().ct_eq(told.as_bytes()).into()
}

/// One answer for all that is wrong, so that nothing can be found out by asking.
fn over() -> Refusal {
    Refusal::new(
        ErrorCode::ResumeFailed,
        "Join anew: this stay is over, or too much has happened since.",
    )
}
