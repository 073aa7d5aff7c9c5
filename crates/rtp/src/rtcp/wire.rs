//! Numbers of the RTCP wire format.

/// Packet types (RFC 3550 §12.1, RFC 4585 §6.1).
pub(super) const SENDER_REPORT: u8 = 200;
pub(super) const RECEIVER_REPORT: u8 = 201;
pub(super) const SOURCE_DESCRIPTION: u8 = 202;
pub(super) const BYE: u8 = 203;
pub(super) const TRANSPORT_FEEDBACK: u8 = 205;
pub(super) const PAYLOAD_FEEDBACK: u8 = 206;

/// Formats of transport feedback.
pub(super) const FORMAT_NACK: u8 = 1;
pub(super) const FORMAT_TRANSPORT_WIDE: u8 = 15;
/// Formats of payload-specific feedback.
pub(super) const FORMAT_PLI: u8 = 1;
pub(super) const FORMAT_FIR: u8 = 4;
pub(super) const FORMAT_APPLICATION: u8 = 15;

/// The unique identifier of REMB.
pub(super) const REMB: [u8; 4] = *b"REMB";

/// Bytes of the common header.
pub(super) const HEADER_LEN: usize = 4;
/// Bytes of a report block.
pub(super) const REPORT_BLOCK_LEN: usize = 24;

/// Reads 32 bits at `at`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
