//! Receiving retransmissions (RFC 4588 §4): the original packet inside the one that repairs it.

use plenum_types::Ssrc;

use crate::RtpHeader;
use crate::patch::OSN_LEN;

/// The M bit stays as it is.
const MARKER_BIT: u8 = 0x80;

/// Turns a received retransmission into the original packet, in place, and returns its length.
///
/// The original sequence number moves from the payload to the header; `ssrc` and `payload_type`
/// are those of the stream it repairs. `header` must be `packet`'s own and is stale afterwards.
/// `None` if there is no original inside (a probe of padding alone); the packet is then untouched.
pub fn unwrap_rtx(
    packet: &mut [u8],
    header: &RtpHeader,
    ssrc: Ssrc,
    payload_type: u8,
) -> Option<usize> {
    if header.payload_len < OSN_LEN {
        return None;
    }
    let start = header.payload_offset;
    let original = *packet.get(start..)?.first_chunk::<OSN_LEN>()?;
    packet.copy_within(start + OSN_LEN.., start);
    packet[1] = packet[1] & MARKER_BIT | payload_type & !MARKER_BIT;
    packet[2..4].copy_from_slice(&original);
    packet[8..12].copy_from_slice(&ssrc.0.to_be_bytes());
    Some(packet.len() - OSN_LEN)
}
