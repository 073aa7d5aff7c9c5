//! RTP header extensions (RFC 8285) that Plenum understands, and their negotiated ids.

/// A header extension that Plenum reads, writes or passes on. Others are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExtensionKind {
    /// Media id (RFC 8843). Rewritten.
    Mid,
    /// RTP stream id (RFC 8852). Read, not passed on.
    Rid,
    /// Repaired RTP stream id (RFC 8852). Read, not passed on.
    RepairedRid,
    /// Absolute send time. Rewritten.
    AbsSendTime,
    /// Transport-wide sequence number. Rewritten.
    TransportSequence,
    /// Audio level (RFC 6464). Read and passed on.
    AudioLevel,
    /// Coordination of video orientation (3GPP TS 26.114). Passed on.
    VideoOrientation,
    /// Playout delay limits. Passed on.
    PlayoutDelay,
    /// AV1 Dependency Descriptor. Read and passed on, frame number rewritten.
    DependencyDescriptor,
}

impl ExtensionKind {
    /// How many there are.
    pub const COUNT: usize = 9;

    /// All, in the order of their discriminants.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::AbsSendTime,
        Self::TransportSequence,
        Self::AudioLevel,
        Self::VideoOrientation,
        Self::PlayoutDelay,
        Self::DependencyDescriptor,
    ];

    /// The URI that `a=extmap` names it by.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::TransportSequence => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Self::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
        }
    }

    /// The extension that `uri` names, if Plenum understands it.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.uri() == uri)
    }
}

/// Negotiated ids, one per extension.
///
/// BUNDLE makes an id mean the same on every m-line of a peer connection (RFC 8843 §9.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtensionMap {
    /// 0: not negotiated.
    ids: [u8; ExtensionKind::COUNT],
}

impl ExtensionMap {
    /// An empty map.
    pub const fn new() -> Self {
        Self {
            ids: [0; ExtensionKind::COUNT],
        }
    }

    /// Negotiates `kind` as `id`; 0 takes it out.
    pub fn set(&mut self, kind: ExtensionKind, id: u8) {
        self.ids[kind as usize] = id;
    }

    /// The id of `kind` (1 to 255), if negotiated.
    pub const fn id(&self, kind: ExtensionKind) -> Option<u8> {
        match self.ids[kind as usize] {
            0 => None,
            id => Some(id),
        }
    }

    /// The extension that `id` means here.
    pub fn kind(&self, id: u8) -> Option<ExtensionKind> {
        if id == 0 {
            return None;
        }
        ExtensionKind::ALL
            .into_iter()
            .find(|kind| self.ids[*kind as usize] == id)
    }

    /// Adds what `other` negotiated; its ids win.
    pub fn merge(&mut self, other: &Self) {
        for kind in ExtensionKind::ALL {
            if let Some(id) = other.id(kind) {
                self.set(kind, id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_found_again() {
        for kind in ExtensionKind::ALL {
            assert_eq!(ExtensionKind::from_uri(kind.uri()), Some(kind));
        }
        assert_eq!(ExtensionKind::from_uri("urn:example:unknown"), None);
    }

    #[test]
    fn an_id_means_what_was_set() {
        let mut map = ExtensionMap::new();
        map.set(ExtensionKind::Mid, 4);
        assert_eq!(map.id(ExtensionKind::Mid), Some(4));
        assert_eq!(map.kind(4), Some(ExtensionKind::Mid));
        assert_eq!(map.kind(0), None);
        assert_eq!(map.id(ExtensionKind::Rid), None);
    }
}
