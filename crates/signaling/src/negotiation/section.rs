//! One m-line of an offer.

use plenum_types::{Encoding, ExtensionKind, ExtensionMap, MediaKind, Mid};

use super::codecs::{self, NegotiatedCodec};
use super::{encodings, extensions};
use crate::messages::ErrorCode;
use crate::refusal::Refusal;
use crate::sdp::{Attributes, Media};

/// An m-line.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its name; empty if it has none, which only rejected m-lines may.
    pub(crate) mid: Mid,
    /// `audio`, `video`, `application`, ...
    pub(crate) kind: String,
    /// As offered.
    pub(crate) protocol: String,
    /// As offered.
    pub(crate) formats: String,
    /// The client wants it: neither given up nor rejected before.
    pub(crate) offered: bool,
    /// What is in it.
    pub(crate) body: Body,
}

/// What an m-line is for.
#[derive(Debug)]
pub(crate) enum Body {
    /// Audio or video.
    Rtp(Box<RtpSection>),
    /// Data channels (RFC 8841).
    Data,
    /// Nothing that we can answer, or given up by the client.
    Rejected,
}

/// An m-line of audio or video.
#[derive(Debug)]
pub(crate) struct RtpSection {
    /// Audio or video.
    pub(crate) kind: MediaKind,
    /// The client sends.
    pub(crate) sends: bool,
    /// The client receives.
    pub(crate) receives: bool,
    /// What both sides know, in the order of the offer. Not empty.
    pub(crate) codecs: Vec<NegotiatedCodec>,
    /// Ids of the offer.
    pub(crate) extensions: ExtensionMap,
    /// What the client sends, in the order of the offer. Not empty.
    pub(crate) encodings: Vec<Encoding>,
    /// The client offered `a=simulcast:send`.
    pub(crate) simulcast: bool,
    /// Track id of `a=msid`.
    pub(crate) track_id: Option<String>,
    /// One- and two-byte extensions may be mixed.
    pub(crate) mixed_extensions: bool,
    /// Reduced-size RTCP (RFC 5506).
    pub(crate) reduced_rtcp: bool,
    /// `a=rtcp-mux-only` (RFC 8858).
    pub(crate) mux_only: bool,
}

impl Section {
    /// Reads an m-line; `session` has what holds for all.
    pub(crate) fn read(media: &Media<'_>, session: &Attributes<'_>) -> Result<Self, Refusal> {
        let alive = media.port != 0 || media.attributes.has("bundle-only");
        let kind = match media.kind {
            _ if !alive => None,
            "audio" if is_rtp(media) => Some(MediaKind::Audio),
            "video" if is_rtp(media) => Some(MediaKind::Video),
            _ => None,
        };
        let is_data = alive && media.kind == "application" && is_data_channel(media);
        let mid = read_mid(media, kind.is_some() || is_data)?;
        let body = match kind {
            Some(kind) => Body::Rtp(Box::new(RtpSection::read(media, session, kind, mid)?)),
            None if is_data => Body::Data,
            None => Body::Rejected,
        };
        Ok(Self {
            mid,
            kind: media.kind.to_owned(),
            protocol: media.protocol.to_owned(),
            formats: media.formats.join(" "),
            offered: alive,
            body,
        })
    }

    /// Whether the m-line is answered with a port.
    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.body, Body::Rejected)
    }

    /// Its audio or video.
    pub(crate) fn rtp(&self) -> Option<&RtpSection> {
        match &self.body {
            Body::Rtp(rtp) => Some(rtp),
            Body::Data | Body::Rejected => None,
        }
    }
}

fn is_rtp(media: &Media<'_>) -> bool {
    media.protocol.ends_with("RTP/SAVPF") || media.protocol.ends_with("RTP/SAVP")
}

fn is_data_channel(media: &Media<'_>) -> bool {
    media.protocol.ends_with("/DTLS/SCTP") && media.formats == ["webrtc-datachannel"]
}

fn read_mid(media: &Media<'_>, needed: bool) -> Result<Mid, Refusal> {
    let text = media.attributes.value("mid").unwrap_or_default();
    match Mid::new(text) {
        Ok(mid) if !text.is_empty() || !needed => Ok(mid),
        Ok(_) => Err(Refusal::new(
            ErrorCode::SdpInvalid,
            "Give every m-line an a=mid.",
        )),
        Err(_) if !needed => Ok(Mid::default()),
        Err(_) => Err(Refusal::new(
            ErrorCode::SdpInvalid,
            "Use an a=mid of at most 16 bytes.",
        )),
    }
}

impl RtpSection {
    fn read(
        media: &Media<'_>,
        session: &Attributes<'_>,
        kind: MediaKind,
        mid: Mid,
    ) -> Result<Self, Refusal> {
        let mux_only = media.attributes.has("rtcp-mux-only");
        if !mux_only && !media.attributes.has("rtcp-mux") {
            return Err(Refusal::at(
                ErrorCode::SdpNoRtcpMux,
                mid,
                "Offer a=rtcp-mux on every m-line (rtcpMuxPolicy \"require\").",
            ));
        }
        let mut extensions = extensions::read(media);
        let sequenced = extensions.id(ExtensionKind::TransportSequence).is_some();
        let codecs = codecs::read(media, kind, sequenced);
        if codecs.is_empty() {
            return Err(no_common_codec(kind, mid));
        }
        if !codecs.iter().any(|codec| codec.parameters.transport_cc) {
            // The number without the feedback is of no use.
            extensions.set(ExtensionKind::TransportSequence, 0);
        }
        let (sends, receives) = direction(media, session);
        Ok(Self {
            kind,
            sends,
            receives,
            codecs,
            extensions,
            encodings: encodings::read(media),
            simulcast: encodings::offers_simulcast(media),
            track_id: track_id(media),
            mixed_extensions: session.has("extmap-allow-mixed")
                || media.attributes.has("extmap-allow-mixed"),
            reduced_rtcp: media.attributes.has("rtcp-rsize"),
            mux_only,
        })
    }
}

impl RtpSection {
    /// Ids for what we send on the m-line.
    pub(crate) fn slot_extensions(&self) -> ExtensionMap {
        extensions::for_slot(&self.extensions)
    }
}

fn no_common_codec(kind: MediaKind, mid: Mid) -> Refusal {
    let known = match kind {
        MediaKind::Audio => "Opus (opus/48000/2)",
        MediaKind::Video => "VP8, VP9, H.264 (packetization-mode 0 or 1) or AV1",
    };
    Refusal::at(
        ErrorCode::SdpNoCommonCodec,
        mid,
        format!("Offer {known} on m-line {mid}."),
    )
}

/// Whether the client sends and receives (RFC 8866 §6.7); both unless it says otherwise.
fn direction(media: &Media<'_>, session: &Attributes<'_>) -> (bool, bool) {
    for attributes in [&media.attributes, session] {
        for (name, direction) in [
            ("sendrecv", (true, true)),
            ("sendonly", (true, false)),
            ("recvonly", (false, true)),
            ("inactive", (false, false)),
        ] {
            if attributes.has(name) {
                return direction;
            }
        }
    }
    (true, true)
}

/// Second word of `a=msid:<stream> <track>`.
fn track_id(media: &Media<'_>) -> Option<String> {
    let value = media.attributes.value("msid")?;
    value.split_ascii_whitespace().nth(1).map(str::to_owned)
}
