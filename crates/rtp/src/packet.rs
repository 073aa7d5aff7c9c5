//! The fixed RTP header (RFC 3550 §5.1) and where the rest of the packet lies.

use plenum_types::{RtpTimestamp, SequenceNumber, Ssrc};

use crate::ParseError;

/// Bytes of the header without CSRCs and extensions.
pub(crate) const FIXED_LEN: usize = 12;
/// Version 2 in the two upper bits of the first byte.
pub(crate) const VERSION: u8 = 0x80;
/// The P bit of the first byte.
pub(crate) const PADDING_BIT: u8 = 0x20;
/// The X bit of the first byte.
pub(crate) const EXTENSION_BIT: u8 = 0x10;
/// The M bit of the second byte.
const MARKER_BIT: u8 = 0x80;

/// Parsed RTP header. Offsets count from the start of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpHeader {
    /// The M bit: for video, the last packet of a picture.
    pub marker: bool,
    /// 7 bits.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: SequenceNumber,
    /// The media time.
    pub timestamp: RtpTimestamp,
    /// The sender's stream.
    pub ssrc: Ssrc,
    /// Where the payload starts.
    pub payload_offset: usize,
    /// Bytes of payload, without padding.
    pub payload_len: usize,
    /// Bytes of padding after the payload, including the count byte.
    pub padding_len: usize,
    /// Contributing sources, 0 to 15, four bytes each behind the fixed header.
    pub(crate) csrc_count: u8,
    /// The extension block, if the X bit is set.
    pub(crate) extension: Option<ExtensionBlock>,
}

/// Where the header extension block is (RFC 3550 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExtensionBlock {
    /// "Defined by profile": tells the form of RFC 8285.
    pub(crate) profile: u16,
    /// Where its elements start.
    pub(crate) offset: u16,
    /// Bytes of elements.
    pub(crate) len: u16,
}

impl RtpHeader {
    /// Reads the header of an unprotected packet and checks every length in it.
    pub fn parse(packet: &[u8]) -> Result<Self, ParseError> {
        if packet.len() > usize::from(u16::MAX) {
            return Err(ParseError::TooLong);
        }
        let (fixed, extension, payload_offset) = parse_lengths(packet)?;
        let padding_len = padding_len(packet, fixed[0])?;
        let payload_len = (packet.len() - payload_offset)
            .checked_sub(padding_len)
            .ok_or(ParseError::BadPadding)?;
        Ok(Self {
            marker: fixed[1] & MARKER_BIT != 0,
            payload_type: fixed[1] & !MARKER_BIT,
            sequence: SequenceNumber(u16::from_be_bytes([fixed[2], fixed[3]])),
            timestamp: RtpTimestamp(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]])),
            ssrc: Ssrc(u32::from_be_bytes([
                fixed[8], fixed[9], fixed[10], fixed[11],
            ])),
            payload_offset,
            payload_len,
            padding_len,
            csrc_count: fixed[0] & 0x0f,
            extension,
        })
    }

    /// Bytes of header, CSRCs and extensions, of a packet whose payload may still be encrypted.
    pub fn length_of(packet: &[u8]) -> Result<usize, ParseError> {
        let (_, _, payload_offset) = parse_lengths(packet)?;
        Ok(payload_offset)
    }

    /// The payload without padding; empty if `packet` is shorter than the one that was parsed.
    pub fn payload<'p>(&self, packet: &'p [u8]) -> &'p [u8] {
        packet
            .get(self.payload_offset..self.payload_offset + self.payload_len)
            .unwrap_or_default()
    }

    /// Fixed header and CSRCs.
    pub(crate) fn csrc_end(&self) -> usize {
        FIXED_LEN + 4 * usize::from(self.csrc_count)
    }
}

type Lengths<'p> = (&'p [u8; FIXED_LEN], Option<ExtensionBlock>, usize);

/// The fixed header, the extension block, and where the payload starts.
fn parse_lengths(packet: &[u8]) -> Result<Lengths<'_>, ParseError> {
    let fixed = packet
        .first_chunk::<FIXED_LEN>()
        .ok_or(ParseError::Truncated)?;
    if fixed[0] & 0xc0 != VERSION {
        return Err(ParseError::WrongVersion);
    }
    let csrc_end = FIXED_LEN + 4 * usize::from(fixed[0] & 0x0f);
    if fixed[0] & EXTENSION_BIT == 0 {
        if packet.len() < csrc_end {
            return Err(ParseError::Truncated);
        }
        return Ok((fixed, None, csrc_end));
    }
    let &[p0, p1, l0, l1] = packet
        .get(csrc_end..)
        .and_then(<[u8]>::first_chunk::<4>)
        .ok_or(ParseError::Truncated)?;
    let offset = csrc_end + 4;
    let len = 4 * usize::from(u16::from_be_bytes([l0, l1]));
    if packet.len() < offset + len {
        return Err(ParseError::Truncated);
    }
    let block = ExtensionBlock {
        profile: u16::from_be_bytes([p0, p1]),
        offset: offset as u16,
        len: u16::try_from(len).map_err(|_| ParseError::TooLong)?,
    };
    Ok((fixed, Some(block), offset + len))
}

/// Bytes of padding that the last byte announces.
fn padding_len(packet: &[u8], first: u8) -> Result<usize, ParseError> {
    if first & PADDING_BIT == 0 {
        return Ok(0);
    }
    match packet.last() {
        None | Some(0) => Err(ParseError::BadPadding),
        Some(&count) => Ok(usize::from(count)),
    }
}

/// Writes a fixed header without padding. `first` holds the X bit and the CSRC count.
pub(crate) fn fixed_header(
    first: u8,
    marker: bool,
    payload_type: u8,
    sequence: SequenceNumber,
    timestamp: RtpTimestamp,
    ssrc: Ssrc,
) -> [u8; FIXED_LEN] {
    let [s0, s1] = sequence.0.to_be_bytes();
    let [t0, t1, t2, t3] = timestamp.0.to_be_bytes();
    let [c0, c1, c2, c3] = ssrc.0.to_be_bytes();
    let second = payload_type & !MARKER_BIT | if marker { MARKER_BIT } else { 0 };
    [
        VERSION | first,
        second,
        s0,
        s1,
        t0,
        t1,
        t2,
        t3,
        c0,
        c1,
        c2,
        c3,
    ]
}

/// Whether a datagram that RFC 7983 assigns to RTP or RTCP is RTCP (RFC 5761 §4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, 192..=223, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: [u8; 14] = [0x80, 0xe0, 0x12, 0x34, 0, 0, 0, 9, 0, 0, 0, 7, 0xaa, 0xbb];

    #[test]
    fn reads_the_fixed_fields() {
        let header = RtpHeader::parse(&PLAIN).unwrap();
        assert!(header.marker);
        assert_eq!(header.payload_type, 96);
        assert_eq!(header.sequence, SequenceNumber(0x1234));
        assert_eq!(header.timestamp, RtpTimestamp(9));
        assert_eq!(header.ssrc, Ssrc(7));
        assert_eq!(header.payload(&PLAIN), [0xaa, 0xbb]);
        assert_eq!(header.padding_len, 0);
    }

    #[test]
    fn skips_csrcs_and_extensions() {
        let mut packet = vec![0x92, 0x60, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7];
        packet.extend([1; 8]);
        packet.extend([0xbe, 0xde, 0, 1, 0, 0, 0, 0]);
        packet.push(0xcc);
        let header = RtpHeader::parse(&packet).unwrap();
        assert_eq!(header.payload_offset, 28);
        assert_eq!(header.payload(&packet), [0xcc]);
        assert_eq!(RtpHeader::length_of(&packet), Ok(28));
        for end in 0..28 {
            assert_eq!(RtpHeader::parse(&packet[..end]), Err(ParseError::Truncated));
        }
    }

    #[test]
    fn takes_padding_off() {
        let mut packet = PLAIN.to_vec();
        packet[0] |= PADDING_BIT;
        packet.extend([0, 0, 3]);
        let header = RtpHeader::parse(&packet).unwrap();
        assert_eq!((header.payload_len, header.padding_len), (2, 3));
    }

    #[test]
    fn padding_alone_leaves_an_empty_payload() {
        let mut packet = PLAIN[..12].to_vec();
        packet[0] |= PADDING_BIT;
        packet.extend([0, 2]);
        assert_eq!(RtpHeader::parse(&packet).unwrap().payload_len, 0);
    }

    #[test]
    fn refuses_impossible_padding() {
        for count in [0, 4, 255] {
            let mut packet = PLAIN.to_vec();
            packet[0] |= PADDING_BIT;
            packet.push(count);
            assert_eq!(RtpHeader::parse(&packet), Err(ParseError::BadPadding));
        }
    }

    #[test]
    fn refuses_other_versions() {
        let mut packet = PLAIN;
        packet[0] = 0x40;
        assert_eq!(RtpHeader::parse(&packet), Err(ParseError::WrongVersion));
    }

    #[test]
    fn rtcp_is_told_by_its_packet_type() {
        assert!(is_rtcp(&[0x80, 200]));
        assert!(is_rtcp(&[0x81, 206, 0]));
        assert!(!is_rtcp(&[0x80, 96]));
        assert!(!is_rtcp(&[0x80, 0xe0]));
        assert!(!is_rtcp(&[0x16, 200]));
        assert!(!is_rtcp(&[0x80]));
    }
}
