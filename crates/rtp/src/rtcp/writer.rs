//! Composing a compound (RFC 3550 §6.1), packet after packet, at the end of a buffer.
//!
//! Invariant: the buffer always holds whole packets, so a compound may be cut before any call.

use plenum_types::{Bitrate, SequenceNumber, Ssrc};

use super::iterators::ReportBlock;
use super::reader::SenderInfo;
use super::wire::{
    BYE, FORMAT_APPLICATION, FORMAT_FIR, FORMAT_NACK, FORMAT_PLI, PAYLOAD_FEEDBACK,
    RECEIVER_REPORT, REMB, SENDER_REPORT, SOURCE_DESCRIPTION, TRANSPORT_FEEDBACK,
};

/// The count in the header has 5 bits: report blocks, or sources of a BYE, per packet.
const MAX_COUNT: usize = 31;
/// Most NACK pairs per packet, so that one is at most 1,012 bytes; more start another.
const MAX_NACK_PAIRS: usize = 250;
/// The type of the CNAME item (RFC 3550 §6.5.1), and the longest text of an item.
const CNAME: u8 = 1;
const MAX_ITEM_LEN: usize = 255;
/// REMB counts its streams in a byte.
const MAX_REMB_SSRCS: usize = 255;
/// Bits of the mantissa of REMB.
const REMB_MANTISSA_BITS: u32 = 18;

/// Appends RTCP packets to a buffer.
///
/// A compound starts with a report and a source description, then whatever else (RFC 3550 §6.1).
#[derive(Debug)]
pub struct RtcpWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> RtcpWriter<'a> {
    /// Appends to `out`, which keeps what it holds.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Bytes in the buffer.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether the buffer is empty.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// SR: `28 + 24 × blocks` bytes. More than 31 blocks continue in receiver reports.
    pub fn sender_report(&mut self, ssrc: Ssrc, info: &SenderInfo, blocks: &[ReportBlock]) {
        let (first, more) = blocks.split_at(blocks.len().min(MAX_COUNT));
        let start = self.begin(first.len(), SENDER_REPORT);
        self.word(ssrc.0);
        self.out.extend_from_slice(&info.ntp.0.to_be_bytes());
        self.word(info.rtp.0);
        self.word(info.packets);
        self.word(info.bytes);
        self.blocks(first);
        self.end(start);
        if !more.is_empty() {
            self.receiver_report(ssrc, more);
        }
    }

    /// RR: `8 + 24 × blocks` bytes. More than 31 blocks continue in another.
    pub fn receiver_report(&mut self, ssrc: Ssrc, blocks: &[ReportBlock]) {
        let mut rest = blocks;
        loop {
            let (some, more) = rest.split_at(rest.len().min(MAX_COUNT));
            let start = self.begin(some.len(), RECEIVER_REPORT);
            self.word(ssrc.0);
            self.blocks(some);
            self.end(start);
            if more.is_empty() {
                return;
            }
            rest = more;
        }
    }

    /// SDES with a CNAME, of which the first 255 bytes count.
    pub fn sdes_cname(&mut self, ssrc: Ssrc, cname: &str) {
        let text = &cname.as_bytes()[..cname.len().min(MAX_ITEM_LEN)];
        let start = self.begin(1, SOURCE_DESCRIPTION);
        self.word(ssrc.0);
        self.out.extend_from_slice(&[CNAME, text.len() as u8]);
        self.out.extend_from_slice(text);
        // At least one zero ends the list of items.
        self.out.push(0);
        self.pad(start);
        self.end(start);
    }

    /// Generic NACK of the packets in `lost`, which must ascend. Writes nothing if there are none.
    pub fn nack(
        &mut self,
        sender: Ssrc,
        media: Ssrc,
        lost: impl IntoIterator<Item = SequenceNumber>,
    ) {
        let mut pairs = Pairs {
            lost: lost.into_iter(),
            next: None,
        }
        .peekable();
        while pairs.peek().is_some() {
            let start = self.begin_feedback(TRANSPORT_FEEDBACK, FORMAT_NACK, sender, media);
            for (packet_id, following) in pairs.by_ref().take(MAX_NACK_PAIRS) {
                self.word(u32::from(packet_id.0) << 16 | u32::from(following));
            }
            self.end(start);
        }
    }

    /// PLI: 12 bytes.
    pub fn pli(&mut self, sender: Ssrc, media: Ssrc) {
        let start = self.begin_feedback(PAYLOAD_FEEDBACK, FORMAT_PLI, sender, media);
        self.end(start);
    }

    /// FIR for one stream: 20 bytes. `sequence` must change with every new command.
    pub fn fir(&mut self, sender: Ssrc, media: Ssrc, sequence: u8) {
        // The media source of the header is unused (RFC 5104 §4.3.1.2).
        let start = self.begin_feedback(PAYLOAD_FEEDBACK, FORMAT_FIR, sender, Ssrc(0));
        self.word(media.0);
        self.word(u32::from(sequence) << 24);
        self.end(start);
    }

    /// REMB for `ssrcs`, of which the first 255 count. The bitrate is rounded down to 18
    /// significant bits.
    pub fn remb(&mut self, sender: Ssrc, bitrate: Bitrate, ssrcs: &[Ssrc]) {
        let ssrcs = &ssrcs[..ssrcs.len().min(MAX_REMB_SSRCS)];
        let significant = u64::BITS - bitrate.0.leading_zeros();
        let exponent = significant.saturating_sub(REMB_MANTISSA_BITS);
        let mantissa = (bitrate.0 >> exponent) as u32;
        let start = self.begin_feedback(PAYLOAD_FEEDBACK, FORMAT_APPLICATION, sender, Ssrc(0));
        self.out.extend_from_slice(&REMB);
        self.word((ssrcs.len() as u32) << 24 | exponent << REMB_MANTISSA_BITS | mantissa);
        for ssrc in ssrcs {
            self.word(ssrc.0);
        }
        self.end(start);
    }

    /// BYE: the streams end. Writes nothing if there are none.
    pub fn bye(&mut self, ssrcs: &[Ssrc]) {
        for some in ssrcs.chunks(MAX_COUNT) {
            let start = self.begin(some.len(), BYE);
            for ssrc in some {
                self.word(ssrc.0);
            }
            self.end(start);
        }
    }

    /// A packet made elsewhere, header and all (transport-wide feedback).
    pub fn raw(&mut self, packet: &[u8]) {
        self.out.extend_from_slice(packet);
    }

    /// Starts a packet; its length is filled in by [`Self::end`].
    fn begin(&mut self, count: usize, packet_type: u8) -> usize {
        let start = self.out.len();
        self.out
            .extend_from_slice(&[0x80 | count as u8, packet_type, 0, 0]);
        start
    }

    fn begin_feedback(&mut self, packet_type: u8, format: u8, sender: Ssrc, media: Ssrc) -> usize {
        let start = self.begin(usize::from(format), packet_type);
        self.word(sender.0);
        self.word(media.0);
        start
    }

    fn end(&mut self, start: usize) {
        let words = (self.out.len() - start) / 4 - 1;
        self.out[start + 2..start + 4].copy_from_slice(&(words as u16).to_be_bytes());
    }

    fn pad(&mut self, start: usize) {
        let len = self.out.len() - start;
        self.out.resize(start + len.next_multiple_of(4), 0);
    }

    fn word(&mut self, word: u32) {
        self.out.extend_from_slice(&word.to_be_bytes());
    }

    fn blocks(&mut self, blocks: &[ReportBlock]) {
        for block in blocks {
            self.out.extend_from_slice(&block.to_wire());
        }
    }
}

/// Packs ascending sequence numbers into packet id and bitmask of the 16 that follow
/// (RFC 4585 §6.2.1).
struct Pairs<I> {
    lost: I,
    next: Option<SequenceNumber>,
}

impl<I: Iterator<Item = SequenceNumber>> Iterator for Pairs<I> {
    type Item = (SequenceNumber, u16);

    fn next(&mut self) -> Option<Self::Item> {
        let packet_id = self.next.take().or_else(|| self.lost.next())?;
        let mut following = 0;
        for sequence in self.lost.by_ref() {
            match sequence.distance_from(packet_id) {
                0 => {}
                distance @ 1..=16 => following |= 1 << (distance - 1),
                _ => {
                    self.next = Some(sequence);
                    break;
                }
            }
        }
        Some((packet_id, following))
    }
}
