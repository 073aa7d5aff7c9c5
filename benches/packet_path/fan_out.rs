//! A video frame in, a copy of each packet for each subscriber out, through the shard itself.
//! `items/s` counts copies: its inverse is the cost per forwarded packet, with the receiving side
//! shared among them.

use std::cell::RefCell;
use std::time::Instant;

use divan::Bencher;
use divan::counter::ItemsCount;
use plenum_benches::FanOut;
use plenum_benches::packet::PACKETS_PER_FRAME;
use plenum_types::SrtpProfile;

const SUBSCRIBERS: [u32; 4] = [1, 10, 100, 500];

#[divan::bench(args = SUBSCRIBERS, sample_size = 1)]
fn fan_out_aead_aes_128_gcm(bencher: Bencher<'_, '_>, subscribers: u32) {
    measure(bencher, subscribers, SrtpProfile::AeadAes128Gcm);
}

#[divan::bench(args = SUBSCRIBERS, sample_size = 1)]
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
        .counter(ItemsCount::new(subscribers * PACKETS_PER_FRAME))
        .with_inputs(|| fan_out.borrow_mut().next_burst())
        .bench_local_refs(|burst| {
            let copies = fan_out.borrow_mut().handle_burst(burst);
            assert_eq!(copies, (subscribers * PACKETS_PER_FRAME) as usize);
        });
}
