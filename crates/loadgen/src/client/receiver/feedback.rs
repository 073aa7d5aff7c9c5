//! Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): when each packet
//! came, told to the server ten times a second. The number is in a header extension, in the clear.

use plenum_media::{FEEDBACK_TICK_US, encode_feedback};
use plenum_types::Ssrc;

/// Most packets remembered between two messages.
const ARRIVALS_MAX: usize = 4_096;
/// The one-byte form of header extensions (RFC 8285 §4.2).
const ONE_BYTE: [u8; 2] = [0xbe, 0xde];

/// Arrivals since the last message.
pub(super) struct Feedback {
    id: u8,
    /// Number of the first in `arrivals`.
    base: u16,
    started: bool,
    /// Ticks of 250 µs; `None`: not come.
    arrivals: Vec<Option<u32>>,
    count: u8,
}

impl Feedback {
    /// For the extension with this id.
    pub(super) const fn new(id: u8) -> Self {
        Self {
            id,
            base: 0,
            started: false,
            arrivals: Vec::new(),
            count: 0,
        }
    }

    /// Remembers when a packet came, if it has a number.
    #[inline]
    pub(super) fn on_packet(&mut self, datagram: &[u8], wall_us: u64) {
        if let Some(sequence) = transport_sequence(datagram, self.id) {
            self.on_arrival(sequence, (wall_us / FEEDBACK_TICK_US) as u32);
        }
    }

    #[inline]
    fn on_arrival(&mut self, sequence: u16, ticks: u32) {
        if !self.started {
            self.started = true;
            self.base = sequence;
        }
        let index = usize::from(sequence.wrapping_sub(self.base));
        if index == self.arrivals.len() {
            self.arrivals.push(Some(ticks));
        } else if index < self.arrivals.len() {
            self.arrivals[index] = Some(ticks);
        } else if index < ARRIVALS_MAX {
            self.arrivals.resize(index, None);
            self.arrivals.push(Some(ticks));
        } else if index < usize::from(u16::MAX / 2) {
            // So many are missing that the old ones are of no interest any more.
            self.arrivals.clear();
            self.base = sequence;
            self.arrivals.push(Some(ticks));
        }
        // Else it is older than what has been told.
    }

    /// Whether everything has been told.
    pub(super) const fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// Writes a message of at most `budget` bytes; whether there was anything to tell.
    pub(super) fn write(
        &mut self,
        sender: Ssrc,
        media: Ssrc,
        budget: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        if self.arrivals.is_empty() {
            return false;
        }
        let arrivals = self.arrivals.iter().copied();
        let told = encode_feedback(sender, media, self.count, self.base, arrivals, budget, out)
            .map(|encoded| usize::from(encoded.statuses));
        // What cannot be told, for lack of room or of anything that came, is not told later.
        let gone = told.unwrap_or(self.arrivals.len()).max(1);
        self.arrivals.drain(..gone.min(self.arrivals.len()));
        self.base = self.base.wrapping_add(gone as u16);
        self.count = self.count.wrapping_add(u8::from(told.is_some()));
        told.is_some()
    }
}

/// The value of the one-byte extension `id`, if the packet has it.
#[inline]
fn transport_sequence(datagram: &[u8], id: u8) -> Option<u16> {
    let &[first, ..] = datagram.first_chunk::<16>()?;
    if first & 0x10 == 0 {
        return None;
    }
    let block = 12 + 4 * usize::from(first & 0x0f);
    let &[p0, p1, l0, l1] = datagram.get(block..)?.first_chunk::<4>()?;
    if [p0, p1] != ONE_BYTE {
        return None;
    }
    let length = 4 * usize::from(u16::from_be_bytes([l0, l1]));
    let elements = datagram.get(block + 4..block + 4 + length)?;
    let mut at = 0;
    while let Some(&header) = elements.get(at) {
        if header == 0 {
            at += 1;
            continue;
        }
        let length = usize::from(header & 0x0f) + 1;
        if header >> 4 == id {
            let value = elements.get(at + 1..at + 1 + length)?;
            return Some(u16::from_be_bytes(*value.first_chunk::<2>()?));
        }
        at += 1 + length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use plenum_rtp::rtcp::{RtcpPacket, RtcpPackets};

    fn packet(sequence: u16) -> Vec<u8> {
        let [s0, s1] = sequence.to_be_bytes();
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend([0xbe, 0xde, 0, 2, 0x40, b'7', 0, 0x31, s0, s1, 0, 0]);
        packet.extend([0x5a; 20]);
        packet
    }

    fn statuses(out: &[u8]) -> (u16, u16) {
        let Some(Ok(RtcpPacket::TransportFeedback { raw })) = RtcpPackets::new(out).next() else {
            panic!("no feedback");
        };
        let number = |at: usize| u16::from_be_bytes([raw[at], raw[at + 1]]);
        (number(12), number(14))
    }

    #[test]
    fn the_number_is_found_among_other_extensions() {
        assert_eq!(transport_sequence(&packet(513), 3), Some(513));
        assert_eq!(transport_sequence(&packet(513), 5), None);
        assert_eq!(transport_sequence(&packet(513)[..20], 3), None);
    }

    #[test]
    fn what_came_is_told_once_over_the_wrap() {
        let mut feedback = Feedback::new(3);
        for sequence in [65_534_u16, 65_535, 2, 0] {
            feedback.on_packet(&packet(sequence), 1_000_000);
        }
        let mut out = Vec::new();
        assert!(feedback.write(Ssrc(1), Ssrc(2), 1_000, &mut out));
        assert_eq!(statuses(&out), (65_534, 5));
        assert!(feedback.is_empty());
        out.clear();
        assert!(!feedback.write(Ssrc(1), Ssrc(2), 1_000, &mut out));
        feedback.on_packet(&packet(1), 1_000_000);
        assert!(feedback.is_empty(), "too late to be told");
        feedback.on_packet(&packet(4), 1_000_000);
        assert!(feedback.write(Ssrc(1), Ssrc(2), 1_000, &mut out));
        assert_eq!(statuses(&out), (3, 2));
    }

    #[test]
    fn what_does_not_fit_is_told_next() {
        let mut feedback = Feedback::new(3);
        for sequence in 0..900 {
            feedback.on_packet(&packet(sequence), u64::from(sequence) * 1_000);
        }
        let mut out = Vec::new();
        assert!(feedback.write(Ssrc(1), Ssrc(2), 600, &mut out));
        assert!(out.len() <= 600);
        let (base, told) = statuses(&out);
        assert!(base == 0 && told < 900);
        assert!(!feedback.is_empty());
        out.clear();
        assert!(feedback.write(Ssrc(1), Ssrc(2), 600, &mut out));
        assert_eq!(statuses(&out).0, told);
    }
}
