//! Sender reports of a slot (RFC 3550 §6.4.1).
//!
//! The report says which outgoing timestamp a frame captured now would have. It is computed from
//! the publisher's own sender reports, so that what the receiver concludes about sound and
//! pictures of one publisher is what the publisher meant (lip sync).

use std::time::Instant;

use plenum_rtp::rtcp::SenderInfo;
use plenum_types::NtpTime;

use crate::publication::clock::ClockMap;
use crate::slot::Slot;

/// What was sent, as sender reports count it: modulo 2³².
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    packets: u32,
    bytes: u32,
}

impl Slot {
    pub(crate) fn on_sent(&mut self, payload_bytes: usize) {
        self.sent.packets = self.sent.packets.wrapping_add(1);
        self.sent.bytes = self.sent.bytes.wrapping_add(payload_bytes as u32);
    }

    /// `clock` is that of the source being shown. `None` while nothing is shown.
    pub(crate) fn report(
        &self,
        now: Instant,
        ntp_now: NtpTime,
        clock: &ClockMap,
    ) -> Option<SenderInfo> {
        let segment = self.shown().filter(|_| self.sent.packets > 0)?;
        Some(SenderInfo {
            ntp: ntp_now,
            rtp: clock.timestamp_at(now).plus(segment.timestamp_offset),
            packets: self.sent.packets,
            bytes: self.sent.bytes,
        })
    }
}
