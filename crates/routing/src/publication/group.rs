//! The newest group of pictures of an encoding: a keyframe and all that came after it. As long as
//! it is young and small, whoever joins can be sent it instead of asking for another keyframe.

use std::time::{Duration, Instant};

use plenum_rtp::PacketDescription;
use plenum_types::{PACKET_OVERHEAD, RtpTimestamp};

/// Oldest keyframe that is sent again. It must be in the store until it has been. Higher serves
/// more who join, with a longer stretch of old pictures.
const AGE_MAX: Duration = Duration::from_millis(800);
/// Largest group. More would be a burst that takes longer than a new keyframe.
const BYTES_MAX: u32 = 160 * 1024;
/// Most packets: their numbers must still be known (`numbering`).
const PACKETS_MAX: u32 = 400;

/// A group as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// Number of the keyframe's first packet, and when it came.
    pub(crate) first: u64,
    pub(crate) at: Instant,
    timestamp: RtpTimestamp,
    /// Bytes of the keyframe, and of all.
    pub(crate) keyframe: u32,
    bytes: u32,
    packets: u32,
}

/// Follows the newest group.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NewestGroup(Option<Group>);

impl NewestGroup {
    /// A packet of the encoding was stored.
    pub(crate) fn on_packet(&mut self, now: Instant, number: u64, d: &PacketDescription) {
        let starts = d.payload.keyframe && d.payload.starts_frame;
        let is_other =
            |group: &Group| number > group.first && group.timestamp != d.header.timestamp;
        if starts && self.0.as_ref().is_none_or(is_other) {
            self.0 = Some(Group {
                first: number,
                at: now,
                timestamp: d.header.timestamp,
                keyframe: 0,
                bytes: 0,
                packets: 0,
            });
        }
        let Some(group) = &mut self.0 else {
            return;
        };
        let bytes = (d.header.payload_len + PACKET_OVERHEAD) as u32;
        group.packets += 1;
        group.bytes = group.bytes.saturating_add(bytes);
        if d.header.timestamp == group.timestamp {
            group.keyframe = group.bytes;
        }
        if group.bytes > BYTES_MAX || group.packets > PACKETS_MAX {
            self.0 = None;
        }
    }

    /// What comes does not continue what came.
    pub(crate) const fn forget(&mut self) {
        self.0 = None;
    }

    /// The group, if it is worth being sent again.
    pub(crate) fn fresh(&self, now: Instant) -> Option<Group> {
        self.0
            .filter(|group| now.saturating_duration_since(group.at) <= AGE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;
    use plenum_rtp::{HeaderExtensions, RtpHeader, describe};
    use plenum_types::{Codec, ExtensionMap};

    /// A packet of VP8 of 100 bytes of payload.
    fn packet(timestamp: u32, starts_keyframe: bool) -> PacketDescription {
        let mut packet = vec![0x80, 96, 0, 1];
        packet.extend(timestamp.to_be_bytes());
        packet.extend([0, 0, 0, 1]);
        // Start of the first partition; the frame tag's lowest bit is 0 in a keyframe.
        let frame_tag = u8::from(!starts_keyframe);
        packet.extend([0x10, frame_tag, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 64, 0]);
        packet.resize(12 + 100, 0);
        let header = RtpHeader::parse(&packet).unwrap();
        let extensions = HeaderExtensions::parse(&packet, &header, &ExtensionMap::new()).unwrap();
        describe(&packet, header, extensions, Codec::Vp8).unwrap()
    }

    #[test]
    fn the_newest_keyframe_begins_it_until_it_is_old() {
        let mut newest = NewestGroup::default();
        newest.on_packet(at(0), 5, &packet(0, false));
        assert!(newest.fresh(at(0)).is_none());
        newest.on_packet(at(10), 6, &packet(10, true));
        newest.on_packet(at(50), 7, &packet(50, false));
        let group = newest.fresh(at(50)).unwrap();
        assert_eq!((group.first, group.at), (6, at(10)));
        assert_eq!(group.keyframe, 100 + PACKET_OVERHEAD as u32);
        newest.on_packet(at(500), 8, &packet(500, true));
        assert_eq!(newest.fresh(at(1_300)).map(|group| group.first), Some(8));
        assert!(newest.fresh(at(1_301)).is_none());
        newest.forget();
        assert!(newest.fresh(at(500)).is_none());
    }

    #[test]
    fn one_that_is_large_is_none() {
        let mut newest = NewestGroup::default();
        newest.on_packet(at(0), 0, &packet(0, true));
        for number in 1..PACKETS_MAX {
            newest.on_packet(at(1), number.into(), &packet(1, false));
        }
        assert!(newest.fresh(at(1)).is_some());
        newest.on_packet(at(1), PACKETS_MAX.into(), &packet(1, false));
        assert!(newest.fresh(at(1)).is_none());
        newest.on_packet(at(2), 1_000, &packet(2, true));
        assert!(newest.fresh(at(2)).is_some());
    }
}
