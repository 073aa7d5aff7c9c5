//! Emptying the server.

use std::time::Duration;

use serde_json::json;

use super::harness::{Server, types};
use crate::connection::Ending;
use crate::messages::ErrorCode;
use crate::token::Grants;

#[test]
fn rooms_are_told_one_after_another_and_newcomers_refused() {
    let mut server = Server::new();
    for (client, room) in [(1, "a"), (2, "a"), (3, "b"), (4, "c")] {
        server.join_with(client, &format!("guest {client}"), Grants::join(room));
    }
    server.forget();
    server.drain_within(Duration::from_millis(600));
    server.wait(0);
    assert_eq!(types(&server.heard_json(1)), ["draining"]);
    assert_eq!(types(&server.heard_json(2)), ["draining"]);
    assert!(server.heard(3).is_empty());
    server.wait(100);
    assert_eq!(types(&server.heard_json(3)), ["draining"]);
    server.wait(100);
    assert_eq!(types(&server.heard_json(4)), ["draining"]);
    server.join_with(5, "late", Grants::join("a"));
    assert_eq!(server.errors(5), [(ErrorCode::Draining, true, vec![])]);
    assert_eq!(server.closed, [(5, 4503)]);
    server.undrain();
    server.join_with(6, "later", Grants::join("a"));
    assert_eq!(types(&server.heard_json(6)), ["joined"]);
}

#[test]
fn who_lost_the_socket_is_told_on_the_way_back() {
    let mut server = Server::new();
    server.join(1, "ada");
    let joined = server.heard_json(1).remove(0);
    server.lose(1, Ending::Lost);
    server.drain_within(Duration::from_secs(10));
    server.wait(0);
    server.connect(2, "ada", Grants::join("r"));
    server.say(
        2,
        json!({"type": "resume", "participant": joined["participant"]["id"], "secret": joined["resumeSecret"], "received": 0}),
    );
    assert_eq!(types(&server.heard_json(2)), ["resumed", "draining"]);
}
