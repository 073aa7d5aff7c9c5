//! Whether an encoding is being sent, and at what bitrate.
//!
//! Simulcast encoders start higher layers late and drop them when the uplink is short, without
//! telling anyone but by silence.

use std::time::{Duration, Instant};

use plenum_types::{Bitrate, PACKET_OVERHEAD};

/// Silence after which an encoding counts as not sent. Shorter leaves a dead layer sooner, longer
/// survives low frame rates (screen shares send a frame a second or fewer).
const SILENCE: Duration = Duration::from_millis(1_500);
/// Over how long the bitrate is measured.
const MEASURE: Duration = Duration::from_millis(1_000);

/// Activity of one encoding.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    last_packet: Option<Instant>,
    active: bool,
    /// Another shard tells whether it is sent: packets come only while somebody here wants them.
    follows: bool,
    measured_since: Option<Instant>,
    measured_bytes: u64,
    bitrate: Option<Bitrate>,
}

impl Activity {
    /// True if the encoding has just become active. What is sent again belongs to another time, and
    /// does not count as bitrate.
    pub(crate) fn on_packet(&mut self, now: Instant, payload: usize, retransmitted: bool) -> bool {
        self.last_packet = Some(now);
        if !retransmitted {
            self.measure(now, payload);
        }
        !self.follows && !std::mem::replace(&mut self.active, true)
    }

    /// The publisher's shard tells; from now on silence tells nothing.
    pub(crate) fn follow(&mut self, active: bool, bitrate: Option<Bitrate>) {
        self.follows = true;
        self.active = active;
        self.bitrate = bitrate.or(self.bitrate);
    }

    /// True if the encoding has just fallen silent.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> bool {
        let silent = self.silent_at().is_some_and(|at| at <= now);
        if silent {
            self.active = false;
            self.measured_since = None;
            self.bitrate = None;
        }
        silent
    }

    /// When it counts as silent if nothing more comes; `None` if it does already.
    pub(crate) fn silent_at(&self) -> Option<Instant> {
        self.last_packet
            .filter(|_| self.active && !self.follows)
            .map(|last| last + SILENCE)
    }

    pub(crate) const fn is_active(&self) -> bool {
        self.active
    }

    /// Over the last full measurements; `None` before the first.
    pub(crate) const fn bitrate(&self) -> Option<Bitrate> {
        self.bitrate
    }

    fn measure(&mut self, now: Instant, payload: usize) {
        let since = *self.measured_since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= 2 * MEASURE {
            // A pause: neither its length nor what came before it tells a rate.
            self.measured_since = Some(now);
            self.measured_bytes = 0;
        } else if elapsed >= MEASURE {
            let bits = self.measured_bytes * 8;
            let micros = elapsed.as_micros().max(1) as u64;
            let measured = bits.saturating_mul(1_000_000) / micros;
            // Half of what was: a keyframe in one second is no other rate.
            let before = self.bitrate.map_or(measured, Bitrate::bits_per_second);
            self.bitrate = Some(Bitrate(u64::midpoint(before, measured)));
            self.measured_since = Some(now);
            self.measured_bytes = 0;
        }
        self.measured_bytes += (payload + PACKET_OVERHEAD) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn falls_silent_and_comes_back() {
        let mut activity = Activity::default();
        assert!(activity.on_packet(at(0), 100, false));
        assert!(!activity.on_packet(at(1_000), 100, false));
        assert!(!activity.on_timeout(at(1_600)));
        assert!(activity.on_timeout(at(2_500)));
        assert!(!activity.on_timeout(at(2_600)));
        assert!(activity.on_packet(at(3_000), 100, false));
    }

    #[test]
    fn measures_its_bitrate() {
        let mut activity = Activity::default();
        for packet in 0..=100 {
            activity.on_packet(at(packet * 20), 1_000, false);
        }
        let bitrate = activity.bitrate().unwrap().bits_per_second();
        assert!((420_000..=440_000).contains(&bitrate), "{bitrate}");
    }
}
