//! Tokens that expire during a stay, and other ones in their place.

use serde_json::json;

use super::harness::{Server, types};
use crate::connection::Ending;
use crate::messages::ErrorCode;
use crate::token::{Claims, Grants};

/// Made at 0, and verified at once.
fn claims(identity: &str, exp: u64) -> Claims {
    Claims {
        sub: identity.to_owned(),
        exp,
        iat: Some(0),
        video: Grants::join("r"),
        ..Claims::default()
    }
}

fn joined(exp: u64) -> Server {
    let mut server = Server::new();
    server.connect_with(1, claims("ada", exp));
    server.say(1, json!({"type": "join"}));
    server.forget();
    server
}

#[test]
fn the_bearer_is_warned_a_minute_before_or_after_nine_tenths_of_a_short_life() {
    for (exp, warned_s) in [(3_600, 3_540), (100, 90), (600, 540), (0, 0)] {
        let mut server = joined(exp);
        if warned_s > 0 {
            server.wait(warned_s * 1_000 - 1);
            assert!(server.heard(1).is_empty(), "{exp}");
        }
        server.wait(1);
        assert_eq!(types(&server.heard_json(1)), ["tokenExpiring"], "{exp}");
        server.wait(1_000_000);
        assert!(server.heard(1).is_empty(), "once");
    }
}

#[test]
fn another_token_begins_another_life() {
    let mut server = joined(100);
    server.wait(95_000);
    assert_eq!(types(&server.heard_json(1)), ["tokenExpiring"]);
    let next = Claims {
        iat: Some(95),
        verified_s: 95,
        ..claims("ada", 195)
    };
    server.refresh(1, &next);
    let told = server.heard_json(1);
    assert_eq!(
        told,
        [json!({"type": "tokenRefreshed", "id": 5, "expires": 195})]
    );
    server.wait(89_999);
    assert!(server.heard(1).is_empty());
    server.wait(1);
    assert_eq!(types(&server.heard_json(1)), ["tokenExpiring"]);
}

#[test]
fn a_token_of_somebody_else_or_for_elsewhere_changes_nothing() {
    let mut server = joined(100);
    let elsewhere = Claims {
        video: Grants::join("other"),
        ..claims("ada", 900)
    };
    let no_grant = Claims {
        video: Grants::default(),
        ..claims("ada", 900)
    };
    for (claims, code) in [
        (claims("eve", 900), ErrorCode::TokenInvalid),
        (elsewhere, ErrorCode::WrongRoom),
        (no_grant, ErrorCode::NotPermitted),
    ] {
        server.refresh(1, &claims);
        assert_eq!(server.errors(1), [(code, false, vec![])]);
    }
    server.wait(90_000);
    assert_eq!(
        types(&server.heard_json(1)),
        ["tokenExpiring"],
        "the first one counts"
    );
    server.connect(2, "bob", Grants::join("r"));
    server.refresh(2, &claims("bob", 900));
    assert_eq!(server.errors(2), [(ErrorCode::NotJoined, false, vec![])]);
}

#[test]
fn its_grants_are_in_force_unless_a_backend_has_spoken_since_it_was_made() {
    let silent = |iat| Claims {
        iat: Some(iat),
        video: Grants {
            can_publish: Some(false),
            ..Grants::join("r")
        },
        ..claims("ada", 900)
    };
    let mut server = joined(100);
    server.refresh(1, &silent(0));
    let told = server.heard_json(1);
    assert_eq!(types(&told), ["grantsChanged", "tokenRefreshed"]);
    assert_eq!(told[0]["grants"]["canPublish"], false);

    server.moderate(
        "ada",
        50,
        json!({"canPublish": true, "canPublishData": false}),
    );
    server.forget();
    server.refresh(1, &silent(50));
    assert_eq!(
        types(&server.heard_json(1)),
        ["tokenRefreshed"],
        "made before"
    );
    server.refresh(1, &silent(51));
    let told = server.heard_json(1);
    assert_eq!(types(&told), ["grantsChanged", "tokenRefreshed"]);
    assert_eq!(told[0]["grants"]["canPublishData"], false, "as canPublish");
}

#[test]
fn a_warning_is_told_to_who_comes_back_and_their_new_token_counts() {
    let mut server = Server::new();
    server.connect_with(1, claims("ada", 100));
    server.say(1, json!({"type": "join"}));
    let welcome = server.heard_json(1).remove(0);
    server.wait(85_000);
    server.lose(1, Ending::Lost);
    server.wait(6_000);
    let next = Claims {
        iat: Some(91),
        verified_s: 91,
        ..claims("ada", 191)
    };
    server.connect_with(2, next);
    server.say(
        2,
        json!({"type": "resume", "participant": welcome["participant"]["id"], "secret": welcome["resumeSecret"], "received": 0}),
    );
    assert_eq!(types(&server.heard_json(2)), ["resumed", "tokenExpiring"]);
    server.wait(89_999);
    assert!(server.heard(2).is_empty());
    server.wait(1);
    assert_eq!(types(&server.heard_json(2)), ["tokenExpiring"]);
}

#[test]
fn who_has_left_is_not_warned() {
    let mut server = joined(100);
    server.say(1, json!({"type": "leave"}));
    server.forget();
    server.wait(200_000);
    assert!(server.heard(1).is_empty());
    assert_eq!(server.registry.poll_timeout(), None);
}
