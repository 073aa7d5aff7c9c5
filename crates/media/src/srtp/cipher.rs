//! The protection of one purpose (SRTP or SRTCP) in one direction: an enum over the profiles, so
//! that the packet path has no virtual call.

use super::counter_mode::{self, CounterMode};
use super::gcm::{self, Gcm};
use super::keys::{self, MasterKey, Purpose};
use super::rtcp_trailer::{RTCP_CLEAR, RtcpTrailer, TRAILER};
use crate::MediaError;
use plenum_types::{SrtpProfile, Ssrc};

/// The cryptography library refused: on opening, because the packet is not authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused;

pub(super) enum Cipher {
    Gcm(Gcm),
    /// Boxed: it is 40 times as large, and only old clients need it.
    CounterMode(Box<CounterMode>),
}

impl Cipher {
    pub(super) fn new(
        profile: SrtpProfile,
        master: &MasterKey<'_>,
        purpose: Purpose,
    ) -> Result<Self, MediaError> {
        let keys = keys::derive(master, purpose)?;
        Ok(match profile {
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => {
                Self::Gcm(Gcm::new(&keys, master.key.len())?)
            }
            SrtpProfile::Aes128CmSha1_80 => Self::CounterMode(Box::new(CounterMode::new(&keys)?)),
        })
    }

    /// Whether two packets under one index would give the authentication key away.
    pub(super) const fn forbids_index_reuse(&self) -> bool {
        matches!(self, Self::Gcm(_))
    }

    /// Bytes of the authentication tag.
    pub(super) const fn tag(&self) -> usize {
        match self {
            Self::Gcm(_) => gcm::TAG,
            Self::CounterMode(_) => counter_mode::TAG,
        }
    }

    /// E flag and index of an SRTCP datagram; `None` if it is too short.
    pub(super) fn trailer(&self, datagram: &[u8]) -> Option<RtcpTrailer> {
        let after = match self {
            Self::Gcm(_) => 0,
            Self::CounterMode(_) => counter_mode::TAG,
        };
        if datagram.len() < RTCP_CLEAR + TRAILER + self.tag() {
            return None;
        }
        let (_, bytes) = datagram[..datagram.len() - after].split_last_chunk()?;
        Some(RtcpTrailer::from_bytes(*bytes))
    }

    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        header: usize,
        length: usize,
        ssrc: Ssrc,
        index: u64,
    ) -> Result<usize, Refused> {
        match self {
            Self::Gcm(gcm) => gcm.seal_rtp(buffer, header, length, ssrc, index),
            Self::CounterMode(counter) => counter.seal_rtp(buffer, header, length, ssrc, index),
        }
    }

    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        ssrc: Ssrc,
        index: u64,
    ) -> Result<usize, Refused> {
        match self {
            Self::Gcm(gcm) => gcm.open_rtp(packet, header, ssrc, index),
            Self::CounterMode(counter) => counter.open_rtp(packet, header, ssrc, index),
        }
    }

    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        length: usize,
        ssrc: Ssrc,
        index: u32,
    ) -> Result<usize, Refused> {
        match self {
            Self::Gcm(gcm) => gcm.seal_rtcp(buffer, length, ssrc, index),
            Self::CounterMode(counter) => counter.seal_rtcp(buffer, length, ssrc, index),
        }
    }

    pub(super) fn open_rtcp(
        &self,
        datagram: &mut [u8],
        ssrc: Ssrc,
        trailer: RtcpTrailer,
    ) -> Result<usize, Refused> {
        match self {
            Self::Gcm(gcm) => gcm.open_rtcp(datagram, ssrc, trailer),
            Self::CounterMode(counter) => counter.open_rtcp(datagram, ssrc, trailer),
        }
    }
}
