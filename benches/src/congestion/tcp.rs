//! A TCP flow: NewReno (RFC 5681, RFC 6582) with selective acknowledgements and one for every
//! segment, sending as much as it may. Enough to compete as the RFC asks; nothing of connection
//! set-up. What the receiver has is known half a round trip early, and only in recovery.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::bottleneck::{Bottleneck, Luck, Way};
use super::case::TcpFlow;

/// Bytes of a segment with its headers.
const SEGMENT: usize = 1_500;
/// Initial window in segments (RFC 6928).
const WINDOW_FIRST: f64 = 10.0;
/// So many segments behind one that is missing make it lost (RFC 5681 §3.2).
const DUPLICATES: u32 = 3;
/// Least retransmission timeout in use (Linux).
const TIMEOUT_MIN: Duration = Duration::from_millis(200);
/// Size of a short flow's file in bytes, and its mean pause in seconds (RFC 8867 §5.7).
const FILE: std::ops::Range<f64> = 100_000.0..1_000_000.0;
const PAUSE_MEAN_S: f64 = 10.0;

pub(super) struct Tcp {
    plan: TcpFlow,
    start: Instant,
    way: Way,
    back: Way,
    luck: Luck,
    window: f64,
    threshold: f64,
    /// Next segment to send, oldest not acknowledged, end of the file.
    next: u64,
    oldest: u64,
    end: u64,
    duplicates: u32,
    /// Recovering until everything before this is acknowledged.
    recover: Option<u64>,
    /// Recovering: what is before this was sent again or is there.
    resent: u64,
    smoothed: Option<Duration>,
    timer: Option<Instant>,
    /// Segments on their way: arrival, number, departure.
    flying: VecDeque<(Instant, u64, Instant)>,
    received: BTreeSet<u64>,
    expected: u64,
    acknowledgements: VecDeque<(Instant, u64, Instant)>,
    idle_until: Instant,
    pub(super) arrived_bytes: u64,
}

impl Tcp {
    pub(super) fn new(start: Instant, plan: TcpFlow, seed: u64, number: u64) -> Self {
        let delay = Duration::from_millis(plan.delay_ms);
        let luck = |which| Luck::new(seed, 1_000 + number * 8 + which);
        let mut first = luck(3);
        let from = start + Duration::from_secs(plan.from_s);
        let idle_until = if plan.short {
            from + Duration::from_secs_f64(first.exponential(PAUSE_MEAN_S))
        } else {
            from
        };
        let mut flow = Self {
            plan,
            start,
            way: Way::new(delay, luck(1)),
            back: Way::new(delay, luck(2)),
            luck: first,
            window: WINDOW_FIRST,
            threshold: f64::INFINITY,
            next: 0,
            oldest: 0,
            end: 0,
            duplicates: 0,
            recover: None,
            resent: 0,
            smoothed: None,
            timer: None,
            flying: VecDeque::new(),
            received: BTreeSet::new(),
            expected: 0,
            acknowledgements: VecDeque::new(),
            idle_until,
            arrived_bytes: 0,
        };
        flow.begin_file();
        flow
    }

    /// One step of time.
    pub(super) fn step(&mut self, now: Instant, there: &mut Bottleneck, back: &mut Bottleneck) {
        let second = (now - self.start).as_secs();
        self.receive(now, back);
        while self
            .acknowledgements
            .front()
            .is_some_and(|(at, ..)| *at <= now)
        {
            if let Some((_, upto, departure)) = self.acknowledgements.pop_front() {
                self.on_acknowledged(now, upto, departure, there);
            }
        }
        if self.timer.is_some_and(|at| at <= now) {
            self.on_timeout(now, there);
        }
        if now >= self.idle_until && second < self.plan.to_s {
            self.fill_window(now, there);
        }
    }

    fn begin_file(&mut self) {
        let bytes = if self.plan.short {
            FILE.start + (FILE.end - FILE.start) * self.luck.draw()
        } else {
            f64::from(u32::MAX)
        };
        self.end = self.next + (bytes / SEGMENT as f64) as u64;
    }

    fn fill_window(&mut self, now: Instant, there: &mut Bottleneck) {
        while self.next < self.end && (self.next - self.oldest) < self.window as u64 {
            self.send(now, self.next, there);
            self.next += 1;
        }
    }

    fn send(&mut self, now: Instant, number: u64, there: &mut Bottleneck) {
        if let Some(passed) = there.pass(now, SEGMENT) {
            self.flying
                .push_back((self.way.arrival(passed), number, now));
        }
        self.timer.get_or_insert(now + self.timeout());
    }

    fn timeout(&self) -> Duration {
        self.smoothed
            .map_or(Duration::from_secs(1), |rtt| rtt * 2)
            .max(TIMEOUT_MIN)
    }

    fn receive(&mut self, now: Instant, back: &mut Bottleneck) {
        while self.flying.front().is_some_and(|(at, ..)| *at <= now) {
            let Some((_, number, departure)) = self.flying.pop_front() else {
                return;
            };
            if number >= self.expected && self.received.insert(number) {
                self.arrived_bytes += SEGMENT as u64;
            }
            while self.received.remove(&self.expected) {
                self.expected += 1;
            }
            if let Some(passed) = back.pass(now, 60) {
                let at = self.back.arrival(passed);
                self.acknowledgements
                    .push_back((at, self.expected, departure));
            }
        }
    }

    fn on_acknowledged(
        &mut self,
        now: Instant,
        upto: u64,
        departure: Instant,
        there: &mut Bottleneck,
    ) {
        let sample = now - departure;
        self.smoothed = Some(self.smoothed.map_or(sample, |rtt| (rtt * 7 + sample) / 8));
        if upto <= self.oldest {
            self.duplicates += 1;
            match self.recover {
                Some(recover) => self.fill_hole(now, recover.min(self.lost_before()), there),
                None if self.duplicates == DUPLICATES => self.begin_recovery(now, there),
                None => {}
            }
            return;
        }
        let newly = (upto - self.oldest) as f64;
        self.oldest = upto;
        // After a timeout much of what was sent again turns out to have arrived before.
        self.next = self.next.max(upto);
        self.duplicates = 0;
        self.timer = (self.oldest < self.next).then(|| now + self.timeout());
        match self.recover {
            Some(recover) if upto >= recover => {
                self.recover = None;
                self.window = self.threshold;
            }
            // A partial acknowledgement: the next hole (RFC 6582 §3.2). What was sent again came
            // behind all else before `recover`, so what is missing there is lost.
            Some(recover) => {
                self.window = (self.window - newly + 1.0).max(self.threshold);
                self.fill_hole(now, recover, there);
            }
            None if self.window < self.threshold => self.window += newly,
            None => self.window += newly / self.window,
        }
        if self.oldest >= self.end {
            self.end_file(now);
        }
    }

    fn begin_recovery(&mut self, now: Instant, there: &mut Bottleneck) {
        self.threshold = ((self.next - self.oldest) as f64 / 2.0).max(2.0);
        self.window = self.threshold + 3.0;
        self.recover = Some(self.next);
        self.resent = self.oldest + 1;
        self.send(now, self.oldest, there);
    }

    /// What is missing before this is lost: as many came behind it as it takes (RFC 6675 §4).
    /// What is missing after it may still wait in the queue.
    fn lost_before(&self) -> u64 {
        let newest = self.received.last().copied().unwrap_or(self.expected);
        newest.saturating_sub(u64::from(DUPLICATES) - 1)
    }

    /// Sends the next segment before `until` again that is missing, else something new.
    fn fill_hole(&mut self, now: Instant, until: u64, there: &mut Bottleneck) {
        let from = self.resent.max(self.expected);
        match (from..until).find(|number| !self.received.contains(number)) {
            Some(hole) => {
                self.resent = hole + 1;
                self.send(now, hole, there);
            }
            None => self.window += 1.0,
        }
    }

    fn on_timeout(&mut self, now: Instant, there: &mut Bottleneck) {
        self.timer = None;
        if self.oldest >= self.next {
            return;
        }
        self.threshold = ((self.next - self.oldest) as f64 / 2.0).max(2.0);
        self.window = 1.0;
        self.duplicates = 0;
        self.recover = None;
        self.next = self.oldest + 1;
        self.send(now, self.oldest, there);
    }

    fn end_file(&mut self, now: Instant) {
        self.timer = None;
        self.window = WINDOW_FIRST;
        self.threshold = f64::INFINITY;
        let pause = self.luck.exponential(PAUSE_MEAN_S);
        self.idle_until = now + Duration::from_secs_f64(pause);
        self.begin_file();
    }
}
