//! Cutting a frame into packets as libwebrtc does: as few as fit, about equally large. What does
//! not divide makes the last ones a byte larger (`RtpPacketizer::SplitAboutEqually`).

/// Bytes of packet `index` of `count` that carry `total` bytes together.
pub(crate) const fn part_bytes(total: usize, count: usize, index: usize) -> usize {
    let larger = total % count;
    let from = count - larger;
    total / count + if index >= from { 1 } else { 0 }
}

/// How many packets of at most `most` bytes carry `total` bytes.
pub(crate) const fn parts(total: usize, most: usize) -> usize {
    let count = total.div_ceil(most);
    if count == 0 { 1 } else { count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_differ_by_at_most_a_byte_and_add_up() {
        for total in [1, 99, 1_200, 1_201, 5_500, 5_501, 5_504, 40_000] {
            let count = parts(total, 1_200);
            let sizes: Vec<usize> = (0..count).map(|i| part_bytes(total, count, i)).collect();
            assert_eq!(sizes.iter().sum::<usize>(), total);
            assert!(sizes.iter().all(|size| *size <= 1_200), "{sizes:?}");
            assert!(sizes.is_sorted(), "{sizes:?}");
            assert!(sizes[count - 1] - sizes[0] <= 1, "{sizes:?}");
        }
    }

    #[test]
    fn nothing_is_still_a_packet() {
        assert_eq!(parts(0, 1_200), 1);
    }
}
