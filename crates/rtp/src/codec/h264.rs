//! H.264 payloads: single NAL unit, STAP-A and FU-A (RFC 6184 §5), the types of packetization
//! modes 0 and 1.
//!
//! A keyframe starts with its parameter sets, or with the first slice of an IDR picture.

mod sps;

use plenum_types::{LayerId, Pixels};

use crate::{CodecFields, ParseError, PayloadDescription};

/// `nal_unit_type` of H.264 table 7-1 and RFC 6184 table 1.
const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SUPPLEMENTAL_INFORMATION: u8 = 6;
const SEQUENCE_PARAMETERS: u8 = 7;
const PICTURE_PARAMETERS: u8 = 8;
const ACCESS_UNIT_DELIMITER: u8 = 9;
const LAST_SINGLE: u8 = 23;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// `nal_unit_type` of a NAL or FU header.
const TYPE: u8 = 0x1f;
/// `nal_ref_idc`: zero if nothing refers to the unit.
const REFERENCE: u8 = 0x60;
/// S of the FU header.
const FRAGMENT_START: u8 = 0x80;
/// The first bit of a slice header that says `first_mb_in_slice` = 0.
const FIRST_MACROBLOCK: u8 = 0x80;

pub(crate) fn describe(payload: &[u8], marker: bool) -> Result<PayloadDescription, ParseError> {
    let (&header, body) = payload.split_first().ok_or(ParseError::Truncated)?;
    let unit = match header & TYPE {
        kind @ 1..=LAST_SINGLE => Units::one(kind, body),
        STAP_A => read_aggregate(body)?,
        FU_A => read_fragment(body)?,
        _ => return Err(ParseError::BadPayload),
    };
    Ok(PayloadDescription {
        keyframe: unit.keyframe,
        starts_frame: unit.starts_frame,
        ends_frame: marker,
        layer: LayerId::default(),
        switching_point: true,
        discardable: header & REFERENCE == 0 && unit.slice,
        size: unit.size,
        fields: CodecFields::None,
        dependency: None,
    })
}

/// What the NAL units of a packet amount to.
#[derive(Clone, Copy, Default)]
struct Units {
    keyframe: bool,
    starts_frame: bool,
    slice: bool,
    size: Option<Pixels>,
}

impl Units {
    /// One unit, or its first fragment; `body` follows the NAL header.
    fn one(kind: u8, body: &[u8]) -> Self {
        let slice = matches!(kind, SLICE | IDR_SLICE);
        let first_slice = slice
            && body
                .first()
                .is_some_and(|byte| byte & FIRST_MACROBLOCK != 0);
        let leads_frame = matches!(
            kind,
            SUPPLEMENTAL_INFORMATION
                | SEQUENCE_PARAMETERS
                | PICTURE_PARAMETERS
                | ACCESS_UNIT_DELIMITER
        );
        Self {
            keyframe: kind == SEQUENCE_PARAMETERS || kind == IDR_SLICE && first_slice,
            starts_frame: leads_frame || first_slice,
            slice,
            size: if kind == SEQUENCE_PARAMETERS {
                sps::picture_size(body)
            } else {
                None
            },
        }
    }

    fn and(self, next: Self) -> Self {
        Self {
            keyframe: self.keyframe || next.keyframe,
            starts_frame: self.starts_frame || next.starts_frame,
            slice: self.slice || next.slice,
            size: self.size.or(next.size),
        }
    }
}

/// STAP-A (RFC 6184 §5.7.1): units, each behind its size.
fn read_aggregate(mut body: &[u8]) -> Result<Units, ParseError> {
    let mut all = Units::default();
    if body.is_empty() {
        return Err(ParseError::Truncated);
    }
    while !body.is_empty() {
        let (&len, rest) = body.split_first_chunk::<2>().ok_or(ParseError::Truncated)?;
        let len = usize::from(u16::from_be_bytes(len));
        let (unit, rest) = rest.split_at_checked(len).ok_or(ParseError::Truncated)?;
        let (&header, unit) = unit.split_first().ok_or(ParseError::BadPayload)?;
        all = all.and(Units::one(header & TYPE, unit));
        body = rest;
    }
    Ok(all)
}

/// FU-A (RFC 6184 §5.8): only the first fragment says what the unit is.
fn read_fragment(body: &[u8]) -> Result<Units, ParseError> {
    let (&header, fragment) = body.split_first().ok_or(ParseError::Truncated)?;
    let kind = header & TYPE;
    if header & FRAGMENT_START == 0 {
        return Ok(Units {
            slice: matches!(kind, SLICE | IDR_SLICE),
            ..Units::default()
        });
    }
    Ok(Units::one(kind, fragment))
}
