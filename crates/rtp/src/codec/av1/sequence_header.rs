//! Picture size of an AV1 sequence header (AV1 §5.5).
//!
//! Reads only as far as the size; `None` if the header ends before.

use plenum_types::Pixels;

use crate::ParseError;
use crate::bits::BitReader;

/// Levels above this one have a tier (§5.5.1).
const MAX_LEVEL_WITHOUT_TIER: u32 = 7;

/// The largest picture of the sequence; `body` follows the OBU header.
pub(super) fn picture_size(body: &[u8]) -> Option<Pixels> {
    read_size(&mut BitReader::new(body)).ok()
}

fn read_size(reader: &mut BitReader<'_>) -> Result<Pixels, ParseError> {
    reader.skip(4)?; // seq_profile, still_picture
    let reduced = reader.flag()?;
    if reduced {
        reader.skip(5)?; // seq_level_idx
    } else {
        skip_operating_points(reader)?;
    }
    let width_bits = reader.bits(4)? + 1;
    let height_bits = reader.bits(4)? + 1;
    Ok(Pixels {
        width: reader.bits(width_bits)? + 1,
        height: reader.bits(height_bits)? + 1,
    })
}

/// Timing, decoder model and operating points.
fn skip_operating_points(reader: &mut BitReader<'_>) -> Result<(), ParseError> {
    let has_timing = reader.flag()?;
    // Bits of a buffer delay, if the decoder model is told.
    let delay_bits = if has_timing {
        read_timing(reader)?
    } else {
        None
    };
    let has_display_delay = reader.flag()?;
    let points = reader.bits(5)? + 1;
    for _ in 0..points {
        reader.skip(12)?; // operating_point_idc
        if reader.bits(5)? > MAX_LEVEL_WITHOUT_TIER {
            reader.skip(1)?; // seq_tier
        }
        if let Some(bits) = delay_bits
            && reader.flag()?
        {
            reader.skip(2 * bits + 1)?; // operating_parameters_info
        }
        if has_display_delay && reader.flag()? {
            reader.skip(4)?; // initial_display_delay_minus_1
        }
    }
    Ok(())
}

/// `timing_info` and `decoder_model_info`; gives the bits of a buffer delay.
fn read_timing(reader: &mut BitReader<'_>) -> Result<Option<usize>, ParseError> {
    reader.skip(64)?; // num_units_in_display_tick, time_scale
    if reader.flag()? {
        reader.exp_golomb()?; // num_ticks_per_picture_minus_1
    }
    if !reader.flag()? {
        return Ok(None);
    }
    let delay_bits = reader.bits(5)? as usize + 1;
    reader.skip(32 + 5 + 5)?; // decoding tick, removal and presentation time lengths
    Ok(Some(delay_bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::writer::BitWriter;

    const SIZE: Option<Pixels> = Some(Pixels {
        width: 640,
        height: 360,
    });

    /// 10 bits of width, 9 of height.
    fn with_size(writer: BitWriter) -> Vec<u8> {
        let writer = writer.bits(9, 4).bits(8, 4);
        writer.bits(639, 10).bits(359, 9).bytes()
    }

    #[test]
    fn plain_header() {
        // No timing, no display delay, one operating point of level 4.
        let writer = BitWriter::new().bits(0, 3).bits(0, 2).bits(0, 2).bits(0, 5);
        let bytes = with_size(writer.bits(0, 12).bits(4, 5));
        assert_eq!(picture_size(&bytes), SIZE);
        for end in 0..bytes.len() {
            assert_eq!(picture_size(&bytes[..end]), None);
        }
    }

    #[test]
    fn reduced_still_picture() {
        assert_eq!(
            picture_size(&with_size(BitWriter::new().bits(0b00011, 5).bits(4, 5))),
            SIZE
        );
    }

    #[test]
    fn header_with_everything() {
        let mut writer = BitWriter::new()
            .bits(0, 5)
            // Timing with equal intervals, decoder model with delays of 10 bits.
            .bits(1, 1)
            .bits(1, 32)
            .bits(30, 32)
            .bits(1, 1)
            .exp_golomb(5)
            .bits(1, 1)
            .bits(9, 5)
            .bits(1, 32)
            .bits(9, 5)
            .bits(9, 5)
            // Display delays, two operating points, the first with a tier and all parameters.
            .bits(1, 1)
            .bits(1, 5);
        writer = writer.bits(0x301, 12).bits(8, 5).bits(1, 1);
        writer = writer.bits(1, 1).bits(500, 10).bits(600, 10).bits(1, 1);
        writer = writer.bits(1, 1).bits(7, 4);
        writer = writer.bits(0x101, 12).bits(7, 5).bits(0, 1).bits(0, 1);
        assert_eq!(picture_size(&with_size(writer)), SIZE);
    }
}
