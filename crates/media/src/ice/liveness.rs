//! Whether the client is still there: connect timeout, interruption, and consent to receive
//! (RFC 7675 §5.1). A lite agent sends no checks of its own; it watches what arrives.

use std::time::{Duration, Instant};

use crate::peer::Wakeup;

/// ICE and DTLS must be up within this. Longer keeps dead joins; shorter loses slow links, on
/// which a browser takes a few seconds to gather and check.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Silence after which the peer counts as interrupted. Browsers check at least every 2.5 s, so
/// this is two lost checks.
const INTERRUPTED_AFTER: Duration = Duration::from_secs(5);

/// Silence after which consent has expired, and nothing may be sent any more.
const CONSENT_LIFETIME: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Up,
    Interrupted,
    Over,
}

/// A deadline that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lapse {
    ConnectTimeout,
    Interrupted,
    ConsentExpired,
}

#[derive(Debug)]
pub(crate) struct Liveness {
    phase: Phase,
    started: Instant,
    last_valid: Instant,
}

impl Liveness {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Connecting,
            started: now,
            last_valid: now,
        }
    }

    pub(crate) fn on_connected(&mut self, now: Instant) {
        if self.phase == Phase::Connecting {
            self.phase = Phase::Up;
            self.last_valid = now;
        }
    }

    /// Something authenticated has come. True if that ends an interruption.
    #[inline]
    pub(crate) fn on_valid(&mut self, now: Instant) -> bool {
        self.last_valid = now;
        if self.phase == Phase::Interrupted {
            self.phase = Phase::Up;
            return true;
        }
        false
    }

    /// The next deadline that has passed; call until `None`.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<Lapse> {
        let (deadline, lapse, next) = self.deadline()?;
        if now < deadline {
            return None;
        }
        self.phase = next;
        Some(lapse)
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, Wakeup)> {
        let (deadline, lapse, _) = self.deadline()?;
        let wakeup = match lapse {
            Lapse::ConnectTimeout => Wakeup::Connect,
            Lapse::Interrupted | Lapse::ConsentExpired => Wakeup::Liveness,
        };
        Some((deadline, wakeup))
    }

    fn deadline(&self) -> Option<(Instant, Lapse, Phase)> {
        match self.phase {
            Phase::Connecting => Some((
                self.started + CONNECT_TIMEOUT,
                Lapse::ConnectTimeout,
                Phase::Over,
            )),
            Phase::Up => Some((
                self.last_valid + INTERRUPTED_AFTER,
                Lapse::Interrupted,
                Phase::Interrupted,
            )),
            Phase::Interrupted => Some((
                self.last_valid + CONSENT_LIFETIME,
                Lapse::ConsentExpired,
                Phase::Over,
            )),
            Phase::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::test_clock::at;

    #[test]
    fn connecting_ends_after_fifteen_seconds() {
        let mut liveness = Liveness::new(at(0));
        liveness.on_valid(at(14_000));
        assert_eq!(liveness.handle_timeout(at(14_999)), None);
        assert_eq!(
            liveness.handle_timeout(at(15_000)),
            Some(Lapse::ConnectTimeout)
        );
        assert_eq!(liveness.poll_timeout(), None);
    }

    #[test]
    fn silence_interrupts_then_ends() {
        let mut liveness = Liveness::new(at(0));
        liveness.on_connected(at(1_000));
        assert_eq!(liveness.poll_timeout(), Some((at(6_000), Wakeup::Liveness)));
        assert_eq!(liveness.handle_timeout(at(6_000)), Some(Lapse::Interrupted));
        assert_eq!(liveness.handle_timeout(at(30_999)), None);
        assert_eq!(
            liveness.handle_timeout(at(31_000)),
            Some(Lapse::ConsentExpired)
        );
        assert_eq!(liveness.handle_timeout(at(99_000)), None);
    }

    #[test]
    fn anything_valid_ends_an_interruption_once() {
        let mut liveness = Liveness::new(at(0));
        liveness.on_connected(at(0));
        assert!(!liveness.on_valid(at(4_000)));
        assert_eq!(liveness.handle_timeout(at(5_000)), None);
        assert_eq!(liveness.handle_timeout(at(9_000)), Some(Lapse::Interrupted));
        assert!(liveness.on_valid(at(10_000)));
        assert!(!liveness.on_valid(at(10_001)));
    }

    #[test]
    fn a_late_wakeup_reports_both_deadlines_in_order() {
        let mut liveness = Liveness::new(at(0));
        liveness.on_connected(at(0));
        assert_eq!(
            liveness.handle_timeout(at(60_000)),
            Some(Lapse::Interrupted)
        );
        assert_eq!(
            liveness.handle_timeout(at(60_000)),
            Some(Lapse::ConsentExpired)
        );
    }
}
