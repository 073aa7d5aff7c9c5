//! Why bytes were refused.

/// Why a packet or a part of it could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The bytes end before a field that must be there.
    #[error("the packet ends too early")]
    Truncated,
    /// Longer than a UDP datagram can be.
    #[error("the packet is longer than 65,535 bytes")]
    TooLong,
    /// The version field is not 2.
    #[error("not version 2 of RTP or RTCP")]
    WrongVersion,
    /// The padding is longer than what it pads, or of length zero.
    #[error("the padding length is impossible")]
    BadPadding,
    /// A header extension element runs past its block (RFC 8285).
    #[error("a header extension runs past its block")]
    BadExtension,
    /// There is no payload to describe.
    #[error("the payload is empty")]
    EmptyPayload,
    /// The codec's payload descriptor contradicts its specification.
    #[error("the payload descriptor is malformed")]
    BadPayload,
    /// The Dependency Descriptor contradicts its specification.
    #[error("the dependency descriptor is malformed")]
    BadDependencyDescriptor,
    /// An RTCP packet whose fields contradict its length.
    #[error("the RTCP packet is malformed")]
    BadRtcp,
}

/// Why a packet could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The output buffer is too small; see [`max_growth`](crate::max_growth).
    #[error("the output buffer is too small")]
    BufferTooSmall,
    /// The description was made from another packet than the one given.
    #[error("the description does not fit the packet")]
    WrongDescription,
}
