//! Writing a description: the lines that a browser would write, and no others.

use std::fmt::{Arguments, Write};

use plenum_types::{ExtensionKind, Fingerprint, FingerprintAlgorithm, MediaKind};

use super::{CodecLine, Description, Media, Setup};

/// Of all our streams.
const CNAME: &str = "plenum-load";

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.0.write_fmt(line);
        self.0.push_str("\r\n");
    }
}

impl Description {
    /// The text of an offer or of an answer.
    pub(crate) fn write(&self) -> String {
        let mut out = Lines::default();
        out.line(format_args!("v=0"));
        out.line(format_args!("o=- 1 1 IN IP4 127.0.0.1"));
        out.line(format_args!("s=-"));
        out.line(format_args!("t=0 0"));
        let mids: Vec<&str> = self.media.iter().map(|media| media.mid.as_str()).collect();
        out.line(format_args!("a=group:BUNDLE {}", mids.join(" ")));
        out.line(format_args!("a=extmap-allow-mixed"));
        for (index, media) in self.media.iter().enumerate() {
            self.write_media(&mut out, media, index == 0);
        }
        out.0
    }

    fn write_media(&self, out: &mut Lines, media: &Media, first: bool) {
        let kind = match media.kind {
            MediaKind::Audio => "audio",
            MediaKind::Video => "video",
        };
        let formats: Vec<String> = media.codecs.iter().flat_map(payload_types).collect();
        out.line(format_args!(
            "m={kind} 9 UDP/TLS/RTP/SAVPF {}",
            formats.join(" ")
        ));
        out.line(format_args!("c=IN IP4 0.0.0.0"));
        self.write_transport(out, first);
        out.line(format_args!("a=mid:{}", media.mid));
        out.line(format_args!("a=rtcp-mux"));
        out.line(format_args!("a=rtcp-rsize"));
        out.line(format_args!("a={}", media.direction.name()));
        for kind in ExtensionKind::ALL {
            if let Some(id) = media.extensions.id(kind) {
                out.line(format_args!("a=extmap:{id} {}", kind.uri()));
            }
        }
        for codec in &media.codecs {
            write_codec(out, codec);
        }
        write_streams(out, media);
    }

    fn write_transport(&self, out: &mut Lines, first: bool) {
        out.line(format_args!("a=ice-ufrag:{}", self.ice.ufrag));
        out.line(format_args!("a=ice-pwd:{}", self.ice.password.0));
        out.line(format_args!("a=ice-options:trickle"));
        write_fingerprint(out, &self.fingerprint);
        let setup = match self.setup {
            Setup::Active => "active",
            Setup::Passive => "passive",
            Setup::ActPass => "actpass",
        };
        out.line(format_args!("a=setup:{setup}"));
        if !first || self.candidates.is_empty() {
            return;
        }
        for (index, address) in self.candidates.iter().enumerate() {
            let (ip, port) = (address.ip(), address.port());
            let priority = (126 << 24) + (65_535 - index) * 256 + 255;
            out.line(format_args!(
                "a=candidate:{} 1 udp {priority} {ip} {port} typ host",
                index + 1
            ));
        }
        out.line(format_args!("a=end-of-candidates"));
    }
}

fn payload_types(codec: &CodecLine) -> impl Iterator<Item = String> {
    let parameters = codec.parameters;
    [Some(parameters.payload_type), parameters.rtx_payload_type]
        .into_iter()
        .flatten()
        .map(|number| number.to_string())
}

fn write_codec(out: &mut Lines, codec: &CodecLine) {
    let parameters = &codec.parameters;
    let number = parameters.payload_type;
    out.line(format_args!("a=rtpmap:{number} {}", codec.rtpmap));
    if let Some(fmtp) = &codec.fmtp {
        out.line(format_args!("a=fmtp:{number} {fmtp}"));
    }
    for (wanted, feedback) in [
        (parameters.transport_cc, "transport-cc"),
        (parameters.remb, "goog-remb"),
        (parameters.fir, "ccm fir"),
        (parameters.nack, "nack"),
        (parameters.pli, "nack pli"),
    ] {
        if wanted {
            out.line(format_args!("a=rtcp-fb:{number} {feedback}"));
        }
    }
    if let Some(rtx) = parameters.rtx_payload_type {
        let clock_rate = parameters.codec.clock_rate();
        out.line(format_args!("a=rtpmap:{rtx} rtx/{clock_rate}"));
        out.line(format_args!("a=fmtp:{rtx} apt={number}"));
    }
}

fn write_streams(out: &mut Lines, media: &Media) {
    if !media.direction.sends {
        return;
    }
    let mid = &media.mid;
    out.line(format_args!("a=msid:{CNAME} track-{mid}"));
    for rid in &media.rids {
        out.line(format_args!("a=rid:{rid} send"));
    }
    if !media.rids.is_empty() {
        out.line(format_args!("a=simulcast:send {}", media.rids.join(";")));
    }
    for ssrcs in &media.ssrcs {
        let primary = ssrcs.primary;
        if let Some(rtx) = ssrcs.rtx {
            out.line(format_args!("a=ssrc-group:FID {primary} {rtx}"));
        }
        for ssrc in [Some(primary), ssrcs.rtx].into_iter().flatten() {
            out.line(format_args!("a=ssrc:{ssrc} cname:{CNAME}"));
            out.line(format_args!("a=ssrc:{ssrc} msid:{CNAME} track-{mid}"));
        }
    }
}

fn write_fingerprint(out: &mut Lines, fingerprint: &Fingerprint) {
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
