//! RTP header (RFC 3550 §5.1) and one-byte header extensions (RFC 8285 §4.2) of what a client
//! sends.

use plenum_types::{AudioLevel, ExtensionKind, ExtensionMap, Mid, Rid};

/// Most bytes of what [`Header::write`] writes: the fixed header, the extension block's own, and
/// its elements at their longest.
pub(super) const HEADER_MAX: usize = 12 + 4 + 3 * 17 + 4 + 3 + 2 + 3;

const VERSION: u8 = 0x80;
const EXTENSION: u8 = 0x10;
const MARKER: u8 = 0x80;
const ONE_BYTE: [u8; 2] = [0xbe, 0xde];
const FIXED: usize = 12;

/// Which encoding a packet belongs to, as long as the server has not confirmed that it knows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Naming {
    pub(super) mid: Option<Mid>,
    pub(super) rid: Option<Rid>,
    /// The packet is a retransmission of the encoding.
    pub(super) repair: bool,
}

/// What goes before a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) ids: &'a ExtensionMap,
    pub(super) naming: Naming,
    /// 24 bits: 6 of seconds, 18 of fraction.
    pub(super) abs_send_time: u32,
    pub(super) transport_sequence: Option<u16>,
    pub(super) audio_level: Option<(AudioLevel, bool)>,
}

impl Header<'_> {
    /// Writes to the start of `out`, which has [`HEADER_MAX`] bytes; says how many.
    pub(super) fn write(&self, out: &mut [u8]) -> usize {
        let marker = if self.marker { MARKER } else { 0 };
        out[1] = self.payload_type | marker;
        out[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        out[8..FIXED].copy_from_slice(&self.ssrc.to_be_bytes());
        let mut at = FIXED + 4;
        self.write_elements(out, &mut at);
        if at == FIXED + 4 {
            out[0] = VERSION;
            return FIXED;
        }
        out[0] = VERSION | EXTENSION;
        let end = at.next_multiple_of(4);
        out[at..end].fill(0);
        let words = ((end - FIXED) / 4 - 1) as u16;
        out[FIXED..FIXED + 2].copy_from_slice(&ONE_BYTE);
        out[FIXED + 2..FIXED + 4].copy_from_slice(&words.to_be_bytes());
        end
    }

    fn write_elements(&self, out: &mut [u8], at: &mut usize) {
        let mut element = |kind: ExtensionKind, value: &[u8]| {
            if let Some(id) = self.ids.id(kind).filter(|id| *id < 15)
                && !value.is_empty()
            {
                out[*at] = id << 4 | (value.len() - 1) as u8;
                out[*at + 1..*at + 1 + value.len()].copy_from_slice(value);
                *at += 1 + value.len();
            }
        };
        let Naming { mid, rid, repair } = self.naming;
        if let Some(mid) = mid {
            element(ExtensionKind::Mid, mid.as_str().as_bytes());
        }
        if let Some(rid) = rid {
            let kind = match repair {
                true => ExtensionKind::RepairedRid,
                false => ExtensionKind::Rid,
            };
            element(kind, rid.as_str().as_bytes());
        }
        let [_, time @ ..] = self.abs_send_time.to_be_bytes();
        element(ExtensionKind::AbsSendTime, &time);
        if let Some(sequence) = self.transport_sequence {
            element(ExtensionKind::TransportSequence, &sequence.to_be_bytes());
        }
        if let Some((level, voice)) = self.audio_level {
            element(ExtensionKind::AudioLevel, &[level.0 | u8::from(voice) << 7]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plenum_rtp::{HeaderExtensions, RtpHeader};

    #[test]
    fn what_is_written_is_read() {
        let mut ids = ExtensionMap::new();
        for (kind, id) in ExtensionKind::ALL.into_iter().zip(1..) {
            ids.set(kind, id);
        }
        let header = Header {
            marker: true,
            payload_type: 96,
            sequence: 65_535,
            timestamp: 7,
            ssrc: 9,
            ids: &ids,
            naming: Naming {
                mid: Mid::new("0123456789abcdef").ok(),
                rid: Rid::new("q").ok(),
                repair: false,
            },
            abs_send_time: 0x00ab_cdef,
            transport_sequence: Some(300),
            audio_level: Some((AudioLevel(30), true)),
        };
        let mut packet = [0; HEADER_MAX + 1];
        let length = header.write(&mut packet);
        let packet = &packet[..=length];
        let read = RtpHeader::parse(packet).unwrap();
        assert!(read.marker);
        assert_eq!((read.payload_type, read.sequence.0), (96, 65_535));
        assert_eq!((read.timestamp.0, read.ssrc.0), (7, 9));
        assert_eq!(read.payload_offset, length);
        let found = HeaderExtensions::parse(packet, &read, &ids).unwrap();
        assert_eq!(found.mid(packet), header.naming.mid);
        assert_eq!(found.rid(packet), header.naming.rid);
        assert_eq!(found.repaired_rid(packet), None);
        assert_eq!(found.abs_send_time(packet), Some(0x00ab_cdef));
        assert_eq!(found.transport_sequence(packet), Some(300));
        assert_eq!(found.audio_level(packet), header.audio_level);
    }

    #[test]
    fn without_extensions_there_is_no_block() {
        let header = Header {
            marker: false,
            payload_type: 111,
            sequence: 1,
            timestamp: 2,
            ssrc: 3,
            ids: &ExtensionMap::new(),
            naming: Naming::default(),
            abs_send_time: 1,
            transport_sequence: Some(1),
            audio_level: None,
        };
        let mut packet = [0; HEADER_MAX];
        assert_eq!(header.write(&mut packet), FIXED);
        assert_eq!(packet[0], VERSION);
    }
}
