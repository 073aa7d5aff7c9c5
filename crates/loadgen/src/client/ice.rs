//! A full ICE agent with one local socket (RFC 8445): it checks the server's candidates until one
//! answers, keeps asking for consent (RFC 7675), and answers the server's own checks.
//!
//! Simplified where one socket allows it: the first pair that answers is the pair, and every check
//! of a controlling agent nominates. Messages that do not authenticate change nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use plenum_types::IceCredentials;
use rtc_crypto::RTCCryptoProvider;
use rtc_stun::attributes::{
    ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, Message, MessageType, Setter, TransactionId,
};
use rtc_stun::xoraddr::XorMappedAddress;

/// Between checks before there is a pair, doubling up to the last.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);
const CHECK_INTERVAL_MAX: Duration = Duration::from_millis(800);
/// Between consent checks (RFC 7675 §5.1: 5 s, within 20 %).
const CONSENT_INTERVAL: Duration = Duration::from_secs(4);
/// Consent ends when nothing answered for this long (RFC 7675 §5.1).
const CONSENT_TIMEOUT: Duration = Duration::from_secs(30);
/// Priority of a peer-reflexive candidate (RFC 8445 §7.1.1).
const PRIORITY: u32 = (110 << 24) | (65_535 << 8) | 255;

/// What a message came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IceEvent {
    /// Nothing to tell.
    None,
    /// There is a pair: this is where the server is.
    Connected(SocketAddr),
}

/// The agent.
pub(super) struct Ice {
    local: IceCredentials,
    remote: IceCredentials,
    candidates: Vec<SocketAddr>,
    /// Checks sent; chooses the next candidate.
    checks: usize,
    controlling: bool,
    tie_breaker: [u8; 8],
    transaction: [u8; 12],
    selected: Option<SocketAddr>,
    next_check: Instant,
    interval: Duration,
    /// When the server last proved to be there.
    heard: Instant,
}

impl Ice {
    /// An agent that starts with its first check at `now`. `seed` makes its checks its own.
    pub(super) fn new(
        now: Instant,
        local: IceCredentials,
        remote: IceCredentials,
        candidates: Vec<SocketAddr>,
        controlling: bool,
        seed: [u8; 12],
    ) -> Self {
        let [tie_breaker @ .., _, _, _, _] = seed;
        Self {
            local,
            remote,
            candidates,
            checks: 0,
            controlling,
            tie_breaker,
            transaction: seed,
            selected: None,
            next_check: now,
            interval: CHECK_INTERVAL,
            heard: now,
        }
    }

    /// Where the server is, once that is known.
    pub(super) const fn selected(&self) -> Option<SocketAddr> {
        self.selected
    }

    /// Whether the server has not been heard of for too long.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.selected.is_some() && now.duration_since(self.heard) > CONSENT_TIMEOUT
    }

    pub(super) const fn poll_timeout(&self) -> Instant {
        self.next_check
    }

    /// The check that is due, and where to send it.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        provider: &dyn RTCCryptoProvider,
    ) -> Option<(SocketAddr, Vec<u8>)> {
        if now < self.next_check {
            return None;
        }
        let to = match self.selected {
            Some(selected) => {
                self.next_check = now + CONSENT_INTERVAL;
                selected
            }
            None => {
                let count = self.candidates.len().max(1);
                let to = *self.candidates.get(self.checks % count)?;
                self.checks += 1;
                if self.checks.is_multiple_of(count) {
                    self.next_check = now + self.interval;
                    self.interval = (self.interval * 2).min(CHECK_INTERVAL_MAX);
                }
                to
            }
        };
        Some((to, self.request(provider)?))
    }

    fn request(&mut self, provider: &dyn RTCCryptoProvider) -> Option<Vec<u8>> {
        // The last four bytes count, so that a stale answer can be told.
        let [.., a, b, c, d] = &mut self.transaction;
        let next = u32::from_be_bytes([*a, *b, *c, *d]).wrapping_add(1);
        [*a, *b, *c, *d] = next.to_be_bytes();
        let mut message = start(BINDING_REQUEST, self.transaction)?;
        let username = format!("{}:{}", self.remote.ufrag, self.local.ufrag);
        message.add(ATTR_USERNAME, username.as_bytes());
        message.add(ATTR_PRIORITY, &PRIORITY.to_be_bytes());
        if self.controlling {
            message.add(ATTR_ICE_CONTROLLING, &self.tie_breaker);
            message.add(ATTR_USE_CANDIDATE, &[]);
        } else {
            message.add(ATTR_ICE_CONTROLLED, &self.tie_breaker);
        }
        finish(message, &self.remote.password.0, provider)
    }

    /// Takes a STUN message from `from`; `answer` gets what is to be sent back there.
    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagram: &[u8],
        provider: &dyn RTCCryptoProvider,
        answer: &mut Option<Vec<u8>>,
    ) -> IceEvent {
        let mut message = Message::new();
        if message.unmarshal_binary(datagram).is_err() {
            return IceEvent::None;
        }
        match message.typ {
            BINDING_REQUEST => self.on_request(now, from, message, provider, answer),
            BINDING_SUCCESS => self.on_success(now, from, message, provider),
            BINDING_ERROR if message.transaction_id.0 == self.transaction => {
                // 487: the other agent insists on the role that we took.
                self.controlling = !self.controlling;
                self.next_check = now + self.interval;
                IceEvent::None
            }
            _ => IceEvent::None,
        }
    }

    fn on_request(
        &mut self,
        now: Instant,
        from: SocketAddr,
        mut message: Message,
        provider: &dyn RTCCryptoProvider,
        answer: &mut Option<Vec<u8>>,
    ) -> IceEvent {
        if !is_authentic(&mut message, &self.local.password.0, provider) {
            return IceEvent::None;
        }
        *answer = success(&message, from, &self.local.password.0, provider);
        self.heard = now;
        let nominated = !self.controlling && message.contains(ATTR_USE_CANDIDATE);
        if nominated { self.select(now, from) } else { IceEvent::None }
    }

    fn on_success(
        &mut self,
        now: Instant,
        from: SocketAddr,
        mut message: Message,
        provider: &dyn RTCCryptoProvider,
    ) -> IceEvent {
        let ours = message.transaction_id.0[..8] == self.transaction[..8];
        if !ours || !is_authentic(&mut message, &self.remote.password.0, provider) {
            return IceEvent::None;
        }
        self.heard = now;
        if self.controlling {
            self.select(now, from)
        } else {
            IceEvent::None
        }
    }

    fn select(&mut self, now: Instant, from: SocketAddr) -> IceEvent {
        if self.selected.is_some() {
            return IceEvent::None;
        }
        self.selected = Some(from);
        self.next_check = now + CONSENT_INTERVAL;
        IceEvent::Connected(from)
    }
}

fn start(kind: MessageType, transaction: [u8; 12]) -> Option<Message> {
    let mut message = Message::new();
    message
        .build(&[Box::new(TransactionId(transaction)), Box::new(kind)])
        .ok()?;
    Some(message)
}

fn finish(
    mut message: Message,
    password: &str,
    provider: &dyn RTCCryptoProvider,
) -> Option<Vec<u8>> {
    MessageIntegrity::new_short_term_integrity_with_provider(
        password.to_owned(),
        provider.crypto(),
    )
    .add_to(&mut message)
    .ok()?;
    FINGERPRINT.add_to(&mut message).ok()?;
    Some(message.raw)
}

fn is_authentic(message: &mut Message, password: &str, provider: &dyn RTCCryptoProvider) -> bool {
    MessageIntegrity::check(message, password.as_bytes(), provider.crypto()).is_ok()
}

fn success(
    request: &Message,
    from: SocketAddr,
    password: &str,
    provider: &dyn RTCCryptoProvider,
) -> Option<Vec<u8>> {
    let mut message = start(BINDING_SUCCESS, request.transaction_id.0)?;
    XorMappedAddress {
        ip: from.ip(),
        port: from.port(),
    }
    .add_to(&mut message)
    .ok()?;
    finish(message, password, provider)
}

#[cfg(test)]
mod tests;
