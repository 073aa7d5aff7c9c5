//! An interceptor next to the wire: sees all RTCP before the stack consumes it, and puts the
//! header extensions on outgoing RTP that a browser would put there, retransmissions included.
//!
//! It also orders the receiver reports that the stack makes at one time: those come one per
//! datagram in the order of a hash map, so that which of them is lost would depend on the run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use plenum_types::{Bitrate, ExtensionKind, ExtensionMap, NtpTime, RtpTimestamp, Ssrc};
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

/// What an outgoing stream says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StreamLabel {
    pub(super) mid: String,
    pub(super) rid: Option<String>,
    /// Retransmissions of the stream with this rid (RFC 8852).
    pub(super) repair: bool,
}

/// A sender report received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedSenderReport {
    /// When it came.
    pub at: Instant,
    /// Of which stream.
    pub ssrc: Ssrc,
    /// Wall clock of the sender.
    pub ntp: NtpTime,
    /// Media time at that wall clock.
    pub rtp: RtpTimestamp,
    /// Packets sent so far.
    pub packets: u32,
}

impl ReceivedSenderReport {
    /// Wall clock of the sender at the media time `timestamp` of a clock of `rate` ticks a second,
    /// in seconds after the report's.
    pub fn seconds_to(&self, timestamp: RtpTimestamp, rate: f64) -> f64 {
        f64::from(timestamp.distance_from(self.rtp)) / rate
    }
}

/// What passed the tap.
#[derive(Clone, Debug, Default)]
pub struct WireLog {
    /// PLIs received.
    pub plis_in: u64,
    /// FIR entries received.
    pub firs_in: u64,
    /// Sequence numbers that were asked of us.
    pub nacks_in: u64,
    /// The limit that REMB named last.
    pub limit: Option<Bitrate>,
    /// Transport-wide feedback messages received.
    pub transport_feedback_in: u64,
    /// Transport-wide feedback messages sent.
    pub transport_feedback_out: u64,
    /// Blocks of receiver reports received.
    pub report_blocks_in: u64,
    /// Retransmissions sent on a stream of their own.
    pub rtx_out: u64,
    /// Retransmissions received on a stream of their own.
    pub rtx_in: u64,
    /// RTP packets received, retransmissions included.
    pub rtp_in: u64,
    /// RTP packets sent, retransmissions included.
    pub rtp_out: u64,
    /// Sender reports received.
    pub sender_reports: Vec<ReceivedSenderReport>,
}

#[derive(Debug, Default)]
struct State {
    log: WireLog,
    extensions: ExtensionMap,
    labels: BTreeMap<u32, StreamLabel>,
    /// Streams that the other side has reported on: it knows them by SSRC.
    acknowledged: BTreeSet<u32>,
    keyframe_requests: Vec<Ssrc>,
    rtx_payload_types: BTreeSet<u8>,
}

/// The end of the tap that the client keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Tap(Arc<Mutex<State>>);

impl Tap {
    /// The end that goes into the stack.
    pub(super) fn interceptor(&self) -> TapInterceptor {
        TapInterceptor {
            tap: self.clone(),
            read: VecDeque::new(),
            write: VecDeque::new(),
        }
    }

    pub(super) fn set_extensions(&self, extensions: ExtensionMap) {
        self.lock().extensions = extensions;
    }

    pub(super) fn set_rtx_payload_types(&self, payload_types: impl IntoIterator<Item = u8>) {
        self.lock().rtx_payload_types = payload_types.into_iter().collect();
    }

    pub(super) fn label(&self, ssrc: Ssrc, label: StreamLabel) {
        self.lock().labels.insert(ssrc.0, label);
    }

    pub(super) fn take_keyframe_requests(&self) -> Vec<Ssrc> {
        std::mem::take(&mut self.lock().keyframe_requests)
    }

    pub(super) fn log(&self) -> WireLog {
        self.lock().log.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn on_rtcp(&mut self, now: Instant, packet: &dyn rtcp::Packet) {
        let packet = packet.as_any();
        if let Some(pli) = packet.downcast_ref::<PictureLossIndication>() {
            self.log.plis_in += 1;
            self.keyframe_requests.push(Ssrc(pli.media_ssrc));
        } else if let Some(fir) = packet.downcast_ref::<FullIntraRequest>() {
            self.log.firs_in += fir.fir.len() as u64;
            let asked = fir.fir.iter().map(|entry| Ssrc(entry.ssrc));
            self.keyframe_requests.extend(asked);
        } else if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
            let pairs = nack.nacks.iter();
            self.log.nacks_in += pairs
                .map(|pair| 1 + u64::from(pair.lost_packets.count_ones()))
                .sum::<u64>();
        } else if let Some(report) = packet.downcast_ref::<SenderReport>() {
            self.log.sender_reports.push(ReceivedSenderReport {
                at: now,
                ssrc: Ssrc(report.ssrc),
                ntp: NtpTime(report.ntp_time),
                rtp: RtpTimestamp(report.rtp_time),
                packets: report.packet_count,
            });
            self.on_reports(report.reports.iter().map(|block| block.ssrc));
        } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
            self.on_reports(report.reports.iter().map(|block| block.ssrc));
        } else if let Some(remb) = packet.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
            self.log.limit = Some(Bitrate(remb.bitrate as u64));
        } else if packet.is::<TransportLayerCc>() {
            self.log.transport_feedback_in += 1;
        }
    }

    fn on_reports(&mut self, ssrcs: impl Iterator<Item = u32>) {
        for ssrc in ssrcs {
            self.log.report_blocks_in += 1;
            self.acknowledged.insert(ssrc);
        }
    }

    /// As browsers do, names the stream until the other side has reported on it.
    fn label_outgoing(&mut self, packet: &mut rtp::Packet) {
        self.log.rtp_out += 1;
        let header = &mut packet.header;
        let Some(label) = self.labels.get(&header.ssrc) else {
            return;
        };
        self.log.rtx_out += u64::from(label.repair);
        if self.acknowledged.contains(&header.ssrc) {
            return;
        }
        let rid_kind = if label.repair {
            ExtensionKind::RepairedRid
        } else {
            ExtensionKind::Rid
        };
        let texts = [
            (ExtensionKind::Mid, Some(&label.mid)),
            (rid_kind, label.rid.as_ref()),
        ];
        for (kind, text) in texts {
            if let (Some(id), Some(text)) = (self.extensions.id(kind), text) {
                // Fails only for ids and lengths that the offer cannot contain.
                let value = Bytes::copy_from_slice(text.as_bytes());
                let _ = header.set_extension(id, value);
            }
        }
    }
}

/// The end of the tap that sits in the stack, closest to the wire.
pub(super) struct TapInterceptor {
    tap: Tap,
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl TapInterceptor {
    /// Queues `message`; a receiver report goes before those of higher SSRCs queued with it.
    fn queue(&mut self, message: TaggedPacket) {
        let mut place = self.write.len();
        if let Some(ssrc) = reported_ssrc(&message) {
            let queued = self.write.iter().rev();
            place -= queued
                .take_while(|queued| reported_ssrc(queued).is_some_and(|other| other > ssrc))
                .count();
        }
        self.write.insert(place, message);
    }
}

/// Which stream a receiver report is about; `None` for other packets.
fn reported_ssrc(message: &TaggedPacket) -> Option<u32> {
    let Packet::Rtcp(packets) = &message.message.packet else {
        return None;
    };
    let report = packets.first()?.as_any().downcast_ref::<ReceiverReport>()?;
    Some(report.reports.first()?.ssrc)
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for TapInterceptor {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        let mut state = self.tap.lock();
        match &message.message.packet {
            Packet::Rtp(packet) => {
                state.log.rtp_in += 1;
                let rtx = state
                    .rtx_payload_types
                    .contains(&packet.header.payload_type);
                state.log.rtx_in += u64::from(rtx);
            }
            Packet::Rtcp(packets) => {
                for packet in packets {
                    state.on_rtcp(message.now, packet.as_ref());
                }
            }
            _ => {}
        }
        drop(state);
        self.read.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, mut message: TaggedPacket) -> Result<(), Error> {
        let mut state = self.tap.lock();
        match &mut message.message.packet {
            Packet::Rtp(packet) => state.label_outgoing(packet),
            Packet::Rtcp(packets) => {
                let feedback = packets
                    .iter()
                    .filter(|packet| packet.as_any().is::<TransportLayerCc>());
                state.log.transport_feedback_out += feedback.count() as u64;
            }
            _ => {}
        }
        drop(state);
        self.queue(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.write.pop_front()
    }

    fn handle_timeout(&mut self, _now: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}

impl Interceptor for TapInterceptor {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}
