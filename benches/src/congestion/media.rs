//! A media flow: the sender's controller, a source that follows it, and the receiver's feedback.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use plenum_media::{Sender, encode_feedback};
use plenum_types::{Bitrate, BitrateDemand, PACKET_OVERHEAD, Ssrc};

use super::bottleneck::{Bottleneck, Luck, OVERHEAD, Way};
use super::case::{MediaFlow, SOURCE_MAX_KBPS};

/// Between two feedbacks.
const FEEDBACK: Duration = Duration::from_millis(50);
/// Between two frames.
const FRAME: Duration = Duration::from_micros(33_333);
/// Largest RTP packet, bytes.
const PACKET: usize = 1_200;
/// Least RTP packet, bytes.
const PACKET_MIN: usize = 100;
/// Frames differ by so much of their mean, up and down.
const FRAME_SPREAD: f64 = 0.25;

/// What a flow did since the last look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) arrived_bytes: u64,
    pub(super) probe_bytes: u64,
    pub(super) sent: u64,
    pub(super) lost: u64,
}

pub(super) struct Media {
    sender: Sender,
    plan: MediaFlow,
    start: Instant,
    forward: Way,
    /// Each packet that was sent and not told of, in order: when it arrives, `None` if never, and
    /// its bytes.
    pending: VecDeque<(Option<Instant>, usize)>,
    base: u16,
    count: u8,
    backward: Way,
    reports: VecDeque<(Instant, Vec<u8>)>,
    luck: Luck,
    next_frame: Instant,
    next_feedback: Instant,
    wants: bool,
    pub(super) progress: Progress,
}

impl Media {
    /// `number` tells the flows of a run apart.
    pub(super) fn new(start: Instant, plan: MediaFlow, seed: u64, number: u64) -> Self {
        let delay = Duration::from_millis(plan.delay_ms);
        let luck = |which| Luck::new(seed, number * 8 + which);
        let begins = start + Duration::from_secs(plan.from_s);
        Self {
            sender: Sender::new(),
            plan,
            start,
            forward: Way::new(delay, luck(1)),
            pending: VecDeque::new(),
            base: 0,
            count: 0,
            backward: Way::new(delay, luck(2)),
            reports: VecDeque::new(),
            luck: luck(3),
            next_frame: begins,
            next_feedback: begins + FEEDBACK,
            wants: false,
            progress: Progress::default(),
        }
    }

    /// Whether it sends in this second of the run.
    pub(super) const fn is_on(&self, second: u64) -> bool {
        let paused = match self.plan.pause_s {
            Some((from, to)) => from <= second && second < to,
            None => false,
        };
        self.plan.from_s <= second && second < self.plan.to_s && !paused
    }

    /// The estimate, kbit/s.
    pub(super) fn target_kbps(&self, now: Instant) -> f64 {
        let estimate = self.sender.estimate(now);
        let estimate = estimate.unwrap_or_else(|| self.sender.first_estimate());
        estimate.bitrate.bits_per_second() as f64 / 1_000.0
    }

    /// One step of time: `there` is the bottleneck of its packets, `back` that of its feedback.
    pub(super) fn step(&mut self, now: Instant, there: &mut Bottleneck, back: &mut Bottleneck) {
        let on = self.is_on((now - self.start).as_secs());
        if on != self.wants {
            self.wants = on;
            let most = Bitrate::kbps(if on { SOURCE_MAX_KBPS } else { 0 });
            let demand = BitrateDemand {
                most,
                ..BitrateDemand::default()
            };
            self.sender.set_demand(now, demand);
        }
        if now >= self.next_frame {
            self.next_frame += FRAME;
            if on {
                self.send_frame(now, there);
            }
        }
        while let Some(padding) = self.sender.poll_probe(now) {
            self.progress.probe_bytes += (usize::from(padding) + OVERHEAD) as u64;
            self.send(now, usize::from(padding), there);
        }
        if now >= self.next_feedback {
            self.next_feedback += FEEDBACK;
            self.report(now, back);
        }
        while self.reports.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, report)) = self.reports.pop_front() {
                self.sender.handle_transport_feedback(now, &report);
            }
        }
    }

    /// A frame leaves in a burst.
    fn send_frame(&mut self, now: Instant, there: &mut Bottleneck) {
        let rate = self.target_kbps(now).min(SOURCE_MAX_KBPS as f64);
        let spread = 1.0 - FRAME_SPREAD + 2.0 * FRAME_SPREAD * self.luck.draw();
        let mut left = (rate * spread * FRAME.as_secs_f64() * 1_000.0 / 8.0) as usize;
        while left > 0 {
            let bytes = left.clamp(PACKET_MIN + PACKET_OVERHEAD, PACKET);
            left = left.saturating_sub(bytes);
            self.send(now, bytes - PACKET_OVERHEAD, there);
        }
    }

    fn send(&mut self, now: Instant, payload: usize, there: &mut Bottleneck) {
        self.sender.next_transport_sequence(now, payload);
        let bytes = payload + PACKET_OVERHEAD;
        let passed = there.pass(now, bytes);
        let arrival = passed.map(|at| self.forward.arrival(at));
        self.progress.sent += 1;
        self.progress.lost += u64::from(arrival.is_none());
        self.pending.push_back((arrival, bytes));
    }

    /// The receiver tells of what has arrived.
    fn report(&mut self, now: Instant, back: &mut Bottleneck) {
        let has_arrived = |arrival: &Option<Instant>| arrival.is_some_and(|at| at <= now);
        let newest = self.pending.iter().rposition(|(at, _)| has_arrived(at));
        let Some(newest) = newest else { return };
        let start = self.start;
        let ticks = |at: Instant| ((at - start).as_micros() / 250) as u32;
        let told = self.pending.drain(..=newest);
        let mut arrived = 0;
        let mut told: VecDeque<Option<u32>> = told
            .map(|(at, bytes)| {
                arrived += at.map_or(0, |_| bytes as u64);
                at.map(ticks)
            })
            .collect();
        self.progress.arrived_bytes += arrived;
        while !told.is_empty() {
            let mut out = Vec::new();
            let statuses = told.iter().copied();
            let done = encode_feedback(
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
            if let Some(passed) = back.pass(now, out.len() + OVERHEAD) {
                self.reports.push_back((self.backward.arrival(passed), out));
            }
        }
    }
}
