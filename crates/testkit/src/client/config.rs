//! What a simulated participant is like.

use std::net::SocketAddr;
use std::time::Duration;

use plenum_types::DataLimits;

use crate::media::{VideoCodec, VideoConfig};

/// A participant.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientConfig {
    /// The address that it believes it has.
    pub address: SocketAddr,
    /// What it publishes, in the order of its m-lines.
    pub publish: Vec<TrackConfig>,
    /// Receive-only audio sections.
    pub audio_slots: usize,
    /// Receive-only video sections.
    pub video_slots: usize,
    /// Negotiates retransmission streams (RFC 4588).
    pub rtx: bool,
    /// Negotiates transport-wide feedback.
    pub transport_cc: bool,
    /// Time between two rounds of connectivity checks. The first finds the way, the second
    /// nominates it.
    pub check_interval: Duration,
    /// Opens data channels.
    pub data: Option<DataConfig>,
}

/// What a participant may do with data messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataConfig {
    /// Whether it may send.
    pub may_send: bool,
    /// How much.
    pub limits: DataLimits,
}

impl ClientConfig {
    /// A participant at `address` that publishes and receives nothing.
    pub const fn new(address: SocketAddr) -> Self {
        Self {
            address,
            publish: Vec::new(),
            audio_slots: 0,
            video_slots: 0,
            rtx: true,
            transport_cc: true,
            check_interval: Duration::from_millis(200),
            data: None,
        }
    }

    /// Also publishes a microphone; its frames are stamped with `source`.
    #[must_use]
    pub fn with_audio(mut self, source: u32) -> Self {
        self.publish.push(TrackConfig {
            source,
            media: TrackMedia::Audio,
        });
        self
    }

    /// Also publishes a camera; its frames are stamped with `source`.
    #[must_use]
    pub fn with_video(mut self, source: u32, video: VideoConfig) -> Self {
        self.publish.push(TrackConfig {
            source,
            media: TrackMedia::Video(video),
        });
        self
    }

    /// Also takes part in data messages.
    #[must_use]
    pub const fn with_data(mut self, data: DataConfig) -> Self {
        self.data = Some(data);
        self
    }

    /// Knows no transport-wide feedback.
    #[must_use]
    pub const fn without_transport_cc(mut self) -> Self {
        self.transport_cc = false;
        self
    }

    /// Checks connectivity as often as browsers do.
    #[must_use]
    pub const fn checking_like_browsers(mut self) -> Self {
        self.check_interval = Duration::from_millis(50);
        self
    }

    /// Also offers receive-only sections.
    #[must_use]
    pub const fn with_slots(mut self, audio: usize, video: usize) -> Self {
        self.audio_slots = audio;
        self.video_slots = video;
        self
    }
}

/// A track to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackConfig {
    /// What its frames are stamped with.
    pub source: u32,
    /// What it carries.
    pub media: TrackMedia,
}

/// Audio or video.
#[derive(Clone, Debug, PartialEq)]
pub enum TrackMedia {
    /// A microphone.
    Audio,
    /// A camera.
    Video(VideoConfig),
}

/// Payload type of Opus.
pub(super) const OPUS: u8 = 111;

/// Payload types of the video codecs; that of a codec's retransmissions is one more.
pub(super) const VIDEO: [(VideoCodec, u8); 4] = [
    (VideoCodec::Vp8, 96),
    (VideoCodec::Vp9, 98),
    (VideoCodec::H264, 102),
    (VideoCodec::Av1, 104),
];

/// The codec of a payload type.
pub(super) fn video_codec(payload_type: u8) -> Option<VideoCodec> {
    VIDEO
        .into_iter()
        .find(|(_, video)| *video == payload_type)
        .map(|(codec, _)| codec)
}
