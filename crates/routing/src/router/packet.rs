//! The packet path: what comes in, what goes out, what goes out again.
//!
//! Nothing here allocates or searches except where a stream changes its shape or a slot switches.

use std::time::{Duration, Instant};

use plenum_rtp::rtcp::SenderInfo;
use plenum_rtp::{CodecFields, PacketDescription};
use plenum_types::{
    DropReason, KeyframeCause, MediaKind, NtpTime, RoomIndex, RtpTimestamp, SequenceNumber, Ssrc,
};

use crate::event::{Arrival, Forward, Retransmission, Withheld};
use crate::fields::Fields;
use crate::index::{EncodingRef, Publisher};
use crate::limit::LayerLimit;
use crate::publication::Facts;
use crate::publication::clock::{ClockMap, PublisherClock};
use crate::remote::News;
use crate::slot::{Start, Step, is_on_its_way};
use crate::timers::Timer;
use crate::{PublicationIndex, Router, SlotIndex};

/// How long after the first packet of a source its own sender reports are awaited before sender
/// reports are made from arrival times.
const REPORT_PATIENCE: Duration = Duration::from_secs(5);

impl Router {
    pub(super) fn take_packet(
        &mut self,
        now: Instant,
        source: EncodingRef,
        packet: &[u8],
        d: &PacketDescription,
        retransmitted: bool,
    ) -> Result<Arrival, DropReason> {
        let publication = self
            .publications
            .get_mut(source.publication.key())
            .ok_or(DropReason::UnknownSource)?;
        let stream = publication
            .encodings
            .get_mut(usize::from(source.encoding))
            .ok_or(DropReason::UnknownSource)?;
        let restarted = stream.is_restarted_by(&d.header);
        if restarted {
            stream.restart(self.next_generation);
            self.next_generation = self.next_generation.wrapping_add(1);
        }
        let (number, fields) = stream.number_packet(d);
        let generation = stream.generation();
        let room = RoomIndex(publication.room as u32);
        if publication.muted {
            return Err(DropReason::Muted);
        }
        let facts = Facts {
            restarted,
            ..publication.observe(now, source.encoding, number, packet, d, retransmitted)
        };
        if facts.any() {
            self.on_facts(now, source, facts);
        }
        Ok(Arrival {
            source,
            generation,
            room,
            number,
            fields,
        })
    }

    /// A packet changed more than itself.
    #[cold]
    fn on_facts(&mut self, now: Instant, source: EncodingRef, facts: Facts) {
        if facts.keyframe_answered {
            self.timers.cancel(Timer::Keyframe(source));
        }
        if facts.became_active {
            self.watch_activity(source);
        }
        if facts.spoke {
            self.look_at_speakers_soon(now, source.publication);
        }
        if facts.restarted {
            self.pause_slots_showing(source);
        }
        if facts.restarted || facts.became_active || facts.reshaped {
            self.tell_followers(source.publication, |id| News::Layer(id, source.encoding));
            self.follow_change(now, source, facts.keyframe_starts);
        }
    }

    /// What comes next of an encoding does not continue what slots have shown of it. Whether any
    /// has.
    pub(super) fn pause_slots_showing(&mut self, source: EncodingRef) -> bool {
        let mut any = false;
        for listed in self
            .slots_of_encoding(source.publication, source.encoding)
            .to_vec()
        {
            let slot = &mut self.slots[listed.slot.key()];
            if slot.shown().is_some_and(|shown| shown.source == source) {
                slot.pause();
                any = true;
            }
        }
        any
    }

    /// Nothing of an encoding's old stream can be mapped to what comes next.
    pub(super) fn restart_encoding(&mut self, source: EncodingRef) {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        if let Some(encoding) = self.encoding_mut(source) {
            encoding.restart(generation);
        }
    }

    /// Finds layers anew, at once or, if that happens too often, a while later.
    pub(super) fn follow_change(
        &mut self,
        now: Instant,
        source: EncodingRef,
        keyframe_starts: bool,
    ) {
        let Some(publication) = self.publications.get_mut(source.publication.key()) else {
            return;
        };
        match publication.pace.try_change(now) {
            Ok(()) => {
                self.arriving_keyframe = keyframe_starts.then_some(source);
                self.allocate_slots_of(now, source.publication);
                self.arriving_keyframe = None;
            }
            Err(at) => self.timers.set(Timer::Allocate(source.publication), at),
        }
    }

    pub(super) fn forward_packet(
        &mut self,
        now: Instant,
        index: SlotIndex,
        arrival: &Arrival,
        d: &PacketDescription,
    ) -> Result<Forward, Withheld> {
        let is_behind = self
            .slots
            .get(index.key())
            .is_some_and(|slot| slot.is_behind(arrival.source, arrival.number));
        if is_behind {
            return Err(Withheld::Later);
        }
        self.select(now, index, arrival, d)
            .map_err(Withheld::Dropped)
    }

    /// What a packet becomes on a slot, which sends it now or has been held up since `now`.
    #[inline]
    pub(super) fn select(
        &mut self,
        now: Instant,
        index: SlotIndex,
        arrival: &Arrival,
        d: &PacketDescription,
    ) -> Result<Forward, DropReason> {
        let Arrival {
            source,
            number,
            fields,
            ..
        } = *arrival;
        let slot = self.slots.get_mut(index.key()).ok_or(DropReason::Paused)?;
        let encoding = self
            .publications
            .get(source.publication.key())
            .and_then(|publication| publication.encoding(source.encoding))
            .filter(|encoding| encoding.generation() == arrival.generation)
            .ok_or(DropReason::UnknownSource)?;
        let step = slot.admit(source, encoding, d)?;
        match step {
            Step::Continue => {}
            Step::Limit(limit) => return self.limit(now, index, arrival, d, limit),
            Step::Begin { payload_type } => {
                return self.begin(now, index, arrival, d, payload_type);
            }
        }
        slot.emit(now, encoding, number, d, &fields)
    }

    /// A slot goes over to other layers of what it shows.
    #[cold]
    fn limit(
        &mut self,
        now: Instant,
        index: SlotIndex,
        arrival: &Arrival,
        d: &PacketDescription,
        limit: LayerLimit,
    ) -> Result<Forward, DropReason> {
        let Arrival { source, number, .. } = *arrival;
        let slot = self.slots.get_mut(index.key()).ok_or(DropReason::Paused)?;
        let encoding = self
            .publications
            .get(source.publication.key())
            .and_then(|publication| publication.encoding(source.encoding))
            .ok_or(DropReason::UnknownSource)?;
        if !slot.change_limit(limit, encoding, number, &arrival.fields)
            && slot
                .shown()
                .is_some_and(|shown| !shown.limit.admits(d.payload.layer))
        {
            return Err(DropReason::BeforeSwitch);
        }
        let forward = slot.emit(now, encoding, number, d, &arrival.fields);
        self.tell_binding(index);
        forward
    }

    /// A slot goes over to a new source.
    #[cold]
    fn begin(
        &mut self,
        now: Instant,
        index: SlotIndex,
        arrival: &Arrival,
        d: &PacketDescription,
        payload_type: u8,
    ) -> Result<Forward, DropReason> {
        let Arrival {
            source,
            number,
            fields,
            ..
        } = *arrival;
        let aligned = self.aligned_timestamp(index, source, d.header.timestamp);
        let slot = self.slots.get_mut(index.key()).ok_or(DropReason::Paused)?;
        let encoding = self
            .publications
            .get(source.publication.key())
            .and_then(|publication| publication.encoding(source.encoding))
            .ok_or(DropReason::UnknownSource)?;
        let limit = slot.target.map_or(LayerLimit::NONE, |target| target.limit);
        let start = Start {
            source,
            encoding,
            number,
            fields,
            codec: d.codec,
            payload_type,
            limit: encoding.limit_for(limit).unwrap_or(LayerLimit::NONE),
            marks_first: slot.kind == MediaKind::Audio,
        };
        slot.begin(now, &start, d, aligned);
        let forward = slot.emit(now, encoding, number, d, &fields);
        self.relink(index);
        self.tell_binding(index);
        forward
    }

    /// Where the publishers' clocks put a packet of a new source on a slot's timeline; `None` if
    /// what was shown before is gone.
    fn aligned_timestamp(
        &self,
        index: SlotIndex,
        source: EncodingRef,
        timestamp: RtpTimestamp,
    ) -> Option<RtpTimestamp> {
        let last = self.slots[index.key()].last_segment()?;
        let before = self.encoding(last.source)?;
        if last.generation != before.generation() {
            return None;
        }
        let here = if last.source == source {
            timestamp
        } else {
            let old = self.clock_of(last.source)?;
            old.translate(&self.clock_of(source)?, timestamp)
        };
        Some(here.plus(last.aligned_offset()))
    }

    pub(super) fn publisher_clock(&self, publisher: Publisher) -> Option<&PublisherClock> {
        match publisher {
            Publisher::Local(peer) => Some(&self.peer(peer)?.clock),
            Publisher::Remote(key) => Some(&self.remotes.get(key)?.clock),
        }
    }

    fn clock_of(&self, source: EncodingRef) -> Option<ClockMap> {
        let publication = self.publications.get(source.publication.key())?;
        let publisher = self.publisher_clock(publication.publisher)?;
        publication.encoding(source.encoding)?.clock.map(publisher)
    }

    pub(super) fn repeat_packet(
        &mut self,
        now: Instant,
        index: SlotIndex,
        sequence: SequenceNumber,
        rtt: Option<Duration>,
    ) -> Result<Retransmission<'_>, DropReason> {
        let slot = self
            .slots
            .get_mut(index.key())
            .ok_or(DropReason::NotStored)?;
        let (segment, number) = slot.find_sent(sequence).ok_or(DropReason::NotStored)?;
        let encoding = self
            .publications
            .get(segment.source.publication.key())
            .and_then(|publication| publication.encoding(segment.source.encoding))
            .filter(|encoding| encoding.generation() == segment.generation)
            .ok_or(DropReason::NotStored)?;
        let incoming = segment
            .incoming_number(encoding, number)
            .ok_or(DropReason::NotStored)?;
        let stored = encoding
            .store
            .find(now, incoming)
            .ok_or(DropReason::NotStored)?;
        if is_on_its_way(now, stored.stored_at, rtt) {
            return Err(DropReason::Duplicate);
        }
        let description = stored.description;
        if !segment.limit.admits(description.payload.layer) {
            return Err(DropReason::NotStored);
        }
        let fields = Fields::read(description);
        let rewritten = segment
            .rewrite(encoding, incoming, description, &fields)
            .ok_or(DropReason::NotStored)?;
        let mut forward = slot
            .repeat(now, &segment, &rewritten, rtt)
            .ok_or(DropReason::Duplicate)?;
        if let CodecFields::Red(blocks) = description.payload.fields {
            slot.fit_redundancy(&mut forward, description.codec, blocks)?;
        }
        Ok(Retransmission {
            packet: stored.packet,
            description: *description,
            forward,
            is_current: slot.is_in_current(number),
        })
    }

    pub(super) fn take_report(
        &mut self,
        now: Instant,
        publication: PublicationIndex,
        encoding: u8,
        info: &SenderInfo,
    ) {
        let Some(state) = self.publications.get_mut(publication.key()) else {
            return;
        };
        let Some(stream) = state.encodings.get_mut(usize::from(encoding)) else {
            return;
        };
        stream.clock.on_report(info);
        if let Publisher::Local(publisher) = state.publisher
            && let Some(peer) = self.peer_mut(publisher)
        {
            peer.clock.on_report(now, info.ntp);
        }
        self.tell_followers(publication, |id| News::Clock(id, encoding));
        self.tell_followers(publication, |id| News::Layer(id, encoding));
    }

    pub(super) fn compose_report(
        &self,
        now: Instant,
        ntp_now: NtpTime,
        index: SlotIndex,
    ) -> Option<(Ssrc, SenderInfo)> {
        let slot = self.slots.get(index.key())?;
        let shown = slot.shown()?;
        let encoding = self.encoding(shown.source)?;
        if shown.generation != encoding.generation()
            || !encoding.clock.is_trusted(now, REPORT_PATIENCE)
        {
            return None;
        }
        let clock = self.clock_of(shown.source)?;
        Some((slot.ssrc(), slot.report(now, ntp_now, &clock)?))
    }

    /// Somebody needs a keyframe.
    pub(super) fn ask_keyframe(&mut self, now: Instant, source: EncodingRef, cause: KeyframeCause) {
        if self.arriving_keyframe == Some(source) {
            return;
        }
        let Some(encoding) = self.encoding_mut(source) else {
            return;
        };
        let send = encoding.keyframes.ask(now, cause);
        let due = encoding.keyframes.due();
        self.timers.set_or_cancel(Timer::Keyframe(source), due);
        if let Some(cause) = send {
            self.tell_keyframe(source, cause);
        }
    }
}
