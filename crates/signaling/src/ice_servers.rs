//! STUN and TURN servers that clients are told of.

use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use plenum_types::Secret;
use serde_json::{Value, json};

/// A server, or several with the same credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` URIs (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// For TURN.
    pub username: Option<String>,
    /// For TURN: the password.
    pub credential: Option<Secret>,
    /// In place of both: what the TURN server shares with us, for credentials that expire.
    pub shared: Option<SharedSecret>,
}

/// Makes credentials of TURN that expire
/// (draft-uberti-behave-turn-rest, as coturn's `use-auth-secret` has it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSecret {
    /// `static-auth-secret` of coturn.
    pub secret: Secret,
    /// How long credentials are accepted.
    pub ttl: Duration,
}

impl SharedSecret {
    /// User name and password for `identity`; `now_s` is in seconds since 1970.
    fn credentials(&self, identity: &str, now_s: u64) -> (String, Secret) {
        let expires = now_s.saturating_add(self.ttl.as_secs());
        let username = format!("{expires}:{identity}");
        let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.0.as_bytes());
        let password = BASE64_STANDARD.encode(sign(&key, username.as_bytes()));
        (username, Secret(password))
    }
}

impl IceServer {
    /// The server with credentials for `identity`, if it makes them.
    pub(crate) fn for_client(&self, identity: &str, now_s: u64) -> Self {
        let mut server = self.clone();
        if let Some(shared) = server.shared.take() {
            let (username, credential) = shared.credentials(identity, now_s);
            server.username = Some(username);
            server.credential = Some(credential);
        }
        server
    }

    /// As `RTCConfiguration.iceServers` takes it.
    pub(crate) fn rtc_ice_server(&self) -> Value {
        let mut server = json!({"urls": self.urls});
        if let (Some(username), Some(credential)) = (&self.username, &self.credential) {
            server["username"] = json!(username);
            server["credential"] = json!(credential.0);
        }
        server
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_told_as_browsers_take_it() {
        let stun = IceServer {
            urls: vec!["stun:s.example.net".to_owned()],
            username: None,
            credential: None,
            shared: None,
        };
        assert_eq!(
            stun.rtc_ice_server(),
            json!({"urls": ["stun:s.example.net"]})
        );
        let turn = IceServer {
            urls: vec!["turn:t.example.net".to_owned()],
            username: Some("u".to_owned()),
            credential: Some(Secret("c".to_owned())),
            shared: None,
        };
        let told = json!({"urls": ["turn:t.example.net"], "username": "u", "credential": "c"});
        assert_eq!(turn.rtc_ice_server(), told);
        assert!(!format!("{turn:?}").contains("\"c\""));
    }

    /// `printf '1700003600:ada' | openssl dgst -sha1 -hmac north -binary | base64`
    #[test]
    fn a_shared_secret_makes_credentials_that_expire() {
        let turn = IceServer {
            urls: vec!["turn:t.example.net".to_owned()],
            username: None,
            credential: None,
            shared: Some(SharedSecret {
                secret: Secret("north".to_owned()),
                ttl: Duration::from_secs(3_600),
            }),
        };
        let told = turn.for_client("ada", 1_700_000_000).rtc_ice_server();
        assert_eq!(told["username"], "1700003600:ada");
        assert_eq!(told["credential"], "xnSlQG4JwD6eDlwPBFdbTt6sTJk=");
    }
}
