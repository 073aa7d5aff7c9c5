//! Feedback that lies. Whoever sends it may spoil their own picture, and nothing else: the estimate
//! stays within its bounds, memory too, and honest feedback is heard again afterwards.

use super::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Feedback on the packets from `base` on.
fn feedback(base: u16, count: u8, arrivals: &[Option<u32>]) -> Vec<u8> {
    let mut out = Vec::new();
    let arrivals = arrivals.iter().copied();
    encode(Ssrc(1), Ssrc(2), count, base, arrivals, 1_200, &mut out).expect("fits");
    out
}

/// A second of honest traffic at 600 kbit/s, over a link that carries far more.
fn honest() -> (Sender, Link) {
    let mut sender = Sender::new();
    let mut link = Link::new(50_000);
    link.send(&mut sender, 600, Duration::from_secs(2), None);
    skip(&mut link, 0);
    (sender, link)
}

/// Nothing is told of packets on their way, nor of `more` that are sent beside the link.
fn skip(link: &mut Link, more: u16) {
    link.base = link.base.wrapping_add(link.arrivals.len() as u16 + more);
    link.arrivals.clear();
}

fn is_sane(sender: &Sender) -> bool {
    let bounds = Estimator::LOWEST..=Estimator::HIGHEST;
    bitrate(sender).is_none_or(|bitrate| bounds.contains(&bitrate))
}

#[test]
fn packets_that_were_never_sent_did_not_arrive() {
    let mut nothing_sent = Sender::new();
    nothing_sent.handle_transport_feedback(origin(), &feedback(0, 0, &[Some(1); 50]));
    assert_eq!(bitrate(&nothing_sent), None);
    assert_eq!(nothing_sent.rtt(), None);

    let (mut sender, link) = honest();
    let before = bitrate(&sender);
    // Of the future, and of so long ago that nobody remembers.
    for base in [
        link.base.wrapping_add(2_000),
        link.base.wrapping_sub(20_000),
    ] {
        for count in 0..100 {
            sender.handle_transport_feedback(link.now, &feedback(base, count, &[Some(7); 200]));
        }
    }
    assert_eq!(bitrate(&sender), before);
}

#[test]
fn what_was_told_is_not_told_again() {
    let (mut sender, mut link) = honest();
    sender.next_transport_sequence(link.now, 1_000);
    let told = feedback(link.base, 9, &[Some(9_000)]);
    link.now += Duration::from_millis(30);
    sender.handle_transport_feedback(link.now, &told);
    let before = bitrate(&sender);
    for _ in 0..10_000 {
        sender.handle_transport_feedback(link.now, &told);
    }
    assert_eq!(bitrate(&sender), before);
}

#[test]
fn a_clock_that_jumps_is_survived() {
    // Ticks of 250 µs: a second, an hour, and the whole range of the wire.
    for jump in [
        4_000_i64,
        14_400_000,
        -4_000,
        -14_400_000,
        i64::from(u32::MAX / 2),
    ] {
        let (mut sender, mut link) = honest();
        for round in 0..20_u32 {
            let mut arrivals = Vec::new();
            for packet in 0..10_u32 {
                sender.next_transport_sequence(link.now, 1_000);
                let honest = i64::from(8_000 + round * 400 + packet * 40);
                let lie = if round % 2 == 0 { jump } else { 0 };
                arrivals.push(Some((honest + lie).rem_euclid(1 << 32) as u32));
            }
            link.now += Duration::from_millis(100);
            let told = feedback(link.base, round as u8, &arrivals);
            link.base = link.base.wrapping_add(10);
            sender.handle_transport_feedback(link.now, &told);
            assert!(is_sane(&sender), "{jump}: {:?}", bitrate(&sender));
        }
        link.free_at = link.now;
        link.send(&mut sender, 1_500, Duration::from_secs(20), None);
        let after = bitrate(&sender).expect("heard");
        assert!(
            after >= Bitrate::kbps(1_000),
            "{jump}: {after:?} does not come back"
        );
    }
}

/// Everything is said to have come at one moment: that is no link of endless capacity.
#[test]
fn what_comes_faster_than_it_was_sent_proves_no_more_than_was_sent() {
    let mut sender = Sender::new();
    let mut now = origin();
    let mut base = 0_u16;
    for round in 0..100_u32 {
        for _ in 0..10 {
            sender.next_transport_sequence(now, 1_000);
        }
        now += Duration::from_millis(100);
        let told = feedback(base, round as u8, &[Some(1_000 + round); 10]);
        base = base.wrapping_add(10);
        sender.handle_transport_feedback(now, &told);
    }
    // 800 kbit/s were sent.
    let estimate = bitrate(&sender).expect("heard");
    assert!(estimate <= Bitrate::kbps(5_000), "{estimate:?}");
}

#[test]
fn a_flood_of_noise_moves_nothing_out_of_bounds() {
    let mut rng = StdRng::seed_from_u64(1);
    let (mut sender, mut link) = honest();
    for round in 0..20_000_u32 {
        let mut bytes: Vec<u8> = (0..rng.random_range(0..200))
            .map(|_| rng.random())
            .collect();
        if bytes.len() > 8 && round % 2 == 0 {
            (bytes[0], bytes[1]) = (0x8f, 205);
        }
        sender.handle_transport_feedback(link.now, &bytes);
        if round % 50 == 0 {
            link.now += Duration::from_millis(1);
            sender.next_transport_sequence(link.now, 1_000);
        }
        assert!(is_sane(&sender));
    }
    skip(&mut link, 400);
    link.free_at = link.now;
    // Without probes, which a call has, a limit from losses is lifted by 8 % a second.
    link.send(&mut sender, 1_500, Duration::from_secs(60), None);
    let after = bitrate(&sender).expect("heard");
    assert!(
        after >= Bitrate::kbps(1_000),
        "{after:?} does not come back"
    );
}

/// Claims of loss lower the estimate of who makes them, and pass.
#[test]
fn claims_of_loss_are_taken_back() {
    let (mut sender, mut link) = honest();
    link.send(&mut sender, 600, Duration::from_secs(10), Some(2));
    assert!(is_sane(&sender));
    let low = bitrate(&sender).expect("heard");
    assert!(low < Bitrate::kbps(300), "{low:?}");
    link.send(&mut sender, 1_500, Duration::from_secs(40), None);
    let after = bitrate(&sender).expect("heard");
    assert!(
        after >= Bitrate::kbps(1_000),
        "{after:?} does not come back"
    );
}
