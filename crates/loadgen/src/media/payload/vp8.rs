//! VP8: payload descriptor with a 15-bit picture id (RFC 7741 §4.2), and on the first packet the
//! payload header (§4.3), with start code and size on a keyframe.

use super::{Part, put};

/// X: the byte with I follows. S: start of the (only) partition.
const EXTENDED: u8 = 0x80;
const PARTITION_START: u8 = 0x10;
/// I: a picture id follows, whose first bit says that it is long.
const HAS_PICTURE_ID: u8 = 0x80;
const LONG: u16 = 0x8000;
/// The frame tag: shown; not a keyframe.
const SHOWN: u8 = 0x10;
const INTER_FRAME: u8 = 0x01;

pub(super) fn write(part: &Part, out: &mut [u8]) -> usize {
    let [p0, p1] = (LONG | part.picture & !LONG).to_be_bytes();
    let start = if part.is_first() { PARTITION_START } else { 0 };
    let at = put(out, 0, &[EXTENDED | start, HAS_PICTURE_ID, p0, p1]);
    if !part.is_first() {
        return at;
    }
    if !part.keyframe {
        return put(out, at, &[SHOWN | INTER_FRAME, 0, 0]);
    }
    let [w0, w1] = (part.size.width as u16).to_le_bytes();
    let [h0, h1] = (part.size.height as u16).to_le_bytes();
    put(out, at, &[SHOWN, 0, 0, 0x9d, 0x01, 0x2a, w0, w1, h0, h1])
}
