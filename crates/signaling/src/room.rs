//! A room: its participants, in the order in which they came, and the shards that carry them.

pub(crate) mod chronicle;
mod event_log;
mod participant;
mod publication;
mod session;
mod slot;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plenum_types::{ParticipantId, PublicationId, RoomId, ShardId, SlotPolicy, Speaker};

pub(crate) use chronicle::{Happening, Noted, Person};
pub(crate) use event_log::EventLog;
pub(crate) use participant::Participant;
pub(crate) use publication::Publication;
pub(crate) use session::{Line, Session};
pub(crate) use slot::{Slot, WishChange};

use crate::connection::ConnectionId;
use crate::messages::{
    CodecName, ErrorCode, ParticipantInfo, ParticipantKind, PolicyName, PublicationInfo, RoomInfo,
    ServerMessage, SpeakerInfo,
};
use crate::refusal::Refusal;

/// Most speakers told to clients, as many as one shard tells.
const SPEAKERS_MAX: usize = 8;

/// What a backend may choose about a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RoomSettings {
    /// Most participants; none: the server's limit.
    pub(crate) max_participants: Option<usize>,
    /// How long the room stays open without participants.
    pub(crate) empty_timeout: Duration,
    /// Most slots of a participant; none: the server's limit.
    pub(crate) max_slots: Option<usize>,
    /// What may be sent; empty: anything.
    pub(crate) codecs: Vec<CodecName>,
}

impl RoomSettings {
    /// Most slots of a participant, of the `limit` of the server.
    pub(crate) fn slots(&self, limit: usize) -> usize {
        self.max_slots.map_or(limit, |most| most.min(limit))
    }
}

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) name: String,
    pub(crate) settings: RoomSettings,
    /// When it is closed, while nobody is there.
    pub(crate) empty_until: Option<Instant>,
    /// How many of its peers each shard carries; only shards that carry some.
    pub(crate) shards: BTreeMap<ShardId, usize>,
    pub(crate) participants: BTreeMap<ParticipantId, Participant>,
    /// Who publishes what.
    pub(crate) owners: BTreeMap<PublicationId, ParticipantId>,
    /// As last reported by each shard: each tells of those whose sound arrives there.
    pub(crate) speakers: BTreeMap<ShardId, Vec<Speaker>>,
    /// As last told to the room, loudest first.
    pub(crate) told_speakers: Vec<Speaker>,
    /// Number of the last event that was noted for webhooks.
    pub(crate) last_event: u64,
    /// Publications that were noted as started, as they were then.
    pub(crate) started: BTreeMap<PublicationId, PublicationInfo>,
    /// Who was noted as the active speaker last, and when.
    pub(crate) speaker_noted: Option<(ParticipantId, Instant)>,
}

impl Room {
    pub(crate) fn new(id: RoomId, name: String, settings: RoomSettings) -> Self {
        Self {
            id,
            name,
            settings,
            empty_until: None,
            shards: BTreeMap::new(),
            participants: BTreeMap::new(),
            owners: BTreeMap::new(),
            speakers: BTreeMap::new(),
            told_speakers: Vec::new(),
            last_event: 0,
            started: BTreeMap::new(),
            speaker_noted: None,
        }
    }

    pub(crate) fn info(&self) -> RoomInfo {
        RoomInfo {
            id: self.id.to_string(),
            name: self.name.clone(),
        }
    }

    /// The participant with `identity`. Viewers without a WebSocket do not count: one token may
    /// open many of them.
    pub(crate) fn by_identity(&self, identity: &str) -> Option<ParticipantId> {
        self.participants
            .values()
            .filter(|participant| participant.kind != ParticipantKind::Egress)
            .find(|participant| participant.identity == identity)
            .map(|participant| participant.id)
    }

    /// Everybody that `viewer` is told of.
    pub(crate) fn others(&self, viewer: ParticipantId) -> Vec<ParticipantInfo> {
        self.participants
            .values()
            .filter(|other| other.id != viewer && !other.grants.hidden)
            .map(Participant::info)
            .collect()
    }

    /// Notes an event for everybody but `except`; the connections that are there to get it.
    pub(crate) fn record(
        &mut self,
        except: Option<ParticipantId>,
        event: &Arc<ServerMessage>,
    ) -> Vec<ConnectionId> {
        self.participants
            .values_mut()
            .filter(|participant| Some(participant.id) != except)
            .filter_map(|participant| participant.record(event))
            .collect()
    }

    /// The active speakers of all shards, loudest first.
    pub(crate) fn all_speakers(&self) -> Vec<Speaker> {
        let mut all: Vec<Speaker> = self.speakers.values().flatten().copied().collect();
        all.sort_by_key(|speaker| (speaker.level, speaker.publication));
        all.truncate(SPEAKERS_MAX);
        all
    }

    /// The active speakers as clients are told.
    pub(crate) fn speakers_message(&self) -> ServerMessage {
        let speakers = self
            .told_speakers
            .iter()
            .filter_map(|speaker| {
                Some(SpeakerInfo {
                    participant: self.owners.get(&speaker.publication)?.to_string(),
                    publication: speaker.publication.to_string(),
                    level: speaker.level.0,
                })
            })
            .collect();
        ServerMessage::Speakers { speakers }
    }

    /// The policy that a client names. `was` is what the slot had, for what is left out.
    pub(crate) fn policy(
        &self,
        name: Option<PolicyName>,
        publication: Option<&str>,
        was: SlotPolicy,
    ) -> Result<SlotPolicy, Refusal> {
        let pinned = publication.map(|text| self.publication(text)).transpose()?;
        Ok(match (name, pinned, was) {
            (Some(PolicyName::Off), _, _) => SlotPolicy::Off,
            (Some(PolicyName::All), _, _) => SlotPolicy::All,
            (Some(PolicyName::Speaker), _, _) => SlotPolicy::SpeakerOrder,
            (_, Some(publication), _) => SlotPolicy::Pinned(publication),
            (None, None, was) | (Some(PolicyName::Pinned), None, was @ SlotPolicy::Pinned(_)) => {
                was
            }
            (Some(PolicyName::Pinned), None, _) => {
                return Err(Refusal::new(
                    ErrorCode::BadMessage,
                    "Name the publication to show with the policy pinned.",
                ));
            }
        })
    }

    fn publication(&self, text: &str) -> Result<PublicationId, Refusal> {
        crate::ids::publication_id(text)
            .filter(|id| self.owners.contains_key(id))
            .ok_or_else(|| {
                Refusal::new(
                    ErrorCode::UnknownPublication,
                    "Pin a publication of this room that has not ended.",
                )
            })
    }
}
