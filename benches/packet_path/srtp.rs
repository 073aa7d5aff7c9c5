//! Encryption and decryption in place.

use std::cell::RefCell;

use divan::Bencher;
use plenum_benches::cases::{self, PROFILES, Stream};
use plenum_types::SrtpProfile;

#[divan::bench(args = PROFILES, sample_size = 16)]
fn protect_1100_bytes(bencher: Bencher<'_, '_>, profile: SrtpProfile) {
    bencher.bench_local(cases::protect(profile));
}

#[divan::bench(args = PROFILES, sample_size = 16)]
fn unprotect_1100_bytes(bencher: Bencher<'_, '_>, profile: SrtpProfile) {
    let stream = RefCell::new(Stream::new(profile));
    bencher
        .with_inputs(|| stream.borrow_mut().next_datagram())
        .bench_local_refs(|datagram| stream.borrow_mut().unprotect(datagram));
}
