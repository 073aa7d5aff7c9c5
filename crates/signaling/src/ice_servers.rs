//! STUN and TURN servers that clients are told of.

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
}

impl IceServer {
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
        };
        assert_eq!(
            stun.rtc_ice_server(),
            json!({"urls": ["stun:s.example.net"]})
        );
        let turn = IceServer {
            urls: vec!["turn:t.example.net".to_owned()],
            username: Some("u".to_owned()),
            credential: Some(Secret("c".to_owned())),
        };
        let told = json!({"urls": ["turn:t.example.net"], "username": "u", "credential": "c"});
        assert_eq!(turn.rtc_ice_server(), told);
        assert!(!format!("{turn:?}").contains("\"c\""));
    }
}
