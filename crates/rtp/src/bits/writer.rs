//! Writes bit fields, so that tests can spell out a syntax table.

/// Bits so far.
#[derive(Clone, Default)]
pub(crate) struct BitWriter(Vec<bool>);

impl BitWriter {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The lower `count` bits of `value`.
    pub(crate) fn bits(mut self, value: u64, count: u32) -> Self {
        self.0
            .extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    /// `ue(v)`.
    pub(crate) fn exp_golomb(self, value: u64) -> Self {
        let width = u64::BITS - (value + 1).leading_zeros();
        self.bits(0, width - 1).bits(value + 1, width)
    }

    /// Filled up with zeros.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            let value = bits
                .iter()
                .fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit));
            value << (8 - bits.len())
        };
        self.0.chunks(8).map(byte).collect()
    }
}
