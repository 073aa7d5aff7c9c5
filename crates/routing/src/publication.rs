//! A track as it comes from its publisher: one or more encodings, and who shows them.

use std::time::Instant;

use plenum_rtp::PacketDescription;
use plenum_types::{
    Codec, CodecParameters, ContentHint, LinkFact, MediaKind, NtpTime, PublicationConfig,
    PublicationId, ShardId, Source, SpeakerTurn, SpeechActivity,
};

use crate::SlotIndex;
use crate::index::Publisher;
use crate::remote::Origin;
use crate::speakers::{Heard, Speech, has_moved};

mod activity;
mod choices;
pub(crate) mod clock;
mod encoding;
mod feed;
mod gate;
mod group;
mod keyframes;
mod layer_meter;
mod numbering;
mod pace;
mod store;
mod view;
mod wanted;

pub(crate) use encoding::{Encoding, Facts};
pub(crate) use feed::Feed;
pub(crate) use gate::{Rank, Verdict};
pub(crate) use group::Group;
use pace::Pace;
use wanted::LayersWanted;
pub(crate) use wanted::UNWANTED_AFTER;

/// Most encodings of a publication; simulcast of browsers has three.
const ENCODINGS_MAX: usize = 8;

/// A published track.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) id: PublicationId,
    pub(crate) publisher: Publisher,
    /// Key of its room.
    pub(crate) room: usize,
    pub(crate) kind: MediaKind,
    /// It shows a screen.
    pub(crate) screen: bool,
    pub(crate) muted: bool,
    /// What matters more in its pictures.
    pub(crate) content: ContentHint,
    /// Smallest picture first.
    pub(crate) encodings: Vec<Encoding>,
    /// Slots that are bound to it or still show it.
    pub(crate) slots: Vec<SlotIndex>,
    /// Of a replica: where its packets come from.
    pub(crate) origin: Option<Origin>,
    /// Shards that have a replica.
    pub(crate) followers: Vec<ShardId>,
    /// Of audio whose packets its publisher sends here.
    pub(crate) speech: Speech,
    /// Of audio: since when somebody speaks or has ceased to.
    pub(crate) turn: Option<SpeakerTurn>,
    /// Of changes that its packets make.
    pub(crate) pace: Pace,
    /// Which encodings its publisher was told are wanted.
    pub(crate) wanted: LayersWanted,
    /// The best encoding that each shard with a replica wants; all of them until it has told.
    pub(crate) wanted_by: Vec<(ShardId, u8)>,
    codecs: Vec<Codec>,
}

impl Publication {
    /// `first_generation` and as many numbers behind it as there are encodings are taken.
    pub(crate) fn new(
        publisher: Publisher,
        room: usize,
        config: &PublicationConfig,
        first_generation: u32,
    ) -> Self {
        let rate = clock_rate(config);
        let encodings: Vec<Encoding> = config
            .encodings
            .iter()
            .take(ENCODINGS_MAX)
            .zip(first_generation..)
            .map(|(encoding, generation)| Encoding::new(generation, rate, encoding.size))
            .collect();
        Self {
            id: config.publication,
            publisher,
            room,
            kind: config.kind,
            screen: config.source == Source::Screen,
            muted: config.muted,
            content: config.content,
            wanted: LayersWanted::all(encodings.len()),
            wanted_by: Vec::new(),
            encodings,
            slots: Vec::new(),
            origin: None,
            followers: Vec::new(),
            speech: Speech::default(),
            turn: None,
            pace: Pace::default(),
            codecs: config
                .codecs
                .iter()
                .map(|parameters| parameters.codec)
                .collect(),
        }
    }

    /// It is a replica from now on, which knows nothing yet.
    pub(crate) fn follow(&mut self, origin: Origin) {
        self.origin = Some(origin);
        for encoding in &mut self.encodings {
            encoding
                .activity
                .follow(encoding.activity.is_active(), None);
        }
    }

    /// Of a replica: the publisher's shard.
    pub(crate) fn home(&self) -> Option<ShardId> {
        self.origin.map(|origin| origin.home)
    }

    /// Of a replica: what it wants, if its publisher's shard does not know that; and when to look
    /// again. What nobody wants any more is wanted for a while yet: somebody may change their mind
    /// before the packets on their way have come, and would miss those in between.
    pub(crate) fn demand(&mut self, now: Instant) -> (Option<LinkFact>, Option<Instant>) {
        let Some(origin) = self.origin else {
            return (None, None);
        };
        let (mut encodings, mut due) = (0, None);
        for (at, encoding) in self.encodings.iter_mut().enumerate() {
            let bit = 1 << at;
            let told = origin.told.is_some_and(|told| told & bit != 0);
            let until = encoding.wanted_until(now, told);
            if until.is_none_or(|until| now < until) {
                encodings |= bit;
                due = due.into_iter().chain(until).min();
            }
        }
        let fact = LinkFact::Demand {
            encodings,
            fresh: origin.told.is_none(),
        };
        ((origin.told != Some(encodings)).then_some(fact), due)
    }

    /// Somebody speaks or not. Whether there is something new in that.
    pub(crate) fn try_turn(
        &mut self,
        speaking: bool,
        since: NtpTime,
        activity: SpeechActivity,
    ) -> bool {
        match &mut self.turn {
            Some(turn) if turn.speaking == speaking => {
                let moved = speaking && has_moved(turn.activity, activity);
                if moved {
                    turn.activity = activity;
                }
                moved
            }
            None if !speaking => false,
            turn => {
                *turn = Some(SpeakerTurn {
                    speaking,
                    since,
                    activity,
                });
                true
            }
        }
    }

    /// Goes before another speaker.
    pub(crate) fn take_place(&mut self, since: NtpTime) {
        if let Some(turn) = &mut self.turn {
            turn.since = since;
        }
    }

    /// A shard has no replica any more.
    pub(crate) fn unfollow(&mut self, shard: ShardId) {
        self.followers.retain(|other| *other != shard);
        self.wanted_by.retain(|(other, _)| *other != shard);
        for encoding in &mut self.encodings {
            encoding.feeds.retain(|feed| feed.to != shard);
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
        let spoke = self.kind == MediaKind::Audio
            && self.origin.is_none()
            && self.speech.on_packet(
                now,
                Heard {
                    level: d.extensions.audio_level(packet),
                    payload: d.header.payload_len,
                },
            );
        let encoding = &mut self.encodings[usize::from(encoding)];
        encoding.store.push(now, number, packet, d);
        if self.kind == MediaKind::Video {
            encoding.group.on_packet(now, number, d);
        }
        Facts {
            spoke,
            ..encoding.observe(now, d, retransmitted)
        }
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
