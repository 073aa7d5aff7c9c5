//! All rooms of the server as one state machine without IO.
//!
//! Inputs are the `handle_*` methods; after each of them drain [`Registry::poll_output`] and ask
//! [`Registry::poll_timeout`]. Time and randomness are arguments. Invariants: a participant is in
//! one room; its peer is on one shard, and the peers of a room may be on several; a room without participants does not exist; whatever a
//! client sends changes nothing but its own participant.

mod admin;
mod chronicle;
mod data;
mod drain;
mod events;
mod follow;
mod http_sessions;
mod join;
mod leave;
mod moderate;
mod offer;
mod permit;
mod placement;
mod plan;
mod quality;
mod requests;
mod resume;
mod revoked;
mod spread;
#[cfg(test)]
mod tests;
mod token;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use drain::Draining;
use http_sessions::HttpSession;
use placement::{Placement, Seat};
use plenum_types::{ParticipantId, PeerId, RoomId};
use rand::Rng;
use revoked::Revoked;

use crate::config::SignalingConfig;
use crate::connection::{Connection, ConnectionId, Ending};
use crate::http_session::SessionKey;
use crate::ids::Ids;
use crate::messages::{ClientMessage, ClosingReason, ErrorCode, ParticipantKind, ServerMessage};
use crate::output::Output;
use crate::refusal::Refusal;
use crate::room::{Participant, Room};
use crate::stats::{Gauges, JoinCounters, JoinTimes};
use crate::token::Claims;

/// How long a connection may stay without joining. Longer lets idle sockets pile up.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// All rooms, participants and connections.
#[derive(Debug)]
pub(crate) struct Registry {
    config: Arc<SignalingConfig>,
    ids: Ids,
    rooms: BTreeMap<RoomId, Room>,
    names: BTreeMap<String, RoomId>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Sessions over plain HTTP, by the last part of their addresses.
    http_sessions: BTreeMap<SessionKey, HttpSession>,
    /// Where each peer is that a shard was told of; who a media event is about.
    peers: BTreeMap<PeerId, Seat>,
    placement: Placement,
    participants: usize,
    timers: BTreeSet<(Instant, Timer)>,
    outputs: VecDeque<Output>,
    joins: JoinCounters,
    join_times: JoinTimes,
    /// Counted as they come and go: going through all rooms for each message would not scale.
    publications: usize,
    slots: usize,
    closing: bool,
    draining: Option<Draining>,
    /// Tokens of those who were sent away.
    revoked: Revoked,
    /// Questions of backends to shards so far.
    questions: u64,
    /// The time of the latest input.
    now: Instant,
}

/// Something to look at when its time has come; it may have settled since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Join(ConnectionId),
    Grace(RoomId, ParticipantId),
    EmptyRoom(RoomId),
    /// A participant's token is about to expire.
    Token(RoomId, ParticipantId),
    Drain,
}

impl Registry {
    /// A server without rooms.
    pub(crate) fn new(config: Arc<SignalingConfig>, now: Instant) -> Self {
        let shards = config.candidates.len().max(1);
        Self {
            config,
            ids: Ids::default(),
            rooms: BTreeMap::new(),
            names: BTreeMap::new(),
            connections: BTreeMap::new(),
            http_sessions: BTreeMap::new(),
            peers: BTreeMap::new(),
            placement: Placement::new(shards),
            participants: 0,
            timers: BTreeSet::new(),
            outputs: VecDeque::new(),
            joins: JoinCounters::default(),
            join_times: JoinTimes::default(),
            publications: 0,
            slots: 0,
            closing: false,
            draining: None,
            revoked: Revoked::default(),
            questions: 0,
            now,
        }
    }

    /// From here on it is so late. Called before each input.
    pub(crate) const fn set_time(&mut self, now: Instant) {
        self.now = now;
    }

    /// From here on other limits and times are in force.
    pub(crate) fn set_config(&mut self, config: Arc<SignalingConfig>) {
        self.config = config;
    }

    /// A client has connected with a valid token.
    pub(crate) fn handle_connected(&mut self, now: Instant, id: ConnectionId, claims: Claims) {
        if self.closing {
            self.send(id, ServerMessage::closing(ClosingReason::Shutdown));
            return self.close(id, ClosingReason::Shutdown.close_code());
        }
        if self.connections.len() >= self.config.limits.connections {
            let refusal = Refusal::new(
                ErrorCode::ServerFull,
                "Try again later, or on another server: this one has all the clients it may have.",
            );
            return self.refuse_connection(id, &refusal);
        }
        let join_by = now + JOIN_TIMEOUT;
        self.timers.insert((join_by, Timer::Join(id)));
        self.connections.insert(
            id,
            Connection {
                claims,
                joined: None,
                join_by,
            },
        );
    }

    /// A client says something. Connections that are closed already are ignored.
    pub(crate) fn handle_message(
        &mut self,
        id: ConnectionId,
        message: ClientMessage,
        rng: &mut dyn Rng,
    ) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        match (connection.joined, message) {
            (joined, ClientMessage::Ping { at, received }) => {
                self.send(id, ServerMessage::Pong { at });
                self.acknowledge(joined, received);
            }
            (_, ClientMessage::Leave {}) => self.handle_leave(id),
            (None, ClientMessage::Join { room, name, sdk }) => {
                let kind = ParticipantKind::Standard;
                let wish = join::Wish {
                    room,
                    name,
                    sdk,
                    kind,
                };
                self.handle_join(id, &wish, rng);
            }
            (
                None,
                ClientMessage::Resume {
                    room,
                    participant,
                    secret,
                    received,
                },
            ) => {
                let stay = resume::Stay {
                    room,
                    participant,
                    secret,
                    received,
                };
                self.handle_resume(id, &stay);
            }
            (None, _) => self.send(
                id,
                ServerMessage::error(ErrorCode::NotJoined, "Send join first."),
            ),
            (Some(_), ClientMessage::Join { .. } | ClientMessage::Resume { .. }) => self.send(
                id,
                ServerMessage::error(
                    ErrorCode::AlreadyJoined,
                    "Send join once; open another WebSocket for another room.",
                ),
            ),
            (Some((room, participant)), message) => {
                self.handle_request(room, participant, message, rng);
            }
        }
    }

    /// A client's WebSocket is gone.
    pub(crate) fn handle_disconnected(&mut self, now: Instant, id: ConnectionId, ending: Ending) {
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        self.timers.remove(&(connection.join_by, Timer::Join(id)));
        let Some((room, participant)) = connection.joined else {
            return;
        };
        match ending {
            Ending::Left => self.leave_quietly(room, participant),
            Ending::Lost => self.begin_grace(now, room, participant),
        }
    }

    /// Does what is due at `now`.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        while let Some(&(due, timer)) = self.timers.first()
            && due <= now
        {
            self.timers.pop_first();
            match timer {
                Timer::Join(id) => self.end_unjoined(id),
                Timer::Grace(room, participant) => self.end_grace(now, room, participant),
                Timer::EmptyRoom(room) => self.end_empty_room(room),
                Timer::Token(room, participant) => self.warn_of_expiry(room, participant),
                Timer::Drain => self.drain_next(),
            }
        }
    }

    /// When to call [`Self::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// The next thing to do.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How much there is of everything.
    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            rooms: self.rooms.len(),
            participants: self.participants,
            publications: self.publications,
            slots: self.slots,
            connections: self.connections.len(),
            joins: self.joins,
            join_times: self.join_times,
            draining: self.draining.is_some(),
        }
    }

    /// Who a connection is, once it has joined.
    pub(crate) fn participant_of(&self, id: ConnectionId) -> Option<ParticipantId> {
        let joined = self.connections.get(&id)?.joined;
        joined.map(|(_, participant)| participant)
    }

    fn participant(&self, room: RoomId, id: ParticipantId) -> Option<&Participant> {
        self.rooms.get(&room)?.participants.get(&id)
    }

    fn participant_mut(&mut self, room: RoomId, id: ParticipantId) -> Option<&mut Participant> {
        self.rooms.get_mut(&room)?.participants.get_mut(&id)
    }

    fn send(&mut self, to: ConnectionId, message: ServerMessage) {
        self.send_shared(vec![to], Arc::new(message));
    }

    fn send_shared(&mut self, to: Vec<ConnectionId>, message: Arc<ServerMessage>) {
        if !to.is_empty() {
            self.outputs.push_back(Output::Send { to, message });
        }
    }

    /// A client has the first `received` events.
    fn acknowledge(&mut self, joined: Option<(RoomId, ParticipantId)>, received: Option<u64>) {
        let participant = joined.and_then(|(room, who)| self.participant_mut(room, who));
        if let (Some(participant), Some(received)) = (participant, received) {
            participant.events.acknowledge(received);
        }
    }

    /// Sends to a participant; events also if its WebSocket is not there, for when it is back.
    fn tell(&mut self, room: RoomId, id: ParticipantId, message: ServerMessage) {
        let message = Arc::new(message);
        let participant = self.participant_mut(room, id);
        let connection = participant.and_then(|participant| participant.record(&message));
        self.send_shared(connection.into_iter().collect(), message);
    }

    /// Sends to everybody in the room but `except`.
    fn broadcast(&mut self, room: RoomId, except: Option<ParticipantId>, message: ServerMessage) {
        let message = Arc::new(message);
        let to = self
            .rooms
            .get_mut(&room)
            .map(|room| room.record(except, &message))
            .unwrap_or_default();
        self.send_shared(to, message);
    }

    /// Tells why, and closes.
    fn refuse_connection(&mut self, id: ConnectionId, refusal: &Refusal) {
        self.send(id, refusal.message(true, None));
        self.close(id, refusal.code.close_code());
    }

    fn close(&mut self, connection: ConnectionId, code: crate::messages::CloseCode) {
        if let Some(known) = self.connections.remove(&connection) {
            self.timers
                .remove(&(known.join_by, Timer::Join(connection)));
        }
        self.outputs.push_back(Output::Close { connection, code });
    }
}
