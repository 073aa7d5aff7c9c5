//! Leaving a room, in all the ways there are.

use std::sync::Arc;
use std::time::Instant;

use plenum_types::{MediaCommand, ParticipantId, PeerId, PublicationId, RoomId, ShardId};

use super::{Registry, Timer};
use crate::connection::ConnectionId;
use crate::messages::{ClosingReason, ErrorCode, LeaveReason, ServerMessage};
use crate::output::Output;
use crate::refusal::Refusal;

impl Registry {
    /// The client says goodbye.
    pub(super) fn handle_leave(&mut self, id: ConnectionId) {
        let closing = ClosingReason::Left;
        match self.connections.get(&id).and_then(|known| known.joined) {
            Some((room, participant)) => {
                self.remove_participant(room, participant, LeaveReason::Left, Some(closing));
                self.close_if_empty(room);
            }
            None => {
                self.send(id, ServerMessage::closing(closing));
                self.close(id, closing.close_code());
            }
        }
    }

    /// The client closed its WebSocket on purpose.
    pub(super) fn leave_quietly(&mut self, room: RoomId, participant: ParticipantId) {
        self.remove_participant(room, participant, LeaveReason::Left, None);
        self.close_if_empty(room);
    }

    /// The WebSocket is lost; media flows on for a while.
    pub(super) fn begin_grace(&mut self, now: Instant, room: RoomId, id: ParticipantId) {
        let gone_at = now + self.config.grace;
        if let Some(participant) = self.participant_mut(room, id) {
            participant.connection = None;
            participant.gone_at = Some(gone_at);
            self.timers.insert((gone_at, Timer::Grace(room, id)));
        }
    }

    /// The grace period is over, unless the participant is back.
    pub(super) fn end_grace(&mut self, now: Instant, room: RoomId, id: ParticipantId) {
        let over = self
            .participant(room, id)
            .and_then(|participant| participant.gone_at)
            .is_some_and(|gone_at| gone_at <= now);
        if over {
            self.remove_participant(room, id, LeaveReason::ConnectionLost, None);
            self.close_if_empty(room);
        }
    }

    /// The client connected and did not join.
    pub(super) fn end_unjoined(&mut self, id: ConnectionId) {
        let unjoined = self
            .connections
            .get(&id)
            .is_some_and(|connection| connection.joined.is_none());
        if unjoined {
            let refusal = Refusal::new(
                ErrorCode::NotJoined,
                "Send join within 10 seconds of connecting.",
            );
            self.refuse_connection(id, &refusal);
        }
    }

    /// Tells everybody that the server goes away, and lets go of all.
    pub(crate) fn handle_shutdown(&mut self) {
        self.closing = true;
        self.note_shutdown();
        let everybody: Vec<ConnectionId> = self.connections.keys().copied().collect();
        let message = Arc::new(ServerMessage::closing(ClosingReason::Shutdown));
        self.send_shared(everybody.clone(), message);
        for id in everybody {
            self.close(id, ClosingReason::Shutdown.close_code());
        }
        let rooms = std::mem::take(&mut self.rooms);
        for room in rooms.into_values() {
            let sessions = room
                .participants
                .into_values()
                .filter_map(|participant| participant.session);
            self.outputs.extend(sessions.map(|session| {
                let peer = session.peer;
                Output::Media(session.shard, MediaCommand::RemovePeer { peer })
            }));
            if room.shards.len() > 1 {
                self.outputs.extend(room.shards.keys().map(|shard| {
                    let room = room.id;
                    Output::Media(*shard, MediaCommand::ForgetRoom { room })
                }));
            }
        }
        self.names.clear();
        for seat in std::mem::take(&mut self.peers).into_values() {
            self.placement.change(seat.shard, seat.load, 0);
        }
        self.timers.clear();
        self.http_sessions.clear();
        self.participants = 0;
        self.publications = 0;
        self.slots = 0;
    }

    /// Handling a message of this client failed in a way that should not happen: it is given up,
    /// with whatever it had, even if that is only half known.
    pub(crate) fn handle_panic(&mut self, id: ConnectionId) {
        let joined = self.connections.get(&id).and_then(|known| known.joined);
        let refusal = Refusal::new(ErrorCode::Internal, "Try again: the server failed.");
        self.refuse_connection(id, &refusal);
        if let Some((room, who)) = joined {
            self.give_up(room, who);
        }
    }

    /// Ends a participant of whom perhaps only half is known.
    pub(super) fn give_up(&mut self, room: RoomId, who: ParticipantId) {
        let peers: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, seat)| (seat.room, seat.who) == (room, who))
            .map(|(peer, seat)| (*peer, seat.shard))
            .collect();
        for (peer, shard) in peers {
            self.command(shard, MediaCommand::RemovePeer { peer });
            self.close_seat(peer);
        }
        self.remove_participant(room, who, LeaveReason::ConnectionLost, None);
        self.close_if_empty(room);
    }

    /// Takes a participant out of its room: ends its media, tells the others, and, with
    /// `closing`, tells and closes its own connection. The room stays, even if empty.
    pub(super) fn remove_participant(
        &mut self,
        room_id: RoomId,
        id: ParticipantId,
        reason: LeaveReason,
        closing: Option<ClosingReason>,
    ) {
        self.note_leaving(room_id, id, reason.as_str());
        let Some(room) = self.rooms.get_mut(&room_id) else {
            return;
        };
        let Some(participant) = room.participants.remove(&id) else {
            return;
        };
        let owned = room.owners.iter().filter(|(_, owner)| **owner == id);
        let owned: Vec<PublicationId> = owned.map(|(publication, _)| *publication).collect();
        room.owners.retain(|_, owner| *owner != id);
        self.publications -= owned.len();
        self.slots -= participant
            .session
            .as_ref()
            .map_or(0, |session| session.slots().count());
        self.participants -= 1;
        if let Some(gone_at) = participant.gone_at {
            self.timers.remove(&(gone_at, Timer::Grace(room_id, id)));
        }
        if let Some(due) = participant.token_warning {
            self.timers.remove(&(due, Timer::Token(room_id, id)));
        }
        if let Some(key) = &participant.http {
            self.http_sessions.remove(key);
        }
        if let Some(session) = &participant.session {
            self.end_session(room_id, session.peer, session.shard, &owned);
        }
        if let (Some(connection), Some(closing)) = (participant.connection, closing) {
            self.send(connection, ServerMessage::closing(closing));
            self.close(connection, closing.close_code());
        }
        if !participant.grants.hidden {
            let id = id.to_string();
            self.broadcast(room_id, None, ServerMessage::ParticipantLeft { id, reason });
        }
    }

    /// A peer goes with all it published. One that has closed by itself is no longer seated.
    fn end_session(
        &mut self,
        room: RoomId,
        peer: PeerId,
        shard: ShardId,
        published: &[PublicationId],
    ) {
        for publication in published {
            let publication = *publication;
            let command = MediaCommand::RemovePublication { publication };
            self.command_others(room, shard, &command);
        }
        if self.peers.contains_key(&peer) {
            self.command(shard, MediaCommand::RemovePeer { peer });
            self.close_seat(peer);
        }
    }
}
