//! As much SDP as a scenario needs: reading the offers of our own simulated clients.

use plenum_types::{
    Codec, CodecParameters, ExtensionKind, ExtensionMap, Fingerprint, FingerprintAlgorithm,
    IceCredentials, MediaKind, Secret, Ssrc,
};

use crate::error::TestkitError;

/// One m-line and its attributes.
#[derive(Clone, Debug)]
pub(crate) struct Section<'s> {
    /// `None`: data channels.
    pub(crate) kind: Option<MediaKind>,
    pub(crate) mid: &'s str,
    /// Attributes in order, without `a=`.
    pub(crate) attributes: Vec<&'s str>,
    /// The rest of the m-line: port, protocol and payload types.
    pub(crate) formats: &'s str,
}

/// An offer of a simulated client.
#[derive(Clone, Debug)]
pub(crate) struct Offer<'s> {
    pub(crate) sections: Vec<Section<'s>>,
    session_attributes: Vec<&'s str>,
}

impl<'s> Offer<'s> {
    pub(crate) fn parse(text: &'s str) -> Result<Self, TestkitError> {
        let mut offer = Self {
            sections: Vec::new(),
            session_attributes: Vec::new(),
        };
        for line in text.lines() {
            if let Some(media) = line.strip_prefix("m=") {
                let (kind, formats) = media
                    .split_once(' ')
                    .ok_or(TestkitError::OfferLacks("media format"))?;
                let kind = match kind {
                    "audio" => Some(MediaKind::Audio),
                    "video" => Some(MediaKind::Video),
                    "application" => None,
                    _ => return Err(TestkitError::OfferLacks("known kind of media")),
                };
                offer.sections.push(Section {
                    kind,
                    mid: "",
                    attributes: Vec::new(),
                    formats,
                });
            } else if let Some(attribute) = line.strip_prefix("a=") {
                match offer.sections.last_mut() {
                    Some(section) => section.attributes.push(attribute),
                    None => offer.session_attributes.push(attribute),
                }
            }
        }
        for section in &mut offer.sections {
            section.mid = section
                .value("mid")
                .ok_or(TestkitError::OfferLacks("mid"))?;
        }
        Ok(offer)
    }

    /// The client's ICE credentials.
    pub(crate) fn credentials(&self) -> Result<IceCredentials, TestkitError> {
        let find = |name| self.sections.iter().find_map(|section| section.value(name));
        let ufrag = find("ice-ufrag").ok_or(TestkitError::OfferLacks("ice-ufrag"))?;
        let password = find("ice-pwd").ok_or(TestkitError::OfferLacks("ice-pwd"))?;
        Ok(IceCredentials {
            ufrag: ufrag.to_owned(),
            password: Secret(password.to_owned()),
        })
    }

    /// The client's certificate fingerprint.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint, TestkitError> {
        let lacks = TestkitError::OfferLacks("sha-256 fingerprint");
        let in_sections = self.sections.iter().flat_map(|section| &section.attributes);
        let hex = self
            .session_attributes
            .iter()
            .chain(in_sections)
            .find_map(|attribute| attribute.strip_prefix("fingerprint:sha-256 "));
        let bytes = hex
            .ok_or(lacks)?
            .split(':')
            .map(|byte| u8::from_str_radix(byte, 16))
            .collect::<Result<_, _>>()
            .map_err(|_| TestkitError::OfferLacks("readable fingerprint"))?;
        Ok(Fingerprint {
            algorithm: FingerprintAlgorithm::Sha256,
            bytes,
        })
    }
}

impl<'s> Section<'s> {
    /// The value of the first attribute `name`.
    pub(crate) fn value(&self, name: &str) -> Option<&'s str> {
        self.values(name).next()
    }

    /// The values of all attributes `name`.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'s str> + 'a {
        self.attributes
            .iter()
            .filter_map(move |attribute| attribute.strip_prefix(name)?.strip_prefix(':'))
    }

    /// Whether the client only receives here.
    pub(crate) fn receives(&self) -> bool {
        self.attributes.contains(&"recvonly")
    }

    /// The simulcast streams that the client sends, in the offered order.
    pub(crate) fn rids(&self) -> impl Iterator<Item = &'s str> {
        self.values("rid")
            .filter_map(|rid| rid.strip_suffix(" send"))
    }

    /// The SSRC that the client declares, and that of its retransmissions.
    pub(crate) fn ssrcs(&self) -> (Option<Ssrc>, Option<Ssrc>) {
        let group = self.value("ssrc-group").and_then(|group| {
            let mut words = group.strip_prefix("FID ")?.split(' ');
            Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
        });
        if let Some((primary, repair)) = group {
            return (Some(Ssrc(primary)), Some(Ssrc(repair)));
        }
        let primary = self
            .value("ssrc")
            .and_then(|ssrc| ssrc.split(' ').next()?.parse().ok());
        (primary.map(Ssrc), None)
    }

    /// The codecs that the engine knows, in the offered order.
    pub(crate) fn codecs(&self) -> Vec<CodecParameters> {
        self.values("rtpmap")
            .filter_map(|map| {
                let (payload_type, name) = map.split_once(' ')?;
                let payload_type = payload_type.parse().ok()?;
                let codec = codec(name, self.format(payload_type))?;
                let feedback = |wanted: &str| {
                    self.values("rtcp-fb").any(|value| {
                        value.split_once(' ') == Some((&payload_type.to_string(), wanted))
                    })
                };
                Some(CodecParameters {
                    codec,
                    payload_type,
                    rtx_payload_type: self.rtx_of(payload_type),
                    red_payload_type: None,
                    nack: feedback("nack"),
                    pli: feedback("nack pli"),
                    fir: feedback("ccm fir"),
                    transport_cc: feedback("transport-cc"),
                    remb: feedback("goog-remb"),
                })
            })
            .collect()
    }

    fn format(&self, payload_type: u8) -> &'s str {
        self.values("fmtp")
            .filter_map(|value| value.split_once(' '))
            .find(|(number, _)| number.parse() == Ok(payload_type))
            .map_or("", |(_, format)| format)
    }

    fn rtx_of(&self, payload_type: u8) -> Option<u8> {
        let apt = format!("apt={payload_type}");
        self.values("fmtp")
            .filter_map(|value| value.split_once(' '))
            .find(|(_, format)| *format == apt)
            .and_then(|(number, _)| number.parse().ok())
    }
}

fn codec(name: &str, format: &str) -> Option<Codec> {
    let parameter = |wanted: &str| {
        format
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
    };
    let number = |wanted| parameter(wanted).and_then(|value| value.parse().ok());
    Some(match name.split('/').next()? {
        "opus" => Codec::Opus,
        "VP8" => Codec::Vp8,
        "VP9" => Codec::Vp9 {
            profile: number("profile-id").unwrap_or(0),
        },
        "AV1" => Codec::Av1 {
            profile: number("profile").unwrap_or(0),
        },
        "H264" => Codec::H264 {
            profile: u16::from_str_radix(parameter("profile-level-id")?.get(..4)?, 16).ok()?,
            packetization_mode: number("packetization-mode").unwrap_or(0),
        },
        _ => return None,
    })
}

/// The header extensions that a description names, over all its sections.
pub(crate) fn extensions(description: &str) -> ExtensionMap {
    extension_map(
        description
            .lines()
            .filter_map(|line| line.strip_prefix("a=extmap:")),
    )
}

/// The map that the values of `a=extmap` make.
pub(crate) fn extension_map<'s>(values: impl Iterator<Item = &'s str>) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for value in values {
        let mut words = value.split_ascii_whitespace();
        let id = words.next().and_then(|id| id.split('/').next());
        let kind = words.next().and_then(ExtensionKind::from_uri);
        if let (Some(Ok(id)), Some(kind)) = (id.map(str::parse), kind) {
            map.set(kind, id);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\n\
        a=fingerprint:sha-256 0A:FF\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 102\r\n\
        a=mid:4\r\n\
        a=ice-ufrag:abcd\r\n\
        a=ice-pwd:secretsecretsecretsecret\r\n\
        a=rtpmap:96 VP8/90000\r\n\
        a=rtcp-fb:96 nack\r\n\
        a=rtcp-fb:96 nack pli\r\n\
        a=rtpmap:97 rtx/90000\r\n\
        a=fmtp:97 apt=96\r\n\
        a=rtpmap:102 H264/90000\r\n\
        a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n\
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
        a=ssrc-group:FID 11 12\r\n\
        a=ssrc:11 cname:x\r\n\
        a=sendonly\r\n";

    #[test]
    fn reads_what_a_client_offers() {
        let offer = Offer::parse(OFFER).unwrap();
        assert_eq!(offer.credentials().unwrap().ufrag, "abcd");
        assert_eq!(offer.fingerprint().unwrap().bytes, [0x0a, 0xff]);
        let section = &offer.sections[0];
        assert_eq!((section.mid, section.receives()), ("4", false));
        assert_eq!(section.ssrcs(), (Some(Ssrc(11)), Some(Ssrc(12))));
        let codecs = section.codecs();
        assert_eq!(codecs.len(), 2);
        assert_eq!(codecs[0].rtx_payload_type, Some(97));
        assert!(codecs[0].nack && codecs[0].pli && !codecs[0].fir);
        assert_eq!(
            codecs[1].codec,
            Codec::H264 {
                profile: 0x42e0,
                packetization_mode: 1
            }
        );
        assert_eq!(extensions(OFFER).id(ExtensionKind::Mid), Some(3));
    }

    #[test]
    fn an_offer_without_ice_is_refused() {
        let offer = Offer::parse("m=audio 9 X 0\r\na=mid:0\r\n").unwrap();
        assert!(matches!(
            offer.credentials(),
            Err(TestkitError::OfferLacks("ice-ufrag"))
        ));
    }
}
