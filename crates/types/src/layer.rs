//! Layers of a publication.

/// A layer: which picture size (spatial) and which frame rate (temporal), lowest is 0.
///
/// With simulcast the spatial index counts the encodings from the smallest; with SVC it is the
/// spatial layer within one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerId {
    /// Picture size, 0 smallest.
    pub spatial: u8,
    /// Frame rate, 0 lowest.
    pub temporal: u8,
}
