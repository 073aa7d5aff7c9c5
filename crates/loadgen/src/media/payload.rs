//! One packet's payload: a valid descriptor, the start of a valid frame, a stamp, and noise. It
//! follows from a small [`Part`] alone, so that a retransmission needs no copy of it.

mod h264;
#[cfg(test)]
mod tests;
mod vp8;

use plenum_types::{Codec, Pixels};

use super::stamp::{STAMP_BYTES, Stamp};

/// Opus TOC: CELT, fullband, 20 ms, one frame (RFC 6716 §3.1).
const OPUS_TOC: u8 = 31 << 3;
/// What stands for the picture or the sound. No start code, no marker of any codec.
const NOISE: u8 = 0x5a;
/// The least that holds descriptor, start of frame and stamp of any codec.
pub(crate) const PAYLOAD_MIN: usize = 64;

/// A packet of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) codec: Codec,
    pub(crate) keyframe: bool,
    /// Which packet of the frame, of how many.
    pub(crate) index: u8,
    pub(crate) count: u8,
    /// Counts frames; VP8 writes 15 bits of it.
    pub(crate) picture: u16,
    /// Size of the picture.
    pub(crate) size: Pixels,
    pub(crate) stamp: Stamp,
    /// Bytes of the payload.
    pub(crate) length: usize,
}

impl Part {
    pub(crate) const fn is_first(&self) -> bool {
        self.index == 0
    }

    pub(crate) const fn is_last(&self) -> bool {
        self.index + 1 == self.count
    }

    /// Writes the payload, which is all of `out`.
    pub(crate) fn write(&self, out: &mut [u8]) {
        let mut at = match self.codec {
            Codec::Opus => {
                out[0] = OPUS_TOC;
                1
            }
            Codec::H264 { .. } => h264::write(self, out),
            _ => vp8::write(self, out),
        };
        if let Some(place) = out.get_mut(at..at + STAMP_BYTES) {
            place.copy_from_slice(&self.stamp.to_bytes());
            at += STAMP_BYTES;
        }
        out[at..].fill(NOISE);
    }
}

/// Copies `bytes` to `at` and says where they end.
fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let end = at + bytes.len();
    out[at..end].copy_from_slice(bytes);
    end
}
