//! Synthetic feedback over a made-up link.

mod closed_loop;
mod lies;

use super::*;
use crate::transport_feedback::encode;
use plenum_types::Ssrc;

fn bitrate(sender: &Sender) -> Option<Bitrate> {
    sender.estimate(origin()).map(|estimate| estimate.bitrate)
}

fn origin() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    Instant::now()
}

/// A link that carries `kbps` and queues the rest, and feedback every 100 ms.
struct Link {
    start: Instant,
    now: Instant,
    kbps: u64,
    free_at: Instant,
    base: u16,
    arrivals: Vec<Option<u32>>,
    count: u8,
}

impl Link {
    fn new(kbps: u64) -> Self {
        let start = origin();
        Self {
            start,
            now: start,
            kbps,
            free_at: start,
            base: 0,
            arrivals: Vec::new(),
            count: 0,
        }
    }

    /// Sends `kbps` for `duration`, losing every `lose`-th packet.
    fn send(&mut self, sender: &mut Sender, kbps: u64, duration: Duration, lose: Option<usize>) {
        const SIZE: usize = 1_000;
        let gap = Duration::from_micros(SIZE as u64 * 8_000 / kbps);
        let end = self.now + duration;
        let mut next_feedback = self.now + Duration::from_millis(100);
        let mut sent = 0;
        while self.now < end {
            sender.next_transport_sequence(self.now, SIZE);
            sent += 1;
            let takes = Duration::from_micros(SIZE as u64 * 8_000 / self.kbps);
            self.free_at = self.free_at.max(self.now) + takes;
            let arrival = self.free_at + Duration::from_millis(20);
            let ticks = (arrival - self.start).as_micros() / 250;
            let lost = lose.is_some_and(|every| sent % every == 0);
            self.arrivals.push((!lost).then_some(ticks as u32));
            self.now += gap;
            if self.now >= next_feedback {
                self.feed_back(sender);
                next_feedback = self.now + Duration::from_millis(100);
            }
        }
    }

    /// Tells of the packets that have arrived by now.
    fn feed_back(&mut self, sender: &mut Sender) {
        let ticks = ((self.now - self.start).as_micros() / 250) as u32;
        loop {
            let mut out = Vec::new();
            let arrived = self
                .arrivals
                .iter()
                .copied()
                .take_while(|arrival| arrival.is_none_or(|arrival| arrival <= ticks));
            let told = encode(
                Ssrc(1),
                Ssrc(2),
                self.count,
                self.base,
                arrived,
                1_000,
                &mut out,
            );
            let Some(told) = told else {
                return;
            };
            self.count = self.count.wrapping_add(1);
            self.base = self.base.wrapping_add(told.statuses);
            self.arrivals.drain(..usize::from(told.statuses));
            sender.handle_transport_feedback(self.now, &out);
        }
    }
}

#[test]
fn a_clean_link_raises_the_estimate() {
    let mut sender = Sender::new();
    assert_eq!(bitrate(&sender), None);
    let mut link = Link::new(50_000);
    link.send(&mut sender, 600, Duration::from_secs(1), None);
    let early = bitrate(&sender).unwrap();
    link.send(&mut sender, 1_500, Duration::from_secs(10), None);
    assert!(bitrate(&sender).unwrap() > early);
}

#[test]
fn a_growing_queue_lowers_the_estimate() {
    let mut sender = Sender::new();
    let mut link = Link::new(50_000);
    link.send(&mut sender, 1_500, Duration::from_secs(10), None);
    let before = bitrate(&sender).unwrap();
    link.kbps = 300;
    link.send(&mut sender, 600, Duration::from_secs(3), None);
    let after = bitrate(&sender).unwrap();
    assert!(after < before, "{before:?} → {after:?}");
    assert!(after < Bitrate::kbps(600), "{after:?}");
}

#[test]
fn heavy_loss_lowers_the_estimate() {
    let mut sender = Sender::new();
    let mut link = Link::new(50_000);
    link.send(&mut sender, 1_500, Duration::from_secs(5), None);
    let before = bitrate(&sender).unwrap();
    link.send(&mut sender, 1_500, Duration::from_secs(5), Some(3));
    assert!(bitrate(&sender).unwrap() < before);
}

#[test]
fn sequence_numbers_wrap_and_feedback_is_still_understood() {
    let mut sender = Sender::new();
    let mut link = Link::new(50_000);
    link.send(&mut sender, 12_000, Duration::from_secs(50), None);
    assert!(sender.next_transport_sequence(link.now, 1) < 20_000);
    assert!(bitrate(&sender).unwrap() > Bitrate::kbps(1_000));
}

#[test]
fn feedback_about_nothing_sent_is_ignored() {
    let mut sender = Sender::new();
    let mut out = Vec::new();
    let arrivals = [Some(5), None, Some(9)];
    encode(
        Ssrc(1),
        Ssrc(2),
        0,
        700,
        arrivals.into_iter(),
        1_000,
        &mut out,
    )
    .unwrap();
    sender.handle_transport_feedback(origin(), &out);
    sender.handle_transport_feedback(origin(), &out[..9]);
    assert_eq!(bitrate(&sender), None);
}

#[test]
fn remb_counts_until_there_is_better() {
    let mut sender = Sender::new();
    sender.handle_remb(Bitrate::kbps(700));
    assert_eq!(bitrate(&sender), Some(Bitrate::kbps(700)));
    let mut link = Link::new(50_000);
    link.send(&mut sender, 1_500, Duration::from_secs(1), None);
    assert_ne!(bitrate(&sender), Some(Bitrate::kbps(700)));
}

#[test]
fn remb_that_promises_everything_is_not_believed() {
    let mut sender = Sender::new();
    sender.handle_remb(Bitrate(u64::MAX));
    assert_eq!(bitrate(&sender), Some(Bitrate::kbps(100_000)));
}

#[test]
fn remb_that_allows_nothing_leaves_room_for_sound() {
    let mut sender = Sender::new();
    for kbps in [0, 1, 49] {
        sender.handle_remb(Bitrate::kbps(kbps));
        assert_eq!(bitrate(&sender), Some(Bitrate::kbps(50)));
    }
}

#[test]
fn the_round_trip_is_what_the_peer_did_not_hold() {
    let mut sender = Sender::new();
    let sent = NtpTime(0x1234_5678_9abc_def0);
    let mut block = ReportBlock {
        ssrc: Ssrc(1),
        fraction_lost: 64,
        cumulative_lost: 0,
        highest_sequence: 0,
        jitter: 0,
        last_sr: sent.middle(),
        // 500 ms.
        delay_since_last_sr: 32_768,
    };
    let now = origin();
    sender.on_report_block(now, sent.plus(Duration::from_millis(580)), &block);
    let rtt = sender.rtt().unwrap();
    assert!(rtt.abs_diff(Duration::from_millis(80)) < Duration::from_micros(50));
    assert!((sender.loss() - 0.25).abs() < 1e-6);
    // An answer to no report, and one from before it was sent, say nothing.
    block.last_sr = 0;
    sender.on_report_block(now, sent, &block);
    block.last_sr = sent.plus(Duration::from_secs(5)).middle();
    sender.on_report_block(now, sent, &block);
    assert_eq!(sender.rtt(), Some(rtt));
}
