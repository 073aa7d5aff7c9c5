//! Probing: short trains of padding, faster than what flows, that tell whether the way carries
//! more. Without them an estimate that follows what is sent would never let a slot leave its
//! lowest layer, because layers are steps and nothing is sent in between.
//!
//! When: at the start, at three and six times the first estimate; after each train that came
//! through, at twice its rate; and while a better layer is wanted than the estimate allows, every
//! few seconds. Up to [`ENOUGH`], or half more than all that is wanted, whichever is higher.

mod train;

use plenum_types::{BitrateDemand, PACKET_OVERHEAD};
use std::time::{Duration, Instant};
pub(super) use train::{Probed, Results};

/// What is worth knowing even if it is not wanted now: it may be, with the next click.
const ENOUGH: f64 = 5_500_000.0;
/// Beyond what is wanted, so that rates may vary.
const MARGIN: f64 = 1.5;
/// So much more must be wanted to probe at once: bitrates of layers breathe.
const RISE: f64 = 1.3;
/// Rates of the first two trains, as multiples of the estimate.
const FIRST: [f64; 2] = [3.0, 6.0];
/// Rate of further trains, as a multiple of the estimate; after one that did not come through the
/// next dares less.
const FURTHER: f64 = 2.0;
const CAREFUL: f64 = 1.4;
/// A train has come through if it arrived at this share of its rate.
const THROUGH: f64 = 0.7;
/// The same on a way that was overused a while ago. Others may share it, and what arrives of a
/// train that is too fast was taken from them.
const THROUGH_SHARED: f64 = 0.9;
/// On such a way so many trains in a row must come through: one may find it idle between the frames
/// of the others.
const AGREEING: u32 = 3;
/// Where others share the way it is overused at least this often.
pub(super) const SHARED: Duration = Duration::from_secs(5);
/// How long a train lasts. Longer is surer, costs more, and is itself a longer queue.
const DURATION: Duration = Duration::from_millis(40);
/// Least packets of a train.
const PACKETS_MIN: usize = 10;
/// Bytes of a packet of padding, padding excluded.
const PADDED: usize = PACKET_OVERHEAD;
/// Least bytes of a packet: on a slow link a train of large ones would be a queue of its own.
const PADDED_MIN: usize = PADDED + 16;
/// Bytes of a train beyond this do not make it surer.
const BYTES_MAX: usize = 12 * 1024;
/// How long feedback about a train is awaited.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between trains while a better layer is wanted; a train that does not come through makes the
/// next one wait longer.
const INTERVAL: Duration = Duration::from_secs(2);
const INTERVAL_MAX: Duration = Duration::from_millis(2_500);
/// So long after the link was overused no train is sent: the queue must drain.
pub(super) const CALM: Duration = Duration::from_millis(1_500);

/// A train under way.
#[derive(Clone, Copy, Debug)]
struct Train {
    id: u8,
    /// Bits per second.
    rate: f64,
    started: Instant,
    /// Bytes that it is to have, and has.
    bytes: usize,
    sent: usize,
    /// Of each of its packets.
    padding: u8,
}

#[derive(Debug)]
pub(super) struct Prober {
    wanted: BitrateDemand,
    train: Option<Train>,
    results: Results,
    /// Rates of trains to send at once.
    queue: [Option<f64>; 2],
    next_id: u8,
    began: bool,
    /// Of the estimate, the next train's rate.
    multiple: f64,
    /// Trains in a row that came through, and the least of their rates.
    agreed: Option<(u32, f64)>,
    /// When the next train is due.
    due: Option<Instant>,
    interval: Duration,
}

impl Default for Prober {
    fn default() -> Self {
        Self {
            wanted: BitrateDemand::default(),
            train: None,
            results: Results::default(),
            queue: [None; 2],
            next_id: 1,
            began: false,
            multiple: FURTHER,
            agreed: None,
            due: None,
            interval: INTERVAL,
        }
    }
}

impl Prober {
    /// Takes over what is wanted.
    pub(super) fn set_wanted(&mut self, now: Instant, wanted: BitrateDemand, estimate: f64) {
        let before = std::mem::replace(&mut self.wanted, wanted);
        if !self.began && wanted.most.0 > 0 {
            self.began = true;
            self.queue = FIRST.map(|multiple| Some(multiple * estimate));
            self.due = Some(now);
        } else if wanted.most.0 as f64 > RISE * before.most.0 as f64 && self.is_short(estimate) {
            // Somebody waits for it: straight to what is wanted, within what a start dares.
            let rate = MARGIN * wanted.most.0 as f64;
            let dared = rate.clamp(FURTHER * estimate, FIRST[1] * estimate);
            self.interval = INTERVAL;
            self.queue = [Some(dared), None];
            self.due = Some(now);
        }
    }

    /// The id of the train that packets sent now belong to; 0 for none.
    #[inline]
    pub(super) fn current(&self) -> u8 {
        self.train.as_ref().map_or(0, |train| train.id)
    }

    /// A packet of the current train, padding or not, was sent.
    pub(super) fn on_sent(&mut self, bytes: usize) {
        let Some(train) = &mut self.train else {
            return;
        };
        train.sent += bytes;
        if train.sent >= train.bytes {
            self.train = None;
        }
    }

    /// The padding of a packet to send now. Call again until `None`; what was sent comes back by
    /// [`on_sent`](Self::on_sent).
    pub(super) fn poll(&mut self, now: Instant, estimate: f64, congested: bool) -> Option<u8> {
        if self.train.is_none() && self.due.is_some_and(|due| due <= now) {
            self.begin(now, estimate, congested);
        }
        let train = self.train.as_ref()?;
        let elapsed = now.saturating_duration_since(train.started);
        if elapsed > PATIENCE {
            self.train = None;
            return None;
        }
        let due = (train.rate * elapsed.as_secs_f64() / 8.0) as usize + 1;
        (due.min(train.bytes) > train.sent).then_some(train.padding)
    }

    /// When to call [`poll`](Self::poll) next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let Some(train) = &self.train else {
            return self.due;
        };
        let at = (train.sent + 1) as f64 * 8.0 / train.rate;
        Some(train.started + Duration::from_secs_f64(at.min(1.0)))
    }

    /// Takes in what arrived of trains; returns the rate that the way was found to carry.
    /// `shared`: others may use it too.
    pub(super) fn on_arrivals(
        &mut self,
        now: Instant,
        arrived: &[Probed],
        shared: bool,
    ) -> Option<f64> {
        let mut best: Option<f64> = None;
        for probed in arrived {
            self.results.add(probed);
        }
        while let Some(result) = self.results.take_complete() {
            let (sent, came) = (result.sent_rate, result.rate());
            let found = if shared {
                self.judge_shared(now, sent, came)
            } else {
                self.judge(now, sent, came)
            };
            best = best.into_iter().chain(found).reduce(f64::max);
        }
        best
    }

    /// Whatever came through is known from now on.
    fn judge(&mut self, now: Instant, sent: f64, came: f64) -> Option<f64> {
        if came < THROUGH * sent {
            self.fail(now);
        } else {
            self.go_on(now, FURTHER * came);
        }
        Some(came)
    }

    fn judge_shared(&mut self, now: Instant, sent: f64, came: f64) -> Option<f64> {
        if came < THROUGH_SHARED * sent {
            self.fail(now);
            return None;
        }
        let (trains, least) = self.agreed.take().unwrap_or((0, f64::INFINITY));
        let (trains, least) = (trains + 1, least.min(came));
        if trains < AGREEING {
            self.agreed = Some((trains, least));
            self.go_on(now, sent);
            return None;
        }
        self.multiple = FURTHER;
        self.go_on(now, FURTHER * least);
        Some(least)
    }

    fn go_on(&mut self, now: Instant, rate: f64) {
        self.interval = INTERVAL;
        if self.queue == [None; 2] {
            self.due = Some(now);
            self.queue[0] = Some(rate);
        }
    }

    fn fail(&mut self, now: Instant) {
        self.agreed = None;
        self.multiple = CAREFUL;
        self.interval = (self.interval * 3 / 2).min(INTERVAL_MAX);
        self.queue = [None; 2];
        self.due = Some(now + self.interval);
    }

    /// Looks whether more is worth knowing, after the estimate has changed.
    pub(super) fn on_estimate(&mut self, now: Instant, estimate: f64) {
        if self.began && self.due.is_none() && self.is_short(estimate) {
            self.due = Some(now + self.interval);
        }
    }

    fn enough(&self) -> f64 {
        (MARGIN * self.wanted.most.0 as f64).max(ENOUGH)
    }

    /// Whether more is worth knowing.
    fn is_short(&self, estimate: f64) -> bool {
        self.wanted.most.0 > 0 && estimate < self.enough()
    }

    fn begin(&mut self, now: Instant, estimate: f64, congested: bool) {
        if congested {
            self.queue = [None; 2];
            self.due = Some(now + CALM);
            return;
        }
        let queued = self.queue[0].take();
        self.queue.swap(0, 1);
        if !self.is_short(estimate) {
            self.queue = [None; 2];
            self.due = None;
            return;
        }
        let rate = queued
            .unwrap_or(self.multiple * estimate)
            .min(FURTHER * self.enough());
        let bytes = (rate * DURATION.as_secs_f64() / 8.0) as usize;
        let bytes = bytes.clamp(PACKETS_MIN * PADDED_MIN, BYTES_MAX);
        let padding = (bytes / PACKETS_MIN).saturating_sub(PADDED);
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.train = Some(Train {
            id,
            rate,
            started: now,
            bytes,
            sent: 0,
            padding: padding.clamp(1, usize::from(u8::MAX)) as u8,
        });
        self.results.begin(now, id, bytes);
        self.due = Some(if self.queue[0].is_some() {
            now + DURATION
        } else {
            now + self.interval
        });
    }
}
