//! One subscriber's copy: the header rewritten, the extension block rebuilt, the payload copied.

use divan::{Bencher, black_box};
use plenum_benches::packet::{CODECS, Packet, extensions, parse};
use plenum_rtp::{OutgoingExtensions, Patch, max_growth, write_packet};
use plenum_types::{Codec, Mid, Ssrc};

#[divan::bench(args = CODECS.map(|(name, _)| name), sample_size = 64)]
fn write_copy(bencher: Bencher<'_, '_>, name: &str) {
    let codec = codec(name);
    let packet = Packet::new(codec, 6).bytes();
    let description = parse(&packet, codec);
    let patch = Patch {
        ssrc: Ssrc(7),
        picture_id: Some(70),
        tl0_picture_index: Some(7),
        frame_number: Some(70),
        ..Patch::identity(&description)
    };
    let ext = OutgoingExtensions {
        map: extensions(),
        mid: Mid::new("12").ok(),
        abs_send_time: 0x01_02_03,
        transport_sequence: Some(7),
    };
    let mut out = vec![0; packet.len() + max_growth()];
    bencher.bench_local(|| {
        let (packet, patch) = (black_box(&packet), black_box(&patch));
        write_packet(packet, &description, patch, &ext, black_box(&mut out))
    });
}

/// The codec that a bench names.
pub(crate) fn codec(name: &str) -> Codec {
    let known = CODECS.into_iter().find(|(known, _)| *known == name);
    known.map_or(Codec::Opus, |(_, codec)| codec)
}
