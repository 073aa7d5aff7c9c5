//! One subscriber's copy: the header rewritten, the extension block rebuilt, the payload copied.

use divan::Bencher;
use plenum_benches::cases;
use plenum_benches::packet::{CODECS, codec};

#[divan::bench(args = CODECS.map(|(name, _)| name), sample_size = 64)]
fn write_copy(bencher: Bencher<'_, '_>, name: &str) {
    bencher.bench_local(cases::write_copy(codec(name)));
}
