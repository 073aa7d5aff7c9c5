//! When a frame was captured, on our own clock.
//!
//! A sender report (RFC 3550 §6.4.1) ties an encoding's RTP timestamps to its publisher's NTP
//! clock; [`PublisherClock`] ties that clock to ours. It assumes that the report that travelled
//! fastest shows the true distance of the clocks: the line follows earlier arrivals at once and
//! later ones slowly, which also follows drift. All encodings of a publisher share the line, so
//! that the distance between its sound and its pictures is the publisher's own, whatever the
//! error of the line.
//!
//! Until a sender report comes, an encoding's own packets give a line in the same way.
//!
//! Both end in a [`ClockMap`]: one point on a line whose slope is the codec's clock rate.

use std::time::{Duration, Instant};

use plenum_rtp::rtcp::SenderInfo;
use plenum_types::{NtpTime, RtpTimestamp};

/// Share of a late report's lateness by which the publisher's line moves. Smaller is steadier,
/// larger follows a slow clock better: 1/16 of a report every second follows 100 ppm within 2 ms.
const REPORT_LEAK: i64 = 16;
/// The same for packets, of which there are 30 to 100 a second.
const PACKET_LEAK: i64 = 512;
/// A distance beyond this is a jump of the source's clock: the line starts anew.
const JUMP: Duration = Duration::from_secs(2);

/// Adds signed nanoseconds to an instant; stays where it is if the sum does not exist.
fn shifted(at: Instant, nanos: i64) -> Instant {
    let by = Duration::from_nanos(nanos.unsigned_abs());
    let sum = if nanos < 0 {
        at.checked_sub(by)
    } else {
        at.checked_add(by)
    };
    sum.unwrap_or(at)
}

/// Nanoseconds from `earlier` to `later`, negative if they are the other way round.
fn nanos_between(earlier: Instant, later: Instant) -> i64 {
    let magnitude = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    match later.checked_duration_since(earlier) {
        Some(ahead) => magnitude(ahead),
        None => -magnitude(earlier.saturating_duration_since(later)),
    }
}

fn ntp_nanos_between(earlier: NtpTime, later: NtpTime) -> i64 {
    let difference = i128::from(later.0.wrapping_sub(earlier.0).cast_signed());
    ((difference * 1_000_000_000) >> 32) as i64
}

/// Moves the point `at` of a line, given that something expected at `expected` came at `now`.
fn follow(expected: Instant, now: Instant, leak: i64) -> Instant {
    let lateness = nanos_between(expected, now);
    if lateness.unsigned_abs() > JUMP.as_nanos() as u64 || lateness < 0 {
        now
    } else {
        shifted(expected, lateness / leak)
    }
}

/// A publisher's NTP clock against ours.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PublisherClock {
    line: Option<(Instant, NtpTime)>,
}

impl PublisherClock {
    pub(crate) fn on_report(&mut self, now: Instant, ntp: NtpTime) {
        let at = match self.instant_of(ntp) {
            Some(expected) => follow(expected, now, REPORT_LEAK),
            None => now,
        };
        self.line = Some((at, ntp));
    }

    /// Takes over a point of the line as another shard sees it.
    pub(crate) const fn set(&mut self, at: Instant, ntp: NtpTime) {
        self.line = Some((at, ntp));
    }

    pub(crate) fn instant_of(&self, ntp: NtpTime) -> Option<Instant> {
        let (at, line_ntp) = self.line?;
        Some(shifted(at, ntp_nanos_between(line_ntp, ntp)))
    }
}

/// One encoding's RTP timestamps against its publisher's clock and ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EncodingClock {
    rate: u32,
    report: Option<(NtpTime, RtpTimestamp)>,
    arrival: Option<(Instant, RtpTimestamp)>,
    first_arrival: Option<Instant>,
}

impl EncodingClock {
    pub(crate) const fn new(rate: u32) -> Self {
        Self {
            rate,
            report: None,
            arrival: None,
            first_arrival: None,
        }
    }

    /// Forgets the stream's timestamps.
    pub(crate) const fn restart(&mut self) {
        *self = Self::new(self.rate);
    }

    pub(crate) fn on_report(&mut self, info: &SenderInfo) {
        self.report = Some((info.ntp, info.rtp));
    }

    /// The newest sender report.
    pub(crate) const fn reported(&self) -> Option<(NtpTime, RtpTimestamp)> {
        self.report
    }

    pub(crate) fn on_packet(&mut self, now: Instant, timestamp: RtpTimestamp) {
        self.first_arrival.get_or_insert(now);
        let at = match self.arrival {
            Some((at, rtp)) => {
                let line = ClockMap {
                    at,
                    rtp,
                    rate: self.rate,
                };
                follow(line.instant_of(timestamp), now, PACKET_LEAK)
            }
            None => now,
        };
        self.arrival = Some((at, timestamp));
    }

    /// By sender report if there is one, by arrival otherwise.
    pub(crate) fn map(&self, publisher: &PublisherClock) -> Option<ClockMap> {
        let by_report = self
            .report
            .and_then(|(ntp, rtp)| Some((publisher.instant_of(ntp)?, rtp)));
        let (at, rtp) = by_report.or(self.arrival)?;
        Some(ClockMap {
            at,
            rtp,
            rate: self.rate,
        })
    }

    /// Whether reports can be made of it: a sender report has come, or for `patience` none has.
    pub(crate) fn is_trusted(&self, now: Instant, patience: Duration) -> bool {
        self.report.is_some()
            || self
                .first_arrival
                .is_some_and(|first| now.saturating_duration_since(first) >= patience)
    }
}

/// The frame with timestamp `rtp` was captured at `at`; others follow at `rate` ticks a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockMap {
    at: Instant,
    rtp: RtpTimestamp,
    rate: u32,
}

impl ClockMap {
    /// The timestamp of a frame captured at `instant`.
    pub(crate) fn timestamp_at(&self, instant: Instant) -> RtpTimestamp {
        self.rtp
            .plus(ticks(nanos_between(self.at, instant), self.rate))
    }

    /// The timestamp that a frame with `timestamp` of `other` would have here.
    pub(crate) fn translate(&self, other: &Self, timestamp: RtpTimestamp) -> RtpTimestamp {
        let after_point = timestamp.0.wrapping_sub(other.rtp.0);
        self.timestamp_at(other.at).plus(after_point)
    }

    fn instant_of(&self, timestamp: RtpTimestamp) -> Instant {
        let ticks = i64::from(timestamp.distance_from(self.rtp));
        shifted(self.at, ticks * 1_000_000_000 / i64::from(self.rate))
    }
}

/// Clock ticks in `nanos`, rounded to the nearest, wrapping as timestamps do.
fn ticks(nanos: i64, rate: u32) -> u32 {
    let scaled = i128::from(nanos) * i128::from(rate);
    ((scaled + 500_000_000).div_euclid(1_000_000_000)) as u32
}

/// Clock ticks in `duration`, wrapping as timestamps do.
pub(crate) fn ticks_in(duration: Duration, rate: u32) -> u32 {
    ticks(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX), rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn ntp(ms: u64) -> NtpTime {
        NtpTime(3_900_000_000 << 32).plus(Duration::from_millis(ms))
    }

    fn info(ms: u64, rtp: u32) -> SenderInfo {
        SenderInfo {
            ntp: ntp(ms),
            rtp: RtpTimestamp(rtp),
            packets: 0,
            bytes: 0,
        }
    }

    #[test]
    fn two_encodings_of_a_publisher_meet_in_their_reports() {
        let mut publisher = PublisherClock::default();
        let (mut low, mut high) = (EncodingClock::new(90_000), EncodingClock::new(90_000));
        publisher.on_report(at(1_030), ntp(0));
        low.on_report(&info(0, 1_000));
        publisher.on_report(at(1_270), ntp(200));
        high.on_report(&info(200, 4_000_000_000));
        let low = low.map(&publisher).unwrap();
        let high = high.map(&publisher).unwrap();
        // 200 ms after its report's point, `low` is where `high` has its own point.
        let translated = low.translate(&high, RtpTimestamp(4_000_000_000 + 90));
        assert!(
            translated
                .distance_from(RtpTimestamp(1_000 + 18_000 + 90))
                .abs()
                <= 1
        );
    }

    #[test]
    fn the_line_follows_the_fastest_report() {
        let mut publisher = PublisherClock::default();
        for (arrival, sent) in [(1_100, 0), (2_040, 1_000), (3_090, 2_000)] {
            publisher.on_report(at(arrival), ntp(sent));
        }
        let point = publisher.instant_of(ntp(2_000)).unwrap();
        assert!(nanos_between(at(3_040), point).abs() < 5_000_000);
    }

    #[test]
    fn arrival_serves_until_a_report_comes() {
        let mut clock = EncodingClock::new(48_000);
        let publisher = PublisherClock::default();
        assert!(clock.map(&publisher).is_none());
        clock.on_packet(at(500), RtpTimestamp(u32::MAX - 100));
        let map = clock.map(&publisher).unwrap();
        assert_eq!(
            map.timestamp_at(at(520)),
            RtpTimestamp(u32::MAX - 100).plus(960)
        );
        assert_eq!(map.timestamp_at(at(480)), RtpTimestamp(u32::MAX - 1_060));
    }
}
