//! Tokens that expire during a stay: a warning, and another token in their place.

use std::time::{Duration, Instant};

use plenum_types::{ParticipantId, RoomId};

use super::{JOIN_TIMEOUT, Registry, Timer};
use crate::connection::ConnectionId;
use crate::messages::{ErrorCode, ServerMessage};
use crate::refusal::Refusal;
use crate::token::Claims;

/// How long before its end a token's bearer is warned; of a token that lives for less than ten
/// times as long, a tenth of its life.
const WARNING: Duration = Duration::from_secs(60);

/// When a token ends, and how long before that its bearer is warned.
#[derive(Clone, Copy)]
pub(super) struct Expiry {
    ends: Instant,
    warning: Duration,
}

impl Registry {
    /// When the token that `connection` came with ends.
    pub(super) fn expiry(&self, connection: ConnectionId, claims: &Claims) -> Expiry {
        let known = self.connections.get(&connection);
        // The clocks met when the connection was made.
        let verified = known.map_or(self.now, |known| known.join_by - JOIN_TIMEOUT);
        expiry_of(claims, verified)
    }

    /// Warns the participant in time.
    pub(super) fn watch_token(&mut self, room: RoomId, who: ParticipantId, expiry: Expiry) {
        let due = expiry.ends.checked_sub(expiry.warning).unwrap_or(self.now);
        let Some(participant) = self.participant_mut(room, who) else {
            return;
        };
        let before = participant.token_warning.replace(due);
        if let Some(before) = before {
            self.timers.remove(&(before, Timer::Token(room, who)));
        }
        self.timers.insert((due, Timer::Token(room, who)));
    }

    /// It is time to warn.
    pub(super) fn warn_of_expiry(&mut self, room: RoomId, who: ParticipantId) {
        let Some(participant) = self.participant_mut(room, who) else {
            return;
        };
        participant.token_warning = None;
        self.tell(room, who, ServerMessage::TokenExpiring {});
    }

    /// A client has shown another valid token.
    pub(crate) fn handle_refreshed(&mut self, connection: ConnectionId, id: u32, claims: &Claims) {
        let answer = match self.refresh(connection, claims) {
            Ok(()) => ServerMessage::TokenRefreshed {
                id,
                expires: claims.exp,
            },
            Err(refusal) => refusal.message(false, Some(id)),
        };
        self.send(connection, answer);
    }

    fn refresh(&mut self, connection: ConnectionId, claims: &Claims) -> Result<(), Refusal> {
        let joined = self
            .connections
            .get(&connection)
            .and_then(|known| known.joined);
        let (room, who) = joined.ok_or_else(|| {
            Refusal::new(
                ErrorCode::NotJoined,
                "Send join first: it uses the token of the connection.",
            )
        })?;
        let name = self.rooms.get(&room).map(|room| room.name.clone());
        let name = name.unwrap_or_default();
        claims.video.room_for(Some(&name))?;
        if self.revoked.is_revoked(&name, claims) {
            return Err(Refusal::new(
                ErrorCode::TokenInvalid,
                "Ask the app for a newer token: this one was made before its bearer was removed.",
            ));
        }
        let now = self.now;
        let Some(participant) = self.participant_mut(room, who) else {
            return Ok(());
        };
        if participant.identity != claims.sub {
            return Err(Refusal::new(
                ErrorCode::TokenInvalid,
                "Show a token with the identity (sub) that joined.",
            ));
        }
        participant.token_expires = claims.exp;
        let is_newer = participant
            .moderated_s
            .is_none_or(|moderated| claims.iat.or(claims.nbf) > Some(moderated));
        if let Some(known) = self.connections.get_mut(&connection) {
            known.claims = claims.clone();
        }
        self.watch_token(room, who, expiry_of(claims, now));
        if is_newer {
            self.permit(room, who, &claims.video);
        }
        Ok(())
    }
}

fn expiry_of(claims: &Claims, verified: Instant) -> Expiry {
    let left = Duration::from_secs(claims.exp.saturating_sub(claims.verified_s));
    let made = claims.iat.unwrap_or(claims.verified_s).min(claims.exp);
    let life = Duration::from_secs(claims.exp - made);
    Expiry {
        // A century is as good as for ever, and an `Instant` can hold it.
        ends: verified + left.min(Duration::from_secs(100 * 365 * 86_400)),
        warning: WARNING.min(life / 10),
    }
}
