//! Coming back after the WebSocket broke.

use serde_json::{Value, json};

use super::harness::{FIREFOX, Server, types};
use crate::connection::Ending;
use crate::messages::ErrorCode;
use crate::token::Grants;

/// What proves whose stay it is.
struct Pass {
    participant: Value,
    secret: Value,
}

fn joined(server: &mut Server, client: u64, identity: &str) -> Pass {
    server.join(client, identity);
    let heard = server.heard_json(client);
    Pass {
        participant: heard[0]["participant"]["id"].clone(),
        secret: heard[0]["resumeSecret"].clone(),
    }
}

fn resume(server: &mut Server, client: u64, identity: &str, pass: &Pass, received: u64) {
    server.connect(client, identity, Grants::join("r"));
    server.say(
        client,
        json!({"type": "resume", "participant": pass.participant, "secret": pass.secret, "received": received}),
    );
}

#[test]
fn missed_events_are_told_in_order_and_nobody_notices() {
    let mut server = Server::new();
    let ada = joined(&mut server, 1, "ada");
    server.join(2, "bob");
    server.offer(1, FIREFOX);
    let events = server.heard_json(1);
    assert_eq!(types(&events), ["participantJoined", "answer"]);
    server.lose(1, Ending::Lost);
    server.join(3, "eve");
    server.say(3, json!({"type": "leave"}));
    server.wait(5_000);
    server.forget();
    resume(&mut server, 4, "ada", &ada, 1);
    let heard = server.heard_json(4);
    assert_eq!(
        types(&heard),
        ["resumed", "participantJoined", "participantLeft"]
    );
    assert_eq!(heard[0]["missed"], 2);
    assert_eq!(heard[1]["participant"]["identity"], "eve");
    assert!(server.heard(2).is_empty(), "bob notices nothing");
    assert!(server.asked.is_empty(), "media goes on");
    assert_eq!(server.registry.gauges().joins.resumed, 1);
    server.wait(60_000);
    assert_eq!(server.registry.gauges().participants, 2, "the grace is off");
    server.join(5, "tom");
    assert_eq!(types(&server.heard_json(4)), ["participantJoined"]);
}

#[test]
fn what_did_not_arrive_before_the_end_was_noticed_is_told_again() {
    let mut server = Server::new();
    let ada = joined(&mut server, 1, "ada");
    server.join(2, "bob");
    server.forget();
    // The server still believes in the first socket.
    resume(&mut server, 3, "ada", &ada, 0);
    assert_eq!(
        types(&server.heard_json(3)),
        ["resumed", "participantJoined"]
    );
    assert_eq!(server.heard_json(1)[0]["reason"], "replaced");
    assert_eq!(server.closed, [(1, 4409)]);
    server.lose(1, Ending::Lost);
    server.wait(60_000);
    assert_eq!(server.registry.gauges().participants, 2);
}

#[test]
fn a_wrong_pass_is_refused_and_one_may_join_instead() {
    let mut server = Server::new();
    let ada = joined(&mut server, 1, "ada");
    let bob = joined(&mut server, 2, "bob");
    server.lose(1, Ending::Lost);
    let mixed = Pass {
        participant: ada.participant.clone(),
        secret: bob.secret.clone(),
    };
    let unknown = Pass {
        participant: json!("PA_99"),
        secret: ada.secret.clone(),
    };
    let failed = [(ErrorCode::ResumeFailed, false, vec![])];
    resume(&mut server, 3, "ada", &mixed, 0);
    assert_eq!(server.errors(3), failed);
    resume(&mut server, 4, "ada", &unknown, 0);
    assert_eq!(server.errors(4), failed);
    resume(&mut server, 5, "bob", &ada, 0);
    assert_eq!(server.errors(5), failed, "another's stay");
    resume(&mut server, 6, "ada", &ada, 7);
    assert_eq!(server.errors(6), failed, "more than was ever told");
    server.say(6, json!({"type": "join"}));
    assert_eq!(types(&server.heard_json(6)), ["joined"]);
    resume(&mut server, 7, "ada", &ada, 0);
    assert_eq!(server.errors(7), failed, "the stay was replaced");
}

#[test]
fn a_stay_that_is_over_is_not_resumed() {
    let mut server = Server::new();
    let ada = joined(&mut server, 1, "ada");
    server.join(2, "bob");
    server.lose(1, Ending::Lost);
    server.wait(10_000);
    server.forget();
    resume(&mut server, 3, "ada", &ada, 1);
    assert_eq!(server.errors(3), [(ErrorCode::ResumeFailed, false, vec![])]);
}

#[test]
fn events_that_a_ping_confirms_are_not_kept() {
    let mut server = Server::new();
    let ada = joined(&mut server, 1, "ada");
    server.join(2, "bob");
    server.say(1, json!({"type": "ping", "at": 1, "received": 1}));
    server.join(3, "eve");
    server.lose(1, Ending::Lost);
    resume(&mut server, 4, "ada", &ada, 0);
    assert_eq!(server.errors(4), [(ErrorCode::ResumeFailed, false, vec![])]);
    resume(&mut server, 5, "ada", &ada, 1);
    assert_eq!(
        types(&server.heard_json(5)),
        ["resumed", "participantJoined"]
    );
}

#[test]
fn who_misses_too_much_joins_anew() {
    let mut server = Server::new();
    let ada = joined(&mut server, 1, "ada");
    server.lose(1, Ending::Lost);
    for client in 2..260 {
        server.join(client, &format!("guest {client}"));
    }
    resume(&mut server, 300, "ada", &ada, 0);
    assert_eq!(
        server.errors(300),
        [(ErrorCode::ResumeFailed, false, vec![])]
    );
}
