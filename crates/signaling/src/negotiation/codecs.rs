//! Codecs of an m-line: which of the offered ones Plenum forwards, and with which feedback.
//!
//! RFC 8866 (rtpmap, fmtp), RFC 4588 (RTX), RFC 4585 and RFC 5104 (feedback). All codecs that we
//! know are kept, in the order of the offer, so that a publisher's first choice stands and a
//! subscriber can take whatever its peers send.

use plenum_types::{Codec, CodecParameters, MediaKind};

use crate::sdp::Media;

/// Payload types that collide with RTCP when both share a port (RFC 5761 §4).
const RTCP_RANGE: std::ops::RangeInclusive<u8> = 64..=95;
/// Payload types have 7 bits (RFC 3550 §5.1).
const PAYLOAD_TYPES: u8 = 128;

/// A codec that both sides know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NegotiatedCodec {
    /// What the media plane needs to know.
    pub(crate) parameters: CodecParameters,
    /// `VP8/90000`, as offered.
    pub(crate) rtpmap: String,
    /// Format parameters of the answer.
    pub(crate) fmtp: Option<String>,
    /// Redundant packets of it (RFC 2198), if offered.
    pub(crate) red: Option<Redundancy>,
}

/// Redundant audio as it was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redundancy {
    /// `111/111`, as offered.
    pub(crate) fmtp: String,
    /// It comes before the codec itself: the client would rather have it.
    pub(crate) preferred: bool,
}

/// The codecs of `media` that Plenum forwards, in the order of the offer.
pub(crate) fn read(media: &Media<'_>, kind: MediaKind, transport_cc: bool) -> Vec<NegotiatedCodec> {
    let formats = formats(media);
    let described = Described::of(media);
    formats
        .iter()
        .filter_map(|format| read_one(&described, &formats, kind, *format, transport_cc))
        .collect()
}

/// The payload types of `media`, each once.
fn formats(media: &Media<'_>) -> Vec<u8> {
    let mut seen = 0_u128;
    let mut formats = Vec::new();
    for number in media.formats.iter().filter_map(|text| payload_type(text)) {
        if seen & (1 << number) == 0 {
            seen |= 1 << number;
            formats.push(number);
        }
    }
    formats
}

fn payload_type(text: &str) -> Option<u8> {
    text.parse()
        .ok()
        .filter(|number| *number < PAYLOAD_TYPES && !RTCP_RANGE.contains(number))
}

/// What the attributes say of each payload type. Gathered once: whoever writes an offer decides
/// how many formats and attributes it has, so looking through all attributes for each format
/// would let one client keep all others waiting.
struct Described<'a> {
    rtpmaps: [Option<&'a str>; PAYLOAD_TYPES as usize],
    fmtps: [Option<&'a str>; PAYLOAD_TYPES as usize],
    /// The payload type (none: all of them) and what is offered for it.
    feedback: Vec<(Option<u8>, &'a str)>,
}

impl<'a> Described<'a> {
    fn of(media: &Media<'a>) -> Self {
        Self {
            rtpmaps: by_payload(media, "rtpmap"),
            fmtps: by_payload(media, "fmtp"),
            feedback: media
                .attributes
                .values("rtcp-fb")
                .filter_map(read_feedback)
                .collect(),
        }
    }

    fn rtpmap(&self, number: u8) -> Option<&'a str> {
        self.rtpmaps.get(usize::from(number)).copied().flatten()
    }

    fn fmtp(&self, number: u8) -> Option<&'a str> {
        self.fmtps.get(usize::from(number)).copied().flatten()
    }
}

/// The values of the first `a=<key>:<payload type> <value>` of each payload type.
fn by_payload<'a>(media: &Media<'a>, key: &str) -> [Option<&'a str>; PAYLOAD_TYPES as usize] {
    let mut values = [None; PAYLOAD_TYPES as usize];
    for value in media.attributes.values(key) {
        if let Some((number, rest)) = value.split_once(' ')
            && let Ok(number) = number.parse::<usize>()
            && let Some(place) = values.get_mut(number)
        {
            place.get_or_insert(rest.trim());
        }
    }
    values
}

fn read_feedback(value: &str) -> Option<(Option<u8>, &str)> {
    let (number, rest) = value.split_once(' ')?;
    let number = match number {
        "*" => None,
        number => Some(number.parse().ok()?),
    };
    Some((number, rest.trim()))
}

fn read_one(
    described: &Described<'_>,
    formats: &[u8],
    kind: MediaKind,
    payload_type: u8,
    transport_cc: bool,
) -> Option<NegotiatedCodec> {
    let rtpmap = described.rtpmap(payload_type)?;
    let fmtp = described.fmtp(payload_type).unwrap_or_default();
    let codec = identify(rtpmap, fmtp).filter(|codec| codec.kind() == kind)?;
    let rtx = rtx_of(described, formats, codec, payload_type);
    let red = red_of(described, formats, codec, payload_type);
    Some(NegotiatedCodec {
        parameters: CodecParameters {
            rtx_payload_type: rtx,
            red_payload_type: red.map(|(number, _)| number),
            ..parameters(described, codec, payload_type, transport_cc)
        },
        rtpmap: rtpmap.to_owned(),
        fmtp: answered_fmtp(codec, fmtp),
        red: red.map(|(number, fmtp)| Redundancy {
            fmtp: fmtp.to_owned(),
            preferred: formats
                .iter()
                .find(|format| **format == number || **format == payload_type)
                == Some(&number),
        }),
    })
}

/// The codec that `rtpmap` and `fmtp` describe, in a variant that Plenum forwards.
fn identify(rtpmap: &str, fmtp: &str) -> Option<Codec> {
    match rtpmap.to_ascii_lowercase().as_str() {
        // The channels must be 2 (RFC 7587 §7), but GStreamer leaves them out where it only
        // receives.
        "opus/48000/2" | "opus/48000" => Some(Codec::Opus),
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
    described: &Described<'_>,
    codec: Codec,
    payload_type: u8,
    transport_cc: bool,
) -> CodecParameters {
    let mut parameters = CodecParameters {
        codec,
        payload_type,
        rtx_payload_type: None,
        red_payload_type: None,
        nack: false,
        pli: false,
        fir: false,
        transport_cc: false,
        remb: false,
    };
    for (number, feedback) in &described.feedback {
        if number.is_some_and(|number| number != payload_type) {
            continue;
        }
        match *feedback {
            "nack" => parameters.nack = true,
            "nack pli" => parameters.pli = true,
            "ccm fir" => parameters.fir = true,
            "transport-cc" => parameters.transport_cc = transport_cc,
            "goog-remb" => parameters.remb = true,
            _ => {}
        }
    }
    // One estimate of the path is enough, and the transport-wide one is the better.
    parameters.remb &= !parameters.transport_cc;
    parameters
}

/// The payload type of retransmissions of `primary` (RFC 4588 §8.6, `apt`).
fn rtx_of(described: &Described<'_>, formats: &[u8], codec: Codec, primary: u8) -> Option<u8> {
    formats.iter().copied().find(|rtx| {
        let apt = described.fmtp(*rtx).and_then(|fmtp| parameter(fmtp, "apt"));
        *rtx != primary
            && apt.and_then(|apt| apt.parse().ok()) == Some(primary)
            && described
                .rtpmap(*rtx)
                .and_then(rtx_clock_rate)
                .is_some_and(|rate| rate == codec.clock_rate())
    })
}

/// The payload type of redundant packets whose blocks are all of `primary` (RFC 2198 §5), and its
/// format parameters. `111` alone is one block, `111/111` and so on are more.
fn red_of<'a>(
    described: &Described<'a>,
    formats: &[u8],
    codec: Codec,
    primary: u8,
) -> Option<(u8, &'a str)> {
    if codec != Codec::Opus {
        return None;
    }
    formats.iter().copied().find_map(|red| {
        let is_red = described
            .rtpmap(red)
            .is_some_and(|rtpmap| rtpmap.eq_ignore_ascii_case("red/48000/2"));
        let fmtp = described.fmtp(red).filter(|_| is_red)?;
        let mut blocks = fmtp.split('/').map(|block| block.trim().parse::<u8>());
        blocks
            .all(|block| block == Ok(primary))
            .then_some((red, fmtp))
    })
}

/// The clock rate of `rtx/<clock rate>`.
fn rtx_clock_rate(rtpmap: &str) -> Option<u32> {
    let (name, rate) = rtpmap.split_once('/')?;
    name.eq_ignore_ascii_case("rtx")
        .then(|| rate.parse().ok())?
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

    /// One message must not keep the others waiting, whatever is in it: where each format is held
    /// against each attribute, this takes hours.
    #[test]
    fn repeated_formats_cost_no_more_than_their_length() {
        let formats = "96 97 ".repeat(40_000);
        let noise = "a=rtpmap:1 x/1\n".repeat(400) + &"a=fmtp:1 x=1\n".repeat(400);
        let rtx = "a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96";
        let codecs = video(&format!("{formats}\n{noise}a=rtpmap:96 VP8/90000\n{rtx}"));
        assert_eq!(codecs.len(), 1);
        assert_eq!(codecs[0].parameters.rtx_payload_type, Some(97));
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

    fn audio(lines: &str) -> Vec<NegotiatedCodec> {
        let text = format!("v=0\nm=audio 9 UDP/TLS/RTP/SAVPF {lines}");
        read(
            &Session::read(&text).unwrap().media[0],
            MediaKind::Audio,
            true,
        )
    }

    /// What Chromium offers, with and without a preference for redundancy.
    #[test]
    fn redundancy_goes_with_its_codec() {
        const LINES: &str = "\na=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\n\
             a=fmtp:63 111/111\na=rtpmap:9 G722/8000";
        for (order, preferred) in [("111 63 9", false), ("63 111 9", true)] {
            let codecs = audio(&format!("{order}{LINES}"));
            let [opus] = codecs.as_slice() else {
                panic!("{codecs:?}");
            };
            assert_eq!(opus.parameters.payload_type, 111);
            assert_eq!(opus.parameters.red_payload_type, Some(63));
            let red = opus.red.as_ref().unwrap();
            assert_eq!((red.fmtp.as_str(), red.preferred), ("111/111", preferred));
        }
        for (format, fmtp) in [
            ("red/48000/2", "a=fmtp:63 111/9"),
            ("red/48000/2", "a=fmtp:63 x"),
            ("red/48000/2", ""),
            ("red/8000", "a=fmtp:63 111/111"),
        ] {
            let lines = format!("111 63\na=rtpmap:111 opus/48000/2\na=rtpmap:63 {format}\n{fmtp}");
            assert_eq!(audio(&lines)[0].red, None, "{lines}");
        }
    }

    #[test]
    fn opus_is_known_by_either_name() {
        for rtpmap in ["opus/48000/2", "OPUS/48000"] {
            assert_eq!(identify(rtpmap, ""), Some(Codec::Opus), "{rtpmap}");
        }
        assert_eq!(identify("opus/48000/1", ""), None);
    }

    #[test]
    fn opus_gets_fec_and_echoes_stereo() {
        assert_eq!(
            answered_fmtp(Codec::Opus, "minptime=20; stereo=1;usedtx=1").as_deref(),
            Some("minptime=10;useinbandfec=1;usedtx=1;stereo=1")
        );
    }
}
