//! One datagram in, a copy for each subscriber out. `items/s` counts copies: its inverse is the
//! cost per forwarded packet, with the receiving side shared among them.

use std::cell::RefCell;
use std::time::Instant;

use divan::Bencher;
use divan::counter::ItemsCount;
use plenum_benches::FanOut;
use plenum_types::SrtpProfile;

const SUBSCRIBERS: [u32; 4] = [1, 10, 100, 500];

#[divan::bench(args = SUBSCRIBERS)]
fn fan_out_aead_aes_128_gcm(bencher: Bencher<'_, '_>, subscribers: u32) {
    measure(bencher, subscribers, SrtpProfile::AeadAes128Gcm);
}

#[divan::bench(args = SUBSCRIBERS)]
fn fan_out_aes_128_cm_sha1_80(bencher: Bencher<'_, '_>, subscribers: u32) {
    measure(bencher, subscribers, SrtpProfile::Aes128CmSha1_80);
}

#[expect(
    clippy::disallowed_methods,
    reason = "benches need some origin; only differences count"
)]
fn measure(bencher: Bencher<'_, '_>, subscribers: u32, profile: SrtpProfile) {
    let fan_out = RefCell::new(FanOut::new(subscribers, profile, Instant::now()));
    bencher
        .counter(ItemsCount::new(subscribers))
        .with_inputs(|| fan_out.borrow_mut().next_datagram())
        .bench_local_refs(|datagram| fan_out.borrow_mut().handle_datagram(datagram));
}
