//! The rate that the delay allows: up while the queue does not grow, down below what comes through
//! when it does (additive increase near the link's capacity, multiplicative increase far from it,
//! multiplicative decrease; draft-ietf-rmcat-gcc-02 §5.5).

use super::capacity::LinkCapacity;
use super::detector::Usage;
use super::standing_queue::{STANDING_MS, Standing};
use std::time::{Duration, Instant};

/// Of what comes through, when the link is overused.
const DECREASE: f64 = 0.80;
/// The same when a queue stands and does not grow: so much less that it drains within this time,
/// seconds, but not less than the one and not more than the other.
const DRAIN_S: f64 = 0.6;
const DRAIN_MOST: f64 = 0.5;
const DRAIN_LEAST: f64 = 0.92;
/// Growth per second far from the capacity.
const GROWTH: f64 = 0.08;
/// Least growth, bits per second per second.
const GROWTH_MIN: f64 = 1_000.0;
const ADDITIVE_MIN: f64 = 4_000.0;
/// Without a probe the rate is not believed beyond this multiple of what came through, plus some.
const UNPROVEN: f64 = 1.25;
const UNPROVEN_MORE: f64 = 10_000.0;
/// Round trip where it is not known.
const ROUND_TRIP: Duration = Duration::from_millis(200);
/// Time that the receiver and the estimator add to a round trip.
const REACTION: Duration = Duration::from_millis(100);
/// Between two decreases passes a round trip and so long: the first must show before another, or
/// they follow what is sent down to nothing.
const DECREASE_GAP: Duration = Duration::from_millis(250);
/// For so long after a decrease, what flows is as much as the rate allows or somewhat less, because
/// layers are steps. No sign that the link carries less than the rate, unless it is below this
/// share of it.
const SETTLING: Duration = Duration::from_millis(900);
const OBEYED: f64 = 0.7;
/// A decrease helps if the queue is below this share of what it was.
const HELPED: f64 = 0.8;
/// The same where a queue stands; each time that it is found must count.
const STANDING_GAP: Duration = Duration::from_millis(1_400);
/// How long a queue may take to drain after a decrease.
const DRAINING: Duration = Duration::from_secs(2);
/// Longest step of time that the rate grows for.
const STEP_MAX: Duration = Duration::from_secs(1);
/// Frames a second and bytes a packet that the additive step is made from.
const FRAMES: f64 = 30.0;
const PACKET_BITS: f64 = 1_200.0 * 8.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Hold,
    Increase,
}

#[derive(Debug)]
pub(super) struct RateControl {
    rate: f64,
    state: State,
    capacity: LinkCapacity,
    last_update: Option<Instant>,
    last_decrease: Option<Instant>,
    /// Milliseconds of queue that the last decrease was for.
    decreased_for: f64,
    lowest: f64,
    highest: f64,
}

/// What the rate follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input {
    pub(super) usage: Usage,
    /// A queue was found that does not grow.
    pub(super) standing: Option<Standing>,
    /// How long the queue is, milliseconds.
    pub(super) queue_ms: f64,
    /// Bits per second that come through.
    pub(super) acknowledged: Option<f64>,
    /// The same for the last moments.
    pub(super) at_the_limit: Option<f64>,
    pub(super) round_trip: Option<Duration>,
}

impl RateControl {
    pub(super) const fn new(initial: f64, lowest: f64, highest: f64) -> Self {
        Self {
            rate: initial,
            state: State::Hold,
            capacity: LinkCapacity::UNKNOWN,
            last_update: None,
            last_decrease: None,
            decreased_for: 0.0,
            lowest,
            highest,
        }
    }

    pub(super) const fn last_decrease(&self) -> Option<Instant> {
        self.last_decrease
    }

    /// Takes in what a feedback told.
    pub(super) fn update(&mut self, now: Instant, input: &Input) -> f64 {
        if let Some(acknowledged) = input.acknowledged {
            self.capacity.on_acknowledged(acknowledged);
        }
        match input.usage {
            Usage::Over => self.decrease(now, input, DECREASE),
            Usage::Normal if input.standing.is_some() => self.drain(now, input),
            // It drains first.
            Usage::Normal if input.queue_ms > STANDING_MS => {}
            Usage::Under => self.state = State::Hold,
            Usage::Normal => match self.state {
                State::Hold => self.state = State::Increase,
                State::Increase => self.increase(now, input),
            },
        }
        self.last_update = Some(now);
        self.rate
    }

    /// A probe found that `rate` comes through.
    pub(super) fn on_probe(&mut self, rate: f64) {
        let rate = rate.min(self.highest);
        if rate > self.rate {
            self.capacity.forget();
            self.rate = rate;
        }
    }

    fn increase(&mut self, now: Instant, input: &Input) {
        let since = self.last_update.unwrap_or(now);
        let step = now.saturating_duration_since(since).min(STEP_MAX);
        let more = if self.capacity.bits_per_second().is_some() {
            self.additive(input.round_trip) * step.as_secs_f64()
        } else {
            (self.rate * ((1.0 + GROWTH).powf(step.as_secs_f64()) - 1.0))
                .max(GROWTH_MIN * step.as_secs_f64())
        };
        let proven = input
            .acknowledged
            .map_or(self.rate, |rate| UNPROVEN * rate + UNPROVEN_MORE);
        // Beyond what is proven it stays, but does not grow.
        let limit = proven.max(self.rate).min(self.highest);
        // Layers are steps: more may flow than is estimated, and if it flows well it is proven.
        // While a queue drains or stands, what comes through proves nothing.
        let calm = !self.has_decreased(now, DRAINING) && input.queue_ms < STANDING_MS / 2.0;
        let flows = input.acknowledged.filter(|_| calm).unwrap_or(0.0);
        self.rate = (self.rate + more).min(limit).max(flows.min(self.highest));
    }

    /// Bits per second per second: about a packet in each response time.
    fn additive(&self, round_trip: Option<Duration>) -> f64 {
        let frame = self.rate / FRAMES;
        let packet = frame / (frame / PACKET_BITS).ceil().max(1.0);
        let response = (round_trip.unwrap_or(ROUND_TRIP) + REACTION).as_secs_f64();
        (packet / response).max(ADDITIVE_MIN)
    }

    /// A queue stands. It is drained fast, so that others who share the link see it empty too.
    fn drain(&mut self, now: Instant, input: &Input) {
        let factor = match input.standing {
            Some(standing) if standing.yields => 1.0 - standing.queue_ms / 1_000.0 / DRAIN_S,
            _ => DRAIN_LEAST,
        };
        self.decrease(now, input, factor.clamp(DRAIN_MOST, DRAIN_LEAST));
    }

    fn decrease(&mut self, now: Instant, input: &Input, factor: f64) {
        self.state = State::Hold;
        if !self.may_decrease(now, input) {
            return;
        }
        let through = input.at_the_limit.unwrap_or(self.rate);
        if self.settles(now, input) && (OBEYED * self.rate..self.rate).contains(&through) {
            return;
        }
        let mut rate = factor * through;
        if rate > self.rate
            && let Some(capacity) = self.capacity.bits_per_second()
        {
            rate = factor * capacity;
        }
        if rate < self.rate {
            self.rate = rate.max(self.lowest);
            self.last_decrease = Some(now);
            self.decreased_for = input.queue_ms;
        }
        self.capacity.on_overuse(through);
    }

    /// Whether the last decrease is young and helps. Where the queue is hardly shorter than before
    /// it, what comes through is all that the link carries.
    fn settles(&self, now: Instant, input: &Input) -> bool {
        self.has_decreased(now, SETTLING) && input.queue_ms < HELPED * self.decreased_for
    }

    /// Whether the last decrease was less than `ago` ago.
    fn has_decreased(&self, now: Instant, ago: Duration) -> bool {
        self.last_decrease
            .is_some_and(|last| now.saturating_duration_since(last) < ago)
    }

    fn may_decrease(&self, now: Instant, input: &Input) -> bool {
        let gap = if input.usage == Usage::Over {
            input.round_trip.unwrap_or(ROUND_TRIP) + DECREASE_GAP
        } else {
            STANDING_GAP
        };
        self.last_decrease
            .is_none_or(|last| now.saturating_duration_since(last) >= gap)
    }
}
