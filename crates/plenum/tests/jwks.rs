//! Tokens signed by somebody else's key, through the configuration and its reload.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use server::{Server, command, request, run};

fn key() -> EncodingKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
}

fn publish(file: &Path, key: &EncodingKey) {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::ES256).unwrap();
    jwk.common.key_id = Some("2026".to_owned());
    let set = JwkSet { keys: vec![jwk] };
    fs::write(file, serde_json::to_string(&set).unwrap()).unwrap();
}

/// Status line of a request with a token signed by `key`.
fn ask(server: &Server, key: &EncodingKey, issuer: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tokens are made by the wall clock"
    )]
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("2026".to_owned());
    let claims = json!({"iss": issuer, "sub": "app", "exp": now + 60, "video": {"roomList": true}});
    let token = jsonwebtoken::encode(&header, &claims, key).unwrap();
    let path = format!("/v1/rooms HTTP/1.1\r\nAuthorization: Bearer {token}\r\nX-Rest: ");
    let answer = request(server, &path);
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn keys_are_read_at_the_start_and_again_and_a_broken_file_changes_nothing() {
    let folder = std::env::temp_dir().join(format!("plenum-jwks-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("jwks.json");
    let (old, new) = (key(), key());
    publish(&file, &old);
    let mut command = command(0, 0);
    command.env("PLENUM_TOKENS__JWKS", &file);
    command.env("PLENUM_TOKENS__ISSUER", "https://id.example");
    let mut server = run(command);
    let mut log = BufReader::new(server.child.stderr.take().unwrap()).lines();
    let mut wait_for = |text: &str| assert!(log.any(|line| line.unwrap().contains(text)));
    let hang_up = |server: &Server| {
        let id = server.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-HUP", &id])
                .status()
                .unwrap()
                .success()
        );
    };
    let issuer = "https://id.example";
    assert_eq!(ask(&server, &old, issuer), "HTTP/1.1 200 OK");
    assert_eq!(ask(&server, &new, issuer), "HTTP/1.1 401 Unauthorized");
    assert_eq!(
        ask(&server, &old, "https://evil.example"),
        "HTTP/1.1 401 Unauthorized"
    );

    fs::write(
        &file,
        r#"{"keys":[{"kty":"oct","kid":"k","k":"c2VjcmV0"}]}"#,
    )
    .unwrap();
    hang_up(&server);
    wait_for("put secrets under [keys]");
    assert_eq!(ask(&server, &old, issuer), "HTTP/1.1 200 OK");

    publish(&file, &new);
    hang_up(&server);
    wait_for("configuration reloaded");
    assert_eq!(ask(&server, &new, issuer), "HTTP/1.1 200 OK");
    assert_eq!(ask(&server, &old, issuer), "HTTP/1.1 401 Unauthorized");
    fs::remove_dir_all(&folder).unwrap();
}
