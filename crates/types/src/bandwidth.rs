//! What passes between bandwidth estimation and bandwidth allocation.

use crate::Bitrate;

/// What a packet takes on the wire beyond its payload: IPv4 and UDP headers (28), the RTP header
/// (12) and its usual extensions (16), the authentication tag (16). Estimates and demands count
/// it, because links do, and small packets are mostly that.
pub const PACKET_OVERHEAD: usize = 72;

/// What the way to a subscriber carries, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandwidthEstimate {
    /// Bits per second.
    pub bitrate: Bitrate,
    /// Where it comes from, and so what it forbids.
    pub basis: EstimateBasis,
}

/// Where an estimate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EstimateBasis {
    /// Nothing yet: a cautious start, and no reason to leave a picture out.
    Assumed,
    /// So much has come through. More might; what flows well may go on.
    Proven,
    /// The way was overused lately: more must not flow.
    Congested,
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
