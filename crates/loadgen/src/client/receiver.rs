//! The streams that a client receives. Every packet is counted by its clear header; some are
//! decrypted, to prove that they can be, to find keyframes, and to measure latency.
//!
//! | file | one idea |
//! |---|---|
//! | `stream` | one stream: what came, what is missing, what a report says of it |
//! | `missing` | sequence numbers that were passed over, until they come or are given up |
//! | `pictures` | frames, freezes and keyframes of a stream |
//! | `feedback` | transport-wide feedback |
//! | `routes` | whose a packet is |

mod feedback;
mod missing;
mod pictures;
mod routes;
mod stream;

use std::time::{Duration, Instant};

use plenum_media::SrtpSession;
use plenum_rtp::rtcp::{ReportBlock, RtcpPacket, RtcpWriter};
use plenum_rtp::{HeaderExtensions, RtpHeader, describe, unwrap_rtx};
use plenum_types::{DropReason, ExtensionKind, ExtensionMap, SequenceNumber, Ssrc};
use rand::RngExt;
use rand::rngs::SmallRng;

use super::Context;
use super::sdp::Description;
use crate::media::Stamp;
use feedback::Feedback;
use routes::{Route, Routes};
use stream::{Arrival, Clear, Stream};

/// Between looks at feedback, freezes and what is missing for too long.
const TICK: Duration = Duration::from_millis(100);
/// Most bytes of a compound.
const COMPOUND_MAX: usize = 1_150;
/// Most report blocks in a compound (RFC 3550 §6.4.1); the rest has its turn next.
const BLOCKS_MAX: usize = 31;

/// What a packet was, for the times of the join.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The first packets are decrypted, so this one was authentic.
    pub(super) packet: bool,
    /// It began a keyframe, or without video it was sound.
    pub(super) keyframe: bool,
}

/// All streams that a client receives.
pub(super) struct Receiver {
    ssrc: u32,
    ids: ExtensionMap,
    routes: Routes,
    streams: Vec<Stream>,
    feedback: Option<Feedback>,
    has_video: bool,
    tick_at: Instant,
    nack_at: Option<Instant>,
    /// Where the next report begins.
    report_from: usize,
}

impl Receiver {
    pub(super) fn new(now: Instant, remote: &Description, ssrc: u32, rng: &mut SmallRng) -> Self {
        let ids = remote.extensions();
        let routes = Routes::new(remote);
        let transport_cc = remote
            .media
            .iter()
            .filter(|media| media.direction.sends)
            .flat_map(|media| &media.codecs)
            .any(|codec| codec.parameters.transport_cc);
        let feedback = ids
            .id(ExtensionKind::TransportSequence)
            .filter(|_| transport_cc)
            .map(Feedback::new);
        Self {
            ssrc,
            ids,
            has_video: routes.has_video(),
            streams: Vec::new(),
            routes,
            feedback,
            tick_at: now + TICK.mul_f64(rng.random::<f64>()),
            nack_at: None,
            report_from: 0,
        }
    }

    /// Keys are there.
    pub(super) fn start(&mut self, now: Instant) {
        self.tick_at = self.tick_at.max(now);
    }

    /// Whether the server forwards anything to the slot `mid`.
    pub(super) fn set_flowing(&mut self, now: Instant, mid: &str, flowing: bool) {
        let Some(slot) = self.routes.slot_named(mid) else {
            return;
        };
        self.routes.set_flowing(slot, flowing);
        for stream in self.streams.iter_mut().filter(|stream| stream.slot == slot) {
            stream.pictures.set_flowing(now, flowing);
        }
    }

    #[inline]
    pub(super) fn on_rtp(
        &mut self,
        context: &mut Context<'_>,
        srtp: &mut SrtpSession,
        wall_us: u64,
        datagram: &mut [u8],
    ) -> Seen {
        let Some(clear) = Clear::read(datagram) else {
            return Seen::default();
        };
        if let Some(feedback) = &mut self.feedback {
            feedback.on_packet(datagram, wall_us);
        }
        let index = match self.routes.find(clear.ssrc) {
            Some(Route::Media(index)) => index,
            Some(Route::Repair(index)) => {
                self.on_repair(context, srtp, index, datagram);
                return Seen::default();
            }
            None => match self.adopt(context.now, &clear, datagram) {
                Some(index) => index,
                None => return Seen::default(),
            },
        };
        let stream = &mut self.streams[index];
        let arrival = stream.on_packet(context, wall_us, &clear);
        if stream.missing.is_due_sooner(self.nack_at) {
            self.nack_at = stream.missing.next();
        }
        if arrival == Arrival::Duplicate {
            context.tally.counters.duplicates += 1;
            return Seen::default();
        }
        context.tally.counters.packets_received += 1;
        context.tally.counters.bytes_received += datagram.len() as u64;
        let sample = context.tally.sample_every;
        if stream.pictures.may_be_wanted_keyframe() || clear.sequence.is_multiple_of(sample) {
            return self.look_into(context, srtp, index, wall_us, datagram);
        }
        Seen::default()
    }

    /// A stream that has not been seen before.
    fn adopt(&mut self, now: Instant, clear: &Clear, datagram: &[u8]) -> Option<usize> {
        let header = RtpHeader::parse(datagram).ok()?;
        let mid = HeaderExtensions::parse(datagram, &header, &self.ids)
            .ok()
            .and_then(|found| found.mid(datagram));
        let mid = mid.as_ref().map(plenum_types::ShortText::as_str);
        let slot = self.routes.slot_of(clear.ssrc, clear.payload_type, mid)?;
        if self.routes.is_repair(clear.payload_type) {
            let index = self.streams.iter().position(|stream| stream.slot == slot)?;
            self.routes.add(clear.ssrc, Route::Repair(index));
            return None;
        }
        let codec = self.routes.codec(clear.payload_type)?;
        let index = self.streams.len();
        let flowing = self.routes.is_flowing(slot);
        self.streams
            .push(Stream::new(now, clear, slot, codec, flowing));
        self.routes.add(clear.ssrc, Route::Media(index));
        if let Some(rtx) = self.routes.rtx_of(clear.ssrc) {
            self.routes.add(rtx, Route::Repair(index));
        }
        Some(index)
    }

    /// Decrypts a packet.
    fn look_into(
        &mut self,
        context: &mut Context<'_>,
        srtp: &mut SrtpSession,
        index: usize,
        wall_us: u64,
        datagram: &mut [u8],
    ) -> Seen {
        let packet = match srtp.unprotect_rtp(datagram) {
            Ok(packet) => &*packet,
            Err(DropReason::SrtpReplay) => return Seen::default(),
            Err(_) => {
                context.tally.counters.decrypt_failures += 1;
                return Seen::default();
            }
        };
        let Ok(header) = RtpHeader::parse(packet) else {
            return Seen::default();
        };
        if let Some(stamp) = Stamp::find(header.payload(packet)) {
            let latency_us = wall_us.saturating_sub(stamp.sent_us);
            context.tally.latency.record(latency_us);
        }
        self.look_at_picture(context, index, header, packet)
    }

    fn look_at_picture(
        &mut self,
        context: &mut Context<'_>,
        index: usize,
        header: RtpHeader,
        packet: &[u8],
    ) -> Seen {
        let stream = &mut self.streams[index];
        let described = describe(packet, header, HeaderExtensions::default(), stream.codec);
        let keyframe = described.is_ok_and(|description| {
            let payload = description.payload;
            if payload.keyframe {
                stream.pictures.on_keyframe(context, payload.size());
            }
            payload.keyframe
        });
        Seen {
            packet: true,
            keyframe: keyframe && (stream.is_video() || !self.has_video),
        }
    }

    /// A retransmission: always decrypted, because the number it repairs is encrypted.
    fn on_repair(
        &mut self,
        context: &mut Context<'_>,
        srtp: &mut SrtpSession,
        index: usize,
        datagram: &mut [u8],
    ) {
        let length = datagram.len();
        let packet = match srtp.unprotect_rtp(datagram) {
            Ok(packet) => packet,
            Err(DropReason::SrtpReplay) => return,
            Err(_) => {
                context.tally.counters.decrypt_failures += 1;
                return;
            }
        };
        let Ok(header) = RtpHeader::parse(packet) else {
            return;
        };
        let stream = &mut self.streams[index];
        let payload_type = stream.payload_type;
        let Some(original) = unwrap_rtx(packet, &header, Ssrc(stream.ssrc), payload_type) else {
            return;
        };
        context.tally.counters.rtx_received += 1;
        let packet = &packet[..original];
        let Ok(header) = RtpHeader::parse(packet) else {
            return;
        };
        if stream.missing.on_repaired(header.sequence) {
            context.tally.counters.packets_received += 1;
            context.tally.counters.bytes_received += length as u64;
            self.look_at_picture(context, index, header, packet);
        } else {
            context.tally.counters.duplicates += 1;
        }
    }

    pub(super) fn on_rtcp(&mut self, now: Instant, packet: &RtcpPacket<'_>) {
        if let RtcpPacket::SenderReport { ssrc, info, .. } = packet
            && let Some(Route::Media(index)) = self.routes.find(ssrc.0)
        {
            self.streams[index].on_sender_report(now, info.ntp.middle());
        }
    }

    /// Writes report blocks of as many streams as fit.
    pub(super) fn report(&mut self, now: Instant, writer: &mut RtcpWriter<'_>) {
        let count = self.streams.len();
        let blocks: Vec<ReportBlock> = (0..count.min(BLOCKS_MAX))
            .map(|offset| self.streams[(self.report_from + offset) % count].report(now))
            .collect();
        self.report_from = (self.report_from + blocks.len()) % count.max(1);
        writer.receiver_report(Ssrc(self.ssrc), &blocks);
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.nack_at.map_or(self.tick_at, |at| at.min(self.tick_at))
    }

    /// Writes what is due to `out`.
    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) {
        if self.nack_at.is_some_and(|at| context.now >= at) {
            self.write_nacks(context, out);
        }
        if context.now < self.tick_at {
            return;
        }
        self.tick_at = context.now + TICK;
        for stream in &mut self.streams {
            let given_up = stream.missing.give_up(context.now);
            context.tally.counters.packets_lost += given_up;
            let late = stream.is_video() && stream.pictures.handle_tick(context, given_up > 0);
            if late && out.len() < COMPOUND_MAX {
                RtcpWriter::new(out).pli(Ssrc(self.ssrc), Ssrc(stream.ssrc));
                context.tally.counters.plis_sent += 1;
            }
        }
        self.write_feedback(context, out);
    }

    fn write_nacks(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) {
        self.nack_at = None;
        for stream in &mut self.streams {
            if stream.is_repairable() {
                let due: Vec<SequenceNumber> = stream.missing.due(context.now);
                context.tally.counters.nacks_sent += due.len() as u64;
                RtcpWriter::new(out).nack(Ssrc(self.ssrc), Ssrc(stream.ssrc), due);
            }
            if stream.is_repairable() && stream.missing.is_due_sooner(self.nack_at) {
                self.nack_at = stream.missing.next();
            }
        }
    }

    fn write_feedback(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) {
        let Some(feedback) = &mut self.feedback else {
            return;
        };
        let media = self.streams.first().map_or(0, |stream| stream.ssrc);
        let budget = COMPOUND_MAX.saturating_sub(out.len());
        if feedback.write(Ssrc(self.ssrc), Ssrc(media), budget, out) {
            context.tally.counters.feedback_sent += 1;
        }
        if !feedback.is_empty() {
            // It did not fit: the rest goes with the next compound, at once.
            self.tick_at = context.now;
        }
    }
}
