//! Makes ids and secrets, and reads ids that clients send back.

use plenum_types::{
    IceCredentials, ParticipantId, PeerId, PublicationId, RoomId, Secret, ShardId, Ssrc, ufrag_of,
};
use rand::{Rng, RngExt};

/// Random characters of an ICE password: 24 of 64 make 144 bits (RFC 8445 §5.3 asks for 128).
const PASSWORD_CHARACTERS: usize = 24;
/// Random characters of an ICE user name fragment, beside the peer's number.
const UFRAG_CHARACTERS: usize = 6;
/// The characters of RFC 8839 `ice-char`.
const ICE_CHARACTERS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Counts ids up from 1. They are never used again while the server runs.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    last: u64,
}

impl Ids {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(crate) fn room(&mut self) -> RoomId {
        RoomId(self.next())
    }

    pub(crate) fn participant(&mut self) -> ParticipantId {
        ParticipantId(self.next())
    }

    pub(crate) fn peer(&mut self) -> PeerId {
        PeerId(self.next())
    }

    pub(crate) fn publication(&mut self) -> PublicationId {
        PublicationId(self.next())
    }
}

/// Reads `TR_...`.
pub(crate) fn publication_id(text: &str) -> Option<PublicationId> {
    text.strip_prefix("TR_")?.parse().ok().map(PublicationId)
}

/// Reads `PA_...`.
pub(crate) fn participant_id(text: &str) -> Option<ParticipantId> {
    text.strip_prefix("PA_")?.parse().ok().map(ParticipantId)
}

/// `length` random `ice-char`s.
pub(crate) fn random_text(length: usize, rng: &mut dyn Rng) -> String {
    (0..length)
        .map(|_| char::from(ICE_CHARACTERS[rng.random_range(0..ICE_CHARACTERS.len())]))
        .collect()
}

/// `length` random characters that stand for themselves in a URL (RFC 3986 §2.3) and in an entity
/// tag (RFC 9110 §8.8.3).
pub(crate) fn url_text(length: usize, rng: &mut dyn Rng) -> String {
    random_text(length, rng).replace('+', "-").replace('/', "_")
}

/// Credentials for `peer` on `shard`. The user name fragment is unique on the server: behind the
/// number of the shard it has the peer's, up to the next `+`.
pub(crate) fn ice_credentials(shard: ShardId, peer: PeerId, rng: &mut dyn Rng) -> IceCredentials {
    let unique = format!("{:x}+{}", peer.0, random_text(UFRAG_CHARACTERS, rng));
    IceCredentials {
        ufrag: ufrag_of(shard, &unique),
        password: Secret(random_text(PASSWORD_CHARACTERS, rng)),
    }
}

/// An SSRC that `taken` does not hold.
pub(crate) fn ssrc(taken: impl Fn(Ssrc) -> bool, rng: &mut dyn Rng) -> Ssrc {
    loop {
        let ssrc = Ssrc(rng.random_range(1..u32::MAX));
        if !taken(ssrc) {
            return ssrc;
        }
    }
}
