//! Puts the sources over each other.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use plenum_types::Secret;

use super::ice_servers;
use super::nearest::nearest;
use super::settings::{SETTINGS, Setting, Settings};
use super::value::Raw;
use super::{Config, ConfigError, DEV_KEY, Origin};

/// What environment variables of ours begin with. Those without a double underscore are not ours:
/// Kubernetes makes `PLENUM_PORT` for a service called plenum.
const PREFIX: &str = "PLENUM_";

/// Between section and key in the name of an environment variable.
const SEPARATOR: &str = "__";

/// The section whose keys the operator names.
const KEYS: &str = "keys";

/// Where values can come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Whether to start from the values of `--dev`.
    pub(crate) dev: bool,
    /// The configuration file.
    pub(crate) file: Option<PathBuf>,
    /// The environment.
    pub(crate) environment: Vec<(String, String)>,
    /// `section.key`, the flag, and its value.
    pub(crate) flags: Vec<(&'static str, &'static str, String)>,
}

impl Sources {
    /// Reads all sources.
    pub(crate) fn load(&self) -> Result<Config, ConfigError> {
        let mut config = defaults(self.dev);
        if let Some(file) = &self.file {
            apply_file(&mut config, file)?;
        }
        for (name, value) in &self.environment {
            apply_variable(&mut config, name, value)?;
        }
        for (name, flag, value) in &self.flags {
            let value = Raw::Text(value.clone());
            apply(&mut config, name, &value, Origin::Flag(flag))?;
        }
        Ok(config)
    }
}

fn defaults(dev: bool) -> Config {
    let mut config = Config {
        settings: Settings::default(),
        keys: BTreeMap::new(),
        ice_servers: Vec::new(),
        dev,
        origins: BTreeMap::new(),
    };
    if dev {
        apply_dev(&mut config);
    }
    config
}

/// Nobody but this machine, a known key, and the demo app.
fn apply_dev(config: &mut Config) {
    let settings = &mut config.settings;
    settings.http.bind = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    settings.http.demo = true;
    settings.http.requests_per_second = 0;
    settings.media.bind = Ipv4Addr::LOCALHOST.into();
    settings.media.shards = 1;
    settings.time.drain = Duration::ZERO;
    for name in [
        "http.bind",
        "http.demo",
        "http.requests_per_second",
        "media.bind",
        "media.shards",
        "time.drain",
    ] {
        config.origins.insert(name, Origin::Dev);
    }
    let (key, secret) = DEV_KEY;
    let secret = Secret(secret.to_owned());
    config.keys.insert(key.to_owned(), (secret, Origin::Dev));
}

fn apply_file(config: &mut Config, file: &Path) -> Result<(), ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|cause| ConfigError::Read {
        file: file.to_owned(),
        cause,
    })?;
    let table: toml::Table = text.parse().map_err(|cause| syntax(file, &text, &cause))?;
    for (section, value) in table {
        let origin = Origin::File(file.to_owned());
        if section == ice_servers::SECTION {
            config.ice_servers = ice_servers::read(&value, &origin)?;
            continue;
        }
        match value {
            toml::Value::Table(keys) => {
                for (key, value) in keys {
                    let name = format!("{section}.{key}");
                    apply(config, &name, &Raw::Toml(value), origin.clone())?;
                }
            }
            _ => return Err(unknown(&section, origin)),
        }
    }
    Ok(())
}

fn syntax(file: &Path, text: &str, cause: &toml::de::Error) -> ConfigError {
    let start = cause.span().map_or(0, |span| span.start);
    let before = text.bytes().take(start);
    ConfigError::Syntax {
        file: file.to_owned(),
        line: before.filter(|byte| *byte == b'\n').count() + 1,
        cause: cause.message().to_owned(),
    }
}

fn apply_variable(config: &mut Config, name: &str, value: &str) -> Result<(), ConfigError> {
    let parts = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once(SEPARATOR));
    let Some((section, key)) = parts else {
        return Ok(());
    };
    let section = section.to_ascii_lowercase();
    // API keys are case-sensitive, ours are not.
    let key = match section.as_str() {
        KEYS => key.to_owned(),
        _ => key.to_ascii_lowercase(),
    };
    let origin = Origin::Environment(name.to_owned());
    let value = Raw::Text(value.to_owned());
    apply(config, &format!("{section}.{key}"), &value, origin)
}

fn apply(config: &mut Config, name: &str, value: &Raw, origin: Origin) -> Result<(), ConfigError> {
    if let Some((KEYS, key)) = name.split_once('.') {
        return apply_key(config, key, value, origin);
    }
    let Some(setting) = Setting::find(name) else {
        return Err(unknown(name, origin));
    };
    if (setting.set)(&mut config.settings, value).is_none() {
        return Err(ConfigError::Value {
            origin,
            key: name.to_owned(),
            given: value.shown(),
            expected: setting.expected,
        });
    }
    config.origins.insert(setting.name, origin);
    Ok(())
}

fn apply_key(
    config: &mut Config,
    key: &str,
    value: &Raw,
    origin: Origin,
) -> Result<(), ConfigError> {
    let Some(secret) = value.as_text() else {
        return Err(ConfigError::Value {
            origin,
            key: format!("{KEYS}.{key}"),
            given: "***".to_owned(),
            expected: "the secret as a string",
        });
    };
    let secret = Secret(secret.to_owned());
    config.keys.insert(key.to_owned(), (secret, origin));
    Ok(())
}

fn unknown(name: &str, origin: Origin) -> ConfigError {
    let names = SETTINGS.iter().map(|setting| setting.name);
    ConfigError::UnknownKey {
        origin,
        key: name.to_owned(),
        nearest: nearest(name, names).map(str::to_owned),
    }
}
