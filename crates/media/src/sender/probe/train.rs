//! What came of a train: the rate at which it left, the rate at which it arrived, and so what the
//! way carries.

use std::time::{Duration, Instant};

/// Trains awaited at the same time.
const AWAITED: usize = 4;
/// A rate is told once this share of the bytes has arrived; the rest may be lost.
const SHARE: f64 = 0.7;
/// Least packets to tell a rate from.
const PACKETS_MIN: usize = 5;
/// Shorter or longer than this tells nothing.
const SPAN_MIN: Duration = Duration::from_millis(1);
const SPAN_MAX: Duration = Duration::from_secs(1);
/// A train cannot arrive much faster than it left; if it seems to, packets were held together.
const COMPRESSION_MAX: f64 = 2.0;
/// Below this share of its rate a train has filled the way: what arrived is what it carries.
const FILLED: f64 = 0.96;
/// Kept free of what a way that was filled carries.
const RESERVE: f64 = 0.90;

/// A packet of a train that arrived.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Probed {
    pub(in super::super) train: u8,
    pub(in super::super) departure: Instant,
    /// On the receiver's clock.
    pub(in super::super) arrival: Duration,
    pub(in super::super) bytes: usize,
}

/// How fast a train was, bits per second.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrainResult {
    pub(super) sent_rate: f64,
    pub(super) arrival_rate: f64,
}

impl TrainResult {
    /// What the way carries, as far as this train tells.
    pub(super) fn rate(&self) -> f64 {
        if self.arrival_rate < FILLED * self.sent_rate {
            RESERVE * self.arrival_rate
        } else {
            self.arrival_rate.min(self.sent_rate)
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Awaited {
    id: u8,
    planned: usize,
    packets: usize,
    bytes: usize,
    first_departure: Instant,
    last_departure: Instant,
    first_arrival: Duration,
    last_arrival: Duration,
    /// Bytes that left at the last moment and arrived at the first: they mark an end of the span,
    /// and did not take part in it.
    last_bytes: usize,
    first_bytes: usize,
}

/// Trains whose fate is not told yet.
#[derive(Debug, Default)]
pub(in super::super) struct Results {
    awaited: [Option<Awaited>; AWAITED],
}

impl Results {
    pub(super) fn begin(&mut self, now: Instant, id: u8, planned: usize) {
        self.awaited[usize::from(id) % AWAITED] = Some(Awaited::new(now, id, planned));
    }

    pub(super) fn add(&mut self, probed: &Probed) {
        let place = &mut self.awaited[usize::from(probed.train) % AWAITED];
        if let Some(awaited) = place.as_mut().filter(|awaited| awaited.id == probed.train) {
            awaited.add(probed);
        }
    }

    /// Takes a train of which enough has arrived.
    pub(super) fn take_complete(&mut self) -> Option<TrainResult> {
        for place in &mut self.awaited {
            if place.is_some_and(|awaited| awaited.is_complete())
                && let Some(awaited) = place.take()
                && let Some(result) = awaited.result()
            {
                return Some(result);
            }
        }
        None
    }
}

impl Awaited {
    const fn new(now: Instant, id: u8, planned: usize) -> Self {
        Self {
            id,
            planned,
            packets: 0,
            bytes: 0,
            first_departure: now,
            last_departure: now,
            first_arrival: Duration::ZERO,
            last_arrival: Duration::ZERO,
            last_bytes: 0,
            first_bytes: 0,
        }
    }

    fn add(&mut self, probed: &Probed) {
        if self.packets == 0 {
            self.first_departure = probed.departure;
            self.last_departure = probed.departure;
            self.first_arrival = probed.arrival;
            self.last_arrival = probed.arrival;
            self.first_bytes = probed.bytes;
            self.last_bytes = probed.bytes;
        } else {
            self.add_departure(probed);
            self.add_arrival(probed);
        }
        self.packets += 1;
        self.bytes += probed.bytes;
    }

    fn add_departure(&mut self, probed: &Probed) {
        self.first_departure = self.first_departure.min(probed.departure);
        if probed.departure > self.last_departure {
            self.last_departure = probed.departure;
            self.last_bytes = probed.bytes;
        } else if probed.departure == self.last_departure {
            self.last_bytes += probed.bytes;
        }
    }

    fn add_arrival(&mut self, probed: &Probed) {
        self.last_arrival = self.last_arrival.max(probed.arrival);
        if probed.arrival < self.first_arrival {
            self.first_arrival = probed.arrival;
            self.first_bytes = probed.bytes;
        } else if probed.arrival == self.first_arrival {
            self.first_bytes += probed.bytes;
        }
    }

    fn is_complete(&self) -> bool {
        self.packets >= PACKETS_MIN && self.bytes as f64 >= SHARE * self.planned as f64
    }

    fn result(&self) -> Option<TrainResult> {
        let sending = self
            .last_departure
            .saturating_duration_since(self.first_departure);
        let arriving = self.last_arrival.saturating_sub(self.first_arrival);
        let spans = SPAN_MIN..=SPAN_MAX;
        if !spans.contains(&sending) || !spans.contains(&arriving) {
            return None;
        }
        let rate = |bytes: usize, span: Duration| bytes as f64 * 8.0 / span.as_secs_f64();
        let result = TrainResult {
            sent_rate: rate(self.bytes - self.last_bytes, sending),
            arrival_rate: rate(self.bytes - self.first_bytes, arriving),
        };
        (result.arrival_rate <= COMPRESSION_MAX * result.sent_rate).then_some(result)
    }
}
