//! What a client is to be told about messages that were dropped: soon, but not for each of them.

use plenum_types::{DataLoss, DropReason};
use std::time::{Duration, Instant};

/// Shortest time between two reports of the same cause.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Default)]
struct Loss {
    untold: u64,
    told: Option<Instant>,
}

/// Messages dropped, by [`DataLoss`].
#[derive(Debug, Default)]
pub(super) struct Losses([Loss; DataLoss::ALL.len()]);

impl Losses {
    pub(super) fn note(&mut self, cause: DataLoss) {
        self.0[cause as usize].untold += 1;
    }

    /// The next cause to tell, and how many messages it has cost since it was told last.
    pub(super) fn poll(&mut self, now: Instant) -> Option<(DataLoss, u64)> {
        let causes = DataLoss::ALL.into_iter().zip(&mut self.0);
        for (cause, loss) in causes {
            let waits = loss.told.is_some_and(|told| now < told + INTERVAL);
            if loss.untold > 0 && !waits {
                loss.told = Some(now);
                return Some((cause, std::mem::take(&mut loss.untold)));
            }
        }
        None
    }
}

pub(super) const fn drop_reason(cause: DataLoss) -> DropReason {
    match cause {
        DataLoss::NotPermitted => DropReason::DataNotPermitted,
        DataLoss::TooLarge => DropReason::DataTooLarge,
        DataLoss::TooFast => DropReason::DataTooFast,
        DataLoss::Malformed => DropReason::DataMalformed,
        DataLoss::SlowReceiver => DropReason::DataReceiverSlow,
    }
}
