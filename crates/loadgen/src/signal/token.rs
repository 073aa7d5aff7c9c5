//! Access tokens, minted here with the server's key, as an application's backend would.

use std::time::SystemTime;

use anyhow::{Context, Result};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use super::{JoinRequest, Role, Target};

/// Seconds for which a token is valid.
const TTL_S: u64 = 6 * 3_600;

/// A token with which the client of `request` may join.
pub(super) fn mint(target: &Target, request: &JoinRequest) -> Result<String> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let claims = json!({
        "iss": target.key,
        "sub": request.identity,
        "exp": now + TTL_S,
        "video": {
            "room": request.room,
            "roomJoin": true,
            "canPublish": request.role != Role::Subscriber,
            "canSubscribe": request.role != Role::Publisher,
        },
    });
    let key = EncodingKey::from_secret(target.secret.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims, &key).context("no token can be signed")
}
