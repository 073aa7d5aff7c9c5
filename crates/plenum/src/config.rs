//! Configuration: built-in values, then the file, then the environment, then flags. Each value
//! knows where it came from.

mod error;
mod ice_servers;
mod load;
mod nearest;
mod origin;
mod render;
mod settings;
mod units;
mod value;

use std::collections::BTreeMap;
use std::net::IpAddr;

use plenum_signaling::IceServer;
use plenum_signaling::token::PublicKeys;
use plenum_types::Secret;

pub(crate) use error::ConfigError;
pub(crate) use load::Sources;
pub(crate) use origin::Origin;
pub(crate) use render::{default_file, effective};
pub(crate) use settings::{Http, Limits, SETTINGS, Settings};
pub(crate) use units::parse_duration;
pub(crate) use value::LogFormat;

/// Fewest characters of a secret: 128 bits in hexadecimal (RFC 7518 §3.2 wants the size of the
/// hash's output for keys, which a random text of 32 characters comes close to).
const SECRET_LENGTH_MIN: usize = 32;

/// API key and secret of `--dev`.
pub(crate) const DEV_KEY: (&str, &str) = ("devkey", "secret");

/// The configuration in force.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The values.
    pub(crate) settings: Settings,
    /// API key → secret, and where it came from.
    pub(crate) keys: BTreeMap<String, (Secret, Origin)>,
    /// STUN and TURN servers for the clients, all from the file.
    pub(crate) ice_servers: Vec<IceServer>,
    /// Whether the server is for trying out on this machine.
    pub(crate) dev: bool,
    origins: BTreeMap<&'static str, Origin>,
}

impl Config {
    /// Where the value of `section.key` came from.
    pub(crate) fn origin(&self, name: &str) -> &Origin {
        self.origins.get(name).unwrap_or(&Origin::Default)
    }

    /// Whether anybody on the network could join with the key of `--dev`, which everybody knows.
    pub(crate) fn exposes_dev_key(&self) -> bool {
        let (key, secret) = DEV_KEY;
        let known = self.keys.get(key);
        known.is_some_and(|(used, _)| used.0 == secret)
            && !self.settings.http.bind.iter().all(IpAddr::is_loopback)
    }

    /// Refuses what a server must not run with.
    pub(crate) fn check_keys(&self) -> Result<(), ConfigError> {
        if self.keys.is_empty() && self.settings.tokens.jwks.is_none() {
            return Err(ConfigError::NoKeys);
        }
        let short = self
            .keys
            .iter()
            .find(|(_, (secret, _))| secret.0.chars().count() < SECRET_LENGTH_MIN);
        match short {
            Some((key, (secret, origin))) if !self.dev => Err(ConfigError::ShortSecret {
                origin: origin.clone(),
                key: key.clone(),
                length: secret.0.chars().count(),
                least: SECRET_LENGTH_MIN,
            }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Config {
    /// Reads the JWK set that is configured, if any.
    pub(crate) fn public_keys(&self) -> Result<PublicKeys, ConfigError> {
        let tokens = &self.settings.tokens;
        let Some(file) = &tokens.jwks else {
            return Ok(PublicKeys::default());
        };
        let text = std::fs::read_to_string(file).map_err(|cause| ConfigError::Read {
            file: file.clone(),
            cause,
        })?;
        PublicKeys::read(&text, Some(&tokens.issuer)).map_err(|cause| ConfigError::PublicKeys {
            file: file.clone(),
            cause,
        })
    }
}

#[cfg(test)]
mod tests;
