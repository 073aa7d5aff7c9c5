//! AV1 payloads without a Dependency Descriptor: the aggregation header (AV1 RTP §4.4) and the
//! header of the first OBU (AV1 §5.3).
//!
//! A keyframe is where the N bit says that a coded video sequence starts. Temporal units are not
//! delimited on the wire, so the start of a frame is told by its first OBU as well as it can be.

mod sequence_header;

use plenum_types::{LayerId, SpatialSizes};

use crate::{CodecFields, Opened, ParseError, PayloadDescription};

/// Aggregation header: Z, N, and W, the number of OBU elements if all but the last have a length.
const CONTINUES: u8 = 0x80;
const NEW_SEQUENCE: u8 = 0x08;
const ELEMENTS: u8 = 0x30;
const ONE_ELEMENT: u8 = 0x10;
/// OBU header.
const OBU_TYPE: u8 = 0x78;
const OBU_EXTENSION: u8 = 0x04;
const OBU_HAS_SIZE: u8 = 0x02;
/// `obu_type` (AV1 §6.2.2) of what may come first in a frame.
const SEQUENCE_HEADER: u8 = 1;
const FRAME_HEADER: u8 = 3;
const METADATA: u8 = 5;
const FRAME: u8 = 6;
/// Most bytes of a LEB128 (AV1 §4.10.5).
const MAX_LEB128: usize = 8;

pub(crate) fn describe(payload: &[u8], marker: bool) -> Result<PayloadDescription, ParseError> {
    let (&aggregation, elements) = payload.split_first().ok_or(ParseError::Truncated)?;
    let continues = aggregation & CONTINUES != 0;
    let keyframe = aggregation & NEW_SEQUENCE != 0;
    if continues && keyframe {
        return Err(ParseError::BadPayload);
    }
    let first = if continues {
        None
    } else {
        Some(first_obu(aggregation, elements)?)
    };
    let layer = first.map_or(LayerId::default(), |obu| obu.layer);
    let sequence_header = first.filter(|obu| keyframe && obu.kind == SEQUENCE_HEADER);
    Ok(PayloadDescription {
        keyframe,
        starts_frame: keyframe || first.is_some_and(Obu::may_start_frame),
        ends_frame: marker,
        layer,
        switching_point: keyframe || layer.temporal == 0,
        opens: Opened::default(),
        discardable: false,
        sizes: SpatialSizes::new(
            sequence_header.and_then(|obu| sequence_header::picture_size(obu.body)),
        ),
        fields: CodecFields::None,
        dependency: None,
    })
}

#[derive(Clone, Copy)]
struct Obu<'p> {
    kind: u8,
    layer: LayerId,
    body: &'p [u8],
}

impl Obu<'_> {
    fn may_start_frame(self) -> bool {
        matches!(self.kind, SEQUENCE_HEADER | FRAME_HEADER | METADATA | FRAME)
    }
}

/// The first OBU, or as much of it as the packet has.
fn first_obu(aggregation: u8, elements: &[u8]) -> Result<Obu<'_>, ParseError> {
    let element = if aggregation & ELEMENTS == ONE_ELEMENT {
        elements
    } else {
        let (len, rest) = leb128(elements)?;
        let len = usize::try_from(len).map_err(|_| ParseError::Truncated)?;
        rest.get(..len).ok_or(ParseError::Truncated)?
    };
    let (&header, mut body) = element.split_first().ok_or(ParseError::Truncated)?;
    let mut layer = LayerId::default();
    if header & OBU_EXTENSION != 0 {
        let (&extension, rest) = body.split_first().ok_or(ParseError::Truncated)?;
        layer = LayerId {
            spatial: extension >> 3 & 3,
            temporal: extension >> 5,
        };
        body = rest;
    }
    if header & OBU_HAS_SIZE != 0 {
        body = leb128(body)?.1;
    }
    Ok(Obu {
        kind: (header & OBU_TYPE) >> 3,
        layer,
        body,
    })
}

/// A number in LEB128 (AV1 §4.10.5) and what follows it.
fn leb128(bytes: &[u8]) -> Result<(u64, &[u8]), ParseError> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().enumerate().take(MAX_LEB128) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((value, &bytes[index + 1..]));
        }
    }
    let exhausted = bytes.len() < MAX_LEB128;
    Err(if exhausted {
        ParseError::Truncated
    } else {
        ParseError::BadPayload
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_sequence_is_a_keyframe() {
        // N, two elements: sequence header of one byte, frame.
        let description = describe(&[0x28, 2, 0x08, 0x00, 0x30, 0xaa], true).unwrap();
        assert!(description.keyframe && description.starts_frame && description.ends_frame);
        assert_eq!(description.size(), None);
    }

    #[test]
    fn a_frame_starts_with_a_frame_and_not_with_a_tile_group() {
        let frame = describe(&[0x10, 0x30, 0xaa], false).unwrap();
        assert!(!frame.keyframe && frame.starts_frame && !frame.ends_frame);
        assert!(!describe(&[0x10, 0x20, 0xaa], false).unwrap().starts_frame);
        assert!(!describe(&[0x90, 0x30, 0xaa], false).unwrap().starts_frame);
    }

    #[test]
    fn the_obu_extension_tells_the_layer() {
        let description = describe(&[0x10, 0x34, 0x48, 0xaa], false).unwrap();
        assert_eq!(
            description.layer,
            LayerId {
                spatial: 1,
                temporal: 2
            }
        );
        assert!(!description.switching_point);
    }

    #[test]
    fn a_length_may_be_written_longer_than_needed() {
        let description = describe(&[0x00, 0x82, 0x80, 0x00, 0x30, 0xaa], false).unwrap();
        assert!(description.starts_frame);
    }

    #[test]
    fn malformed_payloads_are_refused() {
        assert_eq!(describe(&[0x88, 0x30], false), Err(ParseError::BadPayload));
        assert_eq!(describe(&[0x10], false), Err(ParseError::Truncated));
        assert_eq!(
            describe(&[0x00, 5, 0x30], false),
            Err(ParseError::Truncated)
        );
        assert_eq!(describe(&[0x00, 0x80], false), Err(ParseError::Truncated));
        let endless = [&[0x00][..], &[0x80; 9]].concat();
        assert_eq!(describe(&endless, false), Err(ParseError::BadPayload));
    }
}
