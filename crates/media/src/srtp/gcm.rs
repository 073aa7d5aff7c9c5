//! AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714), in place.
//!
//! SRTP: header (associated data) | ciphertext | tag. SRTCP: first 8 bytes | ciphertext | tag |
//! E flag and index; the first and last part are the associated data.

use super::Refused;
use super::keys::SessionKeys;
use super::rtcp_trailer::{RTCP_CLEAR, RtcpTrailer, TRAILER};
use crate::MediaError;
use key::GcmKey;
use plenum_types::Ssrc;

mod key;

/// Authentication tag, bytes.
pub(super) const TAG: usize = 16;

/// One expanded key with its salt.
pub(super) struct Gcm {
    key: GcmKey,
    salt: [u8; 12],
}

impl Gcm {
    pub(super) fn new(keys: &SessionKeys, key_length: usize) -> Result<Self, MediaError> {
        let mut salt = [0; 12];
        salt.copy_from_slice(&keys.salt[..12]);
        Ok(Self {
            key: GcmKey::new(&keys.cipher[..key_length])?,
            salt,
        })
    }

    /// Two zero bytes, SSRC, 48-bit index, XOR salt (RFC 7714 §8.1, and §9.1 for SRTCP, whose
    /// 31-bit index is the lower part).
    fn nonce(&self, ssrc: Ssrc, index: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[2..6].copy_from_slice(&ssrc.0.to_be_bytes());
        nonce[6..].copy_from_slice(&index.to_be_bytes()[2..]);
        for (byte, salt) in nonce.iter_mut().zip(self.salt) {
            *byte ^= salt;
        }
        nonce
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
        let (header, payload) = packet.split_at_mut(header);
        let tag = self.key.seal(self.nonce(ssrc, index), header, payload)?;
        rest[..TAG].copy_from_slice(&tag);
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
        let (header, payload) = packet.split_at_mut_checked(header).ok_or(Refused)?;
        let nonce = self.nonce(ssrc, index);
        self.key.open(nonce, header, tag, payload)?;
        Ok(length)
    }

    /// Protects `buffer[..length]`; tag and trailer follow it.
    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        length: usize,
        ssrc: Ssrc,
        index: u32,
    ) -> Result<usize, Refused> {
        let trailer = RtcpTrailer::encrypted(index).to_bytes();
        let (packet, rest) = buffer.split_at_mut(length);
        let (clear, secret) = packet.split_at_mut(RTCP_CLEAR);
        let associated = associated_data(clear, trailer);
        let nonce = self.nonce(ssrc, u64::from(index));
        let tag = self.key.seal(nonce, &associated, secret)?;
        rest[..TAG].copy_from_slice(&tag);
        rest[TAG..TAG + TRAILER].copy_from_slice(&trailer);
        Ok(length + TAG + TRAILER)
    }

    /// Opens a compound packet that ends with tag and trailer. Returns its length without them.
    pub(super) fn open_rtcp(
        &self,
        datagram: &mut [u8],
        ssrc: Ssrc,
        trailer: RtcpTrailer,
    ) -> Result<usize, Refused> {
        let length = datagram.len().checked_sub(TAG + TRAILER).ok_or(Refused)?;
        let nonce = self.nonce(ssrc, u64::from(trailer.index));
        let (packet, rest) = datagram.split_at_mut(length);
        let tag = &rest[..TAG];
        if !trailer.encrypted {
            return self.check_clear_rtcp(nonce, packet, trailer, tag);
        }
        let (clear, secret) = packet.split_at_mut_checked(RTCP_CLEAR).ok_or(Refused)?;
        let associated = associated_data(clear, trailer.to_bytes());
        self.key.open(nonce, &associated, tag, secret)?;
        Ok(length)
    }

    /// Without encryption everything but the tag is associated data (RFC 7714 §9.3).
    fn check_clear_rtcp(
        &self,
        nonce: [u8; 12],
        packet: &[u8],
        trailer: RtcpTrailer,
        tag: &[u8],
    ) -> Result<usize, Refused> {
        /// Longest RTCP datagram that is looked at.
        const LONGEST: usize = 1_500;
        let mut associated = [0; LONGEST + TRAILER];
        let length = packet.len();
        let associated = associated.get_mut(..length + TRAILER).ok_or(Refused)?;
        associated[..length].copy_from_slice(packet);
        associated[length..].copy_from_slice(&trailer.to_bytes());
        self.key.open(nonce, associated, tag, &mut [])?;
        Ok(length)
    }
}

fn associated_data(clear: &[u8], trailer: [u8; TRAILER]) -> [u8; RTCP_CLEAR + TRAILER] {
    let mut data = [0; RTCP_CLEAR + TRAILER];
    data[..RTCP_CLEAR].copy_from_slice(clear);
    data[RTCP_CLEAR..].copy_from_slice(&trailer);
    data
}
