//! What H.264 and AV1 keyframes say of the picture's size.

use plenum_types::Pixels;

/// Pixels along one side of an H.264 macroblock.
const MACROBLOCK: u32 = 16;
/// PPS that goes with [`h264_sps`].
pub(super) const H264_PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];

/// Bits, the first one highest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    len: usize,
}

impl Bits {
    fn put(&mut self, value: u32, width: u32) {
        for shift in (0..width).rev() {
            if self.len.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = (value >> shift & 1) as u8;
            self.bytes[self.len / 8] |= bit << (7 - self.len % 8);
            self.len += 1;
        }
    }

    /// `ue(v)` (H.264 §9.1).
    fn put_exp_golomb(&mut self, value: u32) {
        let width = u32::BITS - (value + 1).leading_zeros();
        self.put(0, width - 1);
        self.put(value + 1, width);
    }
}

/// SPS of a constrained baseline stream of level 3.1 (H.264 §7.3.2.1.1), NAL header first. Sides
/// must be even.
pub(super) fn h264_sps(size: Pixels) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x67_42_e0_1f, 32);
    // Set 0, frame numbers of 4 bits, order counts of type 2, one reference frame, no gaps.
    for value in [0, 0, 2, 1] {
        bits.put_exp_golomb(value);
    }
    bits.put(0, 1);
    let (columns, rows) = (
        size.width.div_ceil(MACROBLOCK),
        size.height.div_ceil(MACROBLOCK),
    );
    bits.put_exp_golomb(columns - 1);
    bits.put_exp_golomb(rows - 1);
    // Frames only, direct 8 × 8 inference.
    bits.put(0b11, 2);
    // Cropping counts in chroma samples, from the right and the bottom.
    bits.put(1, 1);
    for value in [
        0,
        (columns * MACROBLOCK - size.width) / 2,
        0,
        (rows * MACROBLOCK - size.height) / 2,
    ] {
        bits.put_exp_golomb(value);
    }
    // No VUI; the stop bit.
    bits.put(0b01, 2);
    bits.bytes
}

/// A sequence header OBU without size field, main profile, level 4.0 (AV1 §5.5.1).
pub(super) fn av1_sequence_header(size: Pixels) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x08, 8);
    // Profile 0, neither still nor reduced; no timing, no delay; one operating point of everything.
    bits.put(0, 24);
    // Level, and the main tier.
    bits.put(8 << 1, 6);
    // 16 bits for each side.
    bits.put(15 << 4 | 15, 8);
    bits.put(size.width - 1, 16);
    bits.put(size.height - 1, 16);
    // No frame ids; tools that a real encoder uses, 4:2:0 of 8 bits, no film grain.
    bits.put(0b0011_1111_1100_1000_1100_0000, 24);
    bits.put(0b0001_1010_1000, 12);
    bits.bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sps_without_cropping_lies_on_the_wire_as_the_standard_draws_it() {
        let bytes = h264_sps(Pixels {
            width: 64,
            height: 32,
        });
        // 1 1 011 010, 0, 4 − 1 as 00100, 2 − 1 as 010, 1 1, 1 with four 1s, 0, stop.
        let expected = [0b1101_1010, 0b0001_0001, 0b0111_1111, 0b0100_0000];
        assert_eq!(bytes[..4], [0x67, 0x42, 0xe0, 0x1f]);
        assert_eq!(bytes[4..], expected);
    }

    #[test]
    fn no_start_code_arises() {
        for (width, height) in [(320, 180), (640, 360), (1_280, 720), (1_920, 1_080)] {
            let bytes = h264_sps(Pixels { width, height });
            let escape = |window: &[u8]| window[0] == 0 && window[1] == 0 && window[2] <= 3;
            assert!(!bytes.windows(3).any(escape), "{width} × {height}");
        }
    }
}
