//! How often a publication may have the layers of its subscribers found anew by its packets.
//!
//! A packet that changes the shape of its stream (another SSRC, codec or size) costs as much as
//! there are subscribers, and tells each of them. A publisher that did so with every packet would
//! stall the shard and flood the others; beyond the limit changes wait and are followed together.

use std::time::{Duration, Instant};

/// Over how long changes are counted, and so how long one may have to wait.
const WINDOW: Duration = Duration::from_millis(1_000);
/// Changes followed at once in that time. Three encodings that start and learn their sizes make
/// six; more let a hostile publisher cost more.
const CHANGES_MAX: u32 = 16;

/// Counts changes.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    window: Option<(Instant, u32)>,
}

impl Pace {
    /// Whether a change is followed now; otherwise when.
    pub(crate) fn try_change(&mut self, now: Instant) -> Result<(), Instant> {
        match &mut self.window {
            Some((since, count)) if now.saturating_duration_since(*since) < WINDOW => {
                if *count == CHANGES_MAX {
                    return Err(*since + WINDOW);
                }
                *count += 1;
            }
            window => *window = Some((now, 1)),
        }
        Ok(())
    }
}
