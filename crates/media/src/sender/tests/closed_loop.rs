//! The sender in a loop with a made-up link, sending what it estimates, or what a source makes.

use super::{bitrate, origin};
use crate::sender::Sender;
use crate::transport_feedback::encode;
use plenum_types::{Bitrate, BitrateDemand, PACKET_OVERHEAD, Ssrc};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);
/// Between two feedbacks.
const FEEDBACK: Duration = Duration::from_millis(50);
const PACKET: usize = 1_100;
const JITTER: Duration = Duration::from_millis(4);

/// A link, its receiver, and a source of 30 frames a second.
struct Loop {
    sender: Sender,
    start: Instant,
    now: Instant,
    link: Link,
    /// Arrival of each packet sent and not told of yet, in order; `None` if it is lost.
    pending: VecDeque<Option<Instant>>,
    base: u16,
    count: u8,
    next_frame: Instant,
    next_feedback: Instant,
    /// What waits to leave.
    backlog: usize,
    /// The source makes at most so much.
    source: f64,
    media_bytes: usize,
    probe_bytes: usize,
}

struct Link {
    kbps: f64,
    delay: Duration,
    /// Longest queue.
    queue: Duration,
    /// Probability of loss.
    loss: f64,
    free_at: Instant,
    /// The newest arrival: nothing overtakes.
    newest: Instant,
    luck: u64,
}

impl Link {
    /// Between 0 and 1.
    fn draw(&mut self) -> f64 {
        self.luck = self.luck.wrapping_mul(6_364_136_223_846_793_005);
        self.luck = self.luck.wrapping_add(1_442_695_040_888_963_407);
        (self.luck >> 33) as f64 / f64::from(1_u32 << 31)
    }

    fn carry(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let lost = self.draw() < self.loss;
        if lost || self.free_at.saturating_duration_since(now) > self.queue {
            return None;
        }
        let bits = (bytes + PACKET_OVERHEAD) as f64 * 8.0;
        let takes = Duration::from_secs_f64(bits / self.kbps / 1_000.0);
        self.free_at = self.free_at.max(now) + takes;
        let jitter = JITTER.mul_f64(self.draw());
        self.newest = self.newest.max(self.free_at + self.delay + jitter);
        Some(self.newest)
    }
}

impl Loop {
    fn new(kbps: u32, delay_ms: u64, seed: u64) -> Self {
        let start = origin();
        let mut sender = Sender::new();
        let most = BitrateDemand {
            most: Bitrate::kbps(3_000),
            ..BitrateDemand::default()
        };
        sender.set_demand(start, most);
        Self {
            sender,
            start,
            now: start,
            link: Link {
                kbps: f64::from(kbps),
                delay: Duration::from_millis(delay_ms),
                queue: Duration::from_millis(300),
                loss: 0.0,
                free_at: start,
                newest: start,
                luck: seed,
            },
            pending: VecDeque::new(),
            base: 0,
            count: 0,
            next_frame: start,
            next_feedback: start + FEEDBACK,
            backlog: 0,
            source: f64::INFINITY,
            media_bytes: 0,
            probe_bytes: 0,
        }
    }

    fn kbps(&self) -> u64 {
        bitrate(&self.sender).map_or(300, |bitrate| bitrate.0 / 1_000)
    }

    /// Runs for `duration`; returns the estimates of each 100 ms, kbit/s.
    fn run(&mut self, duration: Duration) -> Vec<u64> {
        let mut estimates = Vec::new();
        let end = self.now + duration;
        while self.now < end {
            self.step();
            if (self.now - self.start).as_millis().is_multiple_of(100) {
                estimates.push(self.kbps());
            }
            self.now += MS;
        }
        estimates
    }

    fn step(&mut self) {
        if self.now >= self.next_frame {
            let rate = (self.kbps() as f64 * 1_000.0).min(self.source);
            // Frames differ by a quarter up and down.
            let size = rate * (0.75 + 0.5 * self.link.draw());
            self.backlog += (size / 30.0 / 8.0) as usize;
            self.next_frame += Duration::from_micros(33_333);
        }
        // A frame leaves in a burst.
        while self.backlog > 0 {
            let size = self.backlog.clamp(100 + PACKET_OVERHEAD, PACKET);
            self.backlog = self.backlog.saturating_sub(size);
            self.media_bytes += size;
            self.send(size - PACKET_OVERHEAD);
        }
        while let Some(padding) = self.sender.poll_probe(self.now) {
            let size = usize::from(padding);
            self.probe_bytes += size + PACKET_OVERHEAD;
            self.send(size);
        }
        if self.now >= self.next_feedback {
            self.next_feedback += FEEDBACK;
            self.feed_back();
        }
    }

    fn send(&mut self, size: usize) {
        self.sender.next_transport_sequence(self.now, size);
        let arrival = self.link.carry(self.now, size);
        self.pending.push_back(arrival);
    }

    /// Tells of what had arrived when the feedback left.
    fn feed_back(&mut self) {
        let Some(left) = self.now.checked_sub(self.link.delay) else {
            return;
        };
        let newest = self
            .pending
            .iter()
            .rposition(|arrival| arrival.is_some_and(|arrival| arrival <= left));
        let Some(newest) = newest else { return };
        let start = self.start;
        let ticks = |at: Instant| ((at - start).as_micros() / 250) as u32;
        let mut told: VecDeque<Option<u32>> = self
            .pending
            .drain(..=newest)
            .map(|arrival| arrival.map(ticks))
            .collect();
        while !told.is_empty() {
            let mut out = Vec::new();
            let statuses = told.iter().copied();
            let done = encode(
                Ssrc(1),
                Ssrc(2),
                self.count,
                self.base,
                statuses,
                1_000,
                &mut out,
            );
            let Some(done) = done else { return };
            self.count = self.count.wrapping_add(1);
            self.base = self.base.wrapping_add(done.statuses);
            told.drain(..usize::from(done.statuses));
            self.sender.handle_transport_feedback(self.now, &out);
        }
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn mean(estimates: &[u64]) -> u64 {
    estimates.iter().sum::<u64>() / estimates.len() as u64
}

/// Mean of the last five seconds.
fn settled(estimates: &[u64]) -> u64 {
    mean(&estimates[estimates.len() - 50..])
}

#[test]
fn a_narrow_link_is_found_and_followed() {
    for seed in 0..20 {
        let mut call = Loop::new(500, 50, seed);
        let found = call.run(seconds(25));
        let at_500 = settled(&found);
        call.link.kbps = 800.0;
        let at_800 = settled(&call.run(seconds(20)));
        call.link.kbps = 100.0;
        call.link.delay = Duration::from_millis(100);
        let at_100 = settled(&call.run(seconds(20)));
        println!("seed {seed}: {at_500} of 500, {at_800} of 800, {at_100} of 100 kbit/s");
        assert!((350..=550).contains(&at_500), "{at_500} {found:?}");
        assert!((600..=900).contains(&at_800), "{at_800}");
        assert!((65..=115).contains(&at_100), "{at_100}");
    }
}

#[test]
fn a_wide_link_is_found_by_probing() {
    for seed in 0..20 {
        let mut call = Loop::new(10_000, 50, seed);
        call.source = 1_000_000.0;
        let found = call.run(seconds(20));
        let (probes, media) = (call.probe_bytes, call.media_bytes);
        println!(
            "seed {seed}: {} kbit/s, {probes} of {media} bytes",
            settled(&found)
        );
        assert!(*found.last().unwrap() >= 5_000, "{found:?}");
        assert!(probes * 20 <= media, "{probes} of {media}");
    }
}

#[test]
fn a_recovered_link_is_used_again() {
    for seed in 0..20 {
        let mut call = Loop::new(10_000, 25, seed);
        call.source = 2_500_000.0;
        call.run(seconds(10));
        assert!(call.kbps() > 2_500);
        call.link.kbps = 800.0;
        let narrow = settled(&call.run(seconds(20)));
        assert!((600..=900).contains(&narrow), "{narrow}");
        call.link.kbps = 10_000.0;
        let back = call.run(seconds(10));
        let after = back.iter().position(|kbps| *kbps > 2_500);
        println!("seed {seed}: {narrow} kbit/s, back after {after:?} tenths of a second");
        assert!(after.is_some(), "{back:?}");
    }
}

#[test]
fn random_loss_is_no_congestion() {
    for seed in 1..20 {
        let mut call = Loop::new(5_000, 50, seed);
        call.link.loss = 0.1;
        let found = call.run(seconds(8));
        println!("seed {seed}: {} kbit/s", found.last().unwrap());
        assert!(*found.last().unwrap() >= 1_000, "{found:?}");
        let later = call.run(seconds(20));
        assert!(later.iter().all(|kbps| *kbps >= 1_000), "{later:?}");
    }
}

#[test]
fn a_greedy_flow_keeps_the_queue_short() {
    for seed in 0..20 {
        let mut call = Loop::new(2_000, 25, seed);
        let found = call.run(seconds(20));
        let mut waits = Vec::new();
        let mut estimates = Vec::new();
        for _ in 0..20_000 {
            call.step();
            call.now += MS;
            estimates.push(call.kbps());
            waits.push(call.link.free_at.saturating_duration_since(call.now));
        }
        waits.sort_unstable();
        let (p50, p95) = (waits[10_000], waits[19_000]);
        let used = mean(&estimates);
        println!("seed {seed}: {used} of 2,000 kbit/s, queue p50 {p50:?}, p95 {p95:?}");
        assert!(used >= 1_700, "{found:?}");
        assert!(p95 < Duration::from_millis(100), "{p95:?}");
    }
}
