//! Signaling's part, played without signaling: turns a simulated client's offer into commands for
//! a shard and an answer for the client. Every send-only section becomes a publication, every
//! receive-only section a slot.

mod answer;

use std::net::SocketAddr;

use plenum_types::{
    ContentHint, DataAccess, Encoding, Fingerprint, IceCredentials, MediaCommand, MediaKind, Mid,
    ParticipantId, PeerConfig, PeerId, PublicationConfig, PublicationId, Rid, RoomId, Secret,
    SlotConfig, SlotId, SlotPolicy, SlotWish, Source, Ssrc,
};
use rand::RngExt;

use crate::client::{ClientConfig, DataConfig, TrackMedia};
use crate::error::TestkitError;
use crate::sdp::{self, Offer, Section};
use crate::seed::SimRng;
use answer::Answer;

/// Letters of ICE credentials.
const ICE_ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What a client must know of the server.
#[derive(Clone, Debug)]
pub struct ServerInfo {
    /// Its certificate.
    pub fingerprint: Fingerprint,
    /// Where the client's shard listens.
    pub address: SocketAddr,
}

/// A negotiated slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSlot {
    /// Its id.
    pub slot: SlotId,
    /// Audio or video.
    pub kind: MediaKind,
    /// The SSRC that the shard sends.
    pub ssrc: Ssrc,
    /// The SSRC of its retransmissions.
    pub rtx_ssrc: Option<Ssrc>,
}

/// A client's connection as signaling knows it.
#[derive(Debug)]
pub struct Session {
    /// Its peer.
    pub peer: PeerId,
    /// What it publishes, in the order of its sections.
    pub publications: Vec<PublicationId>,
    /// What it receives, in the order of its sections.
    pub slots: Vec<SessionSlot>,
    local: IceCredentials,
    server: ServerInfo,
    rng: SimRng,
}

/// The outcome of an offer.
#[derive(Debug)]
pub struct Negotiated {
    /// For the shard, in order.
    pub commands: Vec<MediaCommand>,
    /// For the client.
    pub answer: String,
}

impl Session {
    /// Answers a client's first offer. `first_publication` numbers its publications.
    pub fn open(
        peer: PeerId,
        room: RoomId,
        first_publication: u64,
        server: ServerInfo,
        client: &ClientConfig,
        offer: &str,
        mut rng: SimRng,
    ) -> Result<(Self, Negotiated), TestkitError> {
        let offer = Offer::parse(offer)?;
        let local = credentials(peer, &mut rng);
        let mut session = Self {
            peer,
            publications: Vec::new(),
            slots: Vec::new(),
            local: local.clone(),
            server,
            rng,
        };
        let mut commands = vec![MediaCommand::AddPeer(Box::new(PeerConfig {
            peer,
            room,
            local,
            remote: offer.credentials()?,
            remote_fingerprint: offer.fingerprint()?,
            cname: format!("plenum-{}", peer.0),
        }))];
        let mut tracks = client.publish.iter();
        for section in &offer.sections {
            let Some(kind) = section.kind else {
                commands.extend(client.data.map(|data| session.data_access(data)));
                continue;
            };
            commands.push(if section.receives() {
                session.add_slot(section, kind)?
            } else {
                let number = first_publication + session.publications.len() as u64;
                let media = tracks.next().map(|track| &track.media);
                session.add_publication(section, kind, PublicationId(number), media)?
            });
        }
        let answer = session.answer(&offer);
        Ok((session, Negotiated { commands, answer }))
    }

    /// Answers an offer that restarts ICE and changes nothing else.
    pub fn restart_ice(&mut self, offer: &str) -> Result<Negotiated, TestkitError> {
        let offer = Offer::parse(offer)?;
        self.local = credentials(self.peer, &mut self.rng);
        let command = MediaCommand::RestartIce {
            peer: self.peer,
            local: self.local.clone(),
            remote: offer.credentials()?,
        };
        Ok(Negotiated {
            commands: vec![command],
            answer: self.answer(&offer),
        })
    }

    /// Participants are numbered as their peers are.
    fn data_access(&self, data: DataConfig) -> MediaCommand {
        MediaCommand::SetDataAccess {
            peer: self.peer,
            access: DataAccess {
                participant: ParticipantId(self.peer.0),
                may_send: data.may_send,
                limits: data.limits,
            },
        }
    }

    fn answer(&self, offer: &Offer<'_>) -> String {
        Answer {
            credentials: &self.local,
            server: &self.server,
            slots: &self.slots,
        }
        .text(offer)
    }

    fn add_publication(
        &mut self,
        section: &Section<'_>,
        kind: MediaKind,
        publication: PublicationId,
        media: Option<&TrackMedia>,
    ) -> Result<MediaCommand, TestkitError> {
        self.publications.push(publication);
        let config = PublicationConfig {
            publication,
            kind,
            source: match kind {
                MediaKind::Audio => Source::Microphone,
                MediaKind::Video => Source::Camera,
            },
            content: ContentHint::Motion,
            mid: mid(section)?,
            codecs: section.codecs(),
            extensions: sdp::extension_map(section.values("extmap")),
            encodings: encodings(section, media)?,
            muted: false,
        };
        Ok(MediaCommand::AddPublication {
            peer: self.peer,
            publication: Box::new(config),
        })
    }

    fn add_slot(
        &mut self,
        section: &Section<'_>,
        kind: MediaKind,
    ) -> Result<MediaCommand, TestkitError> {
        let codecs = section.codecs();
        let rtx = codecs.iter().any(|codec| codec.rtx_payload_type.is_some());
        let slot = SessionSlot {
            slot: SlotId(self.slots.len() as u16),
            kind,
            ssrc: Ssrc(self.rng.random()),
            rtx_ssrc: rtx.then(|| Ssrc(self.rng.random())),
        };
        self.slots.push(slot);
        let policy = match kind {
            MediaKind::Audio => SlotPolicy::SpeakerOrder,
            MediaKind::Video => SlotPolicy::All,
        };
        let config = SlotConfig {
            slot: slot.slot,
            kind,
            mid: mid(section)?,
            codecs,
            extensions: sdp::extension_map(section.values("extmap")),
            ssrc: slot.ssrc,
            rtx_ssrc: slot.rtx_ssrc,
            wish: SlotWish::new(policy),
        };
        Ok(MediaCommand::AddSlot {
            peer: self.peer,
            slot: Box::new(config),
        })
    }
}

/// Credentials whose ufrag is the peer's own.
fn credentials(peer: PeerId, rng: &mut SimRng) -> IceCredentials {
    let mut letters = |count: usize| -> String {
        (0..count)
            .map(|_| char::from(ICE_ALPHABET[rng.random_range(0..ICE_ALPHABET.len())]))
            .collect()
    };
    IceCredentials {
        ufrag: format!("{}p{}", letters(8), peer.0),
        password: Secret(letters(24)),
    }
}

fn mid(section: &Section<'_>) -> Result<Mid, TestkitError> {
    Mid::new(section.mid).map_err(|_| TestkitError::OfferLacks("short mid"))
}

fn encodings(
    section: &Section<'_>,
    media: Option<&TrackMedia>,
) -> Result<Vec<Encoding>, TestkitError> {
    let sizes: Vec<_> = match media {
        Some(TrackMedia::Video(video)) => {
            let encodings = video.encodings.iter();
            encodings.map(|encoding| Some(encoding.size)).collect()
        }
        _ => vec![None],
    };
    let rids: Vec<_> = section.rids().collect();
    if rids.is_empty() {
        let (ssrc, rtx_ssrc) = section.ssrcs();
        return Ok(vec![Encoding {
            rid: None,
            ssrc,
            rtx_ssrc,
            size: sizes.first().copied().flatten(),
        }]);
    }
    rids.iter()
        .enumerate()
        .map(|(index, rid)| {
            let rid = Rid::new(rid).map_err(|_| TestkitError::OfferLacks("short rid"))?;
            Ok(Encoding {
                rid: Some(rid),
                size: sizes.get(index).copied().flatten(),
                ..Encoding::default()
            })
        })
        .collect()
}
