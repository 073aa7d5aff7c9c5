//! VP8 payload descriptor and the start of the frame header (RFC 7741 §4).
//!
//! A keyframe is told by S = 1, PID = 0 and the inverse keyframe flag (P = 0) of the frame header
//! behind the descriptor; nothing else is reliable across encoders.

use plenum_types::{LayerId, Pixels, SpatialSizes};

use super::ByteReader;
use crate::{CodecFields, Opened, ParseError, PayloadDescription, Vp8Fields};

/// First byte of the descriptor.
const EXTENDED: u8 = 0x80;
const NON_REFERENCE: u8 = 0x20;
const PARTITION_START: u8 = 0x10;
const PARTITION_ID: u8 = 0x07;
/// Second byte.
const HAS_PICTURE_ID: u8 = 0x80;
const HAS_TL0_PICTURE_INDEX: u8 = 0x40;
const HAS_TEMPORAL_ID: u8 = 0x20;
const HAS_KEY_INDEX: u8 = 0x10;
/// The byte of TID, Y and KEYIDX.
const LAYER_SYNC: u8 = 0x20;
const KEY_INDEX: u8 = 0x1f;
/// P of the frame header: set on frames that are not keyframes.
const INTER_FRAME: u8 = 0x01;
/// What follows the three-byte frame tag of a keyframe (RFC 6386 §9.1).
const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];

pub(crate) fn describe(payload: &[u8], marker: bool) -> Result<PayloadDescription, ParseError> {
    let (description, frame) = describe_descriptor(payload, marker)?;
    let frame_header = *frame.first().ok_or(ParseError::Truncated)?;
    if !description.starts_frame || frame_header & INTER_FRAME != 0 {
        return Ok(description);
    }
    Ok(PayloadDescription {
        keyframe: true,
        switching_point: true,
        sizes: SpatialSizes::new(picture_size(frame)),
        ..description
    })
}

/// What the descriptor tells, without a look at the frame behind it, which may be encrypted; and
/// that frame.
pub(crate) fn describe_descriptor(
    payload: &[u8],
    marker: bool,
) -> Result<(PayloadDescription, &[u8]), ParseError> {
    let mut reader = ByteReader::new(payload);
    let first = reader.byte()?;
    let extension = if first & EXTENDED == 0 {
        Extension::default()
    } else {
        read_extension(&mut reader)?
    };
    let description = PayloadDescription {
        keyframe: false,
        starts_frame: first & (PARTITION_START | PARTITION_ID) == PARTITION_START,
        ends_frame: marker,
        layer: LayerId {
            spatial: 0,
            temporal: extension.temporal,
        },
        switching_point: extension.temporal == 0 || extension.layer_sync,
        opens: Opened::default(),
        discardable: first & NON_REFERENCE != 0,
        sizes: None,
        fields: CodecFields::Vp8(extension.fields),
        dependency: None,
    };
    Ok((description, reader.rest()))
}

#[derive(Default)]
struct Extension {
    fields: Vp8Fields,
    temporal: u8,
    layer_sync: bool,
}

fn read_extension(reader: &mut ByteReader<'_>) -> Result<Extension, ParseError> {
    let present = reader.byte()?;
    let mut extension = Extension::default();
    let fields = &mut extension.fields;
    if present & HAS_PICTURE_ID != 0 {
        fields.picture_id_offset = reader.offset();
        let (id, long) = reader.picture_id()?;
        fields.picture_id = Some(id);
        fields.picture_id_15_bit = long;
    }
    if present & HAS_TL0_PICTURE_INDEX != 0 {
        fields.tl0_picture_index_offset = reader.offset();
        fields.tl0_picture_index = Some(reader.byte()?);
    }
    if present & (HAS_TEMPORAL_ID | HAS_KEY_INDEX) != 0 {
        fields.key_index_offset = reader.offset();
        let byte = reader.byte()?;
        if present & HAS_TEMPORAL_ID != 0 {
            extension.temporal = byte >> 6;
            extension.layer_sync = byte & LAYER_SYNC != 0;
        }
        if present & HAS_KEY_INDEX != 0 {
            fields.key_index = Some(byte & KEY_INDEX);
        }
    }
    Ok(extension)
}

/// Width and height of a keyframe, without the scaling hints in their upper two bits
/// (RFC 6386 §9.1).
fn picture_size(frame: &[u8]) -> Option<Pixels> {
    let &[_, _, _, c0, c1, c2, w0, w1, h0, h1] = frame.first_chunk::<10>()?;
    if [c0, c1, c2] != START_CODE {
        return None;
    }
    Some(Pixels {
        width: u32::from(u16::from_le_bytes([w0, w1]) & 0x3fff),
        height: u32::from(u16::from_le_bytes([h0, h1]) & 0x3fff),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frame header of a 640 × 480 keyframe.
    const KEYFRAME: [u8; 10] = [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01];

    fn with(descriptor: &[u8], frame: &[u8]) -> PayloadDescription {
        describe(&[descriptor, frame].concat(), false).unwrap()
    }

    fn fields(description: &PayloadDescription) -> Vp8Fields {
        match description.fields {
            CodecFields::Vp8(fields) => fields,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_keyframe_needs_no_extension() {
        let description = with(&[0x10], &KEYFRAME);
        assert!(description.keyframe && description.starts_frame && description.switching_point);
        assert_eq!(
            description.size(),
            Some(Pixels {
                width: 640,
                height: 480
            })
        );
        assert_eq!(fields(&description), Vp8Fields::default());
    }

    #[test]
    fn scaling_bits_are_not_part_of_the_size() {
        let mut frame = KEYFRAME;
        frame[7] |= 0xc0;
        frame[9] |= 0x40;
        assert_eq!(
            with(&[0x10], &frame).size(),
            Some(Pixels {
                width: 640,
                height: 480
            })
        );
    }

    #[test]
    fn the_reserved_bit_is_ignored() {
        assert!(with(&[0x18], &KEYFRAME).keyframe);
    }

    #[test]
    fn inter_frames_later_partitions_and_continuations_are_no_keyframes() {
        assert!(!with(&[0x10], &[0x11]).keyframe);
        let second_partition = with(&[0x11], &KEYFRAME);
        assert!(!second_partition.keyframe && !second_partition.starts_frame);
        let continuation = with(&[0x00], &KEYFRAME);
        assert!(!continuation.keyframe && !continuation.starts_frame);
    }

    #[test]
    fn reads_all_fields_with_a_long_picture_id() {
        // X, S; I L T K; M + 0x1234; TL0PICIDX 9; TID 2, Y, KEYIDX 7.
        let description = with(&[0xb0, 0xf0, 0x92, 0x34, 9, 0xa7], &[0x01]);
        assert_eq!(
            fields(&description),
            Vp8Fields {
                picture_id: Some(0x1234),
                picture_id_15_bit: true,
                tl0_picture_index: Some(9),
                key_index: Some(7),
                picture_id_offset: 2,
                tl0_picture_index_offset: 4,
                key_index_offset: 5,
            }
        );
        assert_eq!(description.layer.temporal, 2);
        assert!(description.switching_point && description.discardable && !description.keyframe);
    }

    #[test]
    fn a_short_picture_id_has_seven_bits() {
        let fields = fields(&with(&[0x80, 0x80, 0x7f], &[0x01]));
        assert_eq!(
            (fields.picture_id, fields.picture_id_15_bit),
            (Some(0x7f), false)
        );
    }

    #[test]
    fn a_temporal_layer_without_sync_is_no_switching_point() {
        assert!(!with(&[0x90, 0x20, 0x40], &[0x01]).switching_point);
        assert!(with(&[0x90, 0x20, 0x60], &[0x01]).switching_point);
    }

    #[test]
    fn key_index_alone_carries_no_temporal_id() {
        let description = with(&[0x90, 0x10, 0xc5], &[0x01]);
        assert_eq!(description.layer.temporal, 0);
        assert_eq!(fields(&description).key_index, Some(5));
    }

    #[test]
    fn a_descriptor_cut_short_is_refused() {
        let whole = [0x90, 0xf0, 0x92, 0x34, 9, 0xa7, 0x01];
        for end in 0..whole.len() {
            assert_eq!(describe(&whole[..end], false), Err(ParseError::Truncated));
        }
    }
}
