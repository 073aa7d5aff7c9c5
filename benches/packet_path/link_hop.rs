//! A video frame's packets from one shard to another, through the server's ring into the burst
//! from which they are forwarded. `items/s` counts packets.

use std::cell::RefCell;
use std::time::Instant;

use divan::Bencher;
use divan::counter::ItemsCount;
use plenum_benches::LinkHop;
use plenum_benches::packet::PACKETS_PER_FRAME;

#[divan::bench(sample_size = 1)]
#[expect(
    clippy::disallowed_methods,
    reason = "benches need some origin; only differences count"
)]
fn link_hop(bencher: Bencher<'_, '_>) {
    let link_hop = RefCell::new(LinkHop::new(Instant::now()));
    bencher
        .counter(ItemsCount::new(PACKETS_PER_FRAME))
        .with_inputs(|| link_hop.borrow_mut().next_frame())
        .bench_local_refs(|frame| {
            let taken = link_hop.borrow_mut().hop(frame);
            assert_eq!(taken, PACKETS_PER_FRAME as usize);
        });
}
