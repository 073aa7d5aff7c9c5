//! Reads big-endian bit fields, first bit first.
//!
//! Invariant: never reads past the end; every read says so instead.

#[cfg(test)]
pub(crate) mod writer;

use crate::ParseError;

/// Leading zeros an Exp-Golomb code may have: 32 would not fit the result.
const MAX_LEADING_ZEROS: u32 = 31;

/// A position in a string of bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits from the start.
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next bit.
    pub(crate) fn flag(&mut self) -> Result<bool, ParseError> {
        let byte = self
            .bytes
            .get(self.position / 8)
            .ok_or(ParseError::Truncated)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Ok(bit == 1)
    }

    /// The next `count` bits, at most 32.
    pub(crate) fn bits(&mut self, count: u32) -> Result<u32, ParseError> {
        debug_assert!(count <= 32);
        let mut value = 0_u32;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Ok(value)
    }

    /// The next `count` bits, at most 8.
    pub(crate) fn byte(&mut self, count: u32) -> Result<u8, ParseError> {
        debug_assert!(count <= 8);
        Ok(self.bits(count)? as u8)
    }

    /// Skips `count` bits.
    pub(crate) fn skip(&mut self, count: usize) -> Result<(), ParseError> {
        let position = self.position.saturating_add(count);
        if position > self.bytes.len() * 8 {
            return Err(ParseError::Truncated);
        }
        self.position = position;
        Ok(())
    }

    /// `ns(n)` of the AV1 specification: a value below `below`, in as few bits as that takes.
    pub(crate) fn below(&mut self, below: u32) -> Result<u32, ParseError> {
        debug_assert!(below > 0);
        let width = u32::BITS - below.leading_zeros();
        let short = (1_u32 << width) - below;
        let value = self.bits(width - 1)?;
        if value < short {
            return Ok(value);
        }
        Ok((value << 1 | self.bits(1)?) - short)
    }

    /// `ue(v)`: unsigned Exp-Golomb (H.264 §9.1).
    pub(crate) fn exp_golomb(&mut self) -> Result<u32, ParseError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > MAX_LEADING_ZEROS {
                return Err(ParseError::BadPayload);
            }
        }
        let suffix = self.bits(zeros)?;
        Ok(((1_u64 << zeros) - 1) as u32 + suffix)
    }

    /// `se(v)`: signed Exp-Golomb (H.264 §9.1.1).
    pub(crate) fn signed_exp_golomb(&mut self) -> Result<i32, ParseError> {
        let code = i64::from(self.exp_golomb()?);
        let magnitude = (code + 1) / 2;
        Ok(if code % 2 == 1 { magnitude } else { -magnitude } as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_across_bytes_and_stops_at_the_end() {
        let mut reader = BitReader::new(&[0b1010_0101, 0b1100_0000]);
        assert_eq!(reader.bits(3), Ok(0b101));
        assert_eq!(reader.bits(7), Ok(0b001_0111));
        assert_eq!(reader.skip(5), Ok(()));
        assert_eq!(reader.bits(2), Err(ParseError::Truncated));
    }

    #[test]
    fn values_below_five_take_two_or_three_bits() {
        // ns(5): 00, 01, 10, 110, 111.
        let mut reader = BitReader::new(&[0b0001_1011, 0b0111_0000]);
        let values: Vec<u32> = (0..5).map(|_| reader.below(5).unwrap()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_value_below_one_takes_no_bits() {
        assert_eq!(BitReader::new(&[]).below(1), Ok(0));
    }

    #[test]
    fn exp_golomb_codes_are_those_of_the_table() {
        // 1, 010, 011, 00100, 00101 → 0, 1, 2, 3, 4.
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let values: Vec<u32> = (0..5).map(|_| reader.exp_golomb().unwrap()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn signed_exp_golomb_alternates() {
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let values: Vec<i32> = (0..5)
            .map(|_| reader.signed_exp_golomb().unwrap())
            .collect();
        assert_eq!(values, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn endless_zeros_are_refused() {
        let zeros = [0; 8];
        assert_eq!(
            BitReader::new(&zeros).exp_golomb(),
            Err(ParseError::BadPayload)
        );
    }
}
