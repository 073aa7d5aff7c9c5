//! A participant's peer connection: its transport and its m-lines.

use std::collections::BTreeMap;

use plenum_types::{
    Fingerprint, IceCredentials, Mid, PeerConfig, PeerId, PublicationId, RoomId, ShardId, SlotId,
    Ssrc,
};
use rand::{Rng, RngExt};

use super::{Publication, Slot};
use crate::ids;
use crate::negotiation::Offer;

/// Random characters of a CNAME (RFC 7022 asks for 96 bits).
const CNAME_CHARACTERS: usize = 16;

/// A peer connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) peer: PeerId,
    /// Which shard carries it.
    pub(crate) shard: ShardId,
    pub(crate) local: IceCredentials,
    pub(crate) remote: IceCredentials,
    /// Of the client's certificate. Another one is another peer connection.
    pub(crate) fingerprint: Fingerprint,
    pub(crate) cname: String,
    /// `o=` session id.
    pub(crate) id: u64,
    /// `o=` version of the last answer.
    pub(crate) version: u64,
    /// The last slot id given.
    pub(crate) last_slot: u16,
    /// By mid.
    pub(crate) lines: BTreeMap<Mid, Line>,
}

/// What an m-line is used for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    /// What the client sends on it.
    pub(crate) publication: Option<Publication>,
    /// Track id of the publication that `unpublish` ended: it does not come back by itself.
    pub(crate) ended_track: Option<String>,
    /// What we send on it.
    pub(crate) slot: Option<Slot>,
}

impl Session {
    /// The peer connection that `offer` opens.
    pub(crate) fn open(peer: PeerId, shard: ShardId, offer: &Offer, rng: &mut dyn Rng) -> Self {
        Self {
            peer,
            shard,
            local: ids::ice_credentials(shard, peer, rng),
            remote: offer.ice.clone(),
            fingerprint: offer.fingerprint.clone(),
            cname: ids::random_text(CNAME_CHARACTERS, rng),
            // RFC 8829 §5.2.1: positive and 62 bits.
            id: rng.random_range(1..1 << 62),
            version: 0,
            last_slot: 0,
            lines: BTreeMap::new(),
        }
    }

    /// What the media plane is told.
    pub(crate) fn peer_config(&self, room: RoomId) -> PeerConfig {
        PeerConfig {
            peer: self.peer,
            room,
            local: self.local.clone(),
            remote: self.remote.clone(),
            remote_fingerprint: self.fingerprint.clone(),
            cname: self.cname.clone(),
        }
    }

    /// In the order of their mids.
    pub(crate) fn publications(&self) -> impl Iterator<Item = &Publication> {
        self.lines
            .values()
            .filter_map(|line| line.publication.as_ref())
    }

    /// In the order of their mids.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.lines.values().filter_map(|line| line.slot.as_ref())
    }

    /// The publication with `id`.
    pub(crate) fn publication_mut(&mut self, id: PublicationId) -> Option<&mut Publication> {
        self.lines
            .values_mut()
            .filter_map(|line| line.publication.as_mut())
            .find(|publication| publication.id == id)
    }

    /// The slot with `id`.
    pub(crate) fn slot(&self, id: SlotId) -> Option<&Slot> {
        self.slots().find(|slot| slot.id == id)
    }

    /// Whether a slot sends `ssrc`.
    pub(crate) fn sends(&self, ssrc: Ssrc) -> bool {
        self.slots()
            .any(|slot| slot.ssrc == ssrc || slot.rtx_ssrc == Some(ssrc))
    }
}
