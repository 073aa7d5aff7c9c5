//! Joining a room.

use plenum_types::{ParticipantId, RoomId, Secret};
use rand::Rng;

use super::{JOIN_TIMEOUT, Registry, Timer};
use crate::connection::ConnectionId;
use crate::ids;
use crate::messages::{
    ClosingReason, ErrorCode, LeaveReason, PROTOCOL_VERSION, ParticipantKind, ServerMessage,
};
use crate::refusal::Refusal;
use crate::room::{EventLog, Happening, Participant, Person, Room, RoomSettings};
use crate::token::Claims;

/// Longest room name or identity, bytes.
pub(super) const MAX_NAME: usize = 128;
/// Longest shown name, bytes.
pub(super) const MAX_SHOWN_NAME: usize = 256;
/// Random characters of a resume secret: 24 of 64 make 144 bits.
const RESUME_SECRET_CHARACTERS: usize = 24;

/// What a client asks for.
pub(super) struct Wish {
    pub(super) room: Option<String>,
    pub(super) name: Option<String>,
    pub(super) sdk: Option<String>,
    pub(super) kind: ParticipantKind,
}

impl Registry {
    pub(super) fn handle_join(&mut self, connection: ConnectionId, wish: &Wish, rng: &mut dyn Rng) {
        let Some(known) = self.connections.get(&connection) else {
            return;
        };
        let claims = known.claims.clone();
        match self.admit(&claims, wish) {
            Ok((room, replaced)) => {
                tracing::debug!(%room, sdk = ?wish.sdk, "joined");
                self.enter(connection, room, replaced, claims, wish, rng);
            }
            Err(refusal) if refusal.code == ErrorCode::BadMessage => {
                self.send(connection, refusal.message(false, None));
            }
            Err(refusal) => {
                self.joins.refused += 1;
                self.refuse_connection(connection, &refusal);
            }
        }
    }

    /// Finds or makes the room, and tells whom the newcomer replaces.
    pub(super) fn admit(
        &mut self,
        claims: &Claims,
        wish: &Wish,
    ) -> Result<(RoomId, Option<ParticipantId>), Refusal> {
        self.check_open()?;
        let name = claims.video.room_for(wish.room.as_deref())?;
        check_length("the room's name", &name, MAX_NAME)?;
        check_length("the identity", &claims.sub, MAX_NAME)?;
        check_length("the name", shown_name(claims, wish), MAX_SHOWN_NAME)?;
        if self.revoked.is_revoked(&name, claims) {
            return Err(Refusal::new(
                ErrorCode::Removed,
                "Ask the app for a new token: you were removed from the room.",
            ));
        }
        let Some(room) = self.names.get(&name).and_then(|id| self.rooms.get(id)) else {
            return Ok((self.open_room(name, RoomSettings::default())?, None));
        };
        // Viewers replace nobody: one token may open many of them.
        let replaced = match wish.kind {
            ParticipantKind::Egress => None,
            _ => room.by_identity(&claims.sub),
        };
        if replaced.is_none() && room.participants.len() >= self.most_participants(&room.settings) {
            return Err(Refusal::new(
                ErrorCode::RoomFull,
                "Try again when somebody has left: the room is full.",
            ));
        }
        Ok((room.id, replaced))
    }

    pub(super) fn open_room(
        &mut self,
        name: String,
        settings: RoomSettings,
    ) -> Result<RoomId, Refusal> {
        if self.rooms.len() >= self.config.limits.rooms {
            return Err(Refusal::new(
                ErrorCode::ServerFull,
                "Try again later, or on another server: this one has all the rooms it may have.",
            ));
        }
        let id = self.ids.room();
        self.names.insert(name.clone(), id);
        self.rooms.insert(id, Room::new(id, name, settings));
        self.note(id, Happening::RoomStarted {});
        Ok(id)
    }

    fn enter(
        &mut self,
        connection: ConnectionId,
        room_id: RoomId,
        replaced: Option<ParticipantId>,
        claims: Claims,
        wish: &Wish,
        rng: &mut dyn Rng,
    ) {
        let id = self.make_place(room_id, replaced);
        let verified_s = claims.verified_s;
        let expiry = self.expiry(connection, &claims);
        if let Some(known) = self.connections.get_mut(&connection) {
            known.joined = Some((room_id, id));
            let connected = known.join_by - JOIN_TIMEOUT;
            let took = self.now.saturating_duration_since(connected);
            self.join_times.note_entered(took);
            self.timers
                .remove(&(known.join_by, Timer::Join(connection)));
        }
        let participant = Participant {
            id,
            name: shown_name(&claims, wish).to_owned(),
            identity: claims.sub,
            token_expires: claims.exp,
            token_warning: None,
            moderated_s: None,
            metadata: claims.metadata.unwrap_or_default(),
            attributes: claims.attributes,
            grants: claims.video,
            kind: wish.kind,
            follows: None,
            http: None,
            connection: Some(connection),
            gone_at: None,
            awaits_offer: Some(self.now),
            resume_secret: Some(Secret(ids::random_text(RESUME_SECRET_CHARACTERS, rng))),
            events: EventLog::default(),
            session: None,
        };
        self.welcome(room_id, &participant, verified_s);
        self.settle(room_id, participant);
        self.watch_token(room_id, id, expiry);
        self.tell_who_speaks(room_id, id);
    }

    /// Sends away whom the newcomer replaces; the newcomer's id.
    pub(super) fn make_place(
        &mut self,
        room_id: RoomId,
        replaced: Option<ParticipantId>,
    ) -> ParticipantId {
        if let Some(replaced) = replaced {
            self.joins.replaced += 1;
            let closing = Some(ClosingReason::Replaced);
            self.remove_participant(room_id, replaced, LeaveReason::Replaced, closing);
        }
        self.joins.accepted += 1;
        self.ids.participant()
    }

    /// Tells the others of the newcomer, who is in the room from here on.
    pub(super) fn settle(&mut self, room_id: RoomId, participant: Participant) {
        if !participant.grants.hidden {
            let message = ServerMessage::ParticipantJoined {
                participant: participant.info(),
            };
            self.broadcast(room_id, None, message);
        }
        let person = Person::of(&participant);
        if let Some(room) = self.rooms.get_mut(&room_id) {
            self.participants += 1;
            room.participants.insert(participant.id, participant);
            if let Some(due) = room.empty_until.take() {
                self.timers.remove(&(due, Timer::EmptyRoom(room_id)));
            }
        }
        self.note(
            room_id,
            Happening::ParticipantJoined {
                participant: person,
            },
        );
    }

    /// Tells the newcomer where it is.
    fn welcome(&mut self, room_id: RoomId, them: &Participant, verified_s: u64) {
        let (Some(room), Some(connection)) = (self.rooms.get(&room_id), them.connection) else {
            return;
        };
        let ice_servers = self.config.ice_servers.iter();
        let ice_servers = ice_servers.map(|server| server.for_client(&them.identity, verified_s));
        let joined = ServerMessage::Joined {
            protocol: PROTOCOL_VERSION,
            server: self.config.server.clone(),
            participant: them.self_info(),
            room: room.info(),
            participants: room.others(them.id),
            ice_servers: ice_servers.map(|server| server.rtc_ice_server()).collect(),
            limits: self.config.limits.info(),
            resume_secret: them.resume_secret.clone().map(|secret| secret.0),
            grants: them.grants.info(),
        };
        self.send(connection, joined);
    }

    fn tell_who_speaks(&mut self, room: RoomId, who: ParticipantId) {
        let speaking = self
            .rooms
            .get(&room)
            .filter(|room| !room.told_speakers.is_empty());
        if let Some(message) = speaking.map(Room::speakers_message) {
            self.tell(room, who, message);
        }
    }
}

pub(super) fn shown_name<'a>(claims: &'a Claims, wish: &'a Wish) -> &'a str {
    let told = claims.name.as_deref().filter(|name| !name.is_empty());
    told.or(wish.name.as_deref())
        .filter(|name| !name.is_empty())
        .unwrap_or(&claims.sub)
}

fn check_length(what: &str, text: &str, most: usize) -> Result<(), Refusal> {
    if text.len() <= most {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::TooLarge,
        format!("Keep {what} at or below {most} bytes."),
    ))
}
