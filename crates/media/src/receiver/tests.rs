//! The receiver in virtual time; its RTCP is read by the `rtcp` crate.

mod feedback;
mod layers;
mod learning;
mod repair;
mod reports;

use super::*;
use plenum_types::{Codec, ContentHint, Encoding, Mid, Rid, Source};
use rtcp::packet::Packet as RtcpPacket;
use rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use std::sync::OnceLock;

const VP8: u8 = 96;
const RTX: u8 = 97;
const OPUS: u8 = 111;
const OURS: Ssrc = Ssrc(0x0f0f_0f0f);

/// `us` microseconds after an arbitrary start.
fn at_us(us: u64) -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    let start = *START.get_or_init(Instant::now);
    start + Duration::from_micros(us)
}

fn at(ms: u64) -> Instant {
    at_us(ms * 1_000)
}

/// An RTP packet to be.
#[derive(Clone, Copy)]
struct Packet<'a> {
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    mid: Option<&'a str>,
    rid: Option<&'a str>,
    repaired_rid: Option<&'a str>,
    transport_sequence: Option<u16>,
    dependency_descriptor: Option<&'a [u8]>,
    payload: &'a [u8],
}

/// VP8: start of partition 0, no keyframe.
const DELTA_FRAME: &[u8] = &[0x10, 0x01, 2, 3, 4];

impl Packet<'_> {
    const fn video(ssrc: u32, sequence: u16) -> Self {
        Self {
            payload_type: VP8,
            sequence,
            timestamp: sequence as u32 * 3_000,
            ssrc,
            mid: None,
            rid: None,
            repaired_rid: None,
            transport_sequence: None,
            dependency_descriptor: None,
            payload: DELTA_FRAME,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut packet = vec![0x90, self.payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        let mut elements = Vec::new();
        for (id, text) in [(1, self.mid), (2, self.rid), (3, self.repaired_rid)] {
            if let Some(text) = text {
                elements.push(id << 4 | (text.len() - 1) as u8);
                elements.extend(text.as_bytes());
            }
        }
        if let Some(sequence) = self.transport_sequence {
            elements.push(0x41);
            elements.extend(sequence.to_be_bytes());
        }
        if let Some(descriptor) = self.dependency_descriptor {
            elements.push(0x50 | (descriptor.len() - 1) as u8);
            elements.extend(descriptor);
        }
        elements.resize(elements.len().next_multiple_of(4), 0);
        packet.extend([0xbe, 0xde]);
        packet.extend((elements.len() as u16 / 4).to_be_bytes());
        packet.extend(elements);
        packet.extend(self.payload);
        packet
    }

    /// The retransmission of this packet (RFC 4588).
    fn retransmitted(&self, ssrc: u32, sequence: u16) -> Vec<u8> {
        let mut payload = self.sequence.to_be_bytes().to_vec();
        payload.extend(self.payload);
        Packet {
            payload_type: RTX,
            ssrc,
            sequence,
            payload: &payload,
            ..*self
        }
        .bytes()
    }
}

fn text(text: &str) -> Mid {
    Mid::new(text).unwrap()
}

fn codec(codec: Codec, payload_type: u8) -> CodecParameters {
    let is_video = codec.kind() == MediaKind::Video;
    CodecParameters {
        codec,
        payload_type,
        rtx_payload_type: is_video.then_some(payload_type + 1),
        red_payload_type: None,
        nack: is_video,
        pli: is_video,
        fir: is_video,
        transport_cc: true,
        remb: false,
    }
}

fn publication(id: u64, mid: &str, parameters: CodecParameters) -> PublicationConfig {
    let mut extensions = ExtensionMap::new();
    extensions.set(ExtensionKind::Mid, 1);
    extensions.set(ExtensionKind::Rid, 2);
    extensions.set(ExtensionKind::RepairedRid, 3);
    extensions.set(ExtensionKind::TransportSequence, 4);
    extensions.set(ExtensionKind::DependencyDescriptor, 5);
    PublicationConfig {
        publication: PublicationId(id),
        kind: parameters.codec.kind(),
        source: Source::Camera,
        content: ContentHint::Motion,
        mid: text(mid),
        codecs: vec![parameters],
        extensions,
        encodings: vec![Encoding::default()],
        muted: false,
    }
}

/// A camera with declared SSRCs 1 and, for retransmissions, 2.
fn camera() -> PublicationConfig {
    let mut config = publication(10, "0", codec(Codec::Vp8, VP8));
    config.encodings[0].ssrc = Some(Ssrc(1));
    config.encodings[0].rtx_ssrc = Some(Ssrc(2));
    config
}

/// A camera in three sizes, named and not declared.
fn simulcast() -> PublicationConfig {
    let mut config = publication(10, "0", codec(Codec::Vp8, VP8));
    config.encodings = ["q", "h", "f"]
        .map(|rid| Encoding {
            rid: Some(Rid::new(rid).unwrap()),
            ..Encoding::default()
        })
        .to_vec();
    config
}

fn receiver(configs: &[PublicationConfig]) -> Receiver {
    let mut receiver = Receiver::new(OURS);
    receiver.set_cname("plenum");
    for config in configs {
        receiver.add_publication(config);
    }
    receiver
}

/// Everything due at `now`. Each datagram must be a compound of at most 1,200 bytes that begins
/// with a report; afterwards nothing may be due any more.
fn drain(receiver: &mut Receiver, now: Instant) -> Vec<Box<dyn RtcpPacket>> {
    let mut packets = Vec::new();
    let mut out = Vec::new();
    while receiver.poll_rtcp(now, &mut out) {
        assert!(out.len() <= 1_200 && out[1] == 201);
        packets.extend(rtcp::packet::unmarshal(&mut &out[..]).unwrap());
    }
    assert!(receiver.poll_timeout().is_none_or(|next| next > now));
    packets
}

fn only<P: Clone + 'static>(packets: &[Box<dyn RtcpPacket>]) -> Vec<P> {
    packets
        .iter()
        .filter_map(|packet| packet.as_any().downcast_ref::<P>())
        .cloned()
        .collect()
}

/// The sequence numbers asked for.
fn nacked(packets: &[Box<dyn RtcpPacket>]) -> Vec<u16> {
    only::<TransportLayerNack>(packets)
        .iter()
        .flat_map(|nack| nack.nacks.iter().flat_map(NackPair::packet_list))
        .collect()
}

fn source(encoding: u8) -> StreamRef {
    StreamRef {
        publication: PublicationId(10),
        encoding,
    }
}
