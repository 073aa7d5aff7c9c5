//! Packets to the peer: find the index, make sure that it is not used twice where that would be
//! fatal, encrypt and tag in place.
//!
//! The receiver guesses the roll-over counter as zero, so a stream's first sequence number should
//! be below 32,768 (RFC 3711 §3.3.1): then neither loss nor reordering of its first packets can
//! make the guess wrong.

use super::cipher::Cipher;
use super::keys::{MasterKey, Purpose};
use super::packet_index;
use super::rtcp_trailer::{MAX_INDEX, RTCP_CLEAR, TRAILER};
use super::rtp_prefix::{RtpPrefix, rtcp_ssrc};
use crate::MediaError;
use crate::seen_window::SeenWindow;
use crate::ssrc_table::SsrcTable;
use plenum_types::{DropReason, SrtpProfile};

/// Most SSRCs that we send to one peer in its lifetime: slots and their retransmissions.
const MAX_SSRCS: usize = 1_024;

pub(super) struct Outbound {
    rtp: Cipher,
    rtcp: Cipher,
    rtp_sent: SsrcTable<SeenWindow, MAX_SSRCS>,
    /// One count for all SSRCs: an index may be skipped, not repeated.
    next_rtcp_index: u32,
}

impl Outbound {
    pub(super) fn new(profile: SrtpProfile, master: &MasterKey<'_>) -> Result<Self, MediaError> {
        Ok(Self {
            rtp: Cipher::new(profile, master, Purpose::Rtp)?,
            rtcp: Cipher::new(profile, master, Purpose::Rtcp)?,
            rtp_sent: SsrcTable::default(),
            next_rtcp_index: 1,
        })
    }

    pub(super) fn protect_rtp(
        &mut self,
        buffer: &mut [u8],
        length: usize,
    ) -> Result<usize, DropReason> {
        if buffer.len() < length + self.rtp.tag() {
            return Err(DropReason::TooLarge);
        }
        let prefix = RtpPrefix::parse(&buffer[..length], 0).ok_or(DropReason::ProtectFailed)?;
        let index = self.take_index(&prefix)?;
        self.rtp
            .seal_rtp(buffer, prefix.header, length, prefix.ssrc, index)
            .map_err(|_| DropReason::ProtectFailed)
    }

    /// The index of a packet. A second packet under one index (a retransmission without RTX whose
    /// header extensions differ) is refused with GCM: two tags under one nonce give its
    /// authentication key away. With AES-CM and HMAC it is harmless as the payload is the same.
    fn take_index(&mut self, prefix: &RtpPrefix) -> Result<u64, DropReason> {
        let Some(window) = self.rtp_sent.find_mut(prefix.ssrc) else {
            let first = u64::from(prefix.sequence);
            self.rtp_sent
                .insert(prefix.ssrc, SeenWindow::starting_at(first))
                .map_err(|_| DropReason::ProtectFailed)?;
            return Ok(first);
        };
        let index = packet_index::estimate(window.newest(), prefix.sequence)
            .ok_or(DropReason::ProtectFailed)?;
        if window.is_fresh(index) {
            window.accept(index);
        } else if self.rtp.forbids_index_reuse() {
            return Err(DropReason::ProtectFailed);
        }
        Ok(index)
    }

    pub(super) fn protect_rtcp(
        &mut self,
        buffer: &mut [u8],
        length: usize,
    ) -> Result<usize, DropReason> {
        if buffer.len() < length + TRAILER + self.rtcp.tag() {
            return Err(DropReason::TooLarge);
        }
        let ssrc = rtcp_ssrc(&buffer[..length]).ok_or(DropReason::ProtectFailed)?;
        let index = self.next_rtcp_index;
        if index > MAX_INDEX || length < RTCP_CLEAR {
            return Err(DropReason::ProtectFailed);
        }
        self.next_rtcp_index += 1;
        self.rtcp
            .seal_rtcp(buffer, length, ssrc, index)
            .map_err(|_| DropReason::ProtectFailed)
    }
}
