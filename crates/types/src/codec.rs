//! Codecs, and what an m-line negotiated about one.

/// Audio or video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

/// What a publication shows or plays. Decides defaults, never whether it is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A camera.
    Camera,
    /// A microphone.
    Microphone,
    /// A shared screen or window.
    Screen,
    /// The sound of a shared screen or window.
    ScreenAudio,
}

/// What matters more in a picture for which there is too little bandwidth: that it moves, or that
/// it is sharp (`contentHint` of a media stream track).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContentHint {
    /// A person, a film: frame rate before size.
    #[default]
    Motion,
    /// A text, a drawing: size before frame rate.
    Detail,
}

impl Source {
    /// What its pictures are if nobody says.
    pub const fn usual_content(self) -> ContentHint {
        match self {
            Self::Screen => ContentHint::Detail,
            _ => ContentHint::Motion,
        }
    }
}

/// A codec in the variant that must match between sender and receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 9628. `profile` is `profile-id`, 0 to 3.
    Vp9 {
        /// `profile-id` of the format parameters, 0 if absent.
        profile: u8,
    },
    /// RFC 6184.
    H264 {
        /// The first two bytes of `profile-level-id` (profile_idc, profile-iop): level is ignored.
        profile: u16,
        /// `packetization-mode`, 0 or 1.
        packetization_mode: u8,
    },
    /// AV1 RTP payload format 1.0.
    Av1 {
        /// `profile` of the format parameters, 0 if absent.
        profile: u8,
    },
}

impl Codec {
    /// Audio or video.
    pub const fn kind(self) -> MediaKind {
        match self {
            Self::Opus => MediaKind::Audio,
            _ => MediaKind::Video,
        }
    }

    /// RTP clock ticks per second.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            _ => 90_000,
        }
    }
}

/// A codec as one m-line negotiated it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecParameters {
    /// Which codec.
    pub codec: Codec,
    /// Payload type on this m-line.
    pub payload_type: u8,
    /// Payload type of its retransmissions (RFC 4588), if negotiated.
    pub rtx_payload_type: Option<u8>,
    /// Payload type of redundant packets of it (RED, RFC 2198), if negotiated.
    pub red_payload_type: Option<u8>,
    /// `a=rtcp-fb:… nack` was negotiated.
    pub nack: bool,
    /// `a=rtcp-fb:… nack pli` was negotiated.
    pub pli: bool,
    /// `a=rtcp-fb:… ccm fir` was negotiated.
    pub fir: bool,
    /// `a=rtcp-fb:… transport-cc` was negotiated.
    pub transport_cc: bool,
    /// `a=rtcp-fb:… goog-remb` was negotiated.
    pub remb: bool,
}
