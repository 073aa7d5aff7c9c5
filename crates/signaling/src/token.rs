//! Access tokens: JWT (RFC 7519) signed with HS256 by an API key, or with RS256 or ES256 by a key
//! of a JWK set (RFC 7517).
//!
//! Invariants: no claim is believed before the signature has been verified; which algorithm a key
//! is used with follows from the key, never from the token.

mod claims;
mod grants;
mod public_keys;
mod verify;

use std::collections::BTreeMap;

use plenum_types::Secret;

pub use claims::Claims;
pub use grants::Grants;
pub use public_keys::{PublicKeys, UnusableKeys};
pub use verify::{mint, verify};

/// API keys and their secrets. Several at once allow rotation.
pub type Keys = BTreeMap<String, Secret>;
