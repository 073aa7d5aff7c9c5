//! Packets in groups: those that left within 5 ms of each other are one measurement of the way
//! (draft-ietf-rmcat-gcc-02 §4, pre-filtering).
//!
//! A group's delay is that of its first packet. The packets of a frame leave at once, so the last
//! ones wait for the first, and a larger frame would look like a longer queue.

use crate::sender::history::Arrived;
use std::time::{Duration, Instant};

/// Packets that leave within this of the first are of its group.
const SPAN: Duration = Duration::from_millis(5);

/// How much longer a group took than the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gradient {
    /// Milliseconds; above zero the queue on the way has grown.
    pub(super) delta_ms: f64,
    /// When the group left.
    pub(super) at: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Groups {
    current: Option<Arrived>,
    previous: Option<Arrived>,
}

impl Groups {
    /// Takes in a packet, in the order of departure. The measurement of the group before, if this
    /// packet begins another.
    pub(super) fn add(&mut self, packet: &Arrived) -> Option<Gradient> {
        let Some(current) = &mut self.current else {
            self.current = Some(*packet);
            return None;
        };
        if packet
            .departure
            .saturating_duration_since(current.departure)
            <= SPAN
        {
            current.arrival = current.arrival.min(packet.arrival);
            return None;
        }
        let closed = std::mem::replace(current, *packet);
        let previous = self.previous.replace(closed)?;
        let arrivals = closed.arrival.as_secs_f64() - previous.arrival.as_secs_f64();
        let departures = closed
            .departure
            .saturating_duration_since(previous.departure)
            .as_secs_f64();
        Some(Gradient {
            delta_ms: (arrivals - departures) * 1_000.0,
            at: closed.departure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_frame_is_no_longer_queue() {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests need some origin; only differences count"
        )]
        let start = Instant::now();
        let mut groups = Groups::default();
        let mut deltas = Vec::new();
        for (frame, packets, wait) in [(0, 1, 0), (1, 9, 0), (2, 1, 0), (3, 5, 2), (4, 1, 2)] {
            for packet in 0..packets {
                let arrival = Duration::from_millis(frame * 33 + packet * 3 + wait);
                let departure = start + Duration::from_millis(frame * 33);
                let bytes = 1_000;
                deltas.extend(groups.add(&Arrived {
                    departure,
                    arrival,
                    bytes,
                    probes: false,
                }));
            }
        }
        let deltas: Vec<f64> = deltas.iter().map(|delta| delta.delta_ms.round()).collect();
        assert_eq!(deltas, [0.0, 0.0, 2.0]);
    }
}
