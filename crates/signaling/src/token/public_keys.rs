//! Public keys of others who sign tokens, from a JWK set (RFC 7517): RS256 and ES256.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, Header};

use super::Claims;
use super::verify::{invalid, verify_signature};
use crate::refusal::Refusal;

/// Shortest RSA modulus (RFC 7518 §3.3), bytes.
const RSA_BYTES_MIN: usize = 2_048 / 8;
/// Most keys in a set; more are a mistake.
const KEYS_MAX: usize = 100;

/// Keys by their `kid`, and whose tokens they sign.
#[derive(Clone, Default)]
pub struct PublicKeys {
    keys: BTreeMap<String, PublicKey>,
    /// What `iss` must be; none: anything.
    issuer: Option<String>,
}

#[derive(Clone)]
struct PublicKey {
    key: DecodingKey,
    algorithm: Algorithm,
}

impl Debug for PublicKeys {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = self.keys.keys();
        f.debug_list().entries(names).finish()
    }
}

/// Why a JWK set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKeys {
    /// It is no JSON of that shape.
    #[error("it is no JWK set (RFC 7517): {0}")]
    NotASet(String),
    /// It is empty, or much too long.
    #[error("it has {0} keys; 1 to {KEYS_MAX} can be used")]
    Number(usize),
    /// A token could not say which key signed it.
    #[error("key {0} has no `kid`; give each key one of its own")]
    Nameless(usize),
    /// Two keys have the same name.
    #[error("several keys have the `kid` {0:?}; give each key one of its own")]
    Ambiguous(String),
    /// A secret has no place among public keys.
    #[error("key {0:?} is symmetric: put secrets under [keys], and public keys here")]
    Symmetric(String),
    /// Not for signatures that we know.
    #[error("key {0:?} is neither RSA for RS256 nor EC P-256 for ES256, with `use` \"sig\" if any")]
    Kind(String),
    /// Forgeable.
    #[error("key {0:?} is an RSA key of less than 2048 bits; make a longer one")]
    Short(String),
    /// The numbers of the key are none.
    #[error("key {0:?} cannot be read: its numbers must be base64url (RFC 7518 §6)")]
    Numbers(String),
}

impl PublicKeys {
    /// Reads a JWK set; with an `issuer`, only its tokens are accepted.
    pub fn read(json: &str, issuer: Option<&str>) -> Result<Self, UnusableKeys> {
        let set: JwkSet =
            serde_json::from_str(json).map_err(|error| UnusableKeys::NotASet(error.to_string()))?;
        if set.keys.is_empty() || set.keys.len() > KEYS_MAX {
            return Err(UnusableKeys::Number(set.keys.len()));
        }
        let mut keys = BTreeMap::new();
        for (at, jwk) in set.keys.iter().enumerate() {
            let kid = jwk.common.key_id.clone();
            let kid = kid.ok_or(UnusableKeys::Nameless(at + 1))?;
            let key = PublicKey::read(jwk, &kid)?;
            if keys.insert(kid.clone(), key).is_some() {
                return Err(UnusableKeys::Ambiguous(kid));
            }
        }
        let issuer = issuer.filter(|issuer| !issuer.is_empty());
        Ok(Self {
            keys,
            issuer: issuer.map(str::to_owned),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The claims of a token that one of the keys has signed.
    pub(super) fn verify(&self, token: &str, header: &Header) -> Result<Claims, Refusal> {
        let kid = header.kid.as_deref().unwrap_or_default();
        let known = self.keys.get(kid).ok_or_else(|| {
            invalid("Name in the token's kid a key that the server knows from its JWK set.")
        })?;
        let claims = verify_signature(token, &known.key, known.algorithm).ok_or_else(|| {
            invalid("Sign the token with the key that its kid names; include iss, sub and exp.")
        })?;
        match &self.issuer {
            Some(issuer) if *issuer != claims.iss => Err(invalid(
                "Put into iss what the server is configured to accept (tokens.issuer).",
            )),
            _ => Ok(claims),
        }
    }
}

impl PublicKey {
    fn read(jwk: &Jwk, kid: &str) -> Result<Self, UnusableKeys> {
        let wrong_kind = || UnusableKeys::Kind(kid.to_owned());
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::OctetKey(_) => {
                return Err(UnusableKeys::Symmetric(kid.to_owned()));
            }
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
                Algorithm::ES256
            }
            _ => return Err(wrong_kind()),
        };
        let declared = match algorithm {
            Algorithm::RS256 => KeyAlgorithm::RS256,
            _ => KeyAlgorithm::ES256,
        };
        let common = &jwk.common;
        let is_declared = common.key_algorithm.is_none_or(|told| told == declared);
        let usage = common.public_key_use.as_ref();
        let is_for_signatures = usage.is_none_or(|usage| *usage == PublicKeyUse::Signature);
        if !is_declared || !is_for_signatures {
            return Err(wrong_kind());
        }
        if let AlgorithmParameters::RSA(numbers) = &jwk.algorithm {
            check_length(&numbers.n, kid)?;
        }
        let key = DecodingKey::from_jwk(jwk).map_err(|_| UnusableKeys::Numbers(kid.to_owned()))?;
        Ok(Self { key, algorithm })
    }
}

fn check_length(modulus: &str, kid: &str) -> Result<(), UnusableKeys> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let bytes = URL_SAFE_NO_PAD.decode(modulus.trim_end_matches('='));
    let bytes = bytes.map_err(|_| UnusableKeys::Numbers(kid.to_owned()))?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    if bytes.len() - zeros < RSA_BYTES_MIN {
        return Err(UnusableKeys::Short(kid.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
