//! How much a participant may still send: the generic cell rate algorithm (ITU-T I.371), once for
//! messages and once for bytes.

use plenum_types::DataLimits;
use std::time::{Duration, Instant};

/// What may come at once: so much time's worth.
const BURST: Duration = Duration::from_secs(1);

/// Until when each allowance is used up.
#[derive(Debug, Default)]
pub(super) struct Budget {
    messages: Option<Instant>,
    bytes: Option<Instant>,
}

impl Budget {
    /// The allowance begins, full, unless it has begun before.
    pub(super) fn begin(&mut self, now: Instant) {
        self.messages.get_or_insert(now);
        self.bytes.get_or_insert(now);
    }

    /// Takes a message if both allowances have room for it; otherwise takes nothing. One that is
    /// larger than a second's bytes passes after a pause.
    pub(super) fn take(&mut self, now: Instant, limits: &DataLimits, bytes: u32) -> bool {
        let messages = after(now, self.messages, 1, limits.messages_per_second);
        let bytes = after(now, self.bytes, bytes, limits.bytes_per_second);
        if messages.is_none() || bytes.is_none() {
            return false;
        }
        (self.messages, self.bytes) = (messages, bytes);
        true
    }
}

/// Until when the allowance is used up after `amount` more; `None` if that is too much now.
fn after(now: Instant, used: Option<Instant>, amount: u32, per_second: u32) -> Option<Instant> {
    let cost = Duration::from_secs(1) * amount / per_second.max(1);
    let begin = used.map_or(now, |used| used.max(now));
    let end = begin + cost;
    (end - now <= BURST.max(cost)).then_some(end)
}
