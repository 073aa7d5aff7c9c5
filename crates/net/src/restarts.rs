//! How often a shard may begin anew.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Within this time...
const WINDOW: Duration = Duration::from_secs(60);
/// ...a shard begins anew so often at most. More would let clients join again and again on a shard
/// that fails whatever it does; the process is better replaced then, and `/healthz` says so.
const RESTARTS_MAX: usize = 5;

/// When a shard began anew lately.
#[derive(Debug, Default)]
pub(crate) struct Restarts(VecDeque<Instant>);

impl Restarts {
    /// Whether it may once more; then it is counted.
    pub(crate) fn try_once_more(&mut self, now: Instant) -> bool {
        while self.0.front().is_some_and(|then| *then + WINDOW <= now) {
            self.0.pop_front();
        }
        let may = self.0.len() < RESTARTS_MAX;
        if may {
            self.0.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_a_minute_are_all() {
        let start = Instant::now();
        let mut restarts = Restarts::default();
        for second in 0..5 {
            assert!(restarts.try_once_more(start + Duration::from_secs(second)));
        }
        assert!(!restarts.try_once_more(start + Duration::from_secs(59)));
        assert!(restarts.try_once_more(start + Duration::from_secs(60)));
        assert!(!restarts.try_once_more(start + Duration::from_secs(60)));
    }
}
