//! Two agents against each other.

use super::*;
use plenum_types::Secret;
use rtc_crypto::providers::AwsLcRsProvider;

fn credentials(name: &str) -> IceCredentials {
    IceCredentials {
        ufrag: name.to_owned(),
        password: Secret(format!("{name}-password-of-enough-length")),
    }
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

struct Pair {
    now: Instant,
    provider: AwsLcRsProvider,
    ours: Ice,
    theirs: Ice,
}

fn pair(our_role: bool, their_role: bool) -> Pair {
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant")]
    let now = Instant::now();
    let (a, b) = (credentials("aaaa"), credentials("bbbb"));
    let candidates = vec![address(1), address(2)];
    Pair {
        now,
        provider: AwsLcRsProvider::new(),
        ours: Ice::new(now, a.clone(), b.clone(), candidates, our_role, [1; 12]),
        theirs: Ice::new(now, b, a, vec![address(9)], their_role, [2; 12]),
    }
}

impl Pair {
    /// One check of ours, answered from `port`; what it came to at both ends.
    fn check(&mut self) -> (SocketAddr, IceEvent, IceEvent) {
        let (to, request) = self.ours.handle_timeout(self.now, &self.provider).unwrap();
        let mut answer = None;
        let there = self.theirs.handle_datagram(
            self.now,
            address(9),
            &request,
            &self.provider,
            &mut answer,
        );
        let response = answer.unwrap();
        let mut none = None;
        let here =
            self.ours
                .handle_datagram(self.now, to, &response, &self.provider, &mut none);
        assert_eq!(none, None);
        (to, here, there)
    }
}

#[test]
fn a_controlling_agent_nominates_the_pair_that_answers() {
    let mut pair = pair(true, false);
    let (to, here, there) = pair.check();
    assert_eq!(to, address(1));
    assert_eq!(here, IceEvent::Connected(address(1)));
    assert_eq!(there, IceEvent::Connected(address(9)));
    assert_eq!(pair.ours.selected(), Some(address(1)));
    assert_eq!(pair.ours.handle_timeout(pair.now, &pair.provider), None);
    pair.now += CONSENT_INTERVAL;
    assert_eq!(pair.check().0, address(1));
}

#[test]
fn a_controlled_agent_waits_to_be_nominated() {
    let mut pair = pair(false, true);
    let (_, here, _) = pair.check();
    assert_eq!(here, IceEvent::None);
    let (_, nomination) = pair.theirs.handle_timeout(pair.now, &pair.provider).unwrap();
    let mut answer = None;
    let event = pair.ours.handle_datagram(
        pair.now,
        address(1),
        &nomination,
        &pair.provider,
        &mut answer,
    );
    assert_eq!(event, IceEvent::Connected(address(1)));
    assert!(answer.is_some());
}

#[test]
fn candidates_are_checked_in_turn_until_one_answers() {
    let mut pair = pair(true, false);
    let provider = AwsLcRsProvider::new();
    let mut to = Vec::new();
    for _ in 0..4 {
        while let Some((address, _)) = pair.ours.handle_timeout(pair.now, &provider) {
            to.push(address.port());
        }
        pair.now = pair.ours.poll_timeout();
    }
    assert_eq!(to, [1, 2, 1, 2, 1, 2, 1, 2]);
}

#[test]
fn what_does_not_authenticate_changes_nothing() {
    let mut pair = pair(true, false);
    pair.theirs.local.password = Secret("another password altogether".to_owned());
    let (_, request) = pair.ours.handle_timeout(pair.now, &pair.provider).unwrap();
    let mut answer = None;
    let event =
        pair.theirs
            .handle_datagram(pair.now, address(9), &request, &pair.provider, &mut answer);
    assert_eq!((event, answer), (IceEvent::None, None));
}

#[test]
fn consent_ends_with_silence() {
    let mut pair = pair(true, false);
    pair.check();
    assert!(!pair.ours.is_over(pair.now + CONSENT_TIMEOUT));
    assert!(pair.ours.is_over(pair.now + CONSENT_TIMEOUT + CONSENT_INTERVAL));
}
