//! One outgoing stream of a subscriber: an SSRC with continuous numbers, whatever it shows.

use std::time::{Duration, Instant};

use plenum_rtp::{CodecFields, PacketDescription, Patch};
use plenum_types::{
    Codec, CodecParameters, DropReason, ExtensionKind, ExtensionMap, MediaKind, Mid, PeerIndex,
    SequenceNumber, SlotBinding, SlotConfig, SlotId, SlotReason, SlotWish, Ssrc,
};
use rand::{Rng, RngExt};

use crate::decisions::Decisions;
use crate::event::Forward;
use crate::fields::Fields;
use crate::index::{EncodingRef, PublicationIndex, SlotIndex};
use crate::limit::LayerLimit;
use crate::publication::Encoding;

mod attempts;
mod history;
mod lag;
mod layers;
mod outgoing;
mod redundancy;
mod report;
mod segment;
mod switch;

use attempts::Attempts;
use history::History;
pub(crate) use history::is_on_its_way;
pub(crate) use lag::{Allowance, Lag, Pace};
use outgoing::Outgoing;
use report::Sent;
pub(crate) use segment::{Rewritten, Segment, Start};
pub(crate) use switch::Step;

/// What a slot is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotTarget {
    pub(crate) source: EncodingRef,
    /// Highest layers of it.
    pub(crate) limit: LayerLimit,
}

/// Where a slot is listed, so that the lists can be kept without searching them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    pub(crate) encodings: [Option<EncodingRef>; 2],
    pub(crate) publications: [Option<PublicationIndex>; 2],
    /// It was asleep then.
    pub(crate) asleep: bool,
}

/// One outgoing stream.
#[derive(Debug)]
pub(crate) struct Slot {
    // What every packet touches comes first, to share cache lines.
    segment: Option<Segment>,
    /// The segment is being continued; otherwise its source is paused or gone.
    flowing: bool,
    /// It is behind what comes.
    pub(crate) lag: Option<Lag>,
    /// Its subscriber cannot decrypt yet: it is bound, and sent nothing.
    pub(crate) asleep: bool,
    pub(crate) kind: MediaKind,
    pub(crate) target: Option<SlotTarget>,
    outgoing: Outgoing,
    pub(crate) peer: PeerIndex,
    index: SlotIndex,
    ssrc: Ssrc,
    mid: Mid,
    extensions: ExtensionMap,
    sent: Sent,
    // What only changes touch.
    pub(crate) id: SlotId,
    pub(crate) codecs: Vec<CodecParameters>,
    rtx_ssrc: Option<Ssrc>,
    rtx_sequence: SequenceNumber,
    history: History,
    pub(crate) wish: SlotWish,
    /// Highest temporal layer that it may get.
    pub(crate) temporal_limit: u8,
    /// What the assignment gives it, whether or not it flows.
    pub(crate) assigned: Option<PublicationIndex>,
    /// Why the target is what it is.
    pub(crate) reason: SlotReason,
    pub(crate) links: Links,
    pub(crate) told: Option<SlotBinding>,
    pub(crate) attempts: Attempts,
    pub(crate) decisions: Decisions,
    /// The best encoding that it would take of what it is assigned, if bandwidth allowed.
    pub(crate) wants: Option<(PublicationIndex, u8)>,
}

impl Slot {
    pub(crate) fn new(
        peer: PeerIndex,
        index: SlotIndex,
        config: &SlotConfig,
        rng: &mut dyn Rng,
    ) -> Self {
        let rate = clock_rate(config.kind);
        Self {
            segment: None,
            flowing: false,
            lag: None,
            asleep: false,
            kind: config.kind,
            target: None,
            outgoing: Outgoing::new(config.kind, rate, rng),
            peer,
            index,
            ssrc: config.ssrc,
            mid: config.mid,
            extensions: config.extensions,
            sent: Sent::default(),
            id: config.slot,
            codecs: config.codecs.clone(),
            rtx_ssrc: config.rtx_ssrc,
            rtx_sequence: SequenceNumber(rng.random_range(0..1 << 15)),
            history: History::default(),
            wish: config.wish,
            temporal_limit: LayerLimit::NONE.temporal,
            assigned: None,
            reason: SlotReason::NoSource,
            links: Links::default(),
            told: None,
            attempts: Attempts::default(),
            decisions: Decisions::default(),
            wants: None,
        }
    }

    pub(crate) const fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// Ticks a second of its timestamps.
    pub(crate) const fn clock_rate(&self) -> u32 {
        clock_rate(self.kind)
    }

    pub(crate) fn owns(&self, ssrc: Ssrc) -> bool {
        self.ssrc == ssrc || self.rtx_ssrc == Some(ssrc)
    }

    /// What is being forwarded.
    pub(crate) fn shown(&self) -> Option<&Segment> {
        self.segment.as_ref().filter(|_| self.flowing)
    }

    /// When it was last sent something.
    pub(crate) const fn sent_at(&self) -> Option<Instant> {
        self.outgoing.sent_at()
    }

    /// What was forwarded last, flowing or not.
    pub(crate) const fn last_segment(&self) -> Option<&Segment> {
        self.segment.as_ref()
    }

    /// What it was given last, of what it is assigned now.
    pub(crate) fn given(&self) -> Option<SlotTarget> {
        self.target
            .filter(|target| Some(target.source.publication) == self.assigned)
    }

    /// How a packet of padding would leave beside this slot's stream, as a retransmission of
    /// nothing. `None` if retransmission or transport-wide feedback were not negotiated.
    pub(crate) fn padding(&mut self) -> Option<Forward> {
        self.extensions.id(ExtensionKind::TransportSequence)?;
        let shown = self.segment.as_ref().map(|segment| segment.codec);
        let has_rtx = |parameters: &&CodecParameters| parameters.rtx_payload_type.is_some();
        let parameters = shown
            .and_then(|codec| self.parameters(codec))
            .filter(has_rtx)
            .or_else(|| self.codecs.iter().find(has_rtx))?;
        let payload_type = parameters.rtx_payload_type?;
        let sequence = self.rtx_sequence;
        let patch = Patch {
            payload_type,
            ssrc: self.rtx_ssrc?,
            sequence,
            timestamp: self.outgoing.newest_timestamp(),
            marker: false,
            picture_id: None,
            tl0_picture_index: None,
            key_index: None,
            frame_number: None,
            red: None,
            original_sequence: None,
        };
        self.rtx_sequence = sequence.plus(1);
        Some(Forward {
            peer: self.peer,
            slot: self.index,
            patch,
            mid: self.mid,
            extensions: self.extensions,
        })
    }

    /// Whether it can carry padding.
    pub(crate) fn carries_padding(&self) -> bool {
        let has_rtx = |parameters: &CodecParameters| parameters.rtx_payload_type.is_some();
        self.kind == MediaKind::Video
            && self.rtx_ssrc.is_some()
            && self
                .extensions
                .id(ExtensionKind::TransportSequence)
                .is_some()
            && self.codecs.iter().any(has_rtx)
    }

    /// Stops forwarding. The next packet begins a new segment.
    pub(crate) const fn pause(&mut self) {
        self.flowing = false;
        self.lag = None;
    }

    pub(crate) fn parameters(&self, codec: Codec) -> Option<&CodecParameters> {
        self.codecs
            .iter()
            .find(|parameters| parameters.codec == codec)
    }

    /// Goes over to a new source.
    pub(crate) fn begin(
        &mut self,
        now: Instant,
        start: &Start<'_>,
        d: &PacketDescription,
        aligned: Option<plenum_types::RtpTimestamp>,
    ) {
        let next = self.outgoing.next_timestamp(now, aligned);
        let segment = Segment::begin(start, d.header.timestamp, next, &self.outgoing);
        self.replace_segment(segment);
        self.flowing = true;
        self.lag = self.lag.filter(|lag| lag.source == start.source);
    }

    /// Goes over to another limit of the same source. Whether it has: not if numbers cannot be
    /// told, or the packet is older than what was sent; the next picture tries again.
    pub(crate) fn change_limit(
        &mut self,
        limit: LayerLimit,
        encoding: &Encoding,
        number: u64,
        fields: &Fields,
    ) -> bool {
        let newest = self.outgoing.newest();
        let changed = self
            .segment
            .as_ref()
            .and_then(|segment| segment.with_limit(limit, encoding, number, fields))
            .filter(|changed| changed.first_out > newest);
        if let Some(changed) = changed {
            self.replace_segment(changed);
        }
        changed.is_some()
    }

    fn replace_segment(&mut self, segment: Segment) {
        if let Some(before) = self.segment.replace(segment)
            && before.first_out < segment.first_out
        {
            self.history.push(before, segment.first_out - 1);
        }
    }

    /// The subscriber's copy of the packet with `number`.
    pub(crate) fn emit(
        &mut self,
        now: Instant,
        encoding: &Encoding,
        number: u64,
        d: &PacketDescription,
        fields: &Fields,
    ) -> Result<Forward, DropReason> {
        let segment = self.segment_for(number).ok_or(DropReason::Paused)?;
        let rewritten = segment
            .rewrite(encoding, number, d, fields)
            .ok_or(DropReason::BeforeSwitch)?;
        let mut forward = self.forward(segment.payload_type, &rewritten);
        if let CodecFields::Red(blocks) = d.payload.fields {
            self.fit_redundancy(&mut forward, d.codec, blocks)?;
        }
        self.outgoing.on_sent(now, &rewritten);
        Ok(forward)
    }

    /// The current segment, or the one that it continues if the packet is older.
    fn segment_for(&self, number: u64) -> Option<&Segment> {
        let current = self.segment.as_ref()?;
        if current.continues && number < current.first {
            return self
                .history
                .latest()
                .filter(|before| before.generation == current.generation);
        }
        Some(current)
    }

    fn forward(&self, payload_type: u8, rewritten: &Rewritten) -> Forward {
        Forward {
            peer: self.peer,
            slot: self.index,
            patch: Patch {
                payload_type,
                ssrc: self.ssrc,
                sequence: rewritten.sequence(),
                timestamp: rewritten.timestamp,
                marker: rewritten.marker,
                picture_id: rewritten.fields.picture_id.map(|picture| picture.id),
                tl0_picture_index: rewritten.fields.tl0_picture_index,
                key_index: rewritten.fields.key_index,
                frame_number: rewritten.fields.frame_number,
                red: None,
                original_sequence: None,
            },
            mid: self.mid,
            extensions: self.extensions,
        }
    }

    /// The segment in which `sequence` was sent, and its extended number.
    pub(crate) fn find_sent(&self, sequence: SequenceNumber) -> Option<(Segment, u64)> {
        let newest = self.outgoing.newest();
        let back = SequenceNumber(newest as u16).distance_from(sequence);
        let number = newest.checked_sub(u64::try_from(back).ok()?)?;
        let current = self.segment.as_ref()?;
        let segment = if number >= current.first_out {
            current
        } else {
            self.history.find(number)?
        };
        Some((*segment, number))
    }

    /// Whether the packet sent as `number` is of what is shown now.
    pub(crate) fn is_in_current(&self, number: u64) -> bool {
        let current = self.segment.as_ref();
        current.is_some_and(|segment| segment.continues || number >= segment.first_out)
    }

    /// How the packet is sent again, as a retransmission if that was negotiated. `None` if it was
    /// sent again just now.
    pub(crate) fn repeat(
        &mut self,
        now: Instant,
        segment: &Segment,
        rewritten: &Rewritten,
        rtt: Option<Duration>,
    ) -> Option<Forward> {
        if !self.history.try_repeat(now, rewritten.sequence(), rtt) {
            return None;
        }
        let mut forward = self.forward(segment.payload_type, rewritten);
        let rtx_payload_type = self
            .parameters(segment.codec)
            .and_then(|parameters| parameters.rtx_payload_type);
        if let (Some(ssrc), Some(payload_type)) = (self.rtx_ssrc, rtx_payload_type) {
            forward.patch.ssrc = ssrc;
            forward.patch.payload_type = payload_type;
            forward.patch.original_sequence = Some(forward.patch.sequence);
            forward.patch.sequence = self.rtx_sequence;
            self.rtx_sequence = self.rtx_sequence.plus(1);
        }
        Some(forward)
    }
}

/// That of all codecs of a kind.
const fn clock_rate(kind: MediaKind) -> u32 {
    match kind {
        MediaKind::Audio => Codec::Opus.clock_rate(),
        MediaKind::Video => Codec::Vp8.clock_rate(),
    }
}
