//! Reading RTP header extensions, one-byte and two-byte form (RFC 8285).
//!
//! Invariant: an element that was found lies inside the extension block. Elements of unknown id
//! are skipped; the first of two with the same id counts.

use plenum_types::{AudioLevel, ExtensionKind, ExtensionMap, Mid, Rid, ShortText};

use crate::packet::ExtensionBlock;
use crate::{ParseError, RtpHeader};

/// Profile of the one-byte form (§4.2).
pub(crate) const ONE_BYTE: u16 = 0xbede;
/// Profile of the two-byte form, without the application bits (§4.3).
pub(crate) const TWO_BYTE: u16 = 0x1000;
/// The application bits, which mean nothing here.
const APPLICATION_BITS: u16 = 0x000f;
/// One-byte id that ends the block (§4.2).
const STOP_ID: u8 = 15;

/// Where the extensions that Plenum understands lie in one packet.
///
/// Getters take the bytes of that packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderExtensions {
    /// From the start of the packet; 0: absent.
    offsets: [u16; ExtensionKind::COUNT],
    lengths: [u8; ExtensionKind::COUNT],
}

impl HeaderExtensions {
    /// Finds the extensions of `map` in `packet`. A block of another form is ignored.
    pub fn parse(
        packet: &[u8],
        header: &RtpHeader,
        map: &ExtensionMap,
    ) -> Result<Self, ParseError> {
        let mut found = Self::default();
        let Some(block) = header.extension else {
            return Ok(found);
        };
        let elements = elements(packet, block).ok_or(ParseError::Truncated)?;
        if block.profile == ONE_BYTE {
            found.parse_one_byte(elements, block.offset, map)?;
        } else if block.profile & !APPLICATION_BITS == TWO_BYTE {
            found.parse_two_byte(elements, block.offset, map)?;
        }
        Ok(found)
    }

    fn parse_one_byte(
        &mut self,
        elements: &[u8],
        base: u16,
        map: &ExtensionMap,
    ) -> Result<(), ParseError> {
        let kinds = kinds_by_id(map);
        let mut at = 0;
        while let Some(&first) = elements.get(at) {
            at += 1;
            if first == 0 {
                continue;
            }
            let id = first >> 4;
            // Id 0 with a length is as final as the stop id (§4.2).
            if id == STOP_ID || id == 0 {
                break;
            }
            let len = usize::from(first & 0x0f) + 1;
            self.insert(elements, base, at, len, kinds[usize::from(id)])?;
            at += len;
        }
        Ok(())
    }

    fn parse_two_byte(
        &mut self,
        elements: &[u8],
        base: u16,
        map: &ExtensionMap,
    ) -> Result<(), ParseError> {
        let mut at = 0;
        while let Some(&id) = elements.get(at) {
            at += 1;
            if id == 0 {
                continue;
            }
            let len = usize::from(*elements.get(at).ok_or(ParseError::BadExtension)?);
            at += 1;
            self.insert(elements, base, at, len, map.kind(id))?;
            at += len;
        }
        Ok(())
    }

    fn insert(
        &mut self,
        elements: &[u8],
        base: u16,
        at: usize,
        len: usize,
        kind: Option<ExtensionKind>,
    ) -> Result<(), ParseError> {
        if at + len > elements.len() {
            return Err(ParseError::BadExtension);
        }
        if let Some(kind) = kind
            && self.offsets[kind as usize] == 0
        {
            self.offsets[kind as usize] = base + at as u16;
            self.lengths[kind as usize] = len as u8;
        }
        Ok(())
    }

    /// The value of `kind`, if the packet carries it.
    pub fn bytes<'p>(&self, packet: &'p [u8], kind: ExtensionKind) -> Option<&'p [u8]> {
        let offset = usize::from(self.offsets[kind as usize]);
        if offset == 0 {
            return None;
        }
        packet.get(offset..offset + usize::from(self.lengths[kind as usize]))
    }

    /// Which m-line the packet belongs to (RFC 8843 §15).
    pub fn mid(&self, packet: &[u8]) -> Option<Mid> {
        ShortText::from_wire(self.bytes(packet, ExtensionKind::Mid)?)
    }

    /// Which simulcast encoding the packet belongs to (RFC 8852 §3.1).
    pub fn rid(&self, packet: &[u8]) -> Option<Rid> {
        ShortText::from_wire(self.bytes(packet, ExtensionKind::Rid)?)
    }

    /// Which encoding a retransmission repairs (RFC 8852 §3.2).
    pub fn repaired_rid(&self, packet: &[u8]) -> Option<Rid> {
        ShortText::from_wire(self.bytes(packet, ExtensionKind::RepairedRid)?)
    }

    /// Transport-wide sequence number.
    pub fn transport_sequence(&self, packet: &[u8]) -> Option<u16> {
        let bytes = self.bytes(packet, ExtensionKind::TransportSequence)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    }

    /// Absolute send time: 6 bits of seconds, 18 bits of fraction.
    pub fn abs_send_time(&self, packet: &[u8]) -> Option<u32> {
        let bytes = self.bytes(packet, ExtensionKind::AbsSendTime)?;
        let &[b0, b1, b2] = <&[u8; 3]>::try_from(bytes).ok()?;
        Some(u32::from_be_bytes([0, b0, b1, b2]))
    }

    /// Audio level and whether it is voice (RFC 6464 §3).
    pub fn audio_level(&self, packet: &[u8]) -> Option<(AudioLevel, bool)> {
        let first = *self.bytes(packet, ExtensionKind::AudioLevel)?.first()?;
        Some((AudioLevel(first & 0x7f), first & 0x80 != 0))
    }
}

/// What each id of the one-byte form means: a table, because it is asked for every element.
fn kinds_by_id(map: &ExtensionMap) -> [Option<ExtensionKind>; 16] {
    let mut kinds = [None; 16];
    // Backwards, so that of two kinds with one id the first counts, as in `ExtensionMap::kind`.
    for kind in ExtensionKind::ALL.into_iter().rev() {
        if let Some(id @ 1..STOP_ID) = map.id(kind) {
            kinds[usize::from(id)] = Some(kind);
        }
    }
    kinds
}

fn elements(packet: &[u8], block: ExtensionBlock) -> Option<&[u8]> {
    let start = usize::from(block.offset);
    packet.get(start..start + usize::from(block.len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> ExtensionMap {
        let mut map = ExtensionMap::new();
        map.set(ExtensionKind::Mid, 1);
        map.set(ExtensionKind::AbsSendTime, 2);
        map.set(ExtensionKind::TransportSequence, 3);
        map.set(ExtensionKind::AudioLevel, 4);
        map.set(ExtensionKind::Rid, 20);
        map
    }

    fn packet(profile: u16, elements: &[u8]) -> Vec<u8> {
        assert_eq!(elements.len() % 4, 0);
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend(profile.to_be_bytes());
        packet.extend((elements.len() as u16 / 4).to_be_bytes());
        packet.extend(elements);
        packet.push(0xff);
        packet
    }

    fn parse(packet: &[u8]) -> Result<HeaderExtensions, ParseError> {
        HeaderExtensions::parse(packet, &RtpHeader::parse(packet).unwrap(), &map())
    }

    #[test]
    fn one_byte_elements_with_padding_between() {
        let packet = packet(
            ONE_BYTE,
            &[
                0x10, b'7', 0, 0x22, 1, 2, 3, 0, 0, 0x31, 0xab, 0xcd, 0x40, 0x85, 0, 0,
            ],
        );
        let found = parse(&packet).unwrap();
        assert_eq!(found.mid(&packet), Some(ShortText::new("7").unwrap()));
        assert_eq!(found.abs_send_time(&packet), Some(0x01_02_03));
        assert_eq!(found.transport_sequence(&packet), Some(0xabcd));
        assert_eq!(found.audio_level(&packet), Some((AudioLevel(5), true)));
        assert_eq!(found.rid(&packet), None);
    }

    #[test]
    fn id_15_and_id_0_with_a_length_end_the_one_byte_block() {
        for stop in [0xf0, 0x01] {
            let packet = packet(ONE_BYTE, &[0x10, b'7', stop, 0x31, 0xab, 0xcd, 0, 0]);
            let found = parse(&packet).unwrap();
            assert_eq!(found.mid(&packet), Some(ShortText::new("7").unwrap()));
            assert_eq!(found.transport_sequence(&packet), None);
        }
    }

    #[test]
    fn two_byte_elements_with_application_bits() {
        let packet = packet(
            TWO_BYTE | 0x7,
            &[
                1, 1, b'7', 0, 20, 2, b'h', b'i', 4, 0, 3, 2, 0xab, 0xcd, 0, 0,
            ],
        );
        let found = parse(&packet).unwrap();
        assert_eq!(found.mid(&packet), Some(ShortText::new("7").unwrap()));
        assert_eq!(found.rid(&packet), Some(ShortText::new("hi").unwrap()));
        assert_eq!(found.transport_sequence(&packet), Some(0xabcd));
        assert_eq!(
            found.bytes(&packet, ExtensionKind::AudioLevel),
            Some(&[][..])
        );
        assert_eq!(found.audio_level(&packet), None);
    }

    #[test]
    fn elements_past_the_block_are_refused() {
        for (profile, elements) in [
            (ONE_BYTE, [0x10, b'7', 0x33, 1]),
            (TWO_BYTE, [1, 1, b'7', 3]),
            (TWO_BYTE, [1, 3, b'7', 3]),
        ] {
            assert_eq!(
                parse(&packet(profile, &elements)),
                Err(ParseError::BadExtension)
            );
        }
    }

    #[test]
    fn another_profile_is_ignored() {
        assert_eq!(
            parse(&packet(0x1234, &[0x10, b'7', 0, 0])),
            Ok(HeaderExtensions::default())
        );
    }

    #[test]
    fn the_first_of_two_counts() {
        let packet = packet(ONE_BYTE, &[0x10, b'7', 0x10, b'8']);
        assert_eq!(
            parse(&packet).unwrap().mid(&packet),
            Some(ShortText::new("7").unwrap())
        );
    }
}
