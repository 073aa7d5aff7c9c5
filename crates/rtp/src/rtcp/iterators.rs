//! The repeated parts of RTCP packets, decoded one by one as they are asked for.

use plenum_types::{SequenceNumber, Ssrc};

use super::wire::REPORT_BLOCK_LEN;

/// Reception statistics of one stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream that is reported on.
    pub ssrc: Ssrc,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the start, 24 bits signed; negative if duplicates outnumber losses.
    pub cumulative_lost: i32,
    /// Highest sequence number received, extended by the count of cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report; 0 if there was none.
    pub last_sr: u32,
    /// Since that report, in 1/65,536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    /// The range of the 24-bit count of lost packets.
    const LOST_MIN: i32 = -(1 << 23);
    const LOST_MAX: i32 = (1 << 23) - 1;

    fn from_wire(bytes: &[u8; REPORT_BLOCK_LEN]) -> Self {
        let word = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self {
            ssrc: Ssrc(word(0)),
            fraction_lost: bytes[4],
            // Shifted up and back so that the sign of the 24 bits extends.
            cumulative_lost: (word(4) << 8).cast_signed() >> 8,
            highest_sequence: word(8),
            jitter: word(12),
            last_sr: word(16),
            delay_since_last_sr: word(20),
        }
    }

    pub(super) fn to_wire(self) -> [u8; REPORT_BLOCK_LEN] {
        let lost = self.cumulative_lost.clamp(Self::LOST_MIN, Self::LOST_MAX);
        let lost = lost.cast_unsigned() & 0x00ff_ffff | u32::from(self.fraction_lost) << 24;
        let words = [
            self.ssrc.0,
            lost,
            self.highest_sequence,
            self.jitter,
            self.last_sr,
            self.delay_since_last_sr,
        ];
        let mut bytes = [0; REPORT_BLOCK_LEN];
        for (field, word) in bytes.chunks_exact_mut(4).zip(words) {
            field.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
}

macro_rules! wire_iterator {
    ($(#[$doc:meta])* $name:ident, $size:literal, $item:ty, $decode:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a> {
            bytes: &'a [u8],
        }

        impl<'a> $name<'a> {
            pub(super) fn new(bytes: &'a [u8]) -> Self {
                Self { bytes }
            }
        }

        impl Iterator for $name<'_> {
            type Item = $item;

            fn next(&mut self) -> Option<$item> {
                let (item, rest) = self.bytes.split_first_chunk::<$size>()?;
                self.bytes = rest;
                let decode: fn(&[u8; $size]) -> $item = $decode;
                Some(decode(item))
            }
        }
    };
}

wire_iterator!(
    /// The report blocks of a sender or receiver report.
    ReportBlocks, 24, ReportBlock, ReportBlock::from_wire
);
wire_iterator!(
    /// A list of SSRCs.
    Ssrcs, 4, Ssrc, |bytes| Ssrc(u32::from_be_bytes(*bytes))
);
wire_iterator!(
    /// The entries of a FIR (RFC 5104 §4.3.1): stream and command sequence number.
    FirEntries, 8, (Ssrc, u8), |&[a, b, c, d, sequence, ..]| {
        (Ssrc(u32::from_be_bytes([a, b, c, d])), sequence)
    }
);

/// The lost packets that a NACK names (RFC 4585 §6.2.1), in the order of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NackPairs<'a> {
    /// Pairs not begun yet.
    bytes: &'a [u8],
    /// The number that bit 0 of `following` stands for, less one.
    packet_id: u16,
    /// Bits of the current pair that were not given yet, bit 0 next.
    following: u16,
}

impl<'a> NackPairs<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            packet_id: 0,
            following: 0,
        }
    }
}

impl Iterator for NackPairs<'_> {
    type Item = SequenceNumber;

    fn next(&mut self) -> Option<SequenceNumber> {
        if self.following != 0 {
            let bit = self.following.trailing_zeros() as u16;
            self.following &= self.following - 1;
            return Some(SequenceNumber(self.packet_id.wrapping_add(bit + 1)));
        }
        let (&[p0, p1, b0, b1], rest) = self.bytes.split_first_chunk::<4>()?;
        self.bytes = rest;
        self.packet_id = u16::from_be_bytes([p0, p1]);
        self.following = u16::from_be_bytes([b0, b1]);
        Some(SequenceNumber(self.packet_id))
    }
}
