//! Codecs of an m-line: which of the offered ones Plenum forwards, and with which feedback.
//!
//! RFC 8866 (rtpmap, fmtp), RFC 4588 (RTX), RFC 4585 and RFC 5104 (feedback). All codecs that we
//! know are kept, in the order of the offer, so that a publisher's first choice stands and a
//! subscriber can take whatever its peers send.

use plenum_types::{Codec, CodecParameters, MediaKind};

use crate::sdp::Media;

/// Payload types that collide with RTCP when both share a port (RFC 5761 §4).
const RTCP_RANGE: std::ops::RangeInclusive<u8> = 64..=95;

/// A codec that both sides know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NegotiatedCodec {
    /// What the media plane needs to know.
    pub(crate) parameters: CodecParameters,
    /// `VP8/90000`, as offered.
    pub(crate) rtpmap: String,
    /// Format parameters of the answer.
    pub(crate) fmtp: Option<String>,
}

/// The codecs of `media` that Plenum forwards, in the order of the offer.
pub(crate) fn read(media: &Media<'_>, kind: MediaKind, transport_cc: bool) -> Vec<NegotiatedCodec> {
    let mut codecs: Vec<NegotiatedCodec> = Vec::new();
    for format in &media.formats {
        let Some(payload_type) = payload_type(format) else {
            continue;
        };
        let seen = codecs
            .iter()
            .any(|codec| codec.parameters.payload_type == payload_type);
        if let (false, Some(codec)) = (seen, read_one(media, kind, payload_type, transport_cc)) {
            codecs.push(codec);
        }
    }
    codecs
}

fn payload_type(text: &str) -> Option<u8> {
    text.parse()
        .ok()
        .filter(|number| *number < 128 && !RTCP_RANGE.contains(number))
}

fn read_one(
    media: &Media<'_>,
    kind: MediaKind,
    payload_type: u8,
    transport_cc: bool,
) -> Option<NegotiatedCodec> {
    let rtpmap = of_payload(media, "rtpmap", payload_type)?;
    let fmtp = of_payload(media, "fmtp", payload_type).unwrap_or_default();
    let codec = identify(rtpmap, fmtp).filter(|codec| codec.kind() == kind)?;
    Some(NegotiatedCodec {
        parameters: parameters(media, codec, payload_type, transport_cc),
        rtpmap: rtpmap.to_owned(),
        fmtp: answered_fmtp(codec, fmtp),
    })
}

/// The value of the first `a=<key>:<payload type> <value>`.
fn of_payload<'a>(media: &Media<'a>, key: &str, payload_type: u8) -> Option<&'a str> {
    media.attributes.values(key).find_map(|value| {
        let (number, rest) = value.split_once(' ')?;
        (number.parse() == Ok(payload_type)).then_some(rest.trim())
    })
}

/// The codec that `rtpmap` and `fmtp` describe, in a variant that Plenum forwards.
fn identify(rtpmap: &str, fmtp: &str) -> Option<Codec> {
    match rtpmap.to_ascii_lowercase().as_str() {
        "opus/48000/2" => Some(Codec::Opus),
        "vp8/90000" => Some(Codec::Vp8),
        "vp9/90000" => numbered(fmtp, "profile-id", 3).map(|profile| Codec::Vp9 { profile }),
        "av1/90000" => numbered(fmtp, "profile", 2).map(|profile| Codec::Av1 { profile }),
        "h264/90000" => Some(Codec::H264 {
            profile: h264_profile(fmtp)?,
            packetization_mode: numbered(fmtp, "packetization-mode", 1)?,
        }),
        _ => None,
    }
}

/// A format parameter that is a number, 0 if absent; none if it is no number up to `most`.
fn numbered(fmtp: &str, key: &str, most: u8) -> Option<u8> {
    match parameter(fmtp, key) {
        None => Some(0),
        Some(text) => text.parse().ok().filter(|number| *number <= most),
    }
}

/// Profile of `profile-level-id` without the level. The encodings of constrained baseline
/// (RFC 6184 §8.1, table 5) become one, because a decoder of any of them decodes all.
fn h264_profile(fmtp: &str) -> Option<u16> {
    const BASELINE: u32 = 0x42_00_0a;
    const CONSTRAINED_BASELINE: u16 = 0x42e0;
    let id = match parameter(fmtp, "profile-level-id") {
        None => BASELINE,
        Some(text) if text.len() == 6 => u32::from_str_radix(text, 16).ok()?,
        Some(_) => return None,
    };
    let [_, idc, iop, _] = id.to_be_bytes();
    Some(match (idc, iop) {
        (0x42, iop) if iop & 0x40 != 0 => CONSTRAINED_BASELINE,
        (0x4d, iop) if iop & 0x80 != 0 => CONSTRAINED_BASELINE,
        (0x58, iop) if iop & 0xc0 == 0xc0 => CONSTRAINED_BASELINE,
        (idc, iop) => u16::from_be_bytes([idc, iop]),
    })
}

/// A `key=value` of format parameters.
fn parameter<'a>(fmtp: &'a str, key: &str) -> Option<&'a str> {
    fmtp.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case(key).then_some(value.trim())
    })
}

fn answered_fmtp(codec: Codec, offered: &str) -> Option<String> {
    if codec == Codec::Opus {
        let mut answer = "minptime=10;useinbandfec=1".to_owned();
        for key in ["usedtx", "stereo", "sprop-stereo"] {
            if parameter(offered, key) == Some("1") {
                answer.push_str(&format!(";{key}=1"));
            }
        }
        return Some(answer);
    }
    (!offered.is_empty()).then(|| offered.to_owned())
}

fn parameters(
    media: &Media<'_>,
    codec: Codec,
    payload_type: u8,
    transport_cc: bool,
) -> CodecParameters {
    let offers = |feedback: &str| {
        media.attributes.values("rtcp-fb").any(|value| {
            value.split_once(' ').is_some_and(|(number, rest)| {
                (number == "*" || number.parse() == Ok(payload_type)) && rest.trim() == feedback
            })
        })
    };
    // One estimate of the path is enough, and the transport-wide one is the better.
    let transport_cc = transport_cc && offers("transport-cc");
    CodecParameters {
        codec,
        payload_type,
        rtx_payload_type: rtx_of(media, codec, payload_type),
        nack: offers("nack"),
        pli: offers("nack pli"),
        fir: offers("ccm fir"),
        transport_cc,
        remb: !transport_cc && offers("goog-remb"),
    }
}

/// The payload type of retransmissions of `payload_type` (RFC 4588 §8.6, `apt`).
fn rtx_of(media: &Media<'_>, codec: Codec, primary: u8) -> Option<u8> {
    media.formats.iter().find_map(|format| {
        let rtx = payload_type(format).filter(|rtx| *rtx != primary)?;
        let rtpmap = of_payload(media, "rtpmap", rtx)?.to_ascii_lowercase();
        let apt = parameter(of_payload(media, "fmtp", rtx)?, "apt")?;
        let fits = rtpmap.strip_prefix("rtx/")?.parse() == Ok(codec.clock_rate())
            && apt.parse() == Ok(primary);
        fits.then_some(rtx)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Session;

    fn video(lines: &str) -> Vec<NegotiatedCodec> {
        let text = format!("v=0\nm=video 9 UDP/TLS/RTP/SAVPF {lines}");
        read(
            &Session::read(&text).unwrap().media[0],
            MediaKind::Video,
            true,
        )
    }

    #[test]
    fn keeps_the_order_of_the_offer_and_pairs_rtx() {
        let codecs = video(
            "98 99 96 97 100\na=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n\
             a=rtpmap:98 VP9/90000\na=fmtp:98 profile-id=2\na=rtpmap:99 RTX/90000\n\
             a=fmtp:99 apt=98\na=rtpmap:100 red/90000\na=rtcp-fb:* nack\na=rtcp-fb:98 nack pli\n\
             a=rtcp-fb:96 goog-remb\na=rtcp-fb:98 transport-cc\na=rtcp-fb:98 goog-remb",
        );
        let [vp9, vp8] = codecs.as_slice() else {
            panic!("{codecs:?}");
        };
        assert_eq!(vp9.parameters.codec, Codec::Vp9 { profile: 2 });
        assert_eq!(vp9.parameters.rtx_payload_type, Some(99));
        assert!(vp9.parameters.nack && vp9.parameters.pli && vp9.parameters.transport_cc);
        assert!(!vp9.parameters.remb, "transport-cc is the better");
        assert_eq!(vp8.parameters.rtx_payload_type, Some(97));
        assert!(vp8.parameters.nack && !vp8.parameters.pli && vp8.parameters.remb);
    }

    #[test]
    fn drops_what_it_does_not_know() {
        for lines in [
            "96\na=rtpmap:96 H265/90000",
            "96\na=rtpmap:96 VP9/90000\na=fmtp:96 profile-id=7",
            "96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=2",
            "96\na=rtpmap:96 H264/90000\na=fmtp:96 profile-level-id=zz",
            "72\na=rtpmap:72 VP8/90000",
            "200\na=rtpmap:200 VP8/90000",
            "96",
            "111\na=rtpmap:111 opus/48000/2",
        ] {
            assert!(video(lines).is_empty(), "{lines}");
        }
    }

    #[test]
    fn constrained_baseline_is_one_profile() {
        for id in ["42e01f", "42c01f", "42401f", "4d801f", "58c00a"] {
            let lines = format!("96\na=rtpmap:96 H264/90000\na=fmtp:96 profile-level-id={id}");
            assert_eq!(
                video(&lines)[0].parameters.codec,
                Codec::H264 {
                    profile: 0x42e0,
                    packetization_mode: 0
                },
                "{id}"
            );
        }
    }

    #[test]
    fn opus_gets_fec_and_echoes_stereo() {
        assert_eq!(
            answered_fmtp(Codec::Opus, "minptime=20; stereo=1;usedtx=1").as_deref(),
            Some("minptime=10;useinbandfec=1;usedtx=1;stereo=1")
        );
    }
}
