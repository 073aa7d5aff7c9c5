//! A published track: its source of media, its place in the stack, its sender reports.

use std::time::{Duration, Instant};

use plenum_types::{NtpTime, RtpTimestamp, Ssrc};
use rand::RngExt;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::RTCPeerConnection;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters,
    RtpCodecKind,
};
use rtc::rtp_transceiver::{
    RTCRtpSenderId, RTCRtpTransceiverDirection, RTCRtpTransceiverId, RTCRtpTransceiverInit,
};

use super::config::{ClientConfig, OPUS, TrackConfig, TrackMedia, VIDEO};
use super::stack;
use super::tap::{StreamLabel, Tap};
use crate::error::TestkitError;
use crate::media::{AudioSource, SourcePacket, VideoCodec, VideoConfig, VideoSource};
use crate::seed::SimRng;

/// Time between the sender reports of a stream.
const REPORT_INTERVAL: Duration = Duration::from_millis(1_000);

/// What makes the packets of a track.
#[derive(Debug)]
pub(super) enum TrackSource {
    Audio(AudioSource),
    Video(VideoSource),
}

/// One outgoing stream, its repair stream and its counters.
#[derive(Clone, Debug)]
struct Stream {
    ssrc: Ssrc,
    rtx_ssrc: Ssrc,
    rid: Option<String>,
    packets: u32,
    bytes: u32,
}

/// A published track.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) config: TrackConfig,
    pub(super) transceiver: RTCRtpTransceiverId,
    pub(super) mid: String,
    pub(super) source: Option<TrackSource>,
    payload_type: u8,
    streams: Vec<Stream>,
    report_at: Option<Instant>,
}

impl Track {
    /// Adds a send-only section for the track.
    pub(super) fn add(
        connection: &mut RTCPeerConnection,
        client: &ClientConfig,
        config: &TrackConfig,
        rng: &mut SimRng,
    ) -> Result<Self, TestkitError> {
        let (kind, codec, payload_type, rids) = match &config.media {
            TrackMedia::Audio => (
                RtpCodecKind::Audio,
                stack::opus(client).rtp_codec,
                OPUS,
                vec![None],
            ),
            TrackMedia::Video(video) => (
                RtpCodecKind::Video,
                stack::video(client, video.codec).rtp_codec,
                payload_type(video.codec),
                rids(video),
            ),
        };
        let streams: Vec<_> = rids
            .into_iter()
            .map(|rid| Stream {
                ssrc: Ssrc(rng.random()),
                rtx_ssrc: Ssrc(rng.random()),
                rid,
                packets: 0,
                bytes: 0,
            })
            .collect();
        let rtx = client.rtx && kind == RtpCodecKind::Video;
        let encodings = streams
            .iter()
            .map(|stream| encoding(stream, &codec, rtx))
            .collect();
        let name = format!("source-{}", config.source);
        let track = MediaStreamTrack::new(name.clone(), name.clone(), name, kind, encodings);
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            ..RTCRtpTransceiverInit::default()
        };
        Ok(Self {
            config: config.clone(),
            transceiver: connection.add_transceiver_from_track(track, Some(init))?,
            mid: String::new(),
            source: None,
            payload_type,
            streams,
            report_at: None,
        })
    }

    /// Tells the tap how to name the track's streams.
    pub(super) fn label(&self, tap: &Tap) {
        for stream in &self.streams {
            for (ssrc, repair) in [(stream.ssrc, false), (stream.rtx_ssrc, true)] {
                let label = StreamLabel {
                    mid: self.mid.clone(),
                    rid: stream.rid.clone(),
                    repair,
                };
                tap.label(ssrc, label);
            }
        }
    }

    /// Starts to send.
    pub(super) fn start(&mut self, now: Instant, rng: &mut SimRng) {
        let ssrcs: Vec<_> = self.streams.iter().map(|stream| stream.ssrc).collect();
        self.report_at = Some(now + REPORT_INTERVAL.mul_f64(0.1 + 0.2 * rng.random::<f64>()));
        let source = self.config.source;
        self.source = Some(match &self.config.media {
            TrackMedia::Audio => TrackSource::Audio(AudioSource::new(source, ssrcs[0], now, rng)),
            TrackMedia::Video(video) => {
                TrackSource::Video(VideoSource::new(source, video.clone(), &ssrcs, now, rng))
            }
        });
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let next = match self.source.as_ref()? {
            TrackSource::Audio(audio) => audio.next_at(),
            TrackSource::Video(video) => video.next_at(),
        };
        Some(self.report_at.map_or(next, |report| report.min(next)))
    }

    /// The packets that are due.
    pub(super) fn poll_media(&mut self, now: Instant, since_start: Duration) -> Vec<rtp::Packet> {
        let packets = match &mut self.source {
            None => Vec::new(),
            Some(TrackSource::Audio(audio)) => audio.poll(now, since_start).into_iter().collect(),
            Some(TrackSource::Video(video)) => video.poll(now, since_start),
        };
        packets
            .into_iter()
            .map(|packet| self.rtp_packet(packet))
            .collect()
    }

    /// Level of the packet's audio, to go into the header extension.
    fn rtp_packet(&mut self, packet: SourcePacket) -> rtp::Packet {
        let stream = self
            .streams
            .iter_mut()
            .find(|stream| stream.ssrc == packet.ssrc);
        if let Some(stream) = stream {
            stream.packets += 1;
            stream.bytes = stream.bytes.wrapping_add(packet.payload.len() as u32);
        }
        rtp::Packet {
            header: rtp::Header {
                version: 2,
                marker: packet.marker,
                payload_type: self.payload_type,
                sequence_number: packet.sequence.0,
                timestamp: packet.timestamp.0,
                ssrc: packet.ssrc.0,
                ..rtp::Header::default()
            },
            payload: packet.payload.into(),
        }
    }

    /// Level of the microphone, if the track is one.
    pub(super) fn audio_level(&self) -> Option<u8> {
        match &self.source {
            Some(TrackSource::Audio(audio)) => Some(audio.level),
            _ => None,
        }
    }

    /// The sender reports that are due: compounds of SR and CNAME, one per active stream.
    pub(super) fn poll_reports(
        &mut self,
        now: Instant,
        ntp: NtpTime,
        cname: &str,
    ) -> Vec<Vec<Box<dyn rtc::rtcp::Packet>>> {
        if self.report_at.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.report_at = Some(now + REPORT_INTERVAL);
        let mut reports: Vec<Vec<Box<dyn rtc::rtcp::Packet>>> = Vec::new();
        for (encoding, stream) in self.streams.iter().enumerate() {
            if stream.packets > 0 {
                let report = SenderReport {
                    ssrc: stream.ssrc.0,
                    ntp_time: ntp.0,
                    rtp_time: self.timestamp_at(encoding, now).0,
                    packet_count: stream.packets,
                    octet_count: stream.bytes,
                    ..SenderReport::default()
                };
                reports.push(vec![
                    Box::new(report),
                    Box::new(description(stream.ssrc, cname)),
                ]);
            }
        }
        reports
    }

    fn timestamp_at(&self, encoding: usize, now: Instant) -> RtpTimestamp {
        match &self.source {
            None => RtpTimestamp(0),
            Some(TrackSource::Audio(audio)) => audio.timestamp_at(now),
            Some(TrackSource::Video(video)) => video.timestamp_at(encoding, now),
        }
    }

    pub(super) fn sender(&self) -> RTCRtpSenderId {
        RTCRtpSenderId::from(self.transceiver)
    }
}

fn payload_type(codec: VideoCodec) -> u8 {
    VIDEO
        .into_iter()
        .find(|(known, _)| *known == codec)
        .map_or(0, |(_, payload_type)| payload_type)
}

fn rids(video: &VideoConfig) -> Vec<Option<String>> {
    let encodings = video.encodings.iter();
    encodings.map(|encoding| encoding.rid.clone()).collect()
}

fn encoding(stream: &Stream, codec: &RTCRtpCodec, rtx: bool) -> RTCRtpEncodingParameters {
    RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            rid: stream.rid.clone().unwrap_or_default(),
            ssrc: Some(stream.ssrc.0),
            rtx: rtx.then_some(RTCRtpRtxParameters {
                ssrc: stream.rtx_ssrc.0,
            }),
            fec: None,
        },
        codec: codec.clone(),
        ..RTCRtpEncodingParameters::default()
    }
}

fn description(ssrc: Ssrc, cname: &str) -> SourceDescription {
    SourceDescription {
        chunks: vec![SourceDescriptionChunk {
            source: ssrc.0,
            items: vec![SourceDescriptionItem {
                sdes_type: SdesType::SdesCname,
                text: cname.to_owned().into(),
            }],
        }],
    }
}
