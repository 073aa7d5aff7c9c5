//! Composes the RTCP that a publisher gets: reports every second, requests at once.
//!
//! Every packet is a full compound (RFC 3550 §6.1), beginning with a receiver report that may be
//! empty: feedback is small and rare enough, and no peer has to know reduced sizes (RFC 5506).

use super::arrivals::Arrivals;
use super::publication::Publication;
use super::stream::{Role, Stream};
use super::{ReceiverStats, Reception};
use plenum_rtp::rtcp::{ReportBlock, RtcpWriter};
use plenum_types::{Bitrate, MediaKind, SequenceNumber, Ssrc};
use std::time::{Duration, Instant};

/// Time between receiver reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// The first report comes this soon after the first packet: publishers name their streams in every
/// packet until they hear of us.
const FIRST_REPORT: Duration = Duration::from_millis(100);

/// Most bytes of a compound, so that it fits any path with its SRTCP trailer.
const MAX_COMPOUND: usize = 1_200;

/// Most report blocks of a report; the count has 5 bits.
const MAX_BLOCKS: usize = 31;

/// Bytes of PLI, and of FIR with one entry, which is the longer.
const KEYFRAME_REQUEST: usize = 20;

/// Bytes of a NACK without its entries, and of an entry.
const NACK_HEADER: usize = 12;
const NACK_ENTRY: usize = 4;

/// Most sequence numbers asked for in one compound, each of which may need its own entry.
const MAX_NACKED: usize = 250;

/// Least room in which transport-wide feedback is begun: enough for the longest loss that it may
/// begin with.
const TRANSPORT_FEEDBACK: usize = 250;

/// Told to publishers that know no better feedback than REMB. We estimate nothing for them: the
/// rate that subscribers can take is chosen by layers.
const REMB_CAP: Bitrate = Bitrate::kbps(20_000);

#[derive(Debug)]
pub(super) struct Feedback {
    ssrc: Ssrc,
    cname: Option<Box<str>>,
    remb: bool,
    /// The most that the publisher may send.
    limit: Option<Bitrate>,
    /// It was lifted, and the publisher does not know yet.
    lifted: bool,
    report_at: Option<Instant>,
    /// Which stream's block the next report begins with.
    next_block: usize,
    wake: Option<Instant>,
    wanted: Vec<u64>,
    blocks: Vec<ReportBlock>,
    /// What the last report told, until it is asked for.
    receptions: Vec<Reception>,
}

impl Feedback {
    pub(super) fn new(ssrc: Ssrc) -> Self {
        Self {
            ssrc,
            cname: None,
            remb: false,
            limit: None,
            lifted: false,
            report_at: None,
            next_block: 0,
            wake: None,
            wanted: Vec::new(),
            blocks: Vec::new(),
            receptions: Vec::new(),
        }
    }

    pub(super) fn set_cname(&mut self, cname: &str) {
        self.cname = Some(cname.into());
    }

    pub(super) fn set_remb(&mut self, remb: bool) {
        self.remb = remb;
    }

    /// The most that the publisher may send. What has changed is told at once, if reports are sent.
    pub(super) fn set_limit(&mut self, now: Instant, limit: Option<Bitrate>) {
        if std::mem::replace(&mut self.limit, limit) == limit {
            return;
        }
        // Without a limit it is told so once more, or the last one would stay.
        self.lifted = limit.is_none();
        if let Some(report_at) = &mut self.report_at {
            *report_at = now.min(*report_at);
            self.wake_at(Some(now));
        }
    }

    /// Media came: reports are worth sending.
    pub(super) fn on_media(&mut self, now: Instant) {
        if self.report_at.is_none() {
            self.report_at = Some(now + FIRST_REPORT);
            self.wake_at(self.report_at);
        }
    }

    /// Something is due at `at`.
    pub(super) fn wake_at(&mut self, at: Option<Instant>) {
        self.wake = earlier(self.wake, at);
    }

    /// Whether media has come.
    pub(super) const fn has_media(&self) -> bool {
        self.report_at.is_some()
    }

    pub(super) fn poll_reception(&mut self) -> Option<Reception> {
        self.receptions.pop()
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        self.wake
    }

    /// Writes one compound if anything is due.
    pub(super) fn compose(
        &mut self,
        now: Instant,
        publications: &mut [Publication],
        mut arrivals: Option<&mut Arrivals>,
        stats: &mut ReceiverStats,
        out: &mut Vec<u8>,
    ) -> bool {
        if self.wake.is_none_or(|wake| wake > now) {
            return false;
        }
        let is_report_due = self.report_at.is_some_and(|at| at <= now);
        if is_report_due {
            self.write_report(now, publications, out);
        } else {
            RtcpWriter::new(out).receiver_report(self.ssrc, &[]);
        }
        let head = out.len();
        for publication in &mut *publications {
            self.write_requests(now, publication, stats, out);
        }
        if let Some(arrivals) = &mut arrivals {
            self.write_transport_feedback(now, arrivals, stats, out);
        }
        self.schedule(now, publications, arrivals.as_deref());
        if out.len() == head && !is_report_due {
            out.clear();
        }
        !out.is_empty()
    }

    /// Receiver report, CNAME, and REMB if the publisher relies on it or has a limit.
    fn write_report(&mut self, now: Instant, publications: &mut [Publication], out: &mut Vec<u8>) {
        self.report_at = (!publications.is_empty()).then(|| now + REPORT_INTERVAL);
        self.gather_blocks(now, publications);
        let mut writer = RtcpWriter::new(out);
        writer.receiver_report(self.ssrc, &self.blocks);
        if let Some(cname) = &self.cname {
            writer.sdes_cname(self.ssrc, cname);
        }
        let lifted = std::mem::take(&mut self.lifted);
        if self.remb || self.limit.is_some() || lifted {
            let ssrcs: Vec<Ssrc> = self.blocks.iter().map(|block| block.ssrc).collect();
            let most = self.limit.map_or(REMB_CAP, |limit| limit.min(REMB_CAP));
            writer.remb(self.ssrc, most, &ssrcs);
        }
    }

    /// The blocks of the next streams in turn, as many as a report may have.
    fn gather_blocks(&mut self, now: Instant, publications: &mut [Publication]) {
        self.blocks.clear();
        self.receptions.clear();
        let streams = publications
            .iter_mut()
            .flat_map(|publication| &mut publication.streams);
        for (place, stream) in streams.enumerate().skip(self.next_block) {
            if self.blocks.len() == MAX_BLOCKS {
                self.next_block = place;
                return;
            }
            let block = stream
                .ssrc(Role::Media)
                .and_then(|ssrc| stream.statistics.report(now, ssrc));
            self.receptions.extend(block.map(|block| Reception {
                lost: block.fraction_lost,
                jitter: stream.statistics.jitter(),
            }));
            self.blocks.extend(block);
        }
        self.next_block = 0;
    }

    /// Keyframe requests and NACKs for the streams of a publication, as far as there is room.
    fn write_requests(
        &mut self,
        now: Instant,
        publication: &mut Publication,
        stats: &mut ReceiverStats,
        out: &mut Vec<u8>,
    ) {
        let request = KeyframeRequest::negotiated(publication);
        for stream in &mut publication.streams {
            let Some(media) = stream.ssrc(Role::Media) else {
                continue;
            };
            let has_room = out.len() + KEYFRAME_REQUEST <= MAX_COMPOUND;
            if stream.keyframe_wanted && has_room {
                stream.keyframe_wanted = false;
                stats.keyframe_requests_out +=
                    u64::from(self.write_keyframe_request(request, media, stream, out));
            }
            self.write_nack(now, media, stream, stats, out);
        }
    }

    fn write_keyframe_request(
        &self,
        request: Option<KeyframeRequest>,
        media: Ssrc,
        stream: &mut Stream,
        out: &mut Vec<u8>,
    ) -> bool {
        let mut writer = RtcpWriter::new(out);
        match request {
            None => return false,
            Some(KeyframeRequest::Pli) => writer.pli(self.ssrc, media),
            Some(KeyframeRequest::Fir) => {
                stream.fir_count = stream.fir_count.wrapping_add(1);
                writer.fir(self.ssrc, media, stream.fir_count);
            }
        }
        true
    }

    fn write_nack(
        &mut self,
        now: Instant,
        media: Ssrc,
        stream: &mut Stream,
        stats: &mut ReceiverStats,
        out: &mut Vec<u8>,
    ) {
        let room = MAX_COMPOUND.saturating_sub(out.len() + NACK_HEADER) / NACK_ENTRY;
        self.wanted.clear();
        let limit = room.min(MAX_NACKED);
        stream.nack.take_due(now, limit, &mut self.wanted);
        if self.wanted.is_empty() {
            return;
        }
        stats.nacks_out += self.wanted.len() as u64;
        let sequences = self
            .wanted
            .iter()
            .map(|extended| SequenceNumber(*extended as u16));
        RtcpWriter::new(out).nack(self.ssrc, media, sequences);
    }

    fn write_transport_feedback(
        &self,
        now: Instant,
        arrivals: &mut Arrivals,
        stats: &mut ReceiverStats,
        out: &mut Vec<u8>,
    ) {
        let room = MAX_COMPOUND.saturating_sub(out.len());
        if room >= TRANSPORT_FEEDBACK && arrivals.write_feedback(now, self.ssrc, room, out) {
            stats.transport_feedbacks_out += 1;
        }
    }

    /// When there will be something to write again; at once for what had no room.
    fn schedule(
        &mut self,
        now: Instant,
        publications: &[Publication],
        arrivals: Option<&Arrivals>,
    ) {
        self.wake = earlier(self.report_at, arrivals.and_then(Arrivals::due));
        for stream in publications
            .iter()
            .flat_map(|publication| &publication.streams)
        {
            self.wake_at(stream.nack.due());
            let is_wanted = stream.keyframe_wanted && stream.ssrc(Role::Media).is_some();
            self.wake_at(is_wanted.then_some(now));
        }
    }
}

/// How a publisher is asked for a keyframe.
#[derive(Clone, Copy)]
enum KeyframeRequest {
    Pli,
    Fir,
}

impl KeyframeRequest {
    fn negotiated(publication: &Publication) -> Option<Self> {
        if publication.kind == MediaKind::Audio {
            None
        } else if publication.any(|codec| codec.pli) {
            Some(Self::Pli)
        } else if publication.any(|codec| codec.fir) {
            Some(Self::Fir)
        } else {
            None
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
