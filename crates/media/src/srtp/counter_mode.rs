//! AES128_CM_HMAC_SHA1_80 (RFC 3711 §4.1.1, §4.2.1), in place.
//!
//! SRTP: header | ciphertext | tag over both and the roll-over counter. SRTCP: first 8 bytes |
//! ciphertext | E flag and index | tag over all before it.

use super::Refused;
use super::keys::{SessionKeys, counter_key};
use super::rtcp_trailer::{RTCP_CLEAR, RtcpTrailer, TRAILER};
use crate::MediaError;
use aws_lc_rs::cipher::{EncryptingKey, EncryptionContext};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use plenum_types::Ssrc;

/// Authentication tag, bytes.
pub(super) const TAG: usize = 10;

/// Bytes of an AES-128 key.
const KEY: usize = 16;

/// One expanded cipher key, its salt, and an authentication key.
pub(super) struct CounterMode {
    cipher: EncryptingKey,
    authentication: hmac::Key,
    salt: [u8; 14],
}

impl CounterMode {
    pub(super) fn new(keys: &SessionKeys) -> Result<Self, MediaError> {
        Ok(Self {
            cipher: counter_key(&keys.cipher[..KEY])?,
            authentication: hmac::Key::new(
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                &keys.authentication,
            ),
            salt: keys.salt,
        })
    }

    /// `(salt << 16) XOR (SSRC << 64) XOR (index << 16)`; the low 16 bits count blocks.
    fn apply_keystream(&self, data: &mut [u8], ssrc: Ssrc, index: u64) -> Result<(), Refused> {
        let mut block = [0; 16];
        block[4..8].copy_from_slice(&ssrc.0.to_be_bytes());
        block[8..14].copy_from_slice(&index.to_be_bytes()[2..]);
        for (byte, salt) in block.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        let context = EncryptionContext::Iv128(FixedLength::from(block));
        self.cipher
            .less_safe_encrypt(data, context)
            .map_err(|_| Refused)?;
        Ok(())
    }

    fn tag(&self, parts: [&[u8]; 2]) -> [u8; TAG] {
        let mut context = hmac::Context::with_key(&self.authentication);
        for part in parts {
            context.update(part);
        }
        let mut tag = [0; TAG];
        tag.copy_from_slice(&context.sign().as_ref()[..TAG]);
        tag
    }

    /// Protects `buffer[..length]`; the tag follows it.
    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        header: usize,
        length: usize,
        ssrc: Ssrc,
        index: u64,
    ) -> Result<usize, Refused> {
        let (packet, rest) = buffer.split_at_mut(length);
        self.apply_keystream(&mut packet[header..], ssrc, index)?;
        rest[..TAG].copy_from_slice(&self.tag([packet, &roll_over(index)]));
        Ok(length + TAG)
    }

    /// Opens a packet of which the tag is the end. Returns its length without the tag.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        ssrc: Ssrc,
        index: u64,
    ) -> Result<usize, Refused> {
        let length = packet.len().checked_sub(TAG).ok_or(Refused)?;
        let (packet, tag) = packet.split_at_mut(length);
        verify_slices_are_equal(&self.tag([packet, &roll_over(index)]), tag)
            .map_err(|_| Refused)?;
        let payload = packet.get_mut(header..).ok_or(Refused)?;
        self.apply_keystream(payload, ssrc, index)?;
        Ok(length)
    }

    /// Protects `buffer[..length]`; trailer and tag follow it.
    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        length: usize,
        ssrc: Ssrc,
        index: u32,
    ) -> Result<usize, Refused> {
        let trailer = RtcpTrailer::encrypted(index).to_bytes();
        self.apply_keystream(&mut buffer[RTCP_CLEAR..length], ssrc, u64::from(index))?;
        let tag = self.tag([&buffer[..length], &trailer]);
        let rest = &mut buffer[length..length + TRAILER + TAG];
        rest[..TRAILER].copy_from_slice(&trailer);
        rest[TRAILER..].copy_from_slice(&tag);
        Ok(length + TRAILER + TAG)
    }

    /// Opens a compound packet that ends with trailer and tag. Returns its length without them.
    pub(super) fn open_rtcp(
        &self,
        datagram: &mut [u8],
        ssrc: Ssrc,
        trailer: RtcpTrailer,
    ) -> Result<usize, Refused> {
        let authenticated = datagram.len().checked_sub(TAG).ok_or(Refused)?;
        let length = authenticated.checked_sub(TRAILER).ok_or(Refused)?;
        let (authenticated, tag) = datagram.split_at_mut(authenticated);
        verify_slices_are_equal(&self.tag([authenticated, &[]]), tag).map_err(|_| Refused)?;
        if trailer.encrypted {
            let secret = authenticated.get_mut(RTCP_CLEAR..length).ok_or(Refused)?;
            self.apply_keystream(secret, ssrc, u64::from(trailer.index))?;
        }
        Ok(length)
    }
}

/// The roll-over counter, which the tag covers although no packet carries it.
fn roll_over(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}
