//! Packets from the peer: find the index, refuse replays, authenticate, decrypt, and only then
//! remember anything about the SSRC (so forged packets cannot fill the tables).

use super::cipher::Cipher;
use super::keys::{MasterKey, Purpose};
use super::packet_index;
use super::rtp_prefix::{RtpPrefix, rtcp_ssrc};
use crate::MediaError;
use crate::seen_window::SeenWindow;
use crate::ssrc_table::SsrcTable;
use plenum_types::{DropReason, SrtpProfile, Ssrc};

/// Most SSRCs accepted of a peer in its lifetime, 150 bytes each. They cannot be forgotten,
/// because that would readmit their packets. Every new sender of a browser takes two to six.
const MAX_SSRCS: usize = 512;

pub(super) struct Inbound {
    rtp: Cipher,
    rtcp: Cipher,
    rtp_seen: SsrcTable<SeenWindow, MAX_SSRCS>,
    rtcp_seen: SsrcTable<SeenWindow, MAX_SSRCS>,
}

impl Inbound {
    pub(super) fn new(profile: SrtpProfile, master: &MasterKey<'_>) -> Result<Self, MediaError> {
        Ok(Self {
            rtp: Cipher::new(profile, master, Purpose::Rtp)?,
            rtcp: Cipher::new(profile, master, Purpose::Rtcp)?,
            rtp_seen: SsrcTable::default(),
            rtcp_seen: SsrcTable::default(),
        })
    }

    pub(super) fn unprotect_rtp<'d>(
        &mut self,
        datagram: &'d mut [u8],
    ) -> Result<&'d mut [u8], DropReason> {
        let prefix = RtpPrefix::parse(datagram, self.rtp.tag()).ok_or(DropReason::SrtpTooShort)?;
        let seen = self.rtp_seen.find_mut(prefix.ssrc);
        let index = match &seen {
            None => Some(u64::from(prefix.sequence)),
            Some(window) => packet_index::estimate(window.newest(), prefix.sequence),
        };
        let index = index.ok_or(DropReason::SrtpAuthentication)?;
        refuse_replay(seen.as_deref(), index)?;
        let length = self
            .rtp
            .open_rtp(datagram, prefix.header, prefix.ssrc, index)
            .map_err(|_| DropReason::SrtpAuthentication)?;
        match seen {
            Some(window) => window.accept(index),
            None => remember(&mut self.rtp_seen, prefix.ssrc, index)?,
        }
        Ok(&mut datagram[..length])
    }

    pub(super) fn unprotect_rtcp<'d>(
        &mut self,
        datagram: &'d mut [u8],
    ) -> Result<&'d mut [u8], DropReason> {
        let trailer = self
            .rtcp
            .trailer(datagram)
            .ok_or(DropReason::SrtpTooShort)?;
        let ssrc = rtcp_ssrc(datagram).ok_or(DropReason::SrtpTooShort)?;
        let index = u64::from(trailer.index);
        let seen = self.rtcp_seen.find_mut(ssrc);
        refuse_replay(seen.as_deref(), index)?;
        let length = self
            .rtcp
            .open_rtcp(datagram, ssrc, trailer)
            .map_err(|_| DropReason::SrtpAuthentication)?;
        match seen {
            Some(window) => window.accept(index),
            None => remember(&mut self.rtcp_seen, ssrc, index)?,
        }
        Ok(&mut datagram[..length])
    }
}

fn refuse_replay(seen: Option<&SeenWindow>, index: u64) -> Result<(), DropReason> {
    match seen {
        Some(window) if !window.is_fresh(index) => Err(DropReason::SrtpReplay),
        _ => Ok(()),
    }
}

fn remember(
    table: &mut SsrcTable<SeenWindow, MAX_SSRCS>,
    ssrc: Ssrc,
    index: u64,
) -> Result<(), DropReason> {
    table
        .insert(ssrc, SeenWindow::starting_at(index))
        .map_err(|_| DropReason::TooManySsrcs)
}
