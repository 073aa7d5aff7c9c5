//! What a synthetic payload says about itself.
//!
//! A stamp is the last [`Stamp::WIRE_LEN`] bytes of a payload. It is spread over seven bits a
//! byte with the upper bit set, so it can never look like a start code of H.264 or a length.

/// Bytes of the plain form.
const PLAIN_LEN: usize = 28;

/// A frame and a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Which source, as the scenario numbers them.
    pub source: u32,
    /// Which encoding of it, smallest picture first.
    pub encoding: u8,
    /// Which frame of that encoding.
    pub frame: u32,
    /// The frame that it refers to; `None` for a keyframe and for audio.
    pub reference: Option<u32>,
    /// Temporal layer.
    pub temporal: u8,
    /// Which packet of the frame, from 0.
    pub part: u16,
    /// How many packets the frame has.
    pub parts: u16,
    /// When the frame was captured, microseconds since the start of the simulation.
    pub captured_us: u64,
}

impl Stamp {
    /// Bytes on the wire.
    pub const WIRE_LEN: usize = PLAIN_LEN.div_ceil(7) * 8;

    /// Whether a decoder can start here.
    pub const fn keyframe(&self) -> bool {
        self.reference.is_none()
    }

    /// Appends the stamp to a payload.
    pub fn write(&self, payload: &mut Vec<u8>) {
        let mut plain = [0; PLAIN_LEN];
        plain[0..4].copy_from_slice(&self.source.to_be_bytes());
        plain[4] = self.encoding;
        plain[5] = self.temporal;
        plain[6..10].copy_from_slice(&self.frame.to_be_bytes());
        plain[10..14].copy_from_slice(&self.reference.unwrap_or(u32::MAX).to_be_bytes());
        plain[14..16].copy_from_slice(&self.part.to_be_bytes());
        plain[16..18].copy_from_slice(&self.parts.to_be_bytes());
        plain[18..26].copy_from_slice(&self.captured_us.to_be_bytes());
        let sum = checksum(&plain[..26]);
        plain[26..28].copy_from_slice(&sum.to_be_bytes());
        for group in plain.chunks(7) {
            let mut tops = 0x80;
            for (bit, byte) in group.iter().enumerate() {
                tops |= (byte >> 7) << bit;
                payload.push(byte | 0x80);
            }
            payload.push(tops);
        }
    }

    /// Reads the stamp at the end of a payload; `None` if there is none or it was altered.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let wire = payload.get(payload.len().checked_sub(Self::WIRE_LEN)?..)?;
        let mut plain = [0; PLAIN_LEN];
        for (group, out) in wire.chunks(8).zip(plain.chunks_mut(7)) {
            let (&tops, bytes) = group.split_last()?;
            for (bit, (byte, out)) in bytes.iter().zip(out).enumerate() {
                *out = (byte & 0x7f) | ((tops >> bit) << 7);
            }
        }
        let word = |at: usize| {
            u32::from_be_bytes([plain[at], plain[at + 1], plain[at + 2], plain[at + 3]])
        };
        let half = |at: usize| u16::from_be_bytes([plain[at], plain[at + 1]]);
        if checksum(&plain[..26]) != half(26) {
            return None;
        }
        Some(Self {
            source: word(0),
            encoding: plain[4],
            temporal: plain[5],
            frame: word(6),
            reference: Some(word(10)).filter(|&frame| frame != u32::MAX),
            part: half(14),
            parts: half(16),
            captured_us: u64::from(word(18)) << 32 | u64::from(word(22)),
        })
    }
}

/// Fletcher's sum: enough to notice a payload that was altered or cut.
fn checksum(bytes: &[u8]) -> u16 {
    let (low, high) = bytes.iter().fold((1_u16, 0_u16), |(low, high), &byte| {
        let low = (low + u16::from(byte)) % 255;
        (low, (high + low) % 255)
    });
    high << 8 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        source: 0xdead_beef,
        encoding: 2,
        frame: 70_000,
        reference: Some(69_999),
        temporal: 1,
        part: 3,
        parts: 5,
        captured_us: 0x0123_4567_89ab,
    };

    #[test]
    fn reads_what_was_written() {
        for stamp in [
            STAMP,
            Stamp {
                reference: None,
                ..STAMP
            },
        ] {
            let mut payload = vec![1, 2, 3];
            stamp.write(&mut payload);
            assert_eq!(payload.len(), 3 + Stamp::WIRE_LEN);
            assert!(payload[3..].iter().all(|byte| *byte >= 0x80));
            assert_eq!(Stamp::read(&payload), Some(stamp));
        }
    }

    #[test]
    fn notices_changes() {
        let mut payload = Vec::new();
        STAMP.write(&mut payload);
        assert_eq!(Stamp::read(&payload[1..]), None);
        payload[9] ^= 1;
        assert_eq!(Stamp::read(&payload), None);
    }
}
