//! The claims of a token, in the layout that LiveKit's token libraries make.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Grants;

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
    /// Short facts about the participant for the app, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// What is allowed.
    #[serde(default)]
    pub video: Grants,
    /// Seconds since 1970 at which it was verified.
    #[serde(skip)]
    pub verified_s: u64,
}
