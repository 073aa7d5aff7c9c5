//! The part of STUN (RFC 8489) that an ICE lite agent needs: reading binding requests without
//! copying, and writing their responses.
//!
//! Invariant: nothing read here is trusted before [`Message::verify_integrity`] says so.

use aws_lc_rs::hmac;

use super::crc32;

pub(super) const HEADER_LEN: usize = 20;
pub(super) const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

pub(super) const BINDING_REQUEST: u16 = 0x0001;

pub(super) const USERNAME: u16 = 0x0006;
pub(super) const MESSAGE_INTEGRITY: u16 = 0x0008;
pub(super) const ERROR_CODE: u16 = 0x0009;
pub(super) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
pub(super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
pub(super) const PRIORITY: u16 = 0x0024;
pub(super) const USE_CANDIDATE: u16 = 0x0025;
pub(super) const FINGERPRINT: u16 = 0x8028;
pub(super) const ICE_CONTROLLED: u16 = 0x8029;
#[cfg(test)]
pub(super) const ICE_CONTROLLING: u16 = 0x802a;
/// libwebrtc's renomination counter.
pub(super) const NOMINATION: u16 = 0xc001;

pub(super) const INTEGRITY_LEN: usize = 20;
/// XORed with the CRC (RFC 8489 §14.7).
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// Unknown attributes named in a 420 response. More are not told; one is enough to refuse.
const MAX_UNKNOWN: usize = 4;

/// Not a STUN message, or a damaged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StunError {
    Malformed,
    Fingerprint,
}

/// A STUN message, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'d> {
    bytes: &'d [u8],
    pub(super) kind: u16,
    pub(super) username: Option<&'d [u8]>,
    pub(super) priority: Option<u32>,
    pub(super) use_candidate: bool,
    pub(super) controlled: bool,
    pub(super) nomination: Option<u32>,
    unknown: [u16; MAX_UNKNOWN],
    unknown_len: usize,
    /// Offset of the MESSAGE-INTEGRITY attribute's header.
    integrity: Option<usize>,
}

impl<'d> Message<'d> {
    /// Reads header and attributes, and checks FINGERPRINT where present.
    pub(super) fn parse(bytes: &'d [u8]) -> Result<Self, StunError> {
        let kind = parse_header(bytes)?;
        let mut message = Self {
            bytes,
            kind,
            username: None,
            priority: None,
            use_candidate: false,
            controlled: false,
            nomination: None,
            unknown: [0; MAX_UNKNOWN],
            unknown_len: 0,
            integrity: None,
        };
        let mut offset = HEADER_LEN;
        while offset < bytes.len() {
            let (attribute, value, next) = attribute_at(bytes, offset)?;
            if attribute == FINGERPRINT {
                if next != bytes.len() || !fingerprint_matches(&bytes[..offset], value) {
                    return Err(StunError::Fingerprint);
                }
            } else if message.integrity.is_none() {
                message.take(attribute, value, offset)?;
            }
            // Others after MESSAGE-INTEGRITY are not authenticated and so ignored (§14.5).
            offset = next;
        }
        Ok(message)
    }

    fn take(&mut self, attribute: u16, value: &'d [u8], offset: usize) -> Result<(), StunError> {
        match attribute {
            USERNAME => self.username = Some(value),
            PRIORITY => self.priority = Some(read_u32(value)?),
            USE_CANDIDATE => self.use_candidate = true,
            ICE_CONTROLLED => self.controlled = true,
            NOMINATION => self.nomination = Some(read_u32(value)?),
            MESSAGE_INTEGRITY if value.len() == INTEGRITY_LEN => self.integrity = Some(offset),
            MESSAGE_INTEGRITY => return Err(StunError::Malformed),
            REALM
            | NONCE
            | MESSAGE_INTEGRITY_SHA256
            | XOR_MAPPED_ADDRESS
            | ERROR_CODE
            | UNKNOWN_ATTRIBUTES => {}
            0..=0x7fff => self.note_unknown(attribute),
            _ => {}
        }
        Ok(())
    }

    fn note_unknown(&mut self, attribute: u16) {
        if self.unknown_len < MAX_UNKNOWN {
            self.unknown[self.unknown_len] = attribute;
            self.unknown_len += 1;
        }
    }

    /// Attributes that must be understood but are not (§6.3.1).
    pub(super) fn unknown(&self) -> &[u16] {
        &self.unknown[..self.unknown_len]
    }

    pub(super) fn transaction(&self) -> [u8; 12] {
        let mut id = [0; 12];
        id.copy_from_slice(&self.bytes[8..HEADER_LEN]);
        id
    }

    pub(super) const fn has_integrity(&self) -> bool {
        self.integrity.is_some()
    }

    /// Checks MESSAGE-INTEGRITY in constant time (§14.5).
    pub(super) fn verify_integrity(&self, key: &hmac::Key) -> bool {
        let Some(offset) = self.integrity else {
            return false;
        };
        let value = &self.bytes[offset + 4..offset + 4 + INTEGRITY_LEN];
        let tag = integrity_tag(key, &self.bytes[..offset]);
        aws_lc_rs::constant_time::verify_slices_are_equal(tag.as_ref(), value).is_ok()
    }
}

/// Type, length, cookie: returns the message type if all fit (§6.3).
fn parse_header(bytes: &[u8]) -> Result<u16, StunError> {
    if bytes.len() < HEADER_LEN || bytes[0] & 0xc0 != 0 || bytes[4..8] != COOKIE {
        return Err(StunError::Malformed);
    }
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    if length % 4 != 0 || HEADER_LEN + length != bytes.len() {
        return Err(StunError::Malformed);
    }
    Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// Type and value of the attribute at `offset`, and where the next one starts.
fn attribute_at(bytes: &[u8], offset: usize) -> Result<(u16, &[u8], usize), StunError> {
    let header = bytes.get(offset..offset + 4).ok_or(StunError::Malformed)?;
    let attribute = u16::from_be_bytes([header[0], header[1]]);
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let start = offset + 4;
    let next = start + length.next_multiple_of(4);
    if next > bytes.len() {
        return Err(StunError::Malformed);
    }
    Ok((attribute, &bytes[start..start + length], next))
}

fn read_u32(value: &[u8]) -> Result<u32, StunError> {
    let bytes = value.try_into().map_err(|_| StunError::Malformed)?;
    Ok(u32::from_be_bytes(bytes))
}

fn fingerprint_matches(before: &[u8], value: &[u8]) -> bool {
    read_u32(value) == Ok(crc32::checksum(before) ^ FINGERPRINT_XOR)
}

/// HMAC-SHA1 over `before`, with the header's length counting up to the end of the
/// MESSAGE-INTEGRITY attribute that follows `before`.
fn integrity_tag(key: &hmac::Key, before: &[u8]) -> hmac::Tag {
    // At most 65535 + 20 bytes: the header's length field has 16 bits.
    let length = (before.len() - HEADER_LEN + 4 + INTEGRITY_LEN) as u16;
    let mut context = hmac::Context::with_key(key);
    context.update(&before[..2]);
    context.update(&length.to_be_bytes());
    context.update(&before[4..]);
    context.sign()
}

/// The local user name fragment of a STUN binding request's USERNAME (`local:remote`, RFC 8445
/// §7.2.2), by which a datagram from an unknown address finds its peer. Nothing is verified.
pub fn stun_local_ufrag(datagram: &[u8]) -> Option<&str> {
    if parse_header(datagram).ok()? != BINDING_REQUEST {
        return None;
    }
    let mut offset = HEADER_LEN;
    while offset < datagram.len() {
        let (attribute, value, next) = attribute_at(datagram, offset).ok()?;
        if attribute == USERNAME {
            let colon = value.iter().position(|byte| *byte == b':')?;
            return std::str::from_utf8(&value[..colon]).ok();
        }
        offset = next;
    }
    None
}

/// Writes one STUN message.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new(kind: u16, transaction: [u8; 12]) -> Self {
        let mut bytes = Vec::with_capacity(96);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&COOKIE);
        bytes.extend_from_slice(&transaction);
        Self(bytes)
    }

    pub(super) fn attribute(&mut self, attribute: u16, value: &[u8]) {
        self.0.extend_from_slice(&attribute.to_be_bytes());
        self.0
            .extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self.write_length(self.0.len());
    }

    pub(super) fn integrity(&mut self, key: &hmac::Key) {
        let tag = integrity_tag(key, &self.0);
        self.attribute(MESSAGE_INTEGRITY, tag.as_ref());
    }

    /// Adds FINGERPRINT and ends the message.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.write_length(self.0.len() + 8);
        let value = crc32::checksum(&self.0) ^ FINGERPRINT_XOR;
        self.attribute(FINGERPRINT, &value.to_be_bytes());
        self.0
    }

    fn write_length(&mut self, total: usize) {
        let length = (total - HEADER_LEN) as u16;
        self.0[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
