//! Access tokens: JWT (RFC 7519) signed with HS256, in the claim layout that LiveKit's token
//! libraries make.
//!
//! The wall clock is an argument. Invariant: no claim is believed before the signature by the
//! key that `iss` names has been verified.

use std::collections::BTreeMap;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use plenum_types::{Bitrate, Secret, Source};
use serde::{Deserialize, Serialize};

use crate::messages::{ErrorCode, GrantsInfo, SourceName};
use crate::refusal::Refusal;

/// Seconds by which the clocks of the token's maker and ours may differ. Raising it lengthens
/// every token's life.
const LEEWAY_S: u64 = 10;
/// Longest token read, bytes. Metadata rides in it.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// API keys and their secrets. Several at once allow rotation.
pub type Keys = BTreeMap<String, Secret>;

/// What a token says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// API key.
    pub iss: String,
    /// Identity.
    pub sub: String,
    /// Seconds since 1970 after which the token is not accepted.
    pub exp: u64,
    /// Seconds since 1970 at which it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// Seconds since 1970 before which the token is not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Shown name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Passed on to the others as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// What is allowed.
    #[serde(default)]
    pub video: Grants,
    /// Seconds since 1970 at which it was verified.
    #[serde(skip)]
    pub verified_s: u64,
}

/// What a token allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Grants {
    /// The room it is for; none: any room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// May join.
    pub room_join: bool,
    /// May create rooms (REST).
    #[serde(skip_serializing_if = "is_false")]
    pub room_create: bool,
    /// May list rooms (REST).
    #[serde(skip_serializing_if = "is_false")]
    pub room_list: bool,
    /// May moderate (REST).
    #[serde(skip_serializing_if = "is_false")]
    pub room_admin: bool,
    /// May publish; none: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish: Option<bool>,
    /// May subscribe; none: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe: Option<bool>,
    /// May send data messages; none: as `can_publish`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish_data: Option<bool>,
    /// What may be published, in snake_case or camelCase; empty: anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub can_publish_sources: Vec<String>,
    /// Most bits per second that may be published, told to the encoders by REMB; none: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_publish_bitrate: Option<u64>,
    /// The others are not told of the participant.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Grants {
    /// Grants to join `room` and do what participants do.
    pub fn join(room: &str) -> Self {
        Self {
            room: Some(room.to_owned()),
            room_join: true,
            ..Self::default()
        }
    }

    /// Whether a track from `source` may be published. Hidden participants publish nothing:
    /// what they sent would give them away.
    pub fn may_publish(&self, source: Source) -> bool {
        self.can_publish.unwrap_or(true)
            && !self.hidden
            && (self.can_publish_sources.is_empty() || self.sources().contains(&source.into()))
    }

    /// Most that may be published.
    pub(crate) fn publish_limit(&self) -> Option<Bitrate> {
        self.max_publish_bitrate.map(Bitrate)
    }

    /// Whether slots are allowed.
    pub fn may_subscribe(&self) -> bool {
        self.can_subscribe.unwrap_or(true)
    }

    /// What the client is told.
    pub fn info(&self) -> GrantsInfo {
        let can_publish = self.can_publish.unwrap_or(true)
            && !self.hidden
            && (self.can_publish_sources.is_empty() || !self.sources().is_empty());
        GrantsInfo {
            can_publish,
            can_subscribe: self.may_subscribe(),
            can_publish_data: self.can_publish_data.unwrap_or(can_publish),
            can_publish_sources: self.sources(),
            hidden: self.hidden,
        }
    }

    /// Names what may be published; empty: anything.
    pub(crate) fn set_sources(&mut self, sources: &[SourceName]) {
        let name = |source: &SourceName| match source {
            SourceName::Camera => "camera",
            SourceName::Microphone => "microphone",
            SourceName::Screen => "screen",
            SourceName::ScreenAudio => "screenAudio",
        };
        self.can_publish_sources = sources.iter().map(name).map(str::to_owned).collect();
    }

    /// Whether it allows to do things to the server as a whole.
    pub(crate) fn may_operate(&self) -> bool {
        self.room_admin && self.room.as_deref().is_none_or(str::is_empty)
    }

    /// Whether it allows to moderate `room`.
    pub(crate) fn may_moderate(&self, room: &str) -> bool {
        let granted = self.room.as_deref().filter(|room| !room.is_empty());
        self.room_admin && granted.is_none_or(|granted| granted == room)
    }

    fn sources(&self) -> Vec<SourceName> {
        self.can_publish_sources
            .iter()
            .filter_map(|name| match name.to_ascii_lowercase().as_str() {
                "camera" => Some(SourceName::Camera),
                "microphone" => Some(SourceName::Microphone),
                "screen" | "screen_share" => Some(SourceName::Screen),
                "screenaudio" | "screen_audio" | "screen_share_audio" => {
                    Some(SourceName::ScreenAudio)
                }
                _ => None,
            })
            .collect()
    }

    /// The room to join: the token's and the client's must not contradict each other.
    pub fn room_for(&self, asked: Option<&str>) -> Result<String, Refusal> {
        if !self.room_join {
            return Err(Refusal::new(
                ErrorCode::NotPermitted,
                "Ask for a token with the grant video.roomJoin.",
            ));
        }
        match (self.room.as_deref().filter(|room| !room.is_empty()), asked) {
            (Some(granted), Some(asked)) if granted != asked => Err(Refusal::new(
                ErrorCode::WrongRoom,
                "Join the room that the token names, or ask for a token for this room.",
            )),
            (Some(room), _) | (None, Some(room)) => Ok(room.to_owned()),
            (None, None) => Err(Refusal::new(
                ErrorCode::BadMessage,
                "Name a room in join, because the token names none.",
            )),
        }
    }
}

/// Signs `claims` with `secret`; `claims.iss` must be the API key that the secret belongs to.
pub fn mint(claims: &Claims, secret: &Secret) -> Result<String, Refusal> {
    let key = EncodingKey::from_secret(secret.0.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
        .map_err(|error| Refusal::new(ErrorCode::Internal, format!("Signing failed: {error}.")))
}

/// Verifies a token at `now_s`, seconds since 1970.
///
/// Errors: `tokenInvalid`, `tokenExpired`.
pub fn verify(token: &str, keys: &Keys, now_s: u64) -> Result<Claims, Refusal> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(invalid("The token is too long; put less metadata into it."));
    }
    // Only tells which secret to verify with; nothing of it is used.
    let issuer = jsonwebtoken::dangerous::insecure_decode_claims::<Issuer>(token)
        .map_err(|_| invalid("Send a JWT with the claims iss, sub and exp."))?;
    let secret = keys
        .get(&issuer.iss)
        .ok_or_else(|| invalid("Sign the token with an API key that the server knows."))?;
    let mut claims = verify_signature(token, secret)?;
    check_times(&claims, now_s)?;
    if claims.sub.is_empty() {
        return Err(invalid("Put an identity into the token's sub."));
    }
    claims.verified_s = now_s;
    Ok(claims)
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

fn verify_signature(token: &str, secret: &Secret) -> Result<Claims, Refusal> {
    let mut validation = Validation::new(Algorithm::HS256);
    // Times are checked below, against the clock that was passed in.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(secret.0.as_bytes());
    jsonwebtoken::decode::<Claims>(token, &key, &validation)
        .map(|data| data.claims)
        .map_err(|_| {
            invalid("Sign the token with HS256 and the secret of its API key; include sub and exp.")
        })
}

fn check_times(claims: &Claims, now_s: u64) -> Result<(), Refusal> {
    let expired = claims.exp.saturating_add(LEEWAY_S) < now_s;
    let early = claims
        .nbf
        .is_some_and(|nbf| nbf > now_s.saturating_add(LEEWAY_S));
    match (expired, early) {
        (true, _) => Err(Refusal::new(
            ErrorCode::TokenExpired,
            "Ask for a new token: this one has expired.",
        )),
        (_, true) => Err(Refusal::new(
            ErrorCode::TokenNotYetValid,
            "Wait, or set the clocks: the token is not valid yet.",
        )),
        _ => Ok(()),
    }
}

fn invalid(sentence: &str) -> Refusal {
    Refusal::new(ErrorCode::TokenInvalid, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_800_000_000;

    fn keys() -> Keys {
        [("old", "first-secret"), ("new", "second-secret")]
            .into_iter()
            .map(|(key, secret)| (key.to_owned(), Secret(secret.to_owned())))
            .collect()
    }

    fn claims(iss: &str) -> Claims {
        Claims {
            iss: iss.to_owned(),
            sub: "ada".to_owned(),
            exp: NOW_S + 60,
            video: Grants::join("r"),
            ..Claims::default()
        }
    }

    fn code(claims: &Claims, secret: &str) -> Option<ErrorCode> {
        let token = mint(claims, &Secret(secret.to_owned())).unwrap();
        verify(&token, &keys(), NOW_S)
            .err()
            .map(|refusal| refusal.code)
    }

    #[test]
    fn accepts_every_key() {
        assert_eq!(code(&claims("old"), "first-secret"), None);
        assert_eq!(code(&claims("new"), "second-secret"), None);
    }

    #[test]
    fn refuses_wrong_signatures_keys_and_times() {
        let invalid = Some(ErrorCode::TokenInvalid);
        assert_eq!(code(&claims("old"), "second-secret"), invalid);
        assert_eq!(code(&claims("nobody"), "first-secret"), invalid);
        let mut late = claims("old");
        late.exp = NOW_S - LEEWAY_S - 1;
        assert_eq!(code(&late, "first-secret"), Some(ErrorCode::TokenExpired));
        late.exp = NOW_S - LEEWAY_S;
        assert_eq!(code(&late, "first-secret"), None);
        let mut early = claims("old");
        early.nbf = Some(NOW_S + LEEWAY_S + 1);
        assert_eq!(
            code(&early, "first-secret"),
            Some(ErrorCode::TokenNotYetValid)
        );
        let mut nobody = claims("old");
        nobody.sub = String::new();
        assert_eq!(code(&nobody, "first-secret"), invalid);
    }

    #[test]
    fn refuses_unsigned_and_foreign_algorithms() {
        // {"alg":"none"} . {"iss":"old","sub":"ada","exp":1900000000} . (nothing)
        let unsigned =
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJvbGQiLCJzdWIiOiJhZGEiLCJleHAiOjE5MDAwMDAwMDB9.";
        for token in [unsigned, "", "a.b.c", "garbage"] {
            let refusal = verify(token, &keys(), NOW_S).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::TokenInvalid, "{token}");
        }
        let key = EncodingKey::from_secret(b"first-secret");
        let token =
            jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims("old"), &key).unwrap();
        assert!(verify(&token, &keys(), NOW_S).is_err());
    }

    #[test]
    fn refuses_tokens_without_expiry() {
        #[derive(Serialize)]
        struct Endless {
            iss: &'static str,
            sub: &'static str,
        }
        let endless = Endless {
            iss: "old",
            sub: "ada",
        };
        let key = EncodingKey::from_secret(b"first-secret");
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &endless, &key).unwrap();
        let refusal = verify(&token, &keys(), NOW_S).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::TokenInvalid);
    }

    #[test]
    fn rooms_of_token_and_client_must_agree() {
        let grants = Grants::join("r");
        assert_eq!(grants.room_for(None).as_deref(), Ok("r"));
        assert_eq!(grants.room_for(Some("r")).as_deref(), Ok("r"));
        let code = |grants: &Grants, room| grants.room_for(room).unwrap_err().code;
        assert_eq!(code(&grants, Some("other")), ErrorCode::WrongRoom);
        let any = Grants {
            room: None,
            ..grants
        };
        assert_eq!(any.room_for(Some("x")).as_deref(), Ok("x"));
        assert_eq!(code(&any, None), ErrorCode::BadMessage);
        assert_eq!(code(&Grants::default(), Some("x")), ErrorCode::NotPermitted);
    }

    #[test]
    fn sources_limit_what_is_published() {
        let mut grants = Grants::join("r");
        assert!(grants.may_publish(Source::Screen));
        grants.can_publish_sources = vec!["microphone".into(), "SCREEN_SHARE".into()];
        assert!(grants.may_publish(Source::Microphone));
        assert!(grants.may_publish(Source::Screen));
        assert!(!grants.may_publish(Source::Camera));
        grants.can_publish = Some(false);
        assert!(!grants.may_publish(Source::Microphone));
    }
}
