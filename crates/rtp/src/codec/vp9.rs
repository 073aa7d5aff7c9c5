//! VP9 payload descriptor, flexible and non-flexible mode (RFC 9628 §4.2).
//!
//! A keyframe starts where a frame of spatial layer 0 starts (B) that refers to nothing (P = 0).

use plenum_types::{LayerId, Pixels, SpatialSizes};

use super::ByteReader;
use crate::{CodecFields, Opened, ParseError, PayloadDescription, Vp9Fields};

/// First byte.
const HAS_PICTURE_ID: u8 = 0x80;
const INTER_PICTURE: u8 = 0x40;
const HAS_LAYERS: u8 = 0x20;
const FLEXIBLE: u8 = 0x10;
const STARTS_FRAME: u8 = 0x08;
const ENDS_FRAME: u8 = 0x04;
const HAS_STRUCTURE: u8 = 0x02;
const NOT_INTER_LAYER_REFERENCE: u8 = 0x01;
/// Layer byte.
const SWITCHING_UP_POINT: u8 = 0x10;
const INTER_LAYER: u8 = 0x01;
/// N of a reference: another follows.
const MORE_REFERENCES: u8 = 0x01;
/// A frame refers to at most three others (§4.2).
const MAX_REFERENCES: usize = 3;
/// N_S has three bits.
const MAX_SPATIAL_LAYERS: usize = 8;
/// Scalability structure.
const HAS_SIZES: u8 = 0x10;
const HAS_PICTURE_GROUP: u8 = 0x08;

pub(crate) fn describe(payload: &[u8]) -> Result<PayloadDescription, ParseError> {
    let mut reader = ByteReader::new(payload);
    let first = reader.byte()?;
    let has = |bit: u8| first & bit != 0;
    let mut fields = Vp9Fields {
        inter_picture: has(INTER_PICTURE),
        not_inter_layer_reference: has(NOT_INTER_LAYER_REFERENCE),
        ..Vp9Fields::default()
    };
    if has(HAS_PICTURE_ID) {
        fields.picture_id_offset = reader.offset();
        let (id, long) = reader.picture_id()?;
        fields.picture_id = Some(id);
        fields.picture_id_15_bit = long;
    }
    let mut layer = LayerId::default();
    let mut switching_up_point = false;
    if has(HAS_LAYERS) {
        let byte = reader.byte()?;
        layer = LayerId {
            spatial: byte >> 1 & 7,
            temporal: byte >> 5,
        };
        switching_up_point = byte & SWITCHING_UP_POINT != 0;
        fields.inter_layer = byte & INTER_LAYER != 0;
        if !has(FLEXIBLE) {
            fields.tl0_picture_index_offset = reader.offset();
            fields.tl0_picture_index = Some(reader.byte()?);
        }
    }
    if has(FLEXIBLE) && has(INTER_PICTURE) {
        skip_references(&mut reader)?;
    }
    let mut sizes = None;
    if has(HAS_STRUCTURE) {
        let structure = read_structure(&mut reader)?;
        fields.spatial_layers = Some(structure.spatial_layers);
        sizes = structure.sizes;
    }
    let keyframe = has(STARTS_FRAME) && !has(INTER_PICTURE) && layer.spatial == 0;
    Ok(PayloadDescription {
        keyframe,
        starts_frame: has(STARTS_FRAME),
        ends_frame: has(ENDS_FRAME),
        layer,
        switching_point: keyframe || layer.temporal == 0 || switching_up_point,
        opens: Opened::default(),
        // The descriptor does not tell whether later pictures refer to a frame.
        discardable: false,
        sizes,
        fields: CodecFields::Vp9(fields),
        dependency: None,
    })
}

/// P_DIFF of flexible mode.
fn skip_references(reader: &mut ByteReader<'_>) -> Result<(), ParseError> {
    for _ in 0..MAX_REFERENCES {
        if reader.byte()? & MORE_REFERENCES == 0 {
            return Ok(());
        }
    }
    Err(ParseError::BadPayload)
}

struct Structure {
    spatial_layers: u8,
    sizes: Option<SpatialSizes>,
}

fn read_sizes(reader: &mut ByteReader<'_>, layers: u8) -> Result<Option<SpatialSizes>, ParseError> {
    let mut sizes = [Pixels::default(); MAX_SPATIAL_LAYERS];
    let sizes = &mut sizes[..usize::from(layers)];
    for size in &mut *sizes {
        size.width = reader.u16()?.into();
        size.height = reader.u16()?.into();
    }
    Ok(SpatialSizes::new(sizes.iter().copied()))
}

/// The scalability structure (§4.2.1).
fn read_structure(reader: &mut ByteReader<'_>) -> Result<Structure, ParseError> {
    let first = reader.byte()?;
    let spatial_layers = (first >> 5) + 1;
    let mut sizes = None;
    if first & HAS_SIZES != 0 {
        sizes = read_sizes(reader, spatial_layers)?;
    }
    if first & HAS_PICTURE_GROUP != 0 {
        for _ in 0..reader.byte()? {
            let references = reader.byte()? >> 2 & 3;
            for _ in 0..references {
                reader.byte()?;
            }
        }
    }
    Ok(Structure {
        spatial_layers,
        sizes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(description: &PayloadDescription) -> Vp9Fields {
        match description.fields {
            CodecFields::Vp9(fields) => fields,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn non_flexible_keyframe_with_structure() {
        // I L B V; 15-bit id 0x0102; TID 0, SID 0; TL0PICIDX 5; SS of two layers with sizes and a
        // group of two pictures.
        let payload = [
            0xaa, 0x81, 0x02, 0x00, 5, 0x38, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 2,
            0x00, 0x24, 1, 0xde,
        ];
        let description = describe(&payload).unwrap();
        assert!(description.keyframe && description.starts_frame && !description.ends_frame);
        assert_eq!(
            description.size(),
            Some(Pixels {
                width: 640,
                height: 360
            })
        );
        let fields = fields(&description);
        assert_eq!(
            (fields.picture_id, fields.picture_id_offset),
            (Some(0x0102), 1)
        );
        assert_eq!(
            (fields.tl0_picture_index, fields.tl0_picture_index_offset),
            (Some(5), 4)
        );
        assert_eq!(fields.spatial_layers, Some(2));
        for end in 0..payload.len() - 1 {
            assert_eq!(describe(&payload[..end]), Err(ParseError::Truncated));
        }
    }

    #[test]
    fn upper_spatial_layer_of_a_keyframe_is_not_where_to_start() {
        // I L B E Z; SID 1, D.
        let description = describe(&[0xad, 0x05, 0x03, 5, 0xde]).unwrap();
        assert!(!description.keyframe && description.starts_frame && description.ends_frame);
        assert_eq!(
            description.layer,
            LayerId {
                spatial: 1,
                temporal: 0
            }
        );
        let fields = fields(&description);
        assert!(fields.inter_layer && fields.not_inter_layer_reference && !fields.inter_picture);
    }

    #[test]
    fn flexible_mode_has_references_and_no_tl0() {
        // I P L F B; id 5; TID 2, U; references 1 and 2.
        let description = describe(&[0xf8, 0x05, 0x50, 0x03, 0x04, 0xde]).unwrap();
        assert!(!description.keyframe && description.switching_point);
        assert_eq!(
            description.layer,
            LayerId {
                spatial: 0,
                temporal: 2
            }
        );
        assert_eq!(fields(&description).tl0_picture_index, None);
    }

    #[test]
    fn a_fourth_reference_is_refused() {
        assert_eq!(
            describe(&[0x50, 0x03, 0x05, 0x07, 0x08]),
            Err(ParseError::BadPayload)
        );
    }

    #[test]
    fn a_temporal_layer_without_u_is_no_switching_point() {
        assert!(
            !describe(&[0xe8, 0x05, 0x40, 1, 0xde])
                .unwrap()
                .switching_point
        );
        assert!(
            describe(&[0xe8, 0x05, 0x50, 1, 0xde])
                .unwrap()
                .switching_point
        );
    }
}
