//! Walking a compound (RFC 3550 §6.1). Lengths are checked before anything is handed out, so the
//! iterators inside a packet cannot fail.

use plenum_types::{Bitrate, NtpTime, RtpTimestamp, Ssrc};

use super::iterators::{FirEntries, NackPairs, ReportBlocks, Ssrcs};
use super::wire::{
    BYE, FORMAT_APPLICATION, FORMAT_FIR, FORMAT_NACK, FORMAT_PLI, FORMAT_TRANSPORT_WIDE,
    HEADER_LEN, PAYLOAD_FEEDBACK, RECEIVER_REPORT, REMB, REPORT_BLOCK_LEN, SENDER_REPORT,
    SOURCE_DESCRIPTION, TRANSPORT_FEEDBACK, u32_at,
};
use crate::ParseError;

/// The sender's part of a sender report (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wall clock when the report was sent.
    pub ntp: NtpTime,
    /// The same instant on the stream's clock.
    pub rtp: RtpTimestamp,
    /// Packets sent so far.
    pub packets: u32,
    /// Payload bytes sent so far.
    pub bytes: u32,
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcpPacket<'a> {
    /// SR (RFC 3550 §6.4.1).
    SenderReport {
        /// Who reports.
        ssrc: Ssrc,
        /// About what it sends.
        info: SenderInfo,
        /// About what it receives.
        reports: ReportBlocks<'a>,
    },
    /// RR (RFC 3550 §6.4.2).
    ReceiverReport {
        /// Who reports.
        ssrc: Ssrc,
        /// About what it receives.
        reports: ReportBlocks<'a>,
    },
    /// BYE (RFC 3550 §6.6).
    Bye {
        /// Streams that end.
        ssrcs: Ssrcs<'a>,
    },
    /// Generic NACK (RFC 4585 §6.2.1).
    Nack {
        /// Who misses packets.
        sender: Ssrc,
        /// Of which stream.
        media: Ssrc,
        /// Which packets.
        pairs: NackPairs<'a>,
    },
    /// Picture loss indication (RFC 4585 §6.3.1): a keyframe is asked for.
    Pli {
        /// Who asks.
        sender: Ssrc,
        /// Of which stream.
        media: Ssrc,
    },
    /// Full intra request (RFC 5104 §4.3.1).
    Fir {
        /// Who asks.
        sender: Ssrc,
        /// Of which streams, with the number of the command.
        entries: FirEntries<'a>,
    },
    /// Receiver estimated maximum bitrate.
    Remb {
        /// Who estimates.
        sender: Ssrc,
        /// The total of the streams.
        bitrate: Bitrate,
        /// The streams.
        ssrcs: Ssrcs<'a>,
    },
    /// Transport-wide feedback, whole packet with its header.
    TransportFeedback {
        /// The packet.
        raw: &'a [u8],
    },
    /// SDES (RFC 3550 §6.5).
    SourceDescription,
    /// A packet of another type or format.
    Other,
}

/// The packets of a compound. Ends after the first error.
#[derive(Clone, Copy, Debug)]
pub struct RtcpPackets<'a> {
    rest: &'a [u8],
}

impl<'a> RtcpPackets<'a> {
    /// Walks an unprotected datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    /// Splits the next packet off.
    fn read_next(&mut self) -> Result<RtcpPacket<'a>, ParseError> {
        let &[first, _, l0, l1] = self
            .rest
            .first_chunk::<HEADER_LEN>()
            .ok_or(ParseError::Truncated)?;
        if first & 0xc0 != 0x80 {
            return Err(ParseError::WrongVersion);
        }
        let len = 4 * (usize::from(u16::from_be_bytes([l0, l1])) + 1);
        let (packet, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(ParseError::Truncated)?;
        self.rest = rest;
        if first & 0x20 == 0 {
            return read_packet(packet, packet);
        }
        // Browsers align transport-wide feedback by one to three bytes of padding, wherever it
        // stands in a compound, so neither RFC 3550's multiple of four nor "last only" holds.
        let padding = usize::from(packet[len - 1]);
        if padding == 0 || padding > len - HEADER_LEN {
            return Err(ParseError::BadPadding);
        }
        read_packet(&packet[..len - padding], packet)
    }
}

impl<'a> Iterator for RtcpPackets<'a> {
    type Item = Result<RtcpPacket<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let result = self.read_next();
        if result.is_err() {
            self.rest = &[];
        }
        Some(result)
    }
}

/// `packet` is without padding, `raw` with it.
fn read_packet<'a>(packet: &'a [u8], raw: &'a [u8]) -> Result<RtcpPacket<'a>, ParseError> {
    let count = packet[0] & 0x1f;
    let body = &packet[HEADER_LEN..];
    let read = match (packet[1], count) {
        (SENDER_REPORT, _) => sender_report(body, count),
        (RECEIVER_REPORT, _) => receiver_report(body, count),
        (SOURCE_DESCRIPTION, _) => Some(RtcpPacket::SourceDescription),
        (BYE, _) => body
            .get(..4 * usize::from(count))
            .map(|list| RtcpPacket::Bye {
                ssrcs: Ssrcs::new(list),
            }),
        (TRANSPORT_FEEDBACK, FORMAT_NACK) => nack(body),
        (TRANSPORT_FEEDBACK, FORMAT_TRANSPORT_WIDE) => {
            feedback(body).map(|_| RtcpPacket::TransportFeedback { raw })
        }
        (PAYLOAD_FEEDBACK, FORMAT_PLI) => {
            feedback(body).map(|(sender, media, _)| RtcpPacket::Pli { sender, media })
        }
        (PAYLOAD_FEEDBACK, FORMAT_FIR) => fir(body),
        (PAYLOAD_FEEDBACK, FORMAT_APPLICATION) => application(body),
        _ => Some(RtcpPacket::Other),
    };
    read.ok_or(ParseError::BadRtcp)
}

fn sender_report(body: &[u8], count: u8) -> Option<RtcpPacket<'_>> {
    let (info, reports) = body.split_first_chunk::<24>()?;
    let [high, low] = [u32_at(info, 4)?, u32_at(info, 8)?];
    Some(RtcpPacket::SenderReport {
        ssrc: Ssrc(u32_at(info, 0)?),
        info: SenderInfo {
            ntp: NtpTime(u64::from(high) << 32 | u64::from(low)),
            rtp: RtpTimestamp(u32_at(info, 12)?),
            packets: u32_at(info, 16)?,
            bytes: u32_at(info, 20)?,
        },
        reports: report_blocks(reports, count)?,
    })
}

fn receiver_report(body: &[u8], count: u8) -> Option<RtcpPacket<'_>> {
    let (ssrc, reports) = body.split_first_chunk::<4>()?;
    Some(RtcpPacket::ReceiverReport {
        ssrc: Ssrc(u32::from_be_bytes(*ssrc)),
        reports: report_blocks(reports, count)?,
    })
}

/// Behind the blocks there may be a profile's own extension, which is ignored.
fn report_blocks(bytes: &[u8], count: u8) -> Option<ReportBlocks<'_>> {
    bytes
        .get(..REPORT_BLOCK_LEN * usize::from(count))
        .map(ReportBlocks::new)
}

/// Sender, media source, and the control information behind them (RFC 4585 §6.1).
fn feedback(body: &[u8]) -> Option<(Ssrc, Ssrc, &[u8])> {
    Some((
        Ssrc(u32_at(body, 0)?),
        Ssrc(u32_at(body, 4)?),
        body.get(8..)?,
    ))
}

fn nack(body: &[u8]) -> Option<RtcpPacket<'_>> {
    let (sender, media, pairs) = feedback(body)?;
    let pairs = (!pairs.is_empty()).then(|| NackPairs::new(pairs))?;
    Some(RtcpPacket::Nack {
        sender,
        media,
        pairs,
    })
}

fn fir(body: &[u8]) -> Option<RtcpPacket<'_>> {
    let (sender, _, entries) = feedback(body)?;
    if entries.is_empty() || entries.len() % 8 != 0 {
        return None;
    }
    Some(RtcpPacket::Fir {
        sender,
        entries: FirEntries::new(entries),
    })
}

/// Application layer feedback: REMB, or something that is none of ours.
fn application(body: &[u8]) -> Option<RtcpPacket<'_>> {
    let (sender, _, rest) = feedback(body)?;
    let Some(rest) = rest.strip_prefix(&REMB) else {
        return Some(RtcpPacket::Other);
    };
    let (&[count, m0, m1, m2], ssrcs) = rest.split_first_chunk::<4>()?;
    let exponent = u32::from(m0 >> 2);
    let mantissa = u64::from(u32::from_be_bytes([0, m0 & 3, m1, m2]));
    // What does not fit 64 bits is more than any link: as much as can be said.
    let bitrate = if mantissa.leading_zeros() < exponent {
        u64::MAX
    } else {
        mantissa << exponent
    };
    Some(RtcpPacket::Remb {
        sender,
        bitrate: Bitrate(bitrate),
        ssrcs: Ssrcs::new(ssrcs.get(..4 * usize::from(count))?),
    })
}
