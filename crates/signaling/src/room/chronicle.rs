//! What happens in a room, as its backend is told: numbered from 1, without gaps.
//!
//! Invariants: the first event is `roomStarted` and the last `roomFinished`; everybody who joins
//! leaves before it, and every publication that starts ends before its participant leaves.

use std::collections::BTreeMap;

use plenum_types::RoomId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Participant;
use crate::messages::{ParticipantKind, PublicationInfo};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "event",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Happening {
    /// The room is open.
    RoomStarted {},
    /// The room is closed.
    RoomFinished {},
    /// Somebody came; hidden ones and viewers by WHEP as well.
    ParticipantJoined {
        /// Who.
        participant: Person,
    },
    /// Somebody is gone.
    ParticipantLeft {
        /// Who, as last known.
        participant: Person,
        /// `left`, `connectionLost`, `replaced`, `removed`, `roomClosed`, `misbehaved`,
        /// `serverShutdown` or `serverRestarted`.
        reason: String,
    },
    /// A track is published.
    PublicationStarted {
        /// By whom.
        participant: Person,
        /// What.
        publication: PublicationInfo,
    },
    /// A track is published no longer.
    PublicationEnded {
        /// By whom.
        participant: Person,
        /// What, as it started.
        publication: PublicationInfo,
    },
    /// Somebody else speaks than before, louder than the others. Told at most once a second.
    ActiveSpeaker {
        /// Who.
        participant: Person,
    },
    /// A media connection failed. What becomes of its participant is told as well.
    ConnectionFailed {
        /// Whose.
        participant: Person,
        /// `connectTimeout`, `consentExpired`, `dtlsFailed` or `internalError`.
        reason: String,
    },
}

/// A participant, as a backend is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// `PA_...`.
    pub id: String,
    /// `sub` of its token.
    pub identity: String,
    /// Shown name.
    pub name: String,
    /// `metadata` of its token, or what a backend set since.
    pub metadata: String,
    /// Likewise.
    pub attributes: BTreeMap<String, String>,
    /// What it is.
    pub kind: ParticipantKind,
}

/// An event of a room, before it has a date.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Noted {
    pub(crate) room: RoomId,
    pub(crate) name: String,
    pub(crate) number: u64,
    pub(crate) happening: Happening,
}

impl Person {
    pub(crate) fn of(participant: &Participant) -> Self {
        Self {
            id: participant.id.to_string(),
            identity: participant.identity.clone(),
            name: participant.name.clone(),
            metadata: participant.metadata.clone(),
            attributes: participant.attributes.clone(),
            kind: participant.kind,
        }
    }
}
