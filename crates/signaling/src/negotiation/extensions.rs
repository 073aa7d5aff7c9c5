//! RTP header extensions of an m-line (RFC 8285 §5): those that Plenum understands, with the
//! ids of the offer.

use plenum_types::{ExtensionKind, ExtensionMap};

use crate::sdp::Media;

/// Reads `a=extmap`. An id that is given twice belongs to the first; ids that cannot be sent
/// (0, 15, above 255) are passed over.
pub(crate) fn read(media: &Media<'_>) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for value in media.attributes.values("extmap") {
        let Some((id, kind)) = read_one(value) else {
            continue;
        };
        if map.kind(id).is_none() && map.id(kind).is_none() {
            map.set(kind, id);
        }
    }
    map
}

fn read_one(value: &str) -> Option<(u8, ExtensionKind)> {
    let mut words = value.split_ascii_whitespace();
    let id = words.next()?.split('/').next()?.parse().ok()?;
    let kind = ExtensionKind::from_uri(words.next()?)?;
    (id != 0 && id != 15).then_some((id, kind))
}

/// What a slot needs of `offered`: streams that we send have no rid.
pub(crate) fn for_slot(offered: &ExtensionMap) -> ExtensionMap {
    let mut map = *offered;
    map.set(ExtensionKind::Rid, 0);
    map.set(ExtensionKind::RepairedRid, 0);
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Session;

    #[test]
    fn keeps_offered_ids_and_first_owners() {
        let text = "v=0\nm=video 9 X 96\n\
            a=extmap:1 urn:ietf:params:rtp-hdrext:toffset\n\
            a=extmap:3/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\n\
            a=extmap:3 urn:3gpp:video-orientation\n\
            a=extmap:300 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\n\
            a=extmap:15 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n\
            a=extmap:200 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n\
            a=extmap:garbage";
        let map = read(&Session::read(text).unwrap().media[0]);
        assert_eq!(map.id(ExtensionKind::Mid), Some(3));
        assert_eq!(map.id(ExtensionKind::Rid), Some(200));
        assert_eq!(map.id(ExtensionKind::VideoOrientation), None);
        assert_eq!(map.id(ExtensionKind::PlayoutDelay), None);
        assert_eq!(map.id(ExtensionKind::AbsSendTime), None);
        assert_eq!(for_slot(&map).id(ExtensionKind::Rid), None);
        assert_eq!(for_slot(&map).id(ExtensionKind::Mid), Some(3));
    }
}
