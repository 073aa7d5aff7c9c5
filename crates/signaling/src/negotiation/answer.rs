//! The answer. Every m-line of the offer has one in the same place (RFC 3264 §6).
//!
//! Transport attributes stand on every m-line, because some clients read them only there;
//! candidates stand on the first one in use, which carries the bundle (RFC 8843 §7.3).

use plenum_types::{
    ExtensionKind, ExtensionMap, Fingerprint, FingerprintAlgorithm, IceCredentials, Mid, Ssrc,
};

use super::candidates::Candidates;
use super::codecs::NegotiatedCodec;
use super::extensions;
use super::offer::Offer;
use super::section::{Body, RtpSection, Section};
use crate::sdp::Writer;

/// Largest data channel message that we take, bytes.
const MAX_MESSAGE_SIZE: u32 = 65_536;
/// SCTP port; every WebRTC client uses this one.
const SCTP_PORT: u16 = 5_000;

/// Everything that goes into an answer beside the offer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// What is answered.
    pub(crate) offer: &'a Offer,
    /// What each m-line gets, in the order of the offer.
    pub(crate) sections: &'a [SectionAnswer],
    /// `o=` session id; the same for all answers of a connection.
    pub(crate) session_id: u64,
    /// `o=` version; one more with each answer.
    pub(crate) version: u64,
    /// Ours.
    pub(crate) ice: &'a IceCredentials,
    /// Of our certificate.
    pub(crate) fingerprint: &'a Fingerprint,
    /// Where media is received.
    pub(crate) candidates: Candidates<'a>,
    /// Of everything we send on this connection.
    pub(crate) cname: &'a str,
}

/// What an m-line gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SectionAnswer {
    /// We receive what the client sends.
    pub(crate) receive: bool,
    /// We send this.
    pub(crate) send: Option<SlotStream>,
}

/// What we send on an m-line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotStream {
    /// Of the media.
    pub(crate) ssrc: Ssrc,
    /// Of its retransmissions.
    pub(crate) rtx_ssrc: Option<Ssrc>,
}

impl Answer<'_> {
    /// The session description.
    pub(crate) fn write(&self) -> String {
        let mut out = Writer::default();
        self.write_session(&mut out);
        let mut candidates = self.candidates;
        let none = SectionAnswer::default();
        for (index, section) in self.offer.sections.iter().enumerate() {
            let answer = self.sections.get(index).unwrap_or(&none);
            match &section.body {
                Body::Rtp(rtp) => self.write_rtp(&mut out, section, rtp, *answer),
                Body::Data => self.write_data(&mut out, section),
                Body::Rejected => write_rejected(&mut out, section),
            }
            if section.is_alive() && !candidates.is_empty() {
                candidates.write(&mut out);
                candidates = Candidates::default();
            }
        }
        out.finish()
    }

    fn write_session(&self, out: &mut Writer) {
        out.line(format_args!("v=0"));
        let (id, version) = (self.session_id, self.version);
        out.line(format_args!("o=- {id} {version} IN IP4 127.0.0.1"));
        out.line(format_args!("s=-"));
        out.line(format_args!("t=0 0"));
        if self.offer.bundled {
            let alive = self
                .offer
                .sections
                .iter()
                .filter(|section| section.is_alive());
            let mids: Vec<&str> = alive.map(|section| section.mid.as_str()).collect();
            out.line(format_args!("a=group:BUNDLE {}", mids.join(" ")));
        }
        if self.offer.mixed_extensions {
            out.line(format_args!("a=extmap-allow-mixed"));
        }
        out.line(format_args!("a=msid-semantic: WMS *"));
        out.line(format_args!("a=ice-lite"));
    }

    fn write_transport(&self, out: &mut Writer, mid: Mid) {
        out.line(format_args!("c=IN IP4 0.0.0.0"));
        out.line(format_args!("a=mid:{mid}"));
        out.line(format_args!("a=ice-ufrag:{}", self.ice.ufrag));
        out.line(format_args!("a=ice-pwd:{}", self.ice.password.0));
        out.line(format_args!("a=ice-options:trickle ice2"));
        write_fingerprint(out, self.fingerprint);
        out.line(format_args!("a=setup:passive"));
    }

    fn write_data(&self, out: &mut Writer, section: &Section) {
        let Section {
            protocol, formats, ..
        } = section;
        out.line(format_args!("m=application 9 {protocol} {formats}"));
        self.write_transport(out, section.mid);
        out.line(format_args!("a=sctp-port:{SCTP_PORT}"));
        out.line(format_args!("a=max-message-size:{MAX_MESSAGE_SIZE}"));
    }

    fn write_rtp(
        &self,
        out: &mut Writer,
        section: &Section,
        rtp: &RtpSection,
        answer: SectionAnswer,
    ) {
        let formats: Vec<String> = rtp.codecs.iter().flat_map(payload_types).collect();
        let (kind, protocol) = (&section.kind, &section.protocol);
        out.line(format_args!("m={kind} 9 {protocol} {}", formats.join(" ")));
        self.write_transport(out, section.mid);
        out.line(format_args!("a=rtcp-mux"));
        for (offered, name) in [
            (rtp.mux_only, "rtcp-mux-only"),
            (rtp.reduced_rtcp, "rtcp-rsize"),
            (rtp.mixed_extensions, "extmap-allow-mixed"),
        ] {
            if offered {
                out.line(format_args!("a={name}"));
            }
        }
        out.line(format_args!("a={}", direction(answer)));
        write_extensions(out, &rtp.extensions, answer.receive);
        for codec in &rtp.codecs {
            write_codec(out, codec);
        }
        if answer.receive {
            write_simulcast(out, rtp);
        }
        if let Some(stream) = answer.send {
            self.write_stream(out, section.mid, stream);
        }
    }

    /// One stream per slot, so that a client does not take two slots for one person.
    fn write_stream(&self, out: &mut Writer, mid: Mid, stream: SlotStream) {
        let SlotStream { ssrc, rtx_ssrc } = stream;
        out.line(format_args!("a=msid:slot-{mid} slot-{mid}"));
        if let Some(rtx) = rtx_ssrc {
            out.line(format_args!("a=ssrc-group:FID {ssrc} {rtx}"));
        }
        for ssrc in [Some(ssrc), rtx_ssrc].into_iter().flatten() {
            out.line(format_args!("a=ssrc:{ssrc} cname:{}", self.cname));
            out.line(format_args!("a=ssrc:{ssrc} msid:slot-{mid} slot-{mid}"));
        }
    }
}

const fn direction(answer: SectionAnswer) -> &'static str {
    match (answer.receive, answer.send.is_some()) {
        (true, true) => "sendrecv",
        (true, false) => "recvonly",
        (false, true) => "sendonly",
        (false, false) => "inactive",
    }
}

/// In the order of the offer, as far as it tells a preference: what comes first is sent.
fn payload_types(codec: &NegotiatedCodec) -> impl Iterator<Item = String> {
    let parameters = codec.parameters;
    let (own, red) = (Some(parameters.payload_type), parameters.red_payload_type);
    let [first, second] = match &codec.red {
        Some(red_offered) if red_offered.preferred => [red, own],
        _ => [own, red],
    };
    [first, second, parameters.rtx_payload_type]
        .into_iter()
        .flatten()
        .map(|number| number.to_string())
}

fn write_codec(out: &mut Writer, codec: &NegotiatedCodec) {
    let parameters = &codec.parameters;
    let number = parameters.payload_type;
    out.line(format_args!("a=rtpmap:{number} {}", codec.rtpmap));
    if let Some(fmtp) = &codec.fmtp {
        out.line(format_args!("a=fmtp:{number} {fmtp}"));
    }
    for (negotiated, feedback) in [
        (parameters.transport_cc, "transport-cc"),
        (parameters.remb, "goog-remb"),
        (parameters.fir, "ccm fir"),
        (parameters.nack, "nack"),
        (parameters.pli, "nack pli"),
    ] {
        if negotiated {
            out.line(format_args!("a=rtcp-fb:{number} {feedback}"));
        }
    }
    if let (Some(red), Some(offered)) = (parameters.red_payload_type, &codec.red) {
        out.line(format_args!("a=rtpmap:{red} red/48000/2"));
        out.line(format_args!("a=fmtp:{red} {}", offered.fmtp));
    }
    if let Some(rtx) = parameters.rtx_payload_type {
        let clock_rate = parameters.codec.clock_rate();
        out.line(format_args!("a=rtpmap:{rtx} rtx/{clock_rate}"));
        out.line(format_args!("a=fmtp:{rtx} apt={number}"));
    }
}

fn write_extensions(out: &mut Writer, offered: &ExtensionMap, receive: bool) {
    let map = if receive {
        *offered
    } else {
        extensions::for_slot(offered)
    };
    for kind in ExtensionKind::ALL {
        if let Some(id) = map.id(kind) {
            out.line(format_args!("a=extmap:{id} {}", kind.uri()));
        }
    }
}

fn write_simulcast(out: &mut Writer, rtp: &RtpSection) {
    let rids: Vec<String> = rtp
        .encodings
        .iter()
        .filter_map(|encoding| encoding.rid)
        .map(|rid| rid.to_string())
        .collect();
    for rid in &rids {
        out.line(format_args!("a=rid:{rid} recv"));
    }
    if rtp.simulcast && !rids.is_empty() {
        out.line(format_args!("a=simulcast:recv {}", rids.join(";")));
    }
}

fn write_rejected(out: &mut Writer, section: &Section) {
    let Section {
        kind,
        protocol,
        formats,
        mid,
        ..
    } = section;
    let formats = if formats.is_empty() { "0" } else { formats };
    out.line(format_args!("m={kind} 0 {protocol} {formats}"));
    out.line(format_args!("c=IN IP4 0.0.0.0"));
    if !mid.as_str().is_empty() {
        out.line(format_args!("a=mid:{mid}"));
    }
    out.line(format_args!("a=inactive"));
}

fn write_fingerprint(out: &mut Writer, fingerprint: &Fingerprint) {
    let name = match fingerprint.algorithm {
        FingerprintAlgorithm::Sha256 => "sha-256",
        FingerprintAlgorithm::Sha384 => "sha-384",
        FingerprintAlgorithm::Sha512 => "sha-512",
    };
    let bytes: Vec<String> = fingerprint
        .bytes
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    out.line(format_args!("a=fingerprint:{name} {}", bytes.join(":")));
}
