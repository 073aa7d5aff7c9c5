//! Units. A number that has one is never a bare integer in a public signature.

use std::time::Duration;

/// Bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bitrate(pub u64);

impl Bitrate {
    /// `kilobits` × 1,000 bits per second.
    pub const fn kbps(kilobits: u64) -> Self {
        Self(kilobits * 1_000)
    }

    /// Bits per second.
    pub const fn bits_per_second(self) -> u64 {
        self.0
    }
}

/// Width and height of a picture in device pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pixels {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Pixels {
    /// Number of pixels.
    pub const fn area(self) -> u64 {
        self.width as u64 * self.height as u64
    }
}

/// Audio level of RFC 6464: attenuation below overload in dB, 0 (loudest) to 127 (silence).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudioLevel(pub u8);

impl AudioLevel {
    /// Digital silence.
    pub const SILENCE: Self = Self(127);
}

/// NTP timestamp: seconds since 1900 in the upper 32 bits, fraction in the lower (RFC 3550 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// Middle 32 bits, as carried by receiver reports (LSR).
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// The time `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let fraction = (u128::from(duration.subsec_nanos()) << 32) / 1_000_000_000;
        Self(
            self.0
                .wrapping_add((duration.as_secs() << 32).wrapping_add(fraction as u64)),
        )
    }

    /// Seconds from `earlier` to `self`; negative if `earlier` is the later one.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.0.wrapping_sub(earlier.0).cast_signed() as f64 / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_time_counts_in_seconds_and_fractions() {
        let start = NtpTime(0x0000_0010_8000_0000);
        let later = start.plus(Duration::from_millis(750));
        assert_eq!(later, NtpTime(0x0000_0011_4000_0000));
        assert!((later.seconds_since(start) - 0.75).abs() < 1e-9);
        assert!((start.seconds_since(later) + 0.75).abs() < 1e-9);
        assert_eq!(later.middle(), 0x0011_4000);
    }
}
