//! What can be wrong with a configuration, each with the place and the remedy.

use std::io;
use std::path::PathBuf;

use plenum_signaling::token::UnusableKeys;

use super::origin::Origin;

/// Why a configuration is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", .file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML: line {line}: {cause}", .file.display())]
    Syntax {
        /// Which.
        file: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// Why, without the line itself: a secret may stand in it.
        cause: String,
    },
    /// A key that does not exist.
    #[error("{origin}: unknown key `{key}`{}", hint(.nearest.as_ref()))]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// What was written.
        key: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("{origin}: `{key}` = {given} is not accepted; write {expected}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// Which key.
        key: String,
        /// What was written.
        given: String,
        /// What can be written.
        expected: &'static str,
    },
    /// The JWK set is none that can be used.
    #[error("tokens.jwks: {} cannot be used: {cause}", .file.display())]
    PublicKeys {
        /// Which.
        file: PathBuf,
        /// Why.
        cause: UnusableKeys,
    },
    /// Tokens could be forged by guessing.
    #[error(
        "{origin}: the secret of key `{key}` has {length} characters, fewer than {least}; \
         make one with `openssl rand -hex 32` (short secrets are accepted with --dev only)"
    )]
    ShortSecret {
        /// Where it stands.
        origin: Origin,
        /// Which API key.
        key: String,
        /// How long the secret is.
        length: usize,
        /// How long it must be.
        least: usize,
    },
    /// Nobody could join.
    #[error(
        "no API key is configured, so nobody could join; add one under [keys] in the \
         configuration file or as PLENUM_KEYS__NAME=SECRET, or public keys with tokens.jwks, or try the server with --dev"
    )]
    NoKeys,
}

fn hint(nearest: Option<&String>) -> String {
    nearest.map_or_else(
        || "; `plenum config --default` lists all keys".to_owned(),
        |nearest| format!("; did you mean `{nearest}`?"),
    )
}
