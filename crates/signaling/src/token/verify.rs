//! Signing and verifying. The wall clock is an argument.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use plenum_types::Secret;
use serde::Deserialize;

use super::{Claims, Keys, PublicKeys};
use crate::messages::ErrorCode;
use crate::refusal::Refusal;

/// Seconds by which the clocks of the token's maker and ours may differ. Raising it lengthens
/// every token's life.
const LEEWAY_S: u64 = 10;
/// Longest token read, bytes. Metadata rides in it.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Signs `claims` with `secret`; `claims.iss` must be the API key that the secret belongs to.
pub fn mint(claims: &Claims, secret: &Secret) -> Result<String, Refusal> {
    let key = EncodingKey::from_secret(secret.0.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
        .map_err(|error| Refusal::new(ErrorCode::Internal, format!("Signing failed: {error}.")))
}

/// Verifies a token at `now_s`, seconds since 1970: one signed with HS256 by the secret of the API
/// key that `iss` names, one signed with RS256 or ES256 by the public key that `kid` names.
///
/// Errors: `tokenInvalid`, `tokenExpired`, `tokenNotYetValid`.
pub fn verify(
    token: &str,
    secrets: &Keys,
    public: &PublicKeys,
    now_s: u64,
) -> Result<Claims, Refusal> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(invalid("The token is too long; put less metadata into it."));
    }
    // Only tells which key to verify with; nothing of it is believed.
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| invalid("Send a JWT (RFC 7519) with the claims iss, sub and exp."))?;
    let mut claims = match header.alg {
        Algorithm::RS256 | Algorithm::ES256 => public.verify(token, &header)?,
        _ => verify_by_secret(token, secrets)?,
    };
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

fn verify_by_secret(token: &str, secrets: &Keys) -> Result<Claims, Refusal> {
    // Only tells which secret to verify with.
    let issuer = jsonwebtoken::dangerous::insecure_decode_claims::<Issuer>(token)
        .map_err(|_| invalid("Send a JWT with the claims iss, sub and exp."))?;
    let secret = secrets
        .get(&issuer.iss)
        .ok_or_else(|| invalid("Sign the token with an API key that the server knows."))?;
    let key = DecodingKey::from_secret(secret.0.as_bytes());
    verify_signature(token, &key, Algorithm::HS256).ok_or_else(|| {
        invalid("Sign the token with HS256 and the secret of its API key; include sub and exp.")
    })
}

/// The claims, if `key` has signed them with this algorithm.
pub(super) fn verify_signature(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Option<Claims> {
    let mut validation = Validation::new(algorithm);
    // Times are checked later, against the clock that was passed in.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let data = jsonwebtoken::decode::<Claims>(token, key, &validation).ok()?;
    Some(data.claims)
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

pub(super) fn invalid(sentence: &str) -> Refusal {
    Refusal::new(ErrorCode::TokenInvalid, sentence)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::token::Grants;

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
        verify(&token, &keys(), &PublicKeys::default(), NOW_S)
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
            let refusal = verify(token, &keys(), &PublicKeys::default(), NOW_S).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::TokenInvalid, "{token}");
        }
        let key = EncodingKey::from_secret(b"first-secret");
        let token =
            jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims("old"), &key).unwrap();
        assert!(verify(&token, &keys(), &PublicKeys::default(), NOW_S).is_err());
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
        let refusal = verify(&token, &keys(), &PublicKeys::default(), NOW_S).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::TokenInvalid);
    }
}
