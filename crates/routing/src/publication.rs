//! A track as it comes from its publisher: one or more encodings, and who shows them.

use std::time::Instant;

use plenum_rtp::PacketDescription;
use plenum_types::{
    Codec, CodecParameters, MediaKind, PeerIndex, PublicationConfig, PublicationId,
};

use crate::SlotIndex;
use crate::speakers::Speech;

mod activity;
pub(crate) mod clock;
mod encoding;
mod keyframes;
mod numbering;
mod pace;
mod store;
mod view;

pub(crate) use encoding::{Encoding, Facts};
use pace::Pace;

/// Most encodings of a publication; simulcast of browsers has three.
const ENCODINGS_MAX: usize = 8;

/// A published track.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) id: PublicationId,
    pub(crate) peer: PeerIndex,
    /// Key of its room.
    pub(crate) room: usize,
    pub(crate) kind: MediaKind,
    pub(crate) muted: bool,
    /// Smallest picture first.
    pub(crate) encodings: Vec<Encoding>,
    /// Slots that are bound to it or still show it.
    pub(crate) slots: Vec<SlotIndex>,
    /// Of audio.
    pub(crate) speech: Speech,
    /// Of changes that its packets make.
    pub(crate) pace: Pace,
    codecs: Vec<Codec>,
    stores: bool,
}

impl Publication {
    /// `first_generation` and as many numbers behind it as there are encodings are taken.
    pub(crate) fn new(
        peer: PeerIndex,
        room: usize,
        config: &PublicationConfig,
        first_generation: u32,
    ) -> Self {
        let rate = clock_rate(config);
        let encodings = config
            .encodings
            .iter()
            .take(ENCODINGS_MAX)
            .zip(first_generation..)
            .map(|(encoding, generation)| Encoding::new(generation, rate, encoding.size))
            .collect();
        Self {
            id: config.publication,
            peer,
            room,
            kind: config.kind,
            muted: config.muted,
            encodings,
            slots: Vec::new(),
            speech: Speech::default(),
            pace: Pace::default(),
            codecs: config
                .codecs
                .iter()
                .map(|parameters| parameters.codec)
                .collect(),
            stores: config.kind == MediaKind::Video
                || config.codecs.iter().any(|parameters| parameters.nack),
        }
    }

    /// Learns from a packet that is to be forwarded, and keeps it.
    pub(crate) fn observe(
        &mut self,
        now: Instant,
        encoding: u8,
        number: u64,
        packet: &[u8],
        d: &PacketDescription,
        retransmitted: bool,
    ) -> Facts {
        if self.kind == MediaKind::Audio
            && let Some((level, _voice)) = d.extensions.audio_level(packet)
        {
            self.speech.on_level(now, level);
        }
        let encoding = &mut self.encodings[usize::from(encoding)];
        if self.stores {
            encoding.store.push(now, number, packet, d);
        }
        encoding.observe(now, packet, d, retransmitted)
    }

    /// Whether a slot with these codecs can take what is sent; `None` before anything was sent
    /// means that some codec fits.
    pub(crate) fn fits(&self, accepted: &[CodecParameters]) -> bool {
        let takes = |codec: Codec| accepted.iter().any(|parameters| parameters.codec == codec);
        let mut sent = self.encodings.iter().filter_map(Encoding::codec).peekable();
        if sent.peek().is_some() {
            sent.any(takes)
        } else {
            self.codecs.is_empty() || self.codecs.iter().any(|codec| takes(*codec))
        }
    }

    pub(crate) fn encoding(&self, encoding: u8) -> Option<&Encoding> {
        self.encodings.get(usize::from(encoding))
    }
}

fn clock_rate(config: &PublicationConfig) -> u32 {
    let fallback = match config.kind {
        MediaKind::Audio => Codec::Opus,
        MediaKind::Video => Codec::Vp8,
    };
    config
        .codecs
        .first()
        .map_or(fallback, |parameters| parameters.codec)
        .clock_rate()
}
