//! The events that a participant was told and perhaps did not get, because its WebSocket broke.
//!
//! Server and client count events alike: everything of [`ServerMessage::is_event`] since `joined`.
//! Whoever comes back says how many it has, and is told the rest.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::messages::ServerMessage;

/// Events kept for each participant. Enough for what happens in a large room within the grace
/// period; a client that has missed more joins anew.
const EVENTS_MAX: usize = 256;

/// The latest events of a participant. Events for many are shared, not copied.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    /// Events so far.
    count: u64,
    /// The latest of them.
    kept: VecDeque<Arc<ServerMessage>>,
}

impl EventLog {
    pub(crate) fn record(&mut self, event: &Arc<ServerMessage>) {
        if self.kept.len() == EVENTS_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(Arc::clone(event));
        self.count += 1;
    }

    /// The client has so many events: they are not needed any more.
    pub(crate) fn acknowledge(&mut self, received: u64) {
        if let Some(missed) = self.missed(received) {
            self.kept.drain(..self.kept.len() - missed);
        }
    }

    /// What follows after the first `received` events; `None` if that is no longer known, or never
    /// was.
    pub(crate) fn after(&self, received: u64) -> Option<Vec<Arc<ServerMessage>>> {
        let missed = self.missed(received)?;
        let from = self.kept.len() - missed;
        Some(self.kept.range(from..).cloned().collect())
    }

    fn missed(&self, received: u64) -> Option<usize> {
        let missed = usize::try_from(self.count.checked_sub(received)?).ok()?;
        (missed <= self.kept.len()).then_some(missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(events: u64) -> EventLog {
        let mut log = EventLog::default();
        for at in 0..events {
            log.record(&Arc::new(ServerMessage::Pong { at }));
        }
        log
    }

    fn after(log: &EventLog, received: u64) -> Option<Vec<u64>> {
        let events = log.after(received)?;
        let number = |event: &Arc<ServerMessage>| match **event {
            ServerMessage::Pong { at } => at,
            _ => unreachable!("only pongs were recorded"),
        };
        Some(events.iter().map(number).collect())
    }

    #[test]
    fn tells_what_follows() {
        let log = log(5);
        assert_eq!(after(&log, 5), Some(vec![]));
        assert_eq!(after(&log, 3), Some(vec![3, 4]));
        assert_eq!(after(&log, 0), Some(vec![0, 1, 2, 3, 4]));
        assert_eq!(after(&log, 6), None, "never sent");
    }

    #[test]
    fn forgets_what_the_client_has() {
        let mut log = log(5);
        log.acknowledge(3);
        assert_eq!(log.kept.len(), 2);
        assert_eq!(after(&log, 3), Some(vec![3, 4]));
        assert_eq!(after(&log, 2), None);
        log.acknowledge(2);
        log.acknowledge(9);
        assert_eq!(log.kept.len(), 2, "lies change nothing");
    }

    #[test]
    fn is_bounded() {
        let log = log(EVENTS_MAX as u64 + 10);
        assert_eq!(log.kept.len(), EVENTS_MAX);
        assert_eq!(after(&log, 9), None);
        assert_eq!(after(&log, 10).map(|events| events.len()), Some(EVENTS_MAX));
    }
}
