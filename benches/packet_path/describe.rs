//! Header, extensions and payload descriptor, read once per incoming packet.

use divan::{Bencher, black_box};
use plenum_benches::packet::{CODECS, Packet, parse};

#[divan::bench(args = CODECS.map(|(name, _)| name), sample_size = 64)]
fn describe(bencher: Bencher<'_, '_>, name: &str) {
    let codec = crate::patch::codec(name);
    // A packet within a later frame: no keyframe, no Dependency Descriptor structure.
    let packet = Packet::new(codec, 6).bytes();
    bencher.bench_local(|| parse(black_box(&packet), codec));
}
