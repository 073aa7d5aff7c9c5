//! Repeating our last flight of the handshake until the client answers (RFC 6347 §4.2.4).
//!
//! The DTLS library's own timer is not used: it gives up after seven repetitions at a fixed
//! interval, and stops for good when a part of the client's next flight arrives. Here the same
//! datagrams are sent again, as the network itself might duplicate them: what the client already
//! has, its replay protection discards; what was lost fits in.

use std::time::{Duration, Instant};

/// First wait. Shorter repeats needlessly on links with a long round trip; longer delays the join
/// when a flight is lost. The path is known to work both ways by then, so loss is rare.
const INITIAL_INTERVAL: Duration = Duration::from_millis(150);

/// Each wait is twice the last, up to this.
const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// A client that repeats itself gets our flight at once, but not more often than this: its flight
/// may come in several datagrams.
const MIN_INTERVAL: Duration = Duration::from_millis(20);

/// Repetitions of one flight. The connect timeout ends the handshake before; this bounds what a
/// client can make us send.
const MAX_REPEATS: u32 = 60;

const HANDSHAKE_RECORD: u8 = 22;
const HELLO_VERIFY_REQUEST: u8 = 3;

#[derive(Debug)]
struct Sent {
    datagrams: Vec<Vec<u8>>,
    at: Instant,
    interval: Duration,
    repeats: u32,
}

/// The last flight, while it may have to be repeated.
#[derive(Debug, Default)]
pub(super) struct Flight(Option<Sent>);

impl Flight {
    /// A new flight has been sent: the client has answered the one before.
    pub(super) fn on_sent(&mut self, now: Instant, datagrams: &[Vec<u8>]) {
        // A cookie is asked for again when the client repeats its hello (§4.2.1).
        let is_cookie_request = matches!(datagrams, [single]
            if single.first() == Some(&HANDSHAKE_RECORD)
                && single.get(13) == Some(&HELLO_VERIFY_REQUEST));
        self.0 = (!is_cookie_request).then(|| Sent {
            datagrams: datagrams.to_vec(),
            at: now,
            interval: INITIAL_INTERVAL,
            repeats: 0,
        });
    }

    /// Nothing more to repeat.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// The client repeats its flight: it has not got all of ours.
    pub(super) fn on_repeated_by_client(&mut self, now: Instant) -> &[Vec<u8>] {
        match &mut self.0 {
            Some(sent)
                if now.saturating_duration_since(sent.at) >= MIN_INTERVAL
                    && sent.repeats < MAX_REPEATS =>
            {
                sent.at = now;
                sent.repeats += 1;
                &sent.datagrams
            }
            _ => &[],
        }
    }

    /// What to send again now.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> &[Vec<u8>] {
        match &mut self.0 {
            Some(sent) if now >= sent.at + sent.interval && sent.repeats < MAX_REPEATS => {
                sent.at = now;
                sent.repeats += 1;
                sent.interval = (sent.interval * 2).min(MAX_INTERVAL);
                &sent.datagrams
            }
            _ => &[],
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let sent = self.0.as_ref()?;
        (sent.repeats < MAX_REPEATS).then(|| sent.at + sent.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::test_clock::at;

    #[test]
    fn waits_double_up_to_a_second() {
        let mut flight = Flight::default();
        flight.on_sent(at(0), &[vec![1], vec![2]]);
        let mut now = 0;
        for wait in [150, 300, 600, 1000, 1000] {
            now += wait;
            assert_eq!(flight.poll_timeout(), Some(at(now)));
            assert!(flight.handle_timeout(at(now - 1)).is_empty());
            assert_eq!(flight.handle_timeout(at(now)).len(), 2);
        }
        flight.clear();
        assert_eq!(flight.poll_timeout(), None);
    }

    #[test]
    fn a_repeating_client_is_answered_at_once_but_not_for_each_datagram() {
        let mut flight = Flight::default();
        flight.on_sent(at(0), &[vec![1]]);
        assert_eq!(flight.on_repeated_by_client(at(50)).len(), 1);
        assert!(flight.on_repeated_by_client(at(51)).is_empty());
    }

    #[test]
    fn repetitions_are_bounded() {
        let mut flight = Flight::default();
        flight.on_sent(at(0), &[vec![1]]);
        let sent = (1..1000).filter(|n| !flight.on_repeated_by_client(at(n * 20)).is_empty());
        assert_eq!(sent.count() as u32, MAX_REPEATS);
        assert_eq!(flight.poll_timeout(), None);
    }

    #[test]
    fn a_cookie_request_is_not_repeated() {
        let mut flight = Flight::default();
        let mut request = vec![0; 30];
        request[0] = HANDSHAKE_RECORD;
        request[13] = HELLO_VERIFY_REQUEST;
        flight.on_sent(at(0), &[request]);
        assert_eq!(flight.poll_timeout(), None);
    }
}
