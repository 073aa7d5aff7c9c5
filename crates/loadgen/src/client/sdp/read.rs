//! Reading a server's description: as much of JSEP (RFC 8829) as decides where to send and what
//! the packets that come mean. What is missing is named.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, bail};
use plenum_types::{
    Codec, CodecParameters, ExtensionKind, ExtensionMap, Fingerprint, FingerprintAlgorithm,
    IceCredentials, MediaKind, Secret,
};

use super::{CodecLine, Description, Direction, Media, Setup, Ssrcs};

/// Attributes of the session or of one m-line, without `a=`.
type Attributes<'a> = Vec<&'a str>;

/// An m-line as text.
struct Section<'a> {
    kind: &'a str,
    port: u16,
    formats: Vec<&'a str>,
    attributes: Attributes<'a>,
}

fn value<'a>(attributes: &Attributes<'a>, name: &str) -> Option<&'a str> {
    values(attributes, name).next()
}

fn values<'a, 'n>(
    attributes: &'n Attributes<'a>,
    name: &'n str,
) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
    attributes
        .iter()
        .filter_map(move |attribute| attribute.strip_prefix(name)?.strip_prefix(':'))
}

impl Description {
    /// Reads an offer or an answer of a server.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let (session, sections) = split(text)?;
        let alive: Vec<&Section<'_>> = sections
            .iter()
            .filter(|section| section.port != 0)
            .collect();
        // Transport attributes may stand on the session or on any m-line of the bundle.
        let mut transport = session.clone();
        transport.extend(alive.iter().flat_map(|section| &section.attributes));
        let media = alive
            .iter()
            .filter_map(|section| read_media(section, &session))
            .collect();
        Ok(Self {
            ice: IceCredentials {
                ufrag: required(&transport, "ice-ufrag")?.to_owned(),
                password: Secret(required(&transport, "ice-pwd")?.to_owned()),
            },
            lite: transport.contains(&"ice-lite"),
            fingerprint: values(&transport, "fingerprint")
                .find_map(read_fingerprint)
                .context("the server's description has no a=fingerprint that can be read")?,
            setup: match required(&transport, "setup")? {
                "active" => Setup::Active,
                "passive" => Setup::Passive,
                "actpass" => Setup::ActPass,
                other => bail!("the server's description has an unknown a=setup:{other}"),
            },
            candidates: read_candidates(&transport),
            media,
        })
    }
}

fn required<'a>(attributes: &Attributes<'a>, name: &str) -> Result<&'a str> {
    value(attributes, name)
        .with_context(|| format!("the server's description has no a={name}: is it an SDP?"))
}

fn split(text: &str) -> Result<(Attributes<'_>, Vec<Section<'_>>)> {
    let mut session = Vec::new();
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let mut words = media.split_ascii_whitespace();
            let (Some(kind), Some(port), Some(_)) = (words.next(), words.next(), words.next())
            else {
                bail!("the server's description has a broken line: {line}");
            };
            sections.push(Section {
                kind,
                port: port.parse().unwrap_or_default(),
                formats: words.collect(),
                attributes: Vec::new(),
            });
        } else if let Some(attribute) = line.strip_prefix("a=") {
            match sections.last_mut() {
                Some(section) => section.attributes.push(attribute.trim_end()),
                None => session.push(attribute.trim_end()),
            }
        }
    }
    Ok((session, sections))
}

fn read_media(section: &Section<'_>, session: &Attributes<'_>) -> Option<Media> {
    let kind = match section.kind {
        "audio" => MediaKind::Audio,
        "video" => MediaKind::Video,
        _ => return None,
    };
    let attributes = &section.attributes;
    Some(Media {
        kind,
        mid: value(attributes, "mid").unwrap_or_default().to_owned(),
        direction: direction(attributes)
            .or_else(|| direction(session))
            .unwrap_or(Direction {
                sends: true,
                receives: true,
            }),
        codecs: section
            .formats
            .iter()
            .filter_map(|format| read_codec(attributes, format.parse().ok()?))
            .collect(),
        extensions: read_extensions(attributes),
        ssrcs: read_ssrcs(attributes),
        rids: values(attributes, "rid")
            .filter_map(|rid| Some(rid.strip_suffix(" recv")?.to_owned()))
            .collect(),
    })
}

fn direction(attributes: &Attributes<'_>) -> Option<Direction> {
    [
        Direction {
            sends: true,
            receives: true,
        },
        Direction::SEND,
        Direction::RECEIVE,
        Direction::INACTIVE,
    ]
    .into_iter()
    .find(|direction| attributes.contains(&direction.name()))
}

/// The rest of the attribute `name` that is about `payload_type`.
fn about<'a>(attributes: &Attributes<'a>, name: &str, payload_type: u8) -> Option<&'a str> {
    values(attributes, name)
        .filter_map(|value| value.split_once(' '))
        .find(|(number, _)| number.parse() == Ok(payload_type))
        .map(|(_, rest)| rest)
}

fn read_codec(attributes: &Attributes<'_>, payload_type: u8) -> Option<CodecLine> {
    let rtpmap = about(attributes, "rtpmap", payload_type)?;
    let fmtp = about(attributes, "fmtp", payload_type);
    let codec = identify(rtpmap, fmtp.unwrap_or_default())?;
    let feedback = |wanted: &str| {
        values(attributes, "rtcp-fb")
            .filter_map(|value| value.split_once(' '))
            .any(|(number, feedback)| {
                (number == "*" || number.parse() == Ok(payload_type)) && feedback == wanted
            })
    };
    let apt = format!("apt={payload_type}");
    let rtx = values(attributes, "fmtp")
        .filter_map(|value| value.split_once(' '))
        .find(|(_, format)| format.split(';').any(|pair| pair.trim() == apt))
        .and_then(|(number, _)| number.parse().ok());
    Some(CodecLine {
        parameters: CodecParameters {
            codec,
            payload_type,
            rtx_payload_type: rtx,
            red_payload_type: None,
            nack: feedback("nack"),
            pli: feedback("nack pli"),
            fir: feedback("ccm fir"),
            transport_cc: feedback("transport-cc"),
            remb: feedback("goog-remb"),
        },
        rtpmap: rtpmap.to_owned(),
        fmtp: fmtp.map(str::to_owned),
    })
}

fn identify(rtpmap: &str, fmtp: &str) -> Option<Codec> {
    match rtpmap.split('/').next()?.to_ascii_lowercase().as_str() {
        "opus" => Some(Codec::Opus),
        "vp8" => Some(Codec::Vp8),
        "h264" => Some(Codec::H264 {
            profile: 0x42e0,
            packetization_mode: u8::from(fmtp.contains("packetization-mode=1")),
        }),
        _ => None,
    }
}

fn read_extensions(attributes: &Attributes<'_>) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for value in values(attributes, "extmap") {
        let mut words = value.split_ascii_whitespace();
        let id = words.next().and_then(|id| id.split('/').next());
        let kind = words.next().and_then(ExtensionKind::from_uri);
        if let (Some(Ok(id)), Some(kind)) = (id.map(str::parse), kind) {
            map.set(kind, id);
        }
    }
    map
}

/// `a=ssrc-group:FID` where there is one, else the first `a=ssrc`.
fn read_ssrcs(attributes: &Attributes<'_>) -> Vec<Ssrcs> {
    let groups: Vec<Ssrcs> = values(attributes, "ssrc-group")
        .filter_map(|group| {
            let mut words = group.strip_prefix("FID ")?.split_ascii_whitespace();
            Some(Ssrcs {
                primary: words.next()?.parse().ok()?,
                rtx: Some(words.next()?.parse().ok()?),
            })
        })
        .collect();
    if !groups.is_empty() {
        return groups;
    }
    value(attributes, "ssrc")
        .and_then(|ssrc| ssrc.split(' ').next()?.parse().ok())
        .map(|primary| Ssrcs { primary, rtx: None })
        .into_iter()
        .collect()
}

/// `sha-256 AB:CD:...` (RFC 8122 §5).
fn read_fingerprint(value: &str) -> Option<Fingerprint> {
    let (name, digits) = value.split_once(' ')?;
    let algorithm = match name.to_ascii_lowercase().as_str() {
        "sha-256" => FingerprintAlgorithm::Sha256,
        "sha-384" => FingerprintAlgorithm::Sha384,
        "sha-512" => FingerprintAlgorithm::Sha512,
        _ => return None,
    };
    let bytes = digits
        .trim()
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16))
        .collect::<Result<_, _>>()
        .ok()?;
    Some(Fingerprint { algorithm, bytes })
}

/// UDP candidates of component 1 with a literal address, best first.
fn read_candidates(attributes: &Attributes<'_>) -> Vec<SocketAddr> {
    let mut found: Vec<(u32, SocketAddr)> = values(attributes, "candidate")
        .filter_map(read_candidate)
        .collect();
    found.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
    let mut addresses = Vec::new();
    for (_, address) in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

/// `1 1 udp 2130706431 192.0.2.1 7882 typ host` (RFC 8839 §5.1).
fn read_candidate(value: &str) -> Option<(u32, SocketAddr)> {
    let mut words = value.split_ascii_whitespace().skip(1);
    let (component, transport) = (words.next()?, words.next()?);
    if component != "1" || !transport.eq_ignore_ascii_case("udp") {
        return None;
    }
    let priority = words.next()?.parse().ok()?;
    let ip: IpAddr = words.next()?.parse().ok()?;
    Some((priority, SocketAddr::new(ip, words.next()?.parse().ok()?)))
}
