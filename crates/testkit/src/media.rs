//! Synthetic media: valid RTP payloads at true frame timing, without any codec.
//!
//! Every payload begins with the real descriptor of its codec and ends with a [`Stamp`], so that
//! a receiver can tell who sent what and when, and whether a decoder could have shown it.

mod audio;
mod payload;
mod stamp;
mod video;

pub use audio::AudioSource;
pub use payload::{FrameShape, VideoCodec, packetize};
pub use stamp::Stamp;
pub use video::{EncodingConfig, VideoConfig, VideoSource};

use plenum_types::{RtpTimestamp, SequenceNumber, Ssrc};

/// A packet that a source has made. Header extensions are the sender's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePacket {
    /// Stream.
    pub ssrc: Ssrc,
    /// Position in the stream.
    pub sequence: SequenceNumber,
    /// Media time.
    pub timestamp: RtpTimestamp,
    /// End of frame (video) or start of a talk spurt (audio).
    pub marker: bool,
    /// Level of RFC 6464, for audio.
    pub audio_level: Option<u8>,
    /// Payload.
    pub payload: Vec<u8>,
}
