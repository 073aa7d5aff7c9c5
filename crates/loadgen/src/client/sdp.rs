//! Session descriptions: what a client says of itself, as an offer or as an answer, and what it
//! reads in the server's.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::net::SocketAddr;

use plenum_types::{
    Codec, CodecParameters, ExtensionKind, ExtensionMap, Fingerprint, IceCredentials, MediaKind,
};

/// Payload types as Chrome numbers them.
const OPUS: u8 = 111;
const VP8: u8 = 96;
const H264: u8 = 102;
/// The payload type of retransmissions is the next one.
const RTX_OFFSET: u8 = 1;

/// Who opens the DTLS handshake (RFC 5763 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    /// Opens it.
    Active,
    /// Waits for it.
    Passive,
    /// Leaves it to the answer.
    ActPass,
}

/// What flows on an m-line, seen by whoever wrote the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Direction {
    pub(crate) sends: bool,
    pub(crate) receives: bool,
}

impl Direction {
    pub(crate) const SEND: Self = Self {
        sends: true,
        receives: false,
    };
    pub(crate) const RECEIVE: Self = Self {
        sends: false,
        receives: true,
    };
    pub(crate) const INACTIVE: Self = Self {
        sends: false,
        receives: false,
    };

    const fn reversed(self) -> Self {
        Self {
            sends: self.receives,
            receives: self.sends,
        }
    }

    const fn name(self) -> &'static str {
        match (self.sends, self.receives) {
            (true, true) => "sendrecv",
            (true, false) => "sendonly",
            (false, true) => "recvonly",
            (false, false) => "inactive",
        }
    }
}

/// One RTP stream and its retransmissions, as `a=ssrc` declares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ssrcs {
    pub(crate) primary: u32,
    pub(crate) rtx: Option<u32>,
}

/// A codec of an m-line, with the lines that describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodecLine {
    pub(crate) parameters: CodecParameters,
    /// `VP8/90000`
    pub(crate) rtpmap: String,
    /// Format parameters.
    pub(crate) fmtp: Option<String>,
}

/// One m-line of audio or video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Media {
    pub(crate) kind: MediaKind,
    pub(crate) mid: String,
    pub(crate) direction: Direction,
    /// In the order of preference.
    pub(crate) codecs: Vec<CodecLine>,
    pub(crate) extensions: ExtensionMap,
    /// Declared streams. Empty with simulcast by rid.
    pub(crate) ssrcs: Vec<Ssrcs>,
    /// Simulcast encodings that are sent (ours) or received (theirs), smallest first.
    pub(crate) rids: Vec<String>,
}

/// A session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) ice: IceCredentials,
    /// The other agent is ICE lite: it answers checks and makes none.
    pub(crate) lite: bool,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) setup: Setup,
    /// UDP candidates of component 1, best first.
    pub(crate) candidates: Vec<SocketAddr>,
    /// In order. M-lines that were rejected, or that are neither audio nor video, are left out of
    /// what was read.
    pub(crate) media: Vec<Media>,
}

impl Description {
    /// The extension ids of the bundle.
    pub(crate) fn extensions(&self) -> ExtensionMap {
        let mut map = ExtensionMap::new();
        for media in &self.media {
            map.merge(&media.extensions);
        }
        map
    }

    /// The answer to `self`, an offer of the server: each m-line gets what the server sends on it,
    /// with the codecs and ids of the offer, and sends nothing. `local` is what we say of
    /// ourselves; its media are replaced.
    pub(crate) fn answered_by(&self, local: Self) -> Self {
        let media = self.media.iter().map(|offered| Media {
            direction: Direction {
                sends: false,
                ..offered.direction.reversed()
            },
            ssrcs: Vec::new(),
            rids: Vec::new(),
            ..offered.clone()
        });
        Self {
            setup: Setup::Active,
            media: media.collect(),
            ..local
        }
    }
}

/// The codec that `wanted` means here, with the feedback that browsers offer.
pub(crate) fn codec_line(wanted: Codec, transport_cc: bool) -> CodecLine {
    let (payload_type, rtpmap, fmtp) = match wanted {
        Codec::Opus => (OPUS, "opus/48000/2", Some("minptime=10;useinbandfec=1")),
        Codec::H264 { .. } => (
            H264,
            "H264/90000",
            Some("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
        ),
        _ => (VP8, "VP8/90000", None),
    };
    let video = wanted.kind() == MediaKind::Video;
    CodecLine {
        parameters: CodecParameters {
            codec: wanted,
            payload_type,
            rtx_payload_type: video.then_some(payload_type + RTX_OFFSET),
            red_payload_type: None,
            nack: video,
            pli: video,
            fir: video,
            transport_cc,
            remb: false,
        },
        rtpmap: rtpmap.to_owned(),
        fmtp: fmtp.map(str::to_owned),
    }
}

/// The header extensions of an m-line, with Chrome's ids.
pub(crate) fn extension_map(kind: MediaKind, transport_cc: bool, simulcast: bool) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    map.set(ExtensionKind::Mid, 4);
    map.set(ExtensionKind::AbsSendTime, 2);
    if transport_cc {
        map.set(ExtensionKind::TransportSequence, 3);
    }
    match kind {
        MediaKind::Audio => map.set(ExtensionKind::AudioLevel, 1),
        MediaKind::Video if simulcast => {
            map.set(ExtensionKind::Rid, 10);
            map.set(ExtensionKind::RepairedRid, 11);
        }
        MediaKind::Video => {}
    }
    map
}
