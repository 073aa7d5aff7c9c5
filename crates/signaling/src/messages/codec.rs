//! Codecs, by name.

use plenum_types::{Codec, MediaKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A codec, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CodecName {
    /// Opus.
    Opus,
    /// VP8.
    Vp8,
    /// VP9, any profile.
    Vp9,
    /// H.264, any profile.
    H264,
    /// AV1, any profile.
    Av1,
}

impl CodecName {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "vp8",
            Self::Vp9 => "vp9",
            Self::H264 => "h264",
            Self::Av1 => "av1",
        }
    }

    /// Audio or video.
    pub const fn kind(self) -> MediaKind {
        match self {
            Self::Opus => MediaKind::Audio,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::Av1 => MediaKind::Video,
        }
    }
}

impl From<Codec> for CodecName {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Opus => Self::Opus,
            Codec::Vp8 => Self::Vp8,
            Codec::Vp9 { .. } => Self::Vp9,
            Codec::H264 { .. } => Self::H264,
            Codec::Av1 { .. } => Self::Av1,
        }
    }
}
