//! The answer of an ICE-lite server that accepts everything (RFC 8829 §5.3.1).

use std::fmt::Write;

use plenum_types::{FingerprintAlgorithm, IceCredentials};

use super::{ServerInfo, SessionSlot};
use crate::sdp::{Offer, Section};

/// Attributes of the offer that the answer repeats.
const REPEATED: [&str; 5] = ["mid", "rtpmap", "fmtp", "rtcp-fb", "extmap"];

/// What goes into an answer.
pub(super) struct Answer<'a> {
    pub(super) credentials: &'a IceCredentials,
    pub(super) server: &'a ServerInfo,
    /// In the order of the receive-only sections.
    pub(super) slots: &'a [SessionSlot],
}

impl Answer<'_> {
    /// The answer to `offer`.
    pub(super) fn text(&self, offer: &Offer<'_>) -> String {
        let mids: Vec<_> = offer.sections.iter().map(|section| section.mid).collect();
        let mut lines = vec![
            "v=0".to_owned(),
            "o=- 1 1 IN IP4 0.0.0.0".to_owned(),
            "s=-".to_owned(),
            "t=0 0".to_owned(),
            "a=ice-lite".to_owned(),
            format!("a=group:BUNDLE {}", mids.join(" ")),
        ];
        let mut slots = self.slots.iter();
        for section in &offer.sections {
            self.write_section(&mut lines, section);
            if section.kind.is_none() {
                lines.push("a=sctp-port:5000".to_owned());
                lines.push("a=max-message-size:65536".to_owned());
            } else if section.receives() {
                lines.push("a=sendonly".to_owned());
                write_source(&mut lines, section, slots.next());
            } else {
                lines.push("a=recvonly".to_owned());
                write_simulcast(&mut lines, section);
            }
        }
        lines.push(String::new());
        lines.join("\r\n")
    }

    fn write_section(&self, lines: &mut Vec<String>, section: &Section<'_>) {
        let kind = match section.kind {
            Some(plenum_types::MediaKind::Audio) => "audio",
            Some(plenum_types::MediaKind::Video) => "video",
            None => "application",
        };
        lines.push(format!("m={kind} {}", section.formats));
        lines.push("c=IN IP4 0.0.0.0".to_owned());
        lines.push(format!("a=ice-ufrag:{}", self.credentials.ufrag));
        lines.push(format!("a=ice-pwd:{}", self.credentials.password.0));
        lines.push(self.fingerprint());
        lines.push("a=setup:passive".to_owned());
        lines.push("a=rtcp-mux".to_owned());
        lines.push("a=rtcp-rsize".to_owned());
        let repeated = section.attributes.iter().filter(|attribute| {
            let name = attribute.split(':').next();
            name.is_some_and(|name| REPEATED.contains(&name))
        });
        lines.extend(repeated.map(|attribute| format!("a={attribute}")));
        let address = self.server.address;
        lines.push(format!(
            "a=candidate:1 1 udp 2130706431 {} {} typ host",
            address.ip(),
            address.port()
        ));
        lines.push("a=end-of-candidates".to_owned());
    }

    fn fingerprint(&self) -> String {
        let name = match self.server.fingerprint.algorithm {
            FingerprintAlgorithm::Sha256 => "sha-256",
            FingerprintAlgorithm::Sha384 => "sha-384",
            FingerprintAlgorithm::Sha512 => "sha-512",
        };
        let mut line = format!("a=fingerprint:{name} ");
        for (index, byte) in self.server.fingerprint.bytes.iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            // Writing to a string cannot fail.
            let _ = write!(line, "{separator}{byte:02X}");
        }
        line
    }
}

/// What we send on a receive-only section of the client.
fn write_source(lines: &mut Vec<String>, section: &Section<'_>, slot: Option<&SessionSlot>) {
    let Some(slot) = slot else { return };
    let name = format!("slot-{}", section.mid);
    lines.push(format!("a=msid:{name} {name}"));
    let ssrc = slot.ssrc.0;
    if let Some(rtx) = slot.rtx_ssrc {
        lines.push(format!("a=ssrc-group:FID {ssrc} {rtx}"));
    }
    for ssrc in [Some(slot.ssrc), slot.rtx_ssrc].into_iter().flatten() {
        lines.push(format!("a=ssrc:{ssrc} cname:plenum"));
        lines.push(format!("a=ssrc:{ssrc} msid:{name} {name}"));
    }
}

fn write_simulcast(lines: &mut Vec<String>, section: &Section<'_>) {
    let rids: Vec<_> = section.rids().collect();
    if rids.is_empty() {
        return;
    }
    lines.extend(rids.iter().map(|rid| format!("a=rid:{rid} recv")));
    lines.push(format!("a=simulcast:recv {}", rids.join(";")));
}
