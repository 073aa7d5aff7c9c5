//! The receive side of a peer: which stream a packet belongs to, what is missing, and the RTCP
//! that tells the publisher.
//!
//! The packet path is [`Receiver::handle_rtp`]; everything else is a few times a second.

mod arrivals;
mod departed;
mod feedback;
mod nack;
mod publication;
mod routes;
mod statistics;
mod stream;
#[cfg(test)]
mod tests;

use arrivals::Arrivals;
use departed::Departed;
use feedback::Feedback;
use plenum_rtp::rtcp::SenderInfo;
use plenum_rtp::{
    HeaderExtensions, PacketDescription, RtpHeader, describe_in_stream, describe_redundant,
    unwrap_rtx,
};
use plenum_types::{
    Bitrate, CodecParameters, DropReason, ExtensionKind, ExtensionMap, MediaKind,
    PublicationConfig, PublicationId, SequenceNumber, Ssrc,
};
use publication::Publication;
use routes::{Route, Routes};
use std::time::{Duration, Instant};
use stream::{Role, Stream};

/// One stream of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamRef {
    /// The publication.
    pub publication: PublicationId,
    /// Index into its encodings, smallest picture first.
    pub encoding: u8,
}

/// A packet that is to be forwarded.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedPacket {
    /// The stream that it belongs to.
    pub source: StreamRef,
    /// Whether it came as a retransmission (RFC 4588).
    pub retransmitted: bool,
    /// Bytes of the packet that is now in the buffer, retransmissions unwrapped.
    pub len: usize,
    /// What it says.
    pub description: PacketDescription,
}

/// Counters of a receiver, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiverStats {
    /// Sequence numbers asked for again.
    pub nacks_out: u64,
    /// Retransmissions that came, probes not counted.
    pub rtx_in: u64,
    /// PLI and FIR sent.
    pub keyframe_requests_out: u64,
    /// Transport-wide feedback packets sent.
    pub transport_feedbacks_out: u64,
}

/// How a stream arrived lately, as its publisher was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reception {
    /// Fraction lost since the report before, in 1/256.
    pub lost: u8,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub jitter: Duration,
}

/// Everything that is known about the streams of one publisher.
///
/// Input: [`handle_rtp`](Self::handle_rtp), the `on_*` facts from its RTCP, and
/// [`request_keyframe`](Self::request_keyframe). Output: [`poll_rtcp`](Self::poll_rtcp), called
/// until it returns `false` when [`poll_timeout`](Self::poll_timeout) is due.
pub struct Receiver {
    extensions: ExtensionMap,
    publications: Vec<Publication>,
    routes: Routes,
    departed: Departed,
    /// Present if transport-wide feedback was negotiated.
    arrivals: Option<Arrivals>,
    feedback: Feedback,
    /// Where the last packet had nothing to forward.
    skipped: Option<(StreamRef, SequenceNumber)>,
    stats: ReceiverStats,
}

impl Receiver {
    /// A receiver without publications. `feedback_ssrc` is the sender of its RTCP.
    pub fn new(feedback_ssrc: Ssrc) -> Self {
        Self {
            extensions: ExtensionMap::new(),
            publications: Vec::new(),
            routes: Routes::default(),
            departed: Departed::default(),
            arrivals: None,
            feedback: Feedback::new(feedback_ssrc),
            skipped: None,
            stats: ReceiverStats::default(),
        }
    }

    /// The CNAME of our reports (RFC 3550 §6.5.1). Without it they carry none.
    pub fn set_cname(&mut self, cname: &str) {
        self.feedback.set_cname(cname);
    }

    /// The most that the publisher may send in all. It is told by REMB, beside transport-wide
    /// feedback too: libwebrtc takes the lower of both, and who does not know REMB ignores it
    /// (RFC 4585 §4.2: unknown feedback is no error).
    pub fn set_publish_limit(&mut self, now: Instant, limit: Option<Bitrate>) {
        self.feedback.set_limit(now, limit);
    }

    /// The round trip time to the publisher paces repeated requests for lost packets.
    pub fn set_rtt(&mut self, rtt: Duration) {
        for publication in &mut self.publications {
            for stream in &mut publication.streams {
                stream.nack.set_rtt(rtt);
            }
        }
    }

    /// Expects a track. One with the same id is replaced.
    pub fn add_publication(&mut self, config: &PublicationConfig) {
        self.remove_publication(config.publication);
        self.extensions.merge(&config.extensions);
        let mut publication = Publication::new(config);
        let routes = &mut self.routes;
        self.departed
            .restore(&mut publication, |ssrc| routes.find(ssrc).is_some());
        self.publications.push(publication);
        self.routes.declare(&self.publications);
        self.negotiate();
    }

    /// The track has ended. Its packets are refused until its m-line has a publication again.
    pub fn remove_publication(&mut self, id: PublicationId) {
        let place = self.publications.iter().position(|known| known.id == id);
        if let Some(place) = place {
            let ended = self.publications.remove(place);
            self.departed.remember(&ended);
            self.routes.remove_publication(place);
            self.negotiate();
        }
    }

    /// Which feedback about bandwidth the publisher wants.
    fn negotiate(&mut self) {
        let any = |wants: fn(&CodecParameters) -> bool| {
            self.publications
                .iter()
                .any(|publication| publication.any(wants))
        };
        let transport_cc = any(|codec| codec.transport_cc)
            && self
                .extensions
                .id(ExtensionKind::TransportSequence)
                .is_some();
        self.feedback
            .set_remb(any(|codec| codec.remb) && !transport_cc);
        if !transport_cc {
            self.arrivals = None;
        } else if self.arrivals.is_none() {
            self.arrivals = Some(Arrivals::new());
        }
    }

    /// Handles an RTP packet: finds its stream, unwraps it in place if it is a retransmission, and
    /// says what it is.
    ///
    /// Fails with `RtpMalformed`, `UnknownSource`, `UnknownPayloadType`, `TooManySsrcs`,
    /// `Duplicate`, `PaddingOnly` or `DescriptorMalformed`; feedback is kept up in each case.
    pub fn handle_rtp(
        &mut self,
        now: Instant,
        packet: &mut [u8],
    ) -> Result<ReceivedPacket, DropReason> {
        let (header, extensions) = self.parse(packet)?;
        self.record_arrival(now, packet, &header, &extensions);
        let route = match self.routes.find(header.ssrc) {
            Some(route) => route,
            None => self
                .routes
                .learn(now, &mut self.publications, packet, &header, &extensions)?,
        };
        let (codec, role) = self.publications[route.publication]
            .meaning(header.payload_type)
            .ok_or(DropReason::UnknownPayloadType)?;
        match (role, route.role) {
            (Role::Media, Role::Media) => self.take(now, packet, header, extensions, route, &codec),
            (Role::Repair, Role::Repair) => self.take_repair(now, packet, &header, route, &codec),
            _ => Err(DropReason::UnknownPayloadType),
        }
    }

    /// The sequence number that the last packet used up, if that packet was refused as
    /// `PaddingOnly` or `DescriptorMalformed` on a media stream: what follows has to close up.
    pub fn take_skipped(&mut self) -> Option<(StreamRef, SequenceNumber)> {
        self.skipped.take()
    }

    fn parse(&self, packet: &[u8]) -> Result<(RtpHeader, HeaderExtensions), DropReason> {
        let header = RtpHeader::parse(packet).map_err(|_| DropReason::RtpMalformed)?;
        let extensions = HeaderExtensions::parse(packet, &header, &self.extensions)
            .map_err(|_| DropReason::RtpMalformed)?;
        Ok((header, extensions))
    }

    fn record_arrival(
        &mut self,
        now: Instant,
        packet: &[u8],
        header: &RtpHeader,
        extensions: &HeaderExtensions,
    ) {
        let Some(arrivals) = &mut self.arrivals else {
            return;
        };
        if let Some(sequence) = extensions.transport_sequence(packet) {
            arrivals.record(now, header.ssrc, sequence);
            self.feedback.wake_at(arrivals.due());
        }
    }

    /// A retransmission (RFC 4588), or a probe in the shape of one.
    fn take_repair(
        &mut self,
        now: Instant,
        packet: &mut [u8],
        header: &RtpHeader,
        route: Route,
        codec: &CodecParameters,
    ) -> Result<ReceivedPacket, DropReason> {
        if header.payload_len == 0 {
            return Err(DropReason::PaddingOnly);
        }
        let ssrc = self
            .stream(route)
            .ssrc(Role::Media)
            .ok_or(DropReason::UnknownSource)?;
        let len =
            unwrap_rtx(packet, header, ssrc, codec.payload_type).ok_or(DropReason::PaddingOnly)?;
        self.stats.rtx_in += 1;
        let packet = &packet[..len];
        let (header, extensions) = self.parse(packet)?;
        self.take(now, packet, header, extensions, route, codec)
    }

    fn take(
        &mut self,
        now: Instant,
        packet: &[u8],
        header: RtpHeader,
        extensions: HeaderExtensions,
        route: Route,
        codec: &CodecParameters,
    ) -> Result<ReceivedPacket, DropReason> {
        let retransmitted = route.role == Role::Repair;
        let stream = self.stream(route);
        stream.on_packet(now, &header, retransmitted, codec.nack)?;
        let (nack_due, keyframe_wanted) = (stream.nack.due(), stream.keyframe_wanted);
        self.feedback.wake_at(nack_due);
        self.feedback.wake_at(keyframe_wanted.then_some(now));
        self.feedback.on_media(now);
        if header.payload_len == 0 {
            self.skipped = Some((self.source(route), header.sequence));
            return Err(DropReason::PaddingOnly);
        }
        let described = if codec.red_payload_type == Some(header.payload_type) {
            describe_redundant(packet, header, extensions, codec.codec)
        } else {
            let templates = &mut self.stream(route).templates;
            describe_in_stream(packet, header, extensions, codec.codec, templates)
        };
        let Ok(description) = described else {
            self.skipped = Some((self.source(route), header.sequence));
            return Err(DropReason::DescriptorMalformed);
        };
        Ok(ReceivedPacket {
            source: self.source(route),
            retransmitted,
            len: packet.len(),
            description,
        })
    }

    fn stream(&mut self, route: Route) -> &mut Stream {
        &mut self.publications[route.publication].streams[route.encoding]
    }

    fn source(&self, route: Route) -> StreamRef {
        StreamRef {
            publication: self.publications[route.publication].id,
            encoding: route.encoding as u8,
        }
    }

    /// A sender report of the publisher: remembered for our reports. Tells which stream it is
    /// about; `None` for retransmissions and unknown SSRCs.
    pub fn on_sender_report(
        &mut self,
        now: Instant,
        ssrc: Ssrc,
        info: &SenderInfo,
    ) -> Option<StreamRef> {
        let route = self.routes.find(ssrc)?;
        if route.role == Role::Repair {
            return None;
        }
        self.stream(route).statistics.on_sender_report(now, info);
        Some(self.source(route))
    }

    /// The publisher ends an SSRC (RFC 3550 §6.6): what is missing of it will not come any more.
    pub fn on_bye(&mut self, ssrc: Ssrc) -> Option<StreamRef> {
        let route = self.routes.find(ssrc)?;
        self.stream(route).nack.clear();
        (route.role == Role::Media).then(|| self.source(route))
    }

    /// Asks the publisher for a keyframe: PLI, or FIR if only that was negotiated. Ignored for
    /// audio, for unknown streams, and while nothing has come of the stream, because it will
    /// begin with a keyframe.
    pub fn request_keyframe(&mut self, now: Instant, publication: PublicationId, encoding: u8) {
        let known = self
            .publications
            .iter_mut()
            .find(|known| known.id == publication && known.kind == MediaKind::Video);
        let stream = known.and_then(|known| known.streams.get_mut(usize::from(encoding)));
        let Some(stream) = stream.filter(|stream| stream.ssrc(Role::Media).is_some()) else {
            return;
        };
        stream.keyframe_wanted = true;
        self.feedback.wake_at(Some(now));
    }

    /// Writes the RTCP that is due into `out`, whose contents it replaces: one compound packet of
    /// at most 1,200 bytes. Returns whether there was any; call it until there is none.
    pub fn poll_rtcp(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        out.clear();
        self.feedback.compose(
            now,
            &mut self.publications,
            self.arrivals.as_mut(),
            &mut self.stats,
            out,
        )
    }

    /// What the last report told the publisher of its streams, one after the other.
    pub fn poll_reception(&mut self) -> Option<Reception> {
        self.feedback.poll_reception()
    }

    /// Whether media has come of any publication that there is.
    pub const fn has_media(&self) -> bool {
        self.feedback.has_media()
    }

    /// When to call [`poll_rtcp`](Self::poll_rtcp) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.feedback.wake()
    }

    /// Counters since the start.
    pub fn stats(&self) -> ReceiverStats {
        self.stats
    }
}
