//! The offer: one transport (RFC 8843 BUNDLE, RFC 8839 ICE, RFC 8842 DTLS) and its m-lines.

use std::collections::BTreeSet;

use plenum_types::{Fingerprint, FingerprintAlgorithm, IceCredentials, Secret};

use super::section::Section;
use crate::messages::ErrorCode;
use crate::refusal::Refusal;
use crate::sdp::{Media, Session};

/// What a client offers.
#[derive(Debug)]
pub(crate) struct Offer {
    /// Of the client.
    pub(crate) ice: IceCredentials,
    /// Of the client's certificate.
    pub(crate) fingerprint: Fingerprint,
    /// The m-lines, in their order.
    pub(crate) sections: Vec<Section>,
    /// `a=extmap-allow-mixed` for the whole session.
    pub(crate) mixed_extensions: bool,
    /// The offer has `a=group:BUNDLE`, as all but single m-lines must.
    pub(crate) bundled: bool,
}

impl Offer {
    /// Reads an offer, or says what to change.
    pub(crate) fn read(sdp: &str) -> Result<Self, Refusal> {
        let session = Session::read(sdp)?;
        let sections: Vec<Section> = session
            .media
            .iter()
            .map(|media| Section::read(media, &session.attributes))
            .collect::<Result<_, _>>()?;
        check_mids(&sections)?;
        let bundled = check_bundle(&session, &sections)?;
        let transport = Transport::of(&session, &sections)?;
        Ok(Self {
            ice: transport.ice()?,
            fingerprint: transport.fingerprint()?,
            sections,
            mixed_extensions: session.attributes.has("extmap-allow-mixed"),
            bundled,
        })
    }
}

fn check_mids(sections: &[Section]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for section in sections.iter().filter(|section| section.is_alive()) {
        if !seen.insert(section.mid) {
            return Err(Refusal::at(
                ErrorCode::SdpInvalid,
                section.mid,
                "Give every m-line an a=mid of its own.",
            ));
        }
    }
    Ok(())
}

/// Every m-line must be in the first BUNDLE group; a lone m-line needs none.
fn check_bundle(session: &Session<'_>, sections: &[Section]) -> Result<bool, Refusal> {
    let alive = sections.iter().filter(|section| section.is_alive());
    let group = session
        .attributes
        .values("group")
        .find_map(|value| value.strip_prefix("BUNDLE"));
    let Some(group) = group else {
        return match alive.count() {
            0 | 1 => Ok(false),
            _ => Err(Refusal::new(
                ErrorCode::SdpNoBundle,
                "Offer a=group:BUNDLE with all m-lines (bundlePolicy \"max-bundle\").",
            )),
        };
    };
    let grouped: BTreeSet<&str> = group.split_ascii_whitespace().collect();
    let outside: Vec<_> = alive
        .map(|section| section.mid)
        .filter(|mid| !grouped.contains(mid.as_str()))
        .collect();
    if outside.is_empty() {
        return Ok(true);
    }
    Err(Refusal {
        mids: outside,
        ..Refusal::new(
            ErrorCode::SdpNoBundle,
            "Put every m-line into the first a=group:BUNDLE (bundlePolicy \"max-bundle\").",
        )
    })
}

/// Where the transport attributes are: on the first m-line in use, or on the session.
struct Transport<'s, 'a> {
    session: &'s Session<'a>,
    media: &'s Media<'a>,
}

impl<'s, 'a> Transport<'s, 'a> {
    fn of(session: &'s Session<'a>, sections: &[Section]) -> Result<Self, Refusal> {
        let first = sections.iter().position(Section::is_alive).ok_or_else(|| {
            Refusal::new(
                ErrorCode::SdpInvalid,
                "Offer at least one m-line of audio, video or data channels.",
            )
        })?;
        let transport = Self {
            session,
            media: &session.media[first],
        };
        transport.check_setup()?;
        Ok(transport)
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        let attributes = &self.media.attributes;
        attributes
            .value(key)
            .or_else(|| self.session.attributes.value(key))
    }

    /// We are the DTLS server, so that the client picks the cipher from our preference.
    fn check_setup(&self) -> Result<(), Refusal> {
        match self.value("setup") {
            None | Some("actpass" | "active") => Ok(()),
            Some(_) => Err(Refusal::new(
                ErrorCode::SdpInvalid,
                "Offer a=setup:actpass: the server takes the passive role.",
            )),
        }
    }

    fn ice(&self) -> Result<IceCredentials, Refusal> {
        credentials(self.value("ice-ufrag"), self.value("ice-pwd"))
    }

    fn fingerprint(&self) -> Result<Fingerprint, Refusal> {
        let own = self.media.attributes.values("fingerprint");
        let shared = self.session.attributes.values("fingerprint");
        own.chain(shared)
            .filter_map(read_fingerprint)
            .next()
            .ok_or_else(|| {
                Refusal::new(
                    ErrorCode::SdpNoFingerprint,
                    "Offer a=fingerprint with sha-256, sha-384 or sha-512.",
                )
            })
    }
}

/// What RFC 8839 §5.4 allows.
pub(super) fn credentials(
    ufrag: Option<&str>,
    password: Option<&str>,
) -> Result<IceCredentials, Refusal> {
    let (ufrag, password) = (ufrag.unwrap_or_default(), password.unwrap_or_default());
    let is_ice = |text: &str, least| {
        (least..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if is_ice(ufrag, 4) && is_ice(password, 22) {
        return Ok(IceCredentials {
            ufrag: ufrag.to_owned(),
            password: Secret(password.to_owned()),
        });
    }
    Err(Refusal::new(
        ErrorCode::SdpNoIce,
        "Offer a=ice-ufrag of 4 to 256 and a=ice-pwd of 22 to 256 characters.",
    ))
}

/// `sha-256 AB:CD:...` (RFC 8122 §5).
fn read_fingerprint(value: &str) -> Option<Fingerprint> {
    let (name, digits) = value.split_once(' ')?;
    let (algorithm, length) = match name.to_ascii_lowercase().as_str() {
        "sha-256" => (FingerprintAlgorithm::Sha256, 32),
        "sha-384" => (FingerprintAlgorithm::Sha384, 48),
        "sha-512" => (FingerprintAlgorithm::Sha512, 64),
        _ => return None,
    };
    let bytes: Vec<u8> = digits
        .trim()
        .split(':')
        .map(|byte| match byte.len() {
            2 => u8::from_str_radix(byte, 16).ok(),
            _ => None,
        })
        .collect::<Option<_>>()?;
    (bytes.len() == length).then_some(Fingerprint { algorithm, bytes })
}
