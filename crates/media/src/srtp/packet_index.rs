//! The 48-bit SRTP packet index, roll-over counter and sequence number, of which a packet carries
//! only the latter (RFC 3711 §3.3.1).

/// First index that a key may not be used for any more (RFC 3711 §9.2).
pub(super) const INDEX_END: u64 = 1 << 48;

/// Half of the sequence number space.
const HALF: u16 = 1 << 15;

/// The index nearest to `newest` whose lower 16 bits are `sequence`, as RFC 3711 §3.3.1 has it.
/// `None` if it lies before the first or after the last index.
pub(super) fn estimate(newest: u64, sequence: u16) -> Option<u64> {
    let last = newest as u16;
    let cycle = newest & !0xffff;
    let guess = cycle | u64::from(sequence);
    if last < HALF && sequence.saturating_sub(last) > HALF {
        guess.checked_sub(1 << 16)
    } else if last >= HALF && last - HALF > sequence {
        Some(guess + (1 << 16)).filter(|index| *index < INDEX_END)
    } else {
        Some(guess)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_wrap_in_both_directions() {
        assert_eq!(estimate(0xfff0, 0x0005), Some(0x1_0005));
        assert_eq!(estimate(0x1_0005, 0xfff0), Some(0xfff0));
        assert_eq!(estimate(0x2_1000, 0x1001), Some(0x2_1001));
        assert_eq!(estimate(0x2_9000, 0x9fff), Some(0x2_9fff));
    }

    #[test]
    fn there_is_nothing_before_the_first_and_after_the_last_cycle() {
        assert_eq!(estimate(3, 0xfff0), None);
        assert_eq!(estimate(INDEX_END - 1, 3), None);
    }
}
