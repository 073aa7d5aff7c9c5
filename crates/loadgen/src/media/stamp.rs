//! When a packet was sent, written into its payload behind the codec's descriptor, where it
//! survives forwarding, encryption hop by hop, and retransmission.

/// Bytes that a stamp takes.
pub(crate) const STAMP_BYTES: usize = 12;
/// Descriptors and the start of a keyframe are shorter than this.
const SEARCHED_BYTES: usize = 64;

const MAGIC: [u8; 4] = *b"PLEN";

/// Wall clock (`CLOCK_REALTIME`) in microseconds since 1970, the clock by which the kernel tells
/// when a datagram came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) sent_us: u64,
}

impl Stamp {
    /// The bytes of the stamp.
    pub(crate) fn to_bytes(self) -> [u8; STAMP_BYTES] {
        let mut bytes = [0; STAMP_BYTES];
        bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
        bytes[MAGIC.len()..].copy_from_slice(&self.sent_us.to_be_bytes());
        bytes
    }

    /// Finds the stamp near the start of a payload.
    pub(crate) fn find(payload: &[u8]) -> Option<Self> {
        let head = &payload[..payload.len().min(SEARCHED_BYTES)];
        let at = head
            .windows(MAGIC.len())
            .position(|window| window == MAGIC)?;
        let time = payload.get(at + MAGIC.len()..at + STAMP_BYTES)?;
        Some(Self {
            sent_us: u64::from_be_bytes(time.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_behind_anything_short() {
        let stamp = Stamp { sent_us: 1_234_567 };
        for before in [0, 1, 7, 40] {
            let mut payload = vec![0x90; before];
            payload.extend(stamp.to_bytes());
            payload.extend([0x5a; 100]);
            assert_eq!(Stamp::find(&payload), Some(stamp));
        }
        assert_eq!(Stamp::find(&[0; 100]), None);
        assert_eq!(Stamp::find(&stamp.to_bytes()[..STAMP_BYTES - 1]), None);
    }
}
