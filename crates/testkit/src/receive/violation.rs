//! What must not happen to a stream, whatever the network does.

/// A fault that only the forwarder can have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A payload without a valid stamp: its bytes were changed or cut.
    PayloadAltered {
        /// Extended sequence number.
        sequence: u64,
    },
    /// A newer frame does not have a newer timestamp.
    TimestampNotMonotonic {
        /// Extended sequence number.
        sequence: u64,
        /// Ticks from the frame before.
        ticks: i32,
    },
    /// Packets of one frame differ in timestamp, or of two frames have the same.
    FrameTimestamp {
        /// Extended sequence number.
        sequence: u64,
    },
    /// The marker is not on the last packet of a frame, and only there.
    Marker {
        /// Extended sequence number.
        sequence: u64,
    },
    /// Packets in sequence are not the consecutive parts of frames: the forwarder left some out
    /// without closing the gap, or mixed frames.
    FrameCut {
        /// Extended sequence number.
        sequence: u64,
    },
    /// The picture id does not follow that of the frame before.
    PictureId {
        /// Extended sequence number.
        sequence: u64,
        /// What it had to be.
        expected: u16,
        /// What it is.
        found: u16,
    },
    /// TL0PICIDX does not count the frames of the lowest temporal layer.
    Tl0PictureIndex {
        /// Extended sequence number.
        sequence: u64,
        /// What it had to be.
        expected: u8,
        /// What it is.
        found: u8,
    },
    /// The stream went over to another source or encoding without a keyframe.
    SwitchWithoutKeyframe {
        /// Extended sequence number.
        sequence: u64,
    },
    /// A frame refers to one that was never sent, although no packet is missing.
    ReferenceNotSent {
        /// Extended sequence number.
        sequence: u64,
    },
}
