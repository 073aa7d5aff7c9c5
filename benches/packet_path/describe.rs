//! Header, extensions and payload descriptor, read once per incoming packet.

use divan::Bencher;
use plenum_benches::cases;
use plenum_benches::packet::{CODECS, codec};

#[divan::bench(args = CODECS.map(|(name, _)| name), sample_size = 64)]
fn describe(bencher: Bencher<'_, '_>, name: &str) {
    bencher.bench_local(cases::describe(codec(name)));
}
