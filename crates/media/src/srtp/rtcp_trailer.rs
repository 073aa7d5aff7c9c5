//! The word that SRTCP appends: E flag and 31-bit index (RFC 3711 §3.4).

/// Bytes of the word.
pub(super) const TRAILER: usize = 4;

/// Bytes at the start of a compound packet that are never encrypted: header and sender SSRC.
pub(super) const RTCP_CLEAR: usize = 8;

/// Highest SRTCP index.
pub(super) const MAX_INDEX: u32 = 0x7fff_ffff;

/// E flag and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RtcpTrailer {
    pub(super) encrypted: bool,
    pub(super) index: u32,
}

impl RtcpTrailer {
    pub(super) const fn encrypted(index: u32) -> Self {
        Self {
            encrypted: true,
            index,
        }
    }

    pub(super) fn from_bytes(bytes: [u8; TRAILER]) -> Self {
        let word = u32::from_be_bytes(bytes);
        Self {
            encrypted: word > MAX_INDEX,
            index: word & MAX_INDEX,
        }
    }

    pub(super) fn to_bytes(self) -> [u8; TRAILER] {
        let flag = u32::from(self.encrypted) << 31;
        (flag | self.index).to_be_bytes()
    }
}
