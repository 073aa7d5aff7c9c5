//! Keyframe requests of one encoding, whoever asks.
//!
//! A keyframe costs the publisher's uplink several times a usual frame, and one serves everybody.
//! So requests are sent at most every [`INTERVAL_MIN`]; those that come in between wait and are
//! moot if a keyframe arrives first. An unanswered request is repeated while somebody wants it.

use std::time::{Duration, Instant};

use plenum_types::KeyframeCause;

/// Least time between two requests: at most two a second.
const INTERVAL_MIN: Duration = Duration::from_millis(500);
/// When an unanswered request is repeated. Longer than a round trip and the coding of a keyframe.
const RETRY: Duration = Duration::from_millis(1_000);
/// When it is repeated after [`RETRIES_FAST`] failed: the publisher may not be sending at all.
const RETRY_SLOW: Duration = Duration::from_millis(4_000);
/// How often a request is repeated at [`RETRY`].
const RETRIES_FAST: u32 = 5;

/// A keyframe that was asked for and has not come.
#[derive(Clone, Copy, Debug)]
struct Wait {
    /// When the next request is sent.
    due: Instant,
    cause: KeyframeCause,
    /// Requests sent so far.
    sent: u32,
}

/// Coalesces the keyframe requests of one encoding.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyframeRequests {
    last_sent: Option<Instant>,
    wait: Option<Wait>,
}

impl KeyframeRequests {
    /// Somebody needs a keyframe. Some: send a request now.
    pub(crate) fn ask(&mut self, now: Instant, cause: KeyframeCause) -> Option<KeyframeCause> {
        let allowed = self
            .last_sent
            .map_or(now, |last| last + INTERVAL_MIN)
            .max(now);
        match &mut self.wait {
            Some(wait) if allowed < wait.due => {
                wait.due = allowed;
                wait.cause = cause;
            }
            Some(_) => return None,
            None => {
                self.wait = Some(Wait {
                    due: allowed,
                    cause,
                    sent: 0,
                });
            }
        }
        self.send_if_due(now)
    }

    /// When [`on_timeout`](Self::on_timeout) has work.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.wait.map(|wait| wait.due)
    }

    /// Some: send a request now. Gives up if nobody wants it any more.
    pub(crate) fn on_timeout(&mut self, now: Instant, wanted: bool) -> Option<KeyframeCause> {
        if !wanted {
            self.wait = None;
        }
        self.send_if_due(now)
    }

    /// A keyframe has come, whoever asked for it. True if one was awaited.
    pub(crate) fn on_keyframe(&mut self) -> bool {
        self.wait.take().is_some()
    }

    fn send_if_due(&mut self, now: Instant) -> Option<KeyframeCause> {
        let wait = self.wait.as_mut().filter(|wait| wait.due <= now)?;
        let cause = wait.cause;
        wait.sent += 1;
        wait.cause = KeyframeCause::Retry;
        wait.due = now
            + if wait.sent > RETRIES_FAST {
                RETRY_SLOW
            } else {
                RETRY
            };
        self.last_sent = Some(now);
        Some(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;
    use KeyframeCause::{Retry, SlotSwitch, SubscriberRequest};

    #[test]
    fn at_most_two_a_second_however_many_ask() {
        let mut requests = KeyframeRequests::default();
        let mut sent = Vec::new();
        for ms in 0..10_000 {
            let asked = requests.ask(at(ms), SubscriberRequest);
            let due = requests.on_timeout(at(ms), true);
            sent.extend(asked.or(due).map(|_| ms));
            if ms % 700 == 0 {
                requests.on_keyframe();
            }
        }
        assert!(sent.windows(2).all(|pair| pair[1] - pair[0] >= 500));
        assert!(sent.len() >= 15);
    }

    #[test]
    fn a_keyframe_makes_waiting_requests_moot() {
        let mut requests = KeyframeRequests::default();
        assert_eq!(requests.ask(at(0), SlotSwitch), Some(SlotSwitch));
        assert_eq!(requests.ask(at(20), SlotSwitch), None);
        assert!(requests.on_keyframe());
        assert_eq!(requests.due(), None);
        assert_eq!(requests.ask(at(100), SlotSwitch), None);
        assert_eq!(requests.due(), Some(at(500)));
    }

    #[test]
    fn repeats_while_wanted_then_slower() {
        let mut requests = KeyframeRequests::default();
        requests.ask(at(0), SlotSwitch);
        let mut times = Vec::new();
        for ms in (0..20_000).step_by(100) {
            times.extend(requests.on_timeout(at(ms), true).map(|cause| (ms, cause)));
        }
        let expected = [1_000, 2_000, 3_000, 4_000, 5_000, 9_000, 13_000, 17_000];
        assert_eq!(times, expected.map(|ms| (ms, Retry)));
        assert_eq!(requests.on_timeout(at(60_000), false), None);
        assert_eq!(requests.due(), None);
    }
}
