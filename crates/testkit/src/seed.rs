//! Randomness of a simulation: streams of numbers that depend on the printed seed only.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

/// The generator of the test kit. Its stream is fixed by its algorithm, so a printed seed stays
/// valid when libraries are updated.
pub type SimRng = Xoshiro256PlusPlus;

/// An independent generator for `purpose` within the run of `seed`: what one part of a simulation
/// draws does not shift what another part gets.
pub fn stream(seed: u64, purpose: u64) -> SimRng {
    // SplitMix64's increment; spreads neighbouring purposes over the space of seeds.
    SimRng::seed_from_u64(seed ^ purpose.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_repeat_and_differ() {
        assert_eq!(stream(7, 1).next_u64(), stream(7, 1).next_u64());
        assert_ne!(stream(7, 1).next_u64(), stream(7, 2).next_u64());
        assert_ne!(stream(7, 1).next_u64(), stream(8, 1).next_u64());
    }

    #[test]
    fn the_stream_is_the_one_that_old_seeds_were_printed_for() {
        assert_eq!(stream(0, 0).next_u64(), 6_409_272_458_699_751_175);
    }
}
