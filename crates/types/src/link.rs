//! What shards of one room tell each other beside media.
//!
//! Every message is about the state of one publication and carries all of it, so that a later one
//! makes an earlier one moot, one that is lost is made good by the next, and none depends on the
//! order in which commands reach other shards. A message about a publication that the receiver
//! does not have is ignored.

use std::time::Duration;

use crate::{Bitrate, Codec, NtpTime, PublicationId, RtpTimestamp, SpatialSizes};

/// A message between two shards that is not media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkNote {
    /// What it is about.
    pub publication: PublicationId,
    /// What is so.
    pub fact: LinkFact,
}

/// What a shard tells another about a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFact {
    /// The publisher is here: whoever has a replica says what it wants. To all shards.
    Published,
    /// The sender has a replica, and subscribers to these encodings. To the publisher's shard.
    Demand {
        /// One bit per encoding, the lowest for the smallest picture.
        encodings: u8,
        /// The replica knows nothing yet: it is told all there is to know.
        fresh: bool,
    },
    /// The sender has no replica: nothing more is wanted. To the publisher's shard.
    Unwanted,
    /// A subscriber of the sender needs a keyframe. To the publisher's shard.
    KeyframeWanted {
        /// Of which encoding.
        encoding: u8,
    },
    /// What the slots of the sender would take if bandwidth allowed. To the publisher's shard.
    LayersWanted {
        /// Encodings up to this one.
        top: u8,
    },
    /// What flows on an encoding, whether or not it is sent here. From the publisher's shard.
    Layer {
        /// Which encoding.
        encoding: u8,
        /// What is known of it.
        layer: LinkedLayer,
    },
    /// Where an encoding's timestamps stand. From the publisher's shard.
    Clock {
        /// Which encoding.
        encoding: u8,
        /// Where.
        clock: LinkedClock,
    },
    /// Whether somebody speaks, or when somebody last did. From the publisher's shard.
    Turn(SpeakerTurn),
}

/// One encoding as its publisher's shard knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkedLayer {
    /// Packets come.
    pub active: bool,
    /// The picture sizes of its spatial layers.
    pub sizes: Option<SpatialSizes>,
    /// The bitrate, once measured.
    pub bitrate: Option<Bitrate>,
    /// The codec of the newest packet.
    pub codec: Option<Codec>,
    /// The highest temporal layer seen.
    pub temporal_top: u8,
}

/// A sender report, by the clock of nobody: `age` ago the publisher's clock showed `ntp`, and the
/// encoding's timestamps stood at `rtp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkedClock {
    /// The publisher's clock.
    pub ntp: NtpTime,
    /// The encoding's timestamp at that time.
    pub rtp: RtpTimestamp,
    /// How long ago that was; the time that the message takes is not counted.
    pub age: Duration,
}

/// When somebody began to speak, or ceased to. Made by the publisher's shard and only compared by
/// others, so that all shards put the speakers of a room into the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpeakerTurn {
    /// Still speaking.
    pub speaking: bool,
    /// Since then, by the clock of the publisher's shard; just before another speaker's stamp if
    /// it was taken over from that one.
    pub since: NtpTime,
    /// How much is spoken, roughly up to date while somebody speaks.
    pub activity: SpeechActivity,
}

/// How much speech there is, on three time scales. More is more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpeechActivity {
    /// Decibels above the noise floor of the publication.
    pub immediate: u8,
    /// Loud parts of 20 ms among the last 200 ms.
    pub medium: u8,
    /// Loud parts of 20 ms among the last 1.28 s.
    pub long: u8,
}

/// How much of a link's room for media is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkFill {
    /// Packets on their way.
    pub used: usize,
    /// Packets that fit.
    pub capacity: usize,
}

impl LinkFill {
    /// Whether more than `eighths` eighths are used.
    pub const fn exceeds(self, eighths: usize) -> bool {
        self.used * 8 > self.capacity * eighths
    }
}
