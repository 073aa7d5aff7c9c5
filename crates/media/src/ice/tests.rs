//! The agent against hand-made checks.

use super::*;
use crate::peer::test_clock::at;
use plenum_types::{ConnectionId, Secret};

const PASSWORD: &str = "a password of enough length";

fn credentials(ufrag: &str, password: &str) -> IceCredentials {
    IceCredentials {
        ufrag: ufrag.to_owned(),
        password: Secret(password.to_owned()),
    }
}

fn path(port: u16) -> Path {
    Path {
        remote: Remote::udp(([192, 0, 2, 1], port).into()),
        local_ip: Some(IpAddr::from([198, 51, 100, 1])),
    }
}

/// A binding request, honest unless changed.
#[derive(Clone, Copy)]
struct Check {
    username: Option<&'static str>,
    password: Option<&'static str>,
    priority: bool,
    role: u16,
    use_candidate: bool,
    nomination: Option<u32>,
    unknown: bool,
}

const HONEST: Check = Check {
    username: Some("here:there"),
    password: Some(PASSWORD),
    priority: true,
    role: stun::ICE_CONTROLLING,
    use_candidate: false,
    nomination: None,
    unknown: false,
};

const NOMINATE: Check = Check {
    use_candidate: true,
    ..HONEST
};

impl Check {
    fn write(&self) -> Vec<u8> {
        let mut writer = Writer::new(stun::BINDING_REQUEST, [3; 12]);
        if let Some(username) = self.username {
            writer.attribute(stun::USERNAME, username.as_bytes());
        }
        writer.attribute(self.role, &[0x55; 8]);
        if self.priority {
            writer.attribute(stun::PRIORITY, &[0, 0, 0, 9]);
        }
        if self.use_candidate {
            writer.attribute(stun::USE_CANDIDATE, &[]);
        }
        if let Some(count) = self.nomination {
            writer.attribute(stun::NOMINATION, &count.to_be_bytes());
        }
        if self.unknown {
            writer.attribute(0x7001, &[]);
        }
        if let Some(password) = self.password {
            writer.integrity(&key(password));
        }
        writer.finish()
    }
}

fn key(password: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes())
}

struct Bench {
    agent: Agent,
    out: Output,
}

impl Bench {
    fn new() -> Self {
        let local = credentials("here", PASSWORD);
        let remote = credentials("there", "the client's own password");
        Self {
            agent: Agent::new(&local, &remote).unwrap(),
            out: Output::default(),
        }
    }

    fn check(&mut self, ms: u64, path: Path, check: Check) -> Result<(), DropReason> {
        let bytes = check.write();
        self.agent
            .handle_request(at(ms), path, &bytes, &mut self.out)
    }

    /// Type, error code and bytes of the only answer.
    fn answer(&mut self) -> Option<(u16, u16, Vec<u8>)> {
        let transmit = self.out.poll_transmit()?;
        assert!(self.out.poll_transmit().is_none());
        let bytes = transmit.bytes;
        let kind = u16::from_be_bytes([bytes[0], bytes[1]]);
        let code = if kind == BINDING_ERROR {
            assert_eq!(bytes[20..22], stun::ERROR_CODE.to_be_bytes());
            u16::from(bytes[26]) * 100 + u16::from(bytes[27])
        } else {
            0
        };
        Some((kind, code, bytes))
    }

    fn events(&mut self) -> Vec<PeerEvent> {
        std::iter::from_fn(|| self.out.poll_event()).collect()
    }
}

#[test]
fn a_check_is_answered_with_the_address_it_came_from() {
    for remote in ["192.0.2.9:4711", "[2001:db8::7]:4711"] {
        let mut bench = Bench::new();
        let path = Path {
            remote: Remote::udp(remote.parse().unwrap()),
            local_ip: Some("2001:db8::1".parse().unwrap()),
        };
        bench.check(0, path, HONEST).unwrap();
        let transmit = bench.out.poll_transmit().unwrap();
        assert_eq!(
            transmit.path, path,
            "answers leave on the path they came on"
        );
        let response = Message::parse(&transmit.bytes).unwrap();
        assert_eq!(response.kind, BINDING_SUCCESS);
        assert_eq!(response.transaction(), [3; 12]);
        assert!(response.verify_integrity(&key(PASSWORD)));
        let expected = xor_address(path.remote.address, [3; 12]);
        assert_eq!(transmit.bytes[24..24 + expected.len()], expected);
        assert_eq!(
            bench.events(),
            [
                PeerEvent::PathAdded(path.remote),
                PeerEvent::SelectedPathChanged(path)
            ]
        );
    }
}

#[test]
fn a_forged_check_proves_nothing_and_gets_no_answer_at_an_unproven_address() {
    let forged = [
        Check {
            password: Some("another password, as long"),
            ..NOMINATE
        },
        Check {
            username: Some("here:other"),
            ..NOMINATE
        },
        Check {
            username: Some("here"),
            ..NOMINATE
        },
        Check {
            username: None,
            ..NOMINATE
        },
        Check {
            password: None,
            ..NOMINATE
        },
    ];
    for check in forged {
        let mut bench = Bench::new();
        let result = bench.check(0, path(1), check);
        assert_eq!(result, Err(DropReason::StunIntegrity));
        assert_eq!(bench.answer(), None);
        assert_eq!(bench.events(), []);
        assert_eq!(bench.agent.path(), None);
        assert!(!bench.agent.is_proven(path(1).remote));
    }
}

#[test]
fn at_a_proven_address_a_bad_check_is_told_what_is_wrong_with_it() {
    let cases = [
        (
            Check {
                username: None,
                ..HONEST
            },
            400,
        ),
        (
            Check {
                password: None,
                ..HONEST
            },
            400,
        ),
        (
            Check {
                password: Some("another password, as long"),
                ..HONEST
            },
            401,
        ),
        (
            Check {
                username: Some("here:other"),
                ..HONEST
            },
            401,
        ),
        (
            Check {
                priority: false,
                ..HONEST
            },
            400,
        ),
        (
            Check {
                unknown: true,
                ..HONEST
            },
            420,
        ),
        (
            Check {
                role: stun::ICE_CONTROLLED,
                ..HONEST
            },
            487,
        ),
    ];
    for (check, code) in cases {
        let mut bench = Bench::new();
        bench.check(0, path(1), HONEST).unwrap();
        bench.answer().unwrap();
        assert!(bench.check(1, path(1), check).is_err());
        let (kind, told, bytes) = bench.answer().unwrap();
        assert_eq!((kind, told), (BINDING_ERROR, code));
        assert!(bytes.len() <= check.write().len(), "no amplification");
    }
}

#[test]
fn a_role_conflict_is_answered_authentically_and_makes_no_path() {
    let mut bench = Bench::new();
    let check = Check {
        role: stun::ICE_CONTROLLED,
        ..NOMINATE
    };
    assert_eq!(
        bench.check(0, path(1), check),
        Err(DropReason::StunUnexpected)
    );
    let (_, code, bytes) = bench.answer().unwrap();
    assert_eq!(code, 487);
    assert!(
        Message::parse(&bytes)
            .unwrap()
            .verify_integrity(&key(PASSWORD))
    );
    assert_eq!(bench.agent.path(), None);
}

#[test]
fn a_wrong_fingerprint_is_not_stun() {
    let mut bench = Bench::new();
    let mut bytes = HONEST.write();
    *bytes.last_mut().unwrap() ^= 1;
    let result = bench
        .agent
        .handle_request(at(0), path(1), &bytes, &mut bench.out);
    assert_eq!(result, Err(DropReason::StunIntegrity));
}

#[test]
fn responses_and_indications_are_unexpected() {
    for kind in [0x0101, 0x0111, 0x0011] {
        let mut bench = Bench::new();
        let bytes = Writer::new(kind, [0; 12]).finish();
        let result = bench
            .agent
            .handle_request(at(0), path(1), &bytes, &mut bench.out);
        assert_eq!(result, Err(DropReason::StunUnexpected));
        assert_eq!(bench.answer(), None);
    }
}

#[test]
fn the_latest_nomination_wins() {
    let mut bench = Bench::new();
    bench.check(0, path(1), HONEST).unwrap();
    bench.check(1, path(2), HONEST).unwrap();
    assert_eq!(
        bench.agent.path(),
        Some(path(1)),
        "the first, until nominated"
    );
    bench.check(2, path(2), NOMINATE).unwrap();
    assert_eq!(bench.agent.path(), Some(path(2)));
    bench.check(3, path(1), HONEST).unwrap();
    assert_eq!(bench.agent.path(), Some(path(2)));
    bench.check(4, path(1), NOMINATE).unwrap();
    assert_eq!(bench.agent.path(), Some(path(1)));
}

#[test]
fn before_nomination_dtls_tells_the_path_and_after_it_does_not() {
    let mut bench = Bench::new();
    bench.check(0, path(1), HONEST).unwrap();
    bench.check(0, path(2), HONEST).unwrap();
    bench.agent.on_dtls(path(2), &mut bench.out);
    assert_eq!(bench.agent.path(), Some(path(2)));
    bench.check(1, path(1), NOMINATE).unwrap();
    bench.agent.on_dtls(path(2), &mut bench.out);
    assert_eq!(bench.agent.path(), Some(path(1)));
}

#[test]
fn traffic_on_another_path_moves_there_once_the_selected_one_is_silent() {
    let mut bench = Bench::new();
    bench.check(0, path(1), NOMINATE).unwrap();
    // The NAT's new address, which the client does not know of: its checks nominate nothing.
    bench.check(100, path(2), HONEST).unwrap();
    bench.agent.on_traffic(at(150), path(1), &mut bench.out);
    bench.agent.on_traffic(at(449), path(2), &mut bench.out);
    assert_eq!(
        bench.agent.path(),
        Some(path(1)),
        "late packets prove nothing"
    );
    bench.agent.on_traffic(at(450), path(2), &mut bench.out);
    assert_eq!(bench.agent.path(), Some(path(2)));
    bench.agent.on_traffic(at(451), path(1), &mut bench.out);
    assert_eq!(bench.agent.path(), Some(path(2)));
}

#[test]
fn a_lower_nomination_count_is_an_old_request() {
    let mut bench = Bench::new();
    let count = |count| Check {
        nomination: Some(count),
        ..HONEST
    };
    bench.check(0, path(1), count(1)).unwrap();
    bench.check(1, path(2), count(2)).unwrap();
    bench.check(2, path(1), count(1)).unwrap();
    assert_eq!(bench.agent.path(), Some(path(2)));
    bench.check(3, path(1), count(3)).unwrap();
    assert_eq!(bench.agent.path(), Some(path(1)));
}

#[test]
fn a_client_that_roams_takes_its_path_along() {
    let mut bench = Bench::new();
    bench.check(0, path(1), NOMINATE).unwrap();
    bench.events();
    bench.check(9_000, path(2), NOMINATE).unwrap();
    assert_eq!(
        bench.events(),
        [
            PeerEvent::PathAdded(path(2).remote),
            PeerEvent::SelectedPathChanged(path(2))
        ]
    );
    bench.agent.handle_timeout(at(30_000), &mut bench.out);
    assert_eq!(bench.events(), [PeerEvent::PathRemoved(path(1).remote)]);
    assert!(!bench.agent.is_proven(path(1).remote));
}

#[test]
fn when_the_selected_path_expires_the_one_used_last_takes_over() {
    let mut bench = Bench::new();
    bench.check(0, path(1), NOMINATE).unwrap();
    bench.check(10_000, path(2), HONEST).unwrap();
    bench.check(10_001, path(3), HONEST).unwrap();
    bench.events();
    assert_eq!(bench.agent.poll_timeout(), Some(at(30_000)));
    bench.agent.handle_timeout(at(30_000), &mut bench.out);
    assert_eq!(bench.agent.path(), Some(path(3)));
    bench.agent.handle_timeout(at(99_000), &mut bench.out);
    assert_eq!(bench.agent.path(), None);
    assert_eq!(bench.agent.poll_timeout(), None);
}

/// The name of a connection from where `path(1)` is.
fn connection(name: u32) -> Path {
    let id = ConnectionId(std::num::NonZero::new(name).unwrap());
    Path {
        remote: Remote::tcp(path(1).remote.address, id),
        local_ip: None,
    }
}

#[test]
fn a_connection_is_a_path_beside_its_address_over_udp() {
    let mut bench = Bench::new();
    bench.check(0, connection(1), NOMINATE).unwrap();
    assert!(bench.agent.is_proven(connection(1).remote));
    for stranger in [path(1), connection(2)] {
        assert!(!bench.agent.is_proven(stranger.remote));
    }
    // From TCP to UDP as soon as the client says so, and back.
    bench.check(10, path(1), HONEST).unwrap();
    assert_eq!(bench.agent.path(), Some(connection(1)));
    bench.check(20, path(1), NOMINATE).unwrap();
    assert_eq!(bench.agent.path(), Some(path(1)));
    bench.check(30, connection(1), NOMINATE).unwrap();
    assert_eq!(bench.agent.path(), Some(connection(1)));
}

#[test]
fn without_its_connection_a_client_is_nowhere_until_a_check_comes_over_another() {
    let mut bench = Bench::new();
    bench.check(0, connection(1), NOMINATE).unwrap();
    bench.events();
    let Bench { agent, out } = &mut bench;
    agent.handle_disconnect(connection(1).remote, out);
    agent.handle_disconnect(connection(1).remote, out);
    assert_eq!(agent.path(), None);
    let removed = PeerEvent::PathRemoved(connection(1).remote);
    assert_eq!(bench.events(), [removed]);
    bench.check(5_000, connection(2), HONEST).unwrap();
    assert_eq!(bench.agent.path(), Some(connection(2)));
}

#[test]
fn when_the_connection_breaks_another_path_takes_over() {
    let mut bench = Bench::new();
    bench.check(0, path(2), HONEST).unwrap();
    bench.check(10, connection(1), NOMINATE).unwrap();
    assert_eq!(bench.agent.path(), Some(connection(1)));
    let Bench { agent, out } = &mut bench;
    agent.handle_disconnect(connection(1).remote, out);
    assert_eq!(agent.path(), Some(path(2)));
    bench.check(20, connection(2), NOMINATE).unwrap();
    assert_eq!(bench.agent.path(), Some(connection(2)));
}

#[test]
fn paths_are_bounded() {
    let mut bench = Bench::new();
    for port in 0..paths::MAX_PATHS as u16 {
        bench.check(0, path(port), HONEST).unwrap();
    }
    assert_eq!(
        bench.check(1, path(999), NOMINATE),
        Err(DropReason::TooManyPaths)
    );
    bench.events();
    bench.check(6_000, path(999), NOMINATE).unwrap();
    let events = bench.events();
    assert_eq!(events[0], PeerEvent::PathRemoved(path(1).remote));
    assert_eq!(events[1], PeerEvent::PathAdded(path(999).remote));
}

#[test]
fn after_a_restart_the_old_credentials_work_until_the_new_ones_have_been_used() {
    let mut bench = Bench::new();
    let new = Check {
        username: Some("here2:there2"),
        password: Some("the second password of us"),
        ..NOMINATE
    };
    bench
        .check(
            0,
            path(1),
            Check {
                nomination: Some(7),
                ..HONEST
            },
        )
        .unwrap();
    assert!(bench.check(1, path(1), new).is_err());
    bench.agent.restart(
        &credentials("here2", "the second password of us"),
        &credentials("there2", "the client's second password"),
    );
    while bench.out.poll_transmit().is_some() {}

    bench.check(2, path(1), HONEST).unwrap();
    let (kind, _, bytes) = bench.answer().unwrap();
    assert_eq!(kind, BINDING_SUCCESS);
    assert!(
        Message::parse(&bytes)
            .unwrap()
            .verify_integrity(&key(PASSWORD))
    );
    assert_eq!(bench.agent.path(), Some(path(1)), "media goes on");

    // The count of nominations starts anew.
    bench
        .check(
            3,
            path(2),
            Check {
                nomination: Some(1),
                ..new
            },
        )
        .unwrap();
    assert_eq!(bench.agent.path(), Some(path(2)));
    assert_eq!(
        bench.check(4, path(1), HONEST),
        Err(DropReason::StunIntegrity)
    );
    assert_eq!(bench.check(5, path(1), new), Ok(()));
}

#[test]
fn a_second_restart_keeps_the_credentials_that_are_in_use() {
    let mut bench = Bench::new();
    bench.check(0, path(1), HONEST).unwrap();
    for round in ["b", "c"] {
        let ufrag = format!("here{round}");
        bench.agent.restart(
            &credentials(&ufrag, "the next password of ours"),
            &credentials("there", "the client's next password"),
        );
    }
    bench.check(1, path(1), HONEST).unwrap();
    let skipped = Check {
        username: Some("hereb:there"),
        password: Some("the next password of ours"),
        ..HONEST
    };
    assert!(bench.check(2, path(1), skipped).is_err());
    let newest = Check {
        username: Some("herec:there"),
        ..skipped
    };
    bench.check(3, path(1), newest).unwrap();
    assert!(bench.check(4, path(1), HONEST).is_err());
}

#[test]
fn weak_credentials_are_refused() {
    let good = credentials("here", PASSWORD);
    assert!(Agent::new(&credentials("abc", PASSWORD), &good).is_err());
    assert!(Agent::new(&credentials("here", "too short"), &good).is_err());
}
