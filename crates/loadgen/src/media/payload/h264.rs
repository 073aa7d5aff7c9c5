//! H.264 in packetization mode 1 (RFC 6184): a frame of one packet is a single NAL unit, one of
//! several is cut into FU-A. The first packet of a keyframe is a STAP-A of the parameter sets and a
//! first slice; what follows is a second slice, because a fragment cannot be inside a STAP-A.

use plenum_types::Pixels;

use super::{Part, put};

/// NAL unit headers: nal_ref_idc 3 and the type.
const SLICE: u8 = 0x61;
const IDR_SLICE: u8 = 0x65;
const SEQUENCE_PARAMETERS: u8 = 0x67;
const STAP_A: u8 = 0x78;
const FU_A: u8 = 0x7c;
/// Of the FU header.
const FRAGMENT_START: u8 = 0x80;
const FRAGMENT_END: u8 = 0x40;
const UNIT_TYPE: u8 = 0x1f;
/// Slice headers: first_mb_in_slice 0 or 7, slice_type 7 (I) or 5 (P), then defaults.
const FIRST_I_SLICE: [u8; 2] = [0x88, 0x84];
const SECOND_I_SLICE: [u8; 2] = [0x11, 0x08];
const P_SLICE: [u8; 2] = [0x9a, 0x24];
/// With its header: CAVLC, one slice group, everything at its default.
const PICTURE_PARAMETER_SET: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];
/// Bytes of a macroblock's side.
const MACROBLOCK: u32 = 16;

/// Writes all but the stamp and the noise behind it; says where those go.
pub(super) fn write(part: &Part, out: &mut [u8]) -> usize {
    if !part.keyframe {
        return write_slice(part, 0, SLICE, P_SLICE, out);
    }
    if part.is_first() {
        return write_parameters(part.size, out);
    }
    write_slice(part, 1, IDR_SLICE, SECOND_I_SLICE, out)
}

/// The packet's share of a slice that begins with packet `from` of the frame and ends with it.
fn write_slice(part: &Part, from: u8, unit: u8, header: [u8; 2], out: &mut [u8]) -> usize {
    let starts = part.index == from;
    let at = if starts && part.is_last() {
        put(out, 0, &[unit])
    } else {
        let start = if starts { FRAGMENT_START } else { 0 };
        let end = if part.is_last() { FRAGMENT_END } else { 0 };
        put(out, 0, &[FU_A, start | end | unit & UNIT_TYPE])
    };
    if starts { put(out, at, &header) } else { at }
}

/// Parameter sets, and a slice that takes the rest of the packet.
fn write_parameters(size: Pixels, out: &mut [u8]) -> usize {
    let mut at = put(out, 0, &[STAP_A]);
    let sequence = sequence_parameter_set(size);
    at = put_unit(out, at, &sequence);
    at = put_unit(out, at, &PICTURE_PARAMETER_SET);
    let rest = (out.len() - at - 2) as u16;
    at = put(out, at, &rest.to_be_bytes());
    at = put(out, at, &[IDR_SLICE]);
    put(out, at, &FIRST_I_SLICE)
}

fn put_unit(out: &mut [u8], at: usize, unit: &[u8]) -> usize {
    let at = put(out, at, &(unit.len() as u16).to_be_bytes());
    put(out, at, unit)
}

/// Constrained baseline, level 3.1, of the given size (H.264 §7.3.2.1.1). Emulation prevention is
/// not needed: no two bytes in a row are zero for the sizes of video.
fn sequence_parameter_set(size: Pixels) -> Vec<u8> {
    let mut bits = Bits {
        bytes: vec![SEQUENCE_PARAMETERS, 0x42, 0xe0, 0x1f],
        used: 0,
    };
    let columns = size.width.div_ceil(MACROBLOCK).max(1);
    let rows = size.height.div_ceil(MACROBLOCK).max(1);
    bits.golomb(0); // seq_parameter_set_id
    bits.golomb(0); // log2_max_frame_num_minus4
    bits.golomb(2); // pic_order_cnt_type
    bits.golomb(1); // max_num_ref_frames
    bits.put(0, 1); // gaps_in_frame_num_value_allowed_flag
    bits.golomb(columns - 1);
    bits.golomb(rows - 1);
    bits.put(0b11, 2); // frame_mbs_only_flag, direct_8x8_inference_flag
    // Cropping counts in units of two rows or columns.
    let right = (columns * MACROBLOCK - size.width) / 2;
    let bottom = (rows * MACROBLOCK - size.height) / 2;
    bits.put(1, 1);
    for edge in [0, right, 0, bottom] {
        bits.golomb(edge);
    }
    bits.put(0, 1); // vui_parameters_present_flag
    bits.put(1, 1); // rbsp_stop_one_bit
    bits.bytes
}

struct Bits {
    bytes: Vec<u8>,
    /// Bits used of the last byte; 0: it is full.
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let bit = (value >> place & 1) as u8;
            if let Some(last) = self.bytes.last_mut() {
                *last |= bit << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
    }

    /// ue(v) (§9.1).
    fn golomb(&mut self, value: u32) {
        let length = 32 - (value + 1).leading_zeros();
        self.put(0, length - 1);
        self.put(value + 1, length);
    }
}
