//! Telling apart the protocols that share one UDP port, by their first byte (RFC 7983 §7) and,
//! for RTP and RTCP, by their second (RFC 5761 §4). RTP comes first because it is the commonest.

/// What a datagram carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// First byte 128 to 191, not RTCP.
    Rtp,
    /// First byte 128 to 191, packet type 192 to 223.
    Rtcp,
    /// First byte 0 to 3.
    Stun,
    /// First byte 20 to 63.
    Dtls,
    /// Empty, or a first byte of no protocol of ours.
    Unknown,
}

/// Says what `datagram` carries. Looks at two bytes and never fails.
#[inline]
pub fn demux(datagram: &[u8]) -> Protocol {
    match datagram {
        [128..=191, 192..=223, ..] => Protocol::Rtcp,
        [128..=191, _, ..] => Protocol::Rtp,
        [0..=3, ..] => Protocol::Stun,
        [20..=63, ..] => Protocol::Dtls,
        _ => Protocol::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_has_its_protocol() {
        for first in 0..=255u8 {
            let expected = match first {
                0..=3 => Protocol::Stun,
                20..=63 => Protocol::Dtls,
                128..=191 => Protocol::Rtp,
                _ => Protocol::Unknown,
            };
            assert_eq!(demux(&[first, 0]), expected, "first byte {first}");
        }
    }

    #[test]
    fn rtcp_is_told_from_rtp_by_the_packet_type() {
        assert_eq!(demux(&[0x80, 200]), Protocol::Rtcp);
        assert_eq!(demux(&[0x80, 206]), Protocol::Rtcp);
        assert_eq!(demux(&[0x80, 96]), Protocol::Rtp);
        // Payload type 96 with the marker bit.
        assert_eq!(demux(&[0x80, 0x80 | 96]), Protocol::Rtp);
    }

    #[test]
    fn short_datagrams_do_not_matter() {
        assert_eq!(demux(&[]), Protocol::Unknown);
        assert_eq!(demux(&[0x80]), Protocol::Unknown);
        assert_eq!(demux(&[0x16]), Protocol::Dtls);
    }
}
