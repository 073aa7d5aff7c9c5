//! H.264 payloads: single NAL unit, STAP-A and FU-A (RFC 6184 §5), the types of packetization
//! modes 0 and 1.
//!
//! A keyframe starts with its sequence parameter set. An IDR slice is not enough: a receiver that
//! joins there has not seen the parameter sets sent just before it, and cannot decode. WebRTC
//! senders repeat them with every IDR picture, having nothing else to carry them (RFC 7742 §6.2).

mod sps;

use plenum_types::{LayerId, Pixels, SpatialSizes};

use crate::{CodecFields, Opened, ParseError, PayloadDescription};

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
        opens: Opened::default(),
        discardable: header & REFERENCE == 0 && unit.slice,
        sizes: SpatialSizes::new(unit.size),
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
            keyframe: kind == SEQUENCE_PARAMETERS,
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

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: [u8; 11] = [
        0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x3d, 0xb0, 0x11, 0x00,
    ];
    const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];
    const SIZE: Option<Pixels> = Some(Pixels {
        width: 640,
        height: 480,
    });

    fn aggregate(units: &[&[u8]]) -> Vec<u8> {
        let mut payload = vec![0x78];
        for unit in units {
            payload.extend((unit.len() as u16).to_be_bytes());
            payload.extend_from_slice(unit);
        }
        payload
    }

    #[test]
    fn parameter_sets_start_a_keyframe() {
        let single = describe(&SPS, false).unwrap();
        assert!(single.keyframe && single.starts_frame && !single.ends_frame);
        assert_eq!(single.size(), SIZE);
        let aggregate = describe(&aggregate(&[&SPS, &PPS, &[0x65, 0x88]]), true).unwrap();
        assert!(aggregate.keyframe && aggregate.ends_frame && !aggregate.discardable);
        assert_eq!(aggregate.size(), SIZE);
        let picture_parameters = describe(&PPS, false).unwrap();
        assert!(!picture_parameters.keyframe && picture_parameters.starts_frame);
    }

    #[test]
    fn an_idr_slice_without_its_parameter_sets_starts_no_keyframe() {
        let first_slice = describe(&[0x65, 0x88], false).unwrap();
        assert!(!first_slice.keyframe && first_slice.starts_frame);
        let second_slice = describe(&[0x65, 0x44], false).unwrap();
        assert!(!second_slice.keyframe && !second_slice.starts_frame);
    }

    #[test]
    fn only_the_first_fragment_says_what_it_is() {
        let parameters = describe(&[0x7c, 0x87, 0x42], false).unwrap();
        assert!(parameters.keyframe && parameters.starts_frame);
        assert!(!describe(&[0x7c, 0x07, 0x42], false).unwrap().keyframe);
        let idr = describe(&[0x7c, 0x85, 0x88], false).unwrap();
        assert!(!idr.keyframe && idr.starts_frame);
        let middle = describe(&[0x7c, 0x05, 0x88], false).unwrap();
        assert!(!middle.keyframe && !middle.starts_frame);
        let inter = describe(&[0x5c, 0x81, 0x9a], false).unwrap();
        assert!(!inter.keyframe && inter.starts_frame);
    }

    #[test]
    fn a_slice_that_nothing_refers_to_is_discardable() {
        assert!(describe(&[0x01, 0x9a], true).unwrap().discardable);
        assert!(describe(&[0x1c, 0x41, 0x9a], true).unwrap().discardable);
        assert!(!describe(&[0x41, 0x9a], true).unwrap().discardable);
        // SEI has nal_ref_idc 0 too, but belongs to a frame that may be needed.
        assert!(!describe(&[0x06, 0x05], false).unwrap().discardable);
    }

    #[test]
    fn malformed_payloads_are_refused() {
        assert_eq!(describe(&[0x78], false), Err(ParseError::Truncated));
        assert_eq!(describe(&[0x78, 0, 0], false), Err(ParseError::BadPayload));
        assert_eq!(
            describe(&[0x78, 0, 5, 0x67], false),
            Err(ParseError::Truncated)
        );
        assert_eq!(
            describe(&[0x78, 0, 1, 0x67, 9], false),
            Err(ParseError::Truncated)
        );
        assert_eq!(describe(&[0x7c], false), Err(ParseError::Truncated));
        for kind in [0, 25, 26, 27, 29, 30, 31] {
            assert_eq!(describe(&[kind, 0, 0], false), Err(ParseError::BadPayload));
        }
    }
}
