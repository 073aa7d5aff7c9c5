//! Picture size of a sequence parameter set (H.264 §7.3.2.1.1).
//!
//! Reads only as far as the cropping rectangle; `None` for anything unusual.

use plenum_types::Pixels;

use crate::ParseError;
use crate::bits::BitReader;

/// More of the set than ever comes before the cropping rectangle, scaling lists included.
const MAX_LEN: usize = 512;
/// `profile_idc` values whose sets have chroma format, bit depths and scaling lists.
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
/// `chroma_format_idc`.
const MONOCHROME: u32 = 0;
const CHROMA_420: u32 = 1;
const CHROMA_422: u32 = 2;
const CHROMA_444: u32 = 3;
/// Pixels along one side of a macroblock.
const MACROBLOCK: u32 = 16;
/// `num_ref_frames_in_pic_order_cnt_cycle` is at most 255.
const MAX_ORDER_CYCLE: u32 = 255;

/// The size of the cropped picture; `body` follows the NAL header.
pub(super) fn picture_size(body: &[u8]) -> Option<Pixels> {
    let mut buffer = [0; MAX_LEN];
    let len = unescape(body, &mut buffer);
    read_size(&mut BitReader::new(&buffer[..len]))
        .ok()
        .flatten()
}

/// Takes out the emulation prevention bytes (§7.4.1); returns the length, at most `out.len()`.
fn unescape(body: &[u8], out: &mut [u8]) -> usize {
    let mut zeros = 0;
    let mut len = 0;
    for &byte in body {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        let Some(slot) = out.get_mut(len) else {
            break;
        };
        *slot = byte;
        len += 1;
        zeros = if byte == 0 { zeros + 1 } else { 0 };
    }
    len
}

fn read_size(reader: &mut BitReader<'_>) -> Result<Option<Pixels>, ParseError> {
    let profile = reader.byte(8)?;
    reader.skip(16)?; // constraint flags, level
    reader.exp_golomb()?; // seq_parameter_set_id
    let chroma = if HIGH_PROFILES.contains(&profile) {
        read_high(reader)?
    } else {
        CHROMA_420
    };
    reader.exp_golomb()?; // log2_max_frame_num_minus4
    skip_order_count(reader)?;
    reader.exp_golomb()?; // max_num_ref_frames
    reader.skip(1)?; // gaps_in_frame_num_value_allowed_flag
    let columns = reader.exp_golomb()?;
    let rows = reader.exp_golomb()?;
    let frames_only = reader.flag()?;
    if !frames_only {
        reader.skip(1)?; // mb_adaptive_frame_field_flag
    }
    reader.skip(1)?; // direct_8x8_inference_flag
    let fields = if frames_only { 1 } else { 2 };
    let cropped = if reader.flag()? {
        read_cropping(reader, chroma, fields)?
    } else {
        (0, 0)
    };
    Ok(size(columns, rows, fields, cropped))
}

fn size(columns: u32, rows: u32, fields: u32, cropped: (u32, u32)) -> Option<Pixels> {
    let side = |macroblocks: u32| macroblocks.checked_add(1)?.checked_mul(MACROBLOCK);
    let width = side(columns)?.checked_sub(cropped.0)?;
    let height = side(rows)?.checked_mul(fields)?.checked_sub(cropped.1)?;
    (width > 0 && height > 0).then_some(Pixels { width, height })
}

/// The part of high profiles; gives `ChromaArrayType`.
fn read_high(reader: &mut BitReader<'_>) -> Result<u32, ParseError> {
    let format = reader.exp_golomb()?;
    if format > CHROMA_444 {
        return Err(ParseError::BadPayload);
    }
    let separate_planes = format == CHROMA_444 && reader.flag()?;
    reader.exp_golomb()?; // bit_depth_luma_minus8
    reader.exp_golomb()?; // bit_depth_chroma_minus8
    reader.skip(1)?; // qpprime_y_zero_transform_bypass_flag
    if reader.flag()? {
        let lists = if format == CHROMA_444 { 12 } else { 8 };
        for list in 0..lists {
            if reader.flag()? {
                skip_scaling_list(reader, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok(if separate_planes { MONOCHROME } else { format })
}

/// `scaling_list` (§7.3.2.1.1.1).
fn skip_scaling_list(reader: &mut BitReader<'_>, entries: u32) -> Result<(), ParseError> {
    let mut last = 8_i32;
    for _ in 0..entries {
        let next = last.wrapping_add(reader.signed_exp_golomb()?) & 0xff;
        if next == 0 {
            return Ok(());
        }
        last = next;
    }
    Ok(())
}

/// Picture order count (§7.4.2.1.1).
fn skip_order_count(reader: &mut BitReader<'_>) -> Result<(), ParseError> {
    match reader.exp_golomb()? {
        0 => {
            reader.exp_golomb()?;
        }
        1 => {
            reader.skip(1)?;
            reader.signed_exp_golomb()?;
            reader.signed_exp_golomb()?;
            let cycle = reader.exp_golomb()?;
            if cycle > MAX_ORDER_CYCLE {
                return Err(ParseError::BadPayload);
            }
            for _ in 0..cycle {
                reader.signed_exp_golomb()?;
            }
        }
        2 => {}
        _ => return Err(ParseError::BadPayload),
    }
    Ok(())
}

/// Columns and rows cut off (equations 7-19 to 7-22).
fn read_cropping(
    reader: &mut BitReader<'_>,
    chroma: u32,
    fields: u32,
) -> Result<(u32, u32), ParseError> {
    let unit_x = if matches!(chroma, CHROMA_420 | CHROMA_422) {
        2
    } else {
        1
    };
    let unit_y = if chroma == CHROMA_420 { 2 } else { 1 } * fields;
    let mut side = |unit: u32| {
        let both = reader.exp_golomb()?.checked_add(reader.exp_golomb()?);
        both.and_then(|both| both.checked_mul(unit))
            .ok_or(ParseError::BadPayload)
    };
    Ok((side(unit_x)?, side(unit_y)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::writer::BitWriter;

    /// Up to the picture's size, with picture order count type 2.
    fn up_to_size(writer: BitWriter) -> BitWriter {
        writer.exp_golomb(0).exp_golomb(2).exp_golomb(1).bits(0, 1)
    }

    #[test]
    fn constrained_baseline_without_cropping() {
        let body = [0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x3d, 0xb0, 0x11, 0x00];
        assert_eq!(
            picture_size(&body),
            Some(Pixels {
                width: 640,
                height: 480
            })
        );
    }

    #[test]
    fn cropping_makes_1088_rows_1080() {
        let writer = BitWriter::new().bits(0x42_e0_1f, 24).exp_golomb(0);
        let body = up_to_size(writer)
            .exp_golomb(119)
            .exp_golomb(67)
            .bits(0b111, 3)
            .exp_golomb(0)
            .exp_golomb(0)
            .exp_golomb(0)
            .exp_golomb(4)
            .bytes();
        assert_eq!(
            picture_size(&body),
            Some(Pixels {
                width: 1920,
                height: 1080
            })
        );
    }

    #[test]
    fn high_profile_with_scaling_lists_and_fields() {
        let writer = BitWriter::new()
            .bits(0x64_00_1f, 24)
            .exp_golomb(0)
            .exp_golomb(1)
            .exp_golomb(0)
            .exp_golomb(0)
            .bits(0, 1)
            // Scaling lists present: the first ends at once (delta −8), seven are absent.
            .bits(1, 1)
            .bits(1, 1)
            .exp_golomb(16)
            .bits(0, 7);
        let body = up_to_size(writer)
            .exp_golomb(44)
            .exp_golomb(17)
            .bits(0b0110, 4)
            .bits(1, 1)
            .bytes();
        assert_eq!(
            picture_size(&body),
            Some(Pixels {
                width: 720,
                height: 576
            })
        );
    }

    #[test]
    fn order_count_types_0_and_1_are_skipped() {
        let sized = |writer: BitWriter| {
            let writer = writer
                .exp_golomb(1)
                .bits(0, 1)
                .exp_golomb(19)
                .exp_golomb(14);
            picture_size(&writer.bits(0b1101, 4).bytes())
        };
        let start = || {
            BitWriter::new()
                .bits(0x42_00_1e, 24)
                .exp_golomb(0)
                .exp_golomb(0)
        };
        let expected = Some(Pixels {
            width: 320,
            height: 240,
        });
        assert_eq!(sized(start().exp_golomb(0).exp_golomb(4)), expected);
        let with_cycle = start()
            .exp_golomb(1)
            .bits(1, 1)
            .exp_golomb(3)
            .exp_golomb(4)
            .exp_golomb(2)
            .exp_golomb(1)
            .exp_golomb(2);
        assert_eq!(sized(with_cycle), expected);
    }

    #[test]
    fn emulation_prevention_is_taken_out() {
        let mut out = [0; 8];
        let len = unescape(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3], &mut out);
        assert_eq!(out[..len], [0, 0, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn what_ends_early_or_crops_everything_has_no_size() {
        assert_eq!(picture_size(&[0x42, 0xc0]), None);
        let writer = BitWriter::new().bits(0x42_e0_1f, 24).exp_golomb(0);
        let body = up_to_size(writer)
            .exp_golomb(0)
            .exp_golomb(0)
            .bits(0b111, 3)
            .exp_golomb(8)
            .exp_golomb(0)
            .exp_golomb(0)
            .exp_golomb(0)
            .bytes();
        assert_eq!(picture_size(&body), None);
    }
}
