//! What was sent with a transport-wide sequence number, until feedback tells its fate.
//!
//! A ring of 8 bytes per packet: on the packet path one store, without hashing or allocation; the
//! estimator's records are made only from feedback.

use crate::transport_feedback::{Status, TICK_US};
use interceptor::PacketReport;
use rtcp::transport_feedbacks::cc_feedback_report::Ecn;
use std::time::{Duration, Instant};

/// Packets remembered; a power of two. At 2,000 packets/s it spans a second, while feedback comes
/// within a round trip and 250 ms.
const MEMORY: usize = 2_048;

/// Feedback about packets older than this is not believed.
const OLDEST: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Default)]
struct Sent {
    /// Microseconds after `origin`, wrapping after 71 minutes.
    departure_us: u32,
    /// Bytes; 0 once its fate was told.
    size: u16,
}

#[derive(Default)]
pub(super) struct History {
    ring: Vec<Sent>,
    origin: Option<Instant>,
    /// Extended number of the next packet.
    next: u64,
    reports: Vec<PacketReport>,
}

impl History {
    /// Remembers a packet; returns its sequence number.
    pub(super) fn add(&mut self, now: Instant, size: usize) -> u16 {
        if self.ring.is_empty() {
            self.ring.resize(MEMORY, Sent::default());
        }
        let origin = *self.origin.get_or_insert(now);
        let sequence = self.next;
        self.next += 1;
        self.ring[sequence as usize % MEMORY] = Sent {
            departure_us: now.saturating_duration_since(origin).as_micros() as u32,
            size: u16::try_from(size).unwrap_or(u16::MAX).max(1),
        };
        sequence as u16
    }

    /// Joins feedback with what was sent. Packets whose fate was told before are left out.
    pub(super) fn resolve(
        &mut self,
        now: Instant,
        statuses: impl Iterator<Item = Status>,
    ) -> &[PacketReport] {
        self.reports.clear();
        for status in statuses {
            if let Some(report) = self.take(now, status) {
                self.reports.push(report);
            }
        }
        &self.reports
    }

    fn take(&mut self, now: Instant, status: Status) -> Option<PacketReport> {
        let id = self.sent_as(status.sequence)?;
        let sent = self.ring.get_mut(id as usize % MEMORY)?;
        let size = std::mem::take(&mut sent.size);
        let departure = departure(self.origin?, now, sent.departure_us)?;
        (size > 0).then(|| PacketReport {
            ssrc: 0,
            id,
            rtp_sequence_number: status.sequence,
            is_twcc: true,
            twcc_sequence_number: status.sequence,
            size: usize::from(size),
            arrived: status.arrival.is_some(),
            departure,
            arrival: status.arrival.map(duration),
            ecn: Ecn::NotEct,
        })
    }

    /// The extended number of the newest packet sent with `sequence`, if it is remembered.
    fn sent_as(&self, sequence: u16) -> Option<u64> {
        let back = u64::from((self.next as u16).wrapping_sub(sequence));
        let id = self.next.checked_sub(back)?;
        (back > 0 && back <= MEMORY as u64).then_some(id)
    }
}

/// The instant that `departure_us` means, seen from `now`.
fn departure(origin: Instant, now: Instant, departure_us: u32) -> Option<Instant> {
    let elapsed = now.saturating_duration_since(origin).as_micros() as u32;
    let age = Duration::from_micros(u64::from(elapsed.wrapping_sub(departure_us)));
    if age > OLDEST {
        return None;
    }
    now.checked_sub(age)
}

fn duration(ticks: u32) -> Duration {
    Duration::from_micros(u64::from(ticks) * TICK_US)
}
