//! A person in a room, for one stay.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use plenum_types::{ParticipantId, PublicationId, Secret};

use super::event_log::EventLog;
use super::{Publication, Session};
use crate::connection::ConnectionId;
use crate::http_session::SessionKey;
use crate::messages::{ParticipantInfo, ParticipantKind, SelfInfo, ServerMessage, WantedLayer};
use crate::token::Grants;

/// A participant.
#[derive(Debug)]
pub(crate) struct Participant {
    pub(crate) id: ParticipantId,
    pub(crate) identity: String,
    pub(crate) name: String,
    pub(crate) metadata: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) grants: Grants,
    pub(crate) kind: ParticipantKind,
    /// The identity whose tracks a viewer's slots are pinned to.
    pub(crate) follows: Option<String>,
    /// Its session over plain HTTP, in place of a WebSocket.
    pub(crate) http: Option<SessionKey>,
    /// Seconds since 1970 until which its token is valid.
    pub(crate) token_expires: u64,
    /// When it is warned that its token expires.
    pub(crate) token_warning: Option<Instant>,
    /// Seconds since 1970 at which a backend changed its grants last.
    pub(crate) moderated_s: Option<u64>,
    /// None while the WebSocket is lost.
    pub(crate) connection: Option<ConnectionId>,
    /// When it is given up, while the WebSocket is lost.
    pub(crate) gone_at: Option<Instant>,
    /// When it came, until its first offer is answered; none without a WebSocket.
    pub(crate) awaits_offer: Option<Instant>,
    /// What proves that somebody comes back into this stay; none without a WebSocket.
    pub(crate) resume_secret: Option<Secret>,
    /// What it was told, in case that it comes back.
    pub(crate) events: EventLog,
    /// None before the first offer.
    pub(crate) session: Option<Session>,
}

impl Participant {
    /// Notes what it is told; the connection to tell it by, if that is there.
    pub(crate) fn record(&mut self, message: &Arc<ServerMessage>) -> Option<ConnectionId> {
        if self.resume_secret.is_some() && message.is_event() {
            self.events.record(message);
        }
        self.connection
    }

    /// What it publishes, oldest first.
    pub(crate) fn publications(&self) -> Vec<&Publication> {
        let mut publications: Vec<&Publication> = self
            .session
            .iter()
            .flat_map(Session::publications)
            .collect();
        publications.sort_unstable_by_key(|publication| publication.id);
        publications
    }

    /// The encodings of a publication of its own, with what is said of each.
    pub(crate) fn wanted_layers(
        &self,
        publication: PublicationId,
        wanted: &[bool],
    ) -> Option<Vec<WantedLayer>> {
        let session = self.session.as_ref()?;
        let publication = session.publications().find(|own| own.id == publication)?;
        let layers = publication.encodings.iter().zip(wanted);
        Some(
            layers
                .map(|(encoding, wanted)| WantedLayer {
                    rid: encoding.rid.as_ref().map(ToString::to_string),
                    wanted: *wanted,
                })
                .collect(),
        )
    }

    /// What the others are told.
    pub(crate) fn info(&self) -> ParticipantInfo {
        ParticipantInfo {
            id: self.id.to_string(),
            identity: self.identity.clone(),
            name: self.name.clone(),
            metadata: self.metadata.clone(),
            attributes: self.attributes.clone(),
            kind: self.kind,
            publications: self
                .publications()
                .into_iter()
                .map(Publication::info)
                .collect(),
        }
    }

    /// What it is told of itself.
    pub(crate) fn self_info(&self) -> SelfInfo {
        SelfInfo {
            id: self.id.to_string(),
            identity: self.identity.clone(),
            name: self.name.clone(),
            metadata: self.metadata.clone(),
            attributes: self.attributes.clone(),
        }
    }
}
