//! SRTP and SRTCP (RFC 3711, RFC 7714) in place on the packet path: nothing allocates per packet,
//! keys are derived and expanded once per session.
//!
//! Invariants: nothing is remembered of a packet before it has been authenticated, and with GCM no
//! index is used for two outgoing packets.

mod cipher;
mod counter_mode;
mod gcm;
mod inbound;
mod keys;
mod outbound;
mod packet_index;
mod rtcp_trailer;
mod rtp_prefix;
#[cfg(test)]
mod tests;

use crate::MediaError;
use cipher::Refused;
use inbound::Inbound;
use outbound::Outbound;
use plenum_types::{DropReason, SrtpProfile};

/// Most bytes that protecting an RTP packet adds.
pub const SRTP_OVERHEAD: usize = gcm::TAG;

/// Most bytes that protecting an RTCP packet adds.
pub const SRTCP_OVERHEAD: usize = gcm::TAG + rtcp_trailer::TRAILER;

/// Bytes of keying material that DTLS must export for `profile` (RFC 5764 §4.2).
pub const fn keying_material_len(profile: SrtpProfile) -> usize {
    let (key, salt) = keys::master_lengths(profile);
    2 * (key + salt)
}

/// SRTP towards and from one peer.
pub struct SrtpSession {
    inbound: Inbound,
    outbound: Outbound,
}

impl SrtpSession {
    /// A session from the keying material that DTLS exported. `is_dtls_client` tells which half of
    /// it is ours.
    pub fn new(
        profile: SrtpProfile,
        keying_material: &[u8],
        is_dtls_client: bool,
    ) -> Result<Self, MediaError> {
        let (client, server) = keys::split(profile, keying_material)?;
        let (ours, theirs) = if is_dtls_client {
            (client, server)
        } else {
            (server, client)
        };
        Ok(Self {
            inbound: Inbound::new(profile, &theirs)?,
            outbound: Outbound::new(profile, &ours)?,
        })
    }

    /// Authenticates and decrypts an SRTP packet in place; returns the RTP packet.
    ///
    /// Fails with `SrtpTooShort`, `SrtpReplay`, `SrtpAuthentication` or `TooManySsrcs`.
    pub fn unprotect_rtp<'d>(
        &mut self,
        datagram: &'d mut [u8],
    ) -> Result<&'d mut [u8], DropReason> {
        self.inbound.unprotect_rtp(datagram)
    }

    /// Authenticates and decrypts an SRTCP packet in place; returns the compound packet.
    ///
    /// Fails like [`unprotect_rtp`](Self::unprotect_rtp).
    pub fn unprotect_rtcp<'d>(
        &mut self,
        datagram: &'d mut [u8],
    ) -> Result<&'d mut [u8], DropReason> {
        self.inbound.unprotect_rtcp(datagram)
    }

    /// Encrypts the RTP packet `buffer[..length]` in place and appends the tag; returns the new
    /// length. The buffer needs [`SRTP_OVERHEAD`] bytes more than the packet.
    ///
    /// Fails with `TooLarge` if they are missing, and with `ProtectFailed`, among others if a
    /// sequence number is used again under GCM.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, DropReason> {
        self.outbound.protect_rtp(buffer, length)
    }

    /// Encrypts the compound RTCP packet `buffer[..length]` in place and appends index and tag;
    /// returns the new length. The buffer needs [`SRTCP_OVERHEAD`] bytes more than the packet.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, DropReason> {
        self.outbound.protect_rtcp(buffer, length)
    }
}
