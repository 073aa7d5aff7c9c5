//! Redundant audio (RFC 2198) for those who negotiated it, and for those who did not.

use plenum_rtp::{RedFields, RedPatch};
use plenum_types::{Codec, DropReason};

use crate::event::Forward;
use crate::slot::Slot;

impl Slot {
    /// Passes a redundant packet of `codec` on as it is, or its newest block to a subscriber that
    /// knows nothing else. A retransmission stream carries no redundancy. What cannot be read, as
    /// where it is encrypted end to end, goes only to those who take it as it is.
    #[cold]
    pub(crate) fn fit_redundancy(
        &self,
        forward: &mut Forward,
        codec: Codec,
        blocks: Option<RedFields>,
    ) -> Result<(), DropReason> {
        let parameters = self
            .parameters(codec)
            .ok_or(DropReason::CodecNotNegotiated)?;
        let is_repair = forward.patch.original_sequence.is_some();
        match parameters.red_payload_type.filter(|_| !is_repair) {
            Some(payload_type) => {
                forward.patch.payload_type = payload_type;
                forward.patch.red = Some(RedPatch::Keep(parameters.payload_type));
            }
            None if blocks.is_none() => return Err(DropReason::CodecNotNegotiated),
            None => forward.patch.red = Some(RedPatch::Newest),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plenum_rtp::{CodecFields, HeaderExtensions, Patch, RtpHeader, describe_redundant};
    use plenum_types::{
        CodecParameters, ExtensionMap, MediaKind, Mid, PeerIndex, SlotConfig, SlotId, SlotPolicy,
        SlotWish, Ssrc,
    };
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use crate::SlotIndex;

    fn slot(red_payload_type: Option<u8>) -> Slot {
        let opus = CodecParameters {
            codec: Codec::Opus,
            payload_type: 96,
            rtx_payload_type: Some(97),
            red_payload_type,
            nack: true,
            pli: false,
            fir: false,
            transport_cc: false,
            remb: false,
        };
        let config = SlotConfig {
            slot: SlotId(0),
            kind: MediaKind::Audio,
            mid: Mid::new("0").unwrap(),
            codecs: vec![opus],
            extensions: ExtensionMap::new(),
            ssrc: Ssrc(1),
            rtx_ssrc: Some(Ssrc(2)),
            wish: SlotWish::new(SlotPolicy::All),
        };
        let rng = &mut StdRng::seed_from_u64(1);
        Slot::new(PeerIndex(0), SlotIndex(0), &config, rng)
    }

    /// What becomes of a packet with this payload: its payload type and its blocks.
    fn fitted(
        red_payload_type: Option<u8>,
        payload: &[u8],
        is_repair: bool,
    ) -> Result<(u8, Option<RedPatch>), DropReason> {
        let mut packet = vec![0x80, 63, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend(payload);
        let header = RtpHeader::parse(&packet).unwrap();
        let extensions = HeaderExtensions::parse(&packet, &header, &ExtensionMap::new()).unwrap();
        let d = describe_redundant(&packet, header, extensions, Codec::Opus).unwrap();
        let CodecFields::Red(blocks) = d.payload.fields else {
            panic!("{d:?}");
        };
        let slot = slot(red_payload_type);
        let mut forward = Forward {
            peer: PeerIndex(0),
            slot: SlotIndex(0),
            patch: Patch {
                payload_type: 96,
                ..Patch::identity(&d)
            },
            mid: Mid::default(),
            extensions: ExtensionMap::new(),
        };
        forward.patch.original_sequence = is_repair.then_some(d.header.sequence);
        slot.fit_redundancy(&mut forward, d.codec, blocks)?;
        Ok((forward.patch.payload_type, forward.patch.red))
    }

    const BLOCKS: [u8; 8] = [0x80 | 111, 0x0f, 0x00, 1, 111, 1, 9, 8];
    const ENCRYPTED: [u8; 8] = [0xff; 8];

    #[test]
    fn goes_on_to_who_takes_it_and_without_it_to_others() {
        let keep = Some(RedPatch::Keep(96));
        let newest = Some(RedPatch::Newest);
        assert_eq!(fitted(Some(98), &BLOCKS, false), Ok((98, keep)));
        assert_eq!(fitted(None, &BLOCKS, false), Ok((96, newest)));
        assert_eq!(fitted(Some(98), &BLOCKS, true), Ok((96, newest)));
    }

    #[test]
    fn what_cannot_be_read_goes_only_to_who_takes_it_as_it_is() {
        let keep = Some(RedPatch::Keep(96));
        let refused = Err(DropReason::CodecNotNegotiated);
        assert_eq!(fitted(Some(98), &ENCRYPTED, false), Ok((98, keep)));
        assert_eq!(fitted(None, &ENCRYPTED, false), refused);
    }
}
