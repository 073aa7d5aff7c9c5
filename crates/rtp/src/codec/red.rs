//! Redundant audio (RFC 2198): a packet that carries earlier sound beside its own.
//!
//! Forwarded as it is to whoever negotiated it. To others goes the newest block alone, which is a
//! packet without redundancy. Block headers name the payload type of what is in them; it becomes
//! the subscriber's.

use crate::{CodecFields, Patch, PayloadDescription};

/// F: another block header follows. Its header has four bytes, the last one's has one.
const FOLLOWS: u8 = 0x80;
const HEADER: usize = 4;
/// Most blocks: libwebrtc sends up to nine (RED distance 8) beside the newest.
const BLOCKS_MAX: u8 = 16;

/// Where the parts of a redundant payload are. Offsets count from the payload's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedFields {
    /// Headers of blocks, the newest's included.
    pub(crate) headers: u8,
    /// Where the newest block begins.
    pub(crate) newest: u16,
}

/// How a redundant payload is given to a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedPatch {
    /// As it is, with this payload type in the blocks.
    Keep(u8),
    /// Its newest block alone.
    Newest,
}

/// What a redundant payload is. One whose blocks do not add up, as where it is encrypted end to
/// end, can still be passed on as it is.
pub(crate) fn describe(payload: &[u8]) -> PayloadDescription {
    PayloadDescription {
        fields: CodecFields::Red(blocks(payload)),
        ..super::opus::describe()
    }
}

fn blocks(payload: &[u8]) -> Option<RedFields> {
    let (mut at, mut redundant, mut headers) = (0, 0, 1_u8);
    while payload.get(at)? & FOLLOWS != 0 {
        let header: &[u8; HEADER] = payload.get(at..)?.first_chunk()?;
        redundant += usize::from(u16::from_be_bytes([header[2], header[3]]) & 0x3ff);
        at += HEADER;
        headers += 1;
        if headers > BLOCKS_MAX {
            return None;
        }
    }
    let newest = at + 1 + redundant;
    (newest < payload.len()).then_some(RedFields {
        headers,
        newest: newest as u16,
    })
}

impl RedFields {
    /// Names the payload type of `patch` in all blocks.
    pub(crate) fn write(&self, patch: &Patch, payload: &mut [u8]) {
        let Some(RedPatch::Keep(payload_type)) = patch.red else {
            return;
        };
        for block in 0..usize::from(self.headers) {
            if let Some(byte) = payload.get_mut(block * HEADER) {
                *byte = *byte & FOLLOWS | payload_type & !FOLLOWS;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        HeaderExtensions, OutgoingExtensions, RtpHeader, describe_redundant, max_growth,
        write_packet,
    };
    use plenum_types::{Codec, ExtensionMap};

    /// One block of 3 bytes 960 ticks before, and the newest of 4.
    const PAYLOAD: [u8; 12] = [0x80 | 111, 0x0f, 0x00, 3, 111, 1, 2, 3, 9, 8, 7, 6];

    #[test]
    fn finds_the_newest_block() {
        let found = blocks(&PAYLOAD);
        assert_eq!(found.map(|red| (red.headers, red.newest)), Some((2, 8)));
        let alone = blocks(&[111, 9, 9]);
        assert_eq!(alone.map(|red| (red.headers, red.newest)), Some((1, 1)));
    }

    #[test]
    fn blocks_that_do_not_add_up_are_none() {
        for length in 0..9 {
            assert_eq!(blocks(&PAYLOAD[..length]), None, "{length}");
        }
        assert_eq!(blocks(&[0xff; 1_400]), None);
        assert_eq!(blocks(&[0x80; 1_400]), None);
    }

    /// A packet with the payload, and what goes to a subscriber.
    fn forwarded(red: Option<RedPatch>) -> Vec<u8> {
        let mut packet = vec![0x80, 63, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend(PAYLOAD);
        let map = ExtensionMap::new();
        let header = RtpHeader::parse(&packet).unwrap();
        let extensions = HeaderExtensions::parse(&packet, &header, &map).unwrap();
        let described = describe_redundant(&packet, header, extensions, Codec::Opus).unwrap();
        let patch = Patch {
            red,
            ..Patch::identity(&described)
        };
        let extensions = OutgoingExtensions {
            map,
            mid: None,
            abs_send_time: 0,
            transport_sequence: None,
        };
        let mut out = vec![0; packet.len() + max_growth()];
        let length = write_packet(&packet, &described, &patch, &extensions, &mut out).unwrap();
        out[12..length].to_vec()
    }

    #[test]
    fn blocks_get_the_payload_type_of_the_subscriber() {
        let mut expected = PAYLOAD;
        assert_eq!(forwarded(None), expected);
        (expected[0], expected[4]) = (0x80 | 96, 96);
        assert_eq!(forwarded(Some(RedPatch::Keep(96))), expected);
    }

    #[test]
    fn who_takes_no_redundancy_gets_the_newest_block() {
        assert_eq!(forwarded(Some(RedPatch::Newest)), [9, 8, 7, 6]);
    }
}
