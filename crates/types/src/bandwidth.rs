//! What passes between bandwidth estimation and bandwidth allocation.

use crate::Bitrate;

/// What a packet takes on the wire beyond its RTP header and payload, about: IPv4 and UDP headers
/// (28), the authentication tag (16), header extensions (12). Estimates and demands count it,
/// because links do, and small packets are mostly that.
pub const PACKET_OVERHEAD: usize = 56;

/// What the way to a subscriber carries, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandwidthEstimate {
    /// Bits per second.
    pub bitrate: Bitrate,
    /// Learned from traffic. Until then it is a cautious start: no reason to leave a picture out.
    pub settled: bool,
}

/// What a subscriber's slots get and would get, in bits per second on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BitrateDemand {
    /// Given now.
    pub allocated: Bitrate,
    /// If the cheapest better layer were given too; `None` if nothing better is wanted.
    pub next: Option<Bitrate>,
    /// If everything wanted were given.
    pub most: Bitrate,
}
