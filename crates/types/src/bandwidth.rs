//! What passes between bandwidth estimation and bandwidth allocation.

use crate::Bitrate;

/// What the way to a subscriber carries, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandwidthEstimate {
    /// Bits per second.
    pub bitrate: Bitrate,
    /// Learned from traffic. Until then it is a cautious start: no reason to leave a picture out.
    pub settled: bool,
}

/// What a subscriber's slots get and would get, in bits per second of RTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BitrateDemand {
    /// Given now.
    pub allocated: Bitrate,
    /// If the cheapest better layer were given too; `None` if nothing better is wanted.
    pub next: Option<Bitrate>,
    /// If everything wanted were given.
    pub most: Bitrate,
}
