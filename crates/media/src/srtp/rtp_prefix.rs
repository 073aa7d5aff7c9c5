//! The little that SRTP must know of a packet: SSRC, sequence number, where the header ends.

use plenum_types::Ssrc;

/// Bytes of the fixed RTP header.
const FIXED: usize = 12;

/// Read from an RTP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RtpPrefix {
    pub(super) sequence: u16,
    pub(super) ssrc: Ssrc,
    /// Bytes of the header with CSRCs and extension: what stays in clear.
    pub(super) header: usize,
}

impl RtpPrefix {
    /// `None` if the packet has no room for its header and `tag` bytes after it.
    pub(super) fn parse(packet: &[u8], tag: usize) -> Option<Self> {
        let end = packet.len().checked_sub(tag)?;
        let fixed: &[u8; FIXED] = packet[..end].first_chunk()?;
        let mut header = FIXED + 4 * usize::from(fixed[0] & 0x0f);
        if fixed[0] & 0x10 != 0 {
            let words = packet[..end].get(header + 2..header + 4)?;
            header += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
        }
        (header <= end).then_some(Self {
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            ssrc: Ssrc(u32::from_be_bytes([
                fixed[8], fixed[9], fixed[10], fixed[11],
            ])),
            header,
        })
    }
}

/// SSRC of the sender of a compound RTCP packet.
pub(super) fn rtcp_ssrc(packet: &[u8]) -> Option<Ssrc> {
    let bytes = packet.get(4..8)?;
    Some(Ssrc(u32::from_be_bytes(bytes.try_into().ok()?)))
}
