//! AV1 payloads without a Dependency Descriptor: the aggregation header (AV1 RTP §4.4) and the
//! header of the first OBU (AV1 §5.3).
//!
//! A keyframe is where the N bit says that a coded video sequence starts. Temporal units are not
//! delimited on the wire, so the start of a frame is told by its first OBU as well as it can be.

use plenum_types::LayerId;

use crate::{CodecFields, ParseError, PayloadDescription};

/// Aggregation header.
const CONTINUES: u8 = 0x80;
const NEW_SEQUENCE: u8 = 0x08;
const ELEMENTS: u8 = 0x30;
/// OBU header.
const OBU_TYPE: u8 = 0x78;
const OBU_EXTENSION: u8 = 0x04;
/// `obu_type` (AV1 §6.2.2) of what may come first in a frame.
const SEQUENCE_HEADER: u8 = 1;
const FRAME_HEADER: u8 = 3;
const METADATA: u8 = 5;
const FRAME: u8 = 6;

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
    Ok(PayloadDescription {
        keyframe,
        starts_frame: keyframe || first.is_some_and(Obu::may_start_frame),
        ends_frame: marker,
        layer,
        switching_point: keyframe || layer.temporal == 0,
        discardable: false,
        size: None,
        fields: CodecFields::None,
        dependency: None,
    })
}

#[derive(Clone, Copy)]
struct Obu {
    kind: u8,
    layer: LayerId,
}

impl Obu {
    fn may_start_frame(self) -> bool {
        matches!(self.kind, SEQUENCE_HEADER | FRAME_HEADER | METADATA | FRAME)
    }
}

/// The header of the first OBU element, behind its length if it has one.
fn first_obu(aggregation: u8, elements: &[u8]) -> Result<Obu, ParseError> {
    // W = 1: the only element, without a length.
    let obu = if aggregation & ELEMENTS == 0x10 {
        elements
    } else {
        sized_element(elements)?
    };
    let (&header, rest) = obu.split_first().ok_or(ParseError::Truncated)?;
    let mut layer = LayerId::default();
    if header & OBU_EXTENSION != 0 {
        let extension = *rest.first().ok_or(ParseError::Truncated)?;
        layer = LayerId {
            spatial: extension >> 3 & 3,
            temporal: extension >> 5,
        };
    }
    Ok(Obu {
        kind: (header & OBU_TYPE) >> 3,
        layer,
    })
}

/// An element behind its LEB128 length (AV1 §4.10.5).
fn sized_element(elements: &[u8]) -> Result<&[u8], ParseError> {
    let mut len = 0_usize;
    for (index, &byte) in elements.iter().enumerate().take(MAX_LEB128) {
        len |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return elements[index + 1..]
                .get(..len)
                .ok_or(ParseError::Truncated);
        }
    }
    Err(ParseError::BadPayload)
}

/// Bytes of LEB128 that a length below 2³² takes, 8 allowed; longer ones do not fit a datagram.
const MAX_LEB128: usize = 4;
