use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::*;
use crate::messages::ErrorCode;
use crate::token::{Grants, Keys, verify};

const NOW_S: u64 = 1_800_000_000;
/// Before the key in PKCS #8, for RSA of 2048 bits.
const PKCS8_HEAD_BYTES: usize = 26;

/// A key to sign with, and its public half.
struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    jwk: Value,
}

impl Signer {
    fn new(kid: &str, algorithm: Algorithm, key: EncodingKey) -> Self {
        let mut jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
        jwk.common.key_id = Some(kid.to_owned());
        Self {
            key,
            algorithm,
            jwk: serde_json::to_value(jwk).unwrap(),
        }
    }

    fn elliptic(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        Self::new(kid, Algorithm::ES256, key)
    }

    fn rsa(kid: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // What PKCS #8 wraps is the key of PKCS #1 (RFC 5208 §5).
        let key = EncodingKey::from_rsa_der(&der.as_ref()[PKCS8_HEAD_BYTES..]);
        Self::new(kid, Algorithm::RS256, key)
    }

    fn sign_as(&self, kid: Option<&str>, claims: &Claims) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = kid.map(str::to_owned);
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

fn claims() -> Claims {
    Claims {
        iss: "https://id.example".to_owned(),
        sub: "ada".to_owned(),
        exp: NOW_S + 60,
        video: Grants::join("tea"),
        ..Claims::default()
    }
}

fn set(keys: &[&Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn outcome(token: &str, public: &PublicKeys) -> Result<String, ErrorCode> {
    let verified = verify(token, &Keys::new(), public, NOW_S);
    verified
        .map(|claims| claims.sub)
        .map_err(|refusal| refusal.code)
}

const INVALID: Result<String, ErrorCode> = Err(ErrorCode::TokenInvalid);

#[test]
fn each_key_verifies_its_own_tokens_only() {
    let (one, other) = (Signer::elliptic("one"), Signer::rsa("other"));
    let public = PublicKeys::read(&set(&[&one.jwk, &other.jwk]), None).unwrap();
    assert_eq!(public.len(), 2);
    for (signer, kid) in [(&one, "one"), (&other, "other")] {
        let token = signer.sign_as(Some(kid), &claims());
        assert_eq!(outcome(&token, &public), Ok("ada".to_owned()), "{kid}");
        let wrong = if kid == "one" { "other" } else { "one" };
        for kid in [None, Some(""), Some("nobody"), Some(wrong)] {
            let token = signer.sign_as(kid, &claims());
            assert_eq!(outcome(&token, &public), INVALID, "{kid:?}");
        }
    }
    let stranger = Signer::elliptic("one");
    let token = stranger.sign_as(Some("one"), &claims());
    assert_eq!(
        outcome(&token, &public),
        INVALID,
        "another key of that name"
    );
}

#[test]
fn times_and_issuers_count_as_with_secrets() {
    let signer = Signer::elliptic("k");
    let issuer = Some("https://id.example");
    let public = PublicKeys::read(&set(&[&signer.jwk]), issuer).unwrap();
    let token = |claims: &Claims| signer.sign_as(Some("k"), claims);
    assert_eq!(outcome(&token(&claims()), &public), Ok("ada".to_owned()));
    let late = Claims {
        exp: NOW_S - 60,
        ..claims()
    };
    assert_eq!(
        outcome(&token(&late), &public),
        Err(ErrorCode::TokenExpired)
    );
    let foreign = Claims {
        iss: "https://other.example".to_owned(),
        ..claims()
    };
    assert_eq!(outcome(&token(&foreign), &public), INVALID);
}

/// The classic confusion: a public key, known to all, taken for a secret of HS256.
#[test]
fn a_public_key_is_no_secret_and_a_secret_no_public_key() {
    let signer = Signer::rsa("k");
    let public = PublicKeys::read(&set(&[&signer.jwk]), None).unwrap();
    let text = signer.jwk["n"].as_str().unwrap();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("k".to_owned());
    let forged = EncodingKey::from_secret(text.as_bytes());
    let token = jsonwebtoken::encode(&header, &claims(), &forged).unwrap();
    assert_eq!(outcome(&token, &public), INVALID);

    // The API key of that name does not open what a public key signs.
    let api = Keys::from([(
        "https://id.example".to_owned(),
        plenum_types::Secret("secret".to_owned()),
    )]);
    let token = signer.sign_as(Some("k"), &claims());
    let refused = verify(&token, &api, &PublicKeys::default(), NOW_S).unwrap_err();
    assert_eq!(refused.code, ErrorCode::TokenInvalid);
}

#[test]
fn a_set_that_cannot_be_used_says_why() {
    let good = Signer::elliptic("k").jwk;
    let with = |field: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[field] = value;
        jwk
    };
    let mut nameless = good.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    let secret = json!({ "kty": "oct", "kid": "k", "k": "c2VjcmV0" });
    let short = json!({ "kty": "RSA", "kid": "k", "e": "AQAB", "n": "u1SU1LfVLPHCozMxH2Mo" });
    let kid = || "k".to_owned();
    for (json, expected) in [
        (set(&[]), UnusableKeys::Number(0)),
        (set(&[&good, &good]), UnusableKeys::Ambiguous(kid())),
        (set(&[&good, &nameless]), UnusableKeys::Nameless(2)),
        (set(&[&secret]), UnusableKeys::Symmetric(kid())),
        (set(&[&short]), UnusableKeys::Short(kid())),
        (
            set(&[&with("use", "enc".into())]),
            UnusableKeys::Kind(kid()),
        ),
        (
            set(&[&with("alg", "ES384".into())]),
            UnusableKeys::Kind(kid()),
        ),
        (
            set(&[&with("crv", "P-384".into())]),
            UnusableKeys::Kind(kid()),
        ),
        (set(&[&with("x", "!".into())]), UnusableKeys::Numbers(kid())),
    ] {
        assert_eq!(
            PublicKeys::read(&json, None).unwrap_err(),
            expected,
            "{json}"
        );
    }
    for json in ["", "{}", "[]", r#"{"keys":1}"#] {
        let error = PublicKeys::read(json, None).unwrap_err();
        assert!(matches!(error, UnusableKeys::NotASet(_)), "{json}");
    }
}
