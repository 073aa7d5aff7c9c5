//! `[[ice_servers]]`: STUN and TURN servers that clients are told of. A list of tables, so only the
//! file can hold it.

use std::time::Duration;

use plenum_signaling::{IceServer, SharedSecret};
use plenum_types::Secret;

use super::nearest::nearest;
use super::units::parse_duration;
use super::{ConfigError, Origin};

/// The name of the list.
pub(super) const SECTION: &str = "ice_servers";
/// The keys of each table.
const KEYS: [&str; 5] = ["urls", "username", "credential", "secret", "ttl"];
/// How long credentials made from a secret are accepted, unless configured.
const TTL: Duration = Duration::from_secs(6 * 3_600);
/// Schemes of RFC 7064 and RFC 7065, and whether they need credentials.
const SCHEMES: [(&str, bool); 4] = [
    ("stun:", false),
    ("stuns:", false),
    ("turn:", true),
    ("turns:", true),
];

/// Reads the list.
pub(super) fn read(list: &toml::Value, origin: &Origin) -> Result<Vec<IceServer>, ConfigError> {
    let wrong = || {
        refused(
            origin,
            SECTION,
            "[[ice_servers]] and below it urls, username, credential",
        )
    };
    let list = list.as_array().ok_or_else(wrong)?;
    list.iter()
        .map(|server| read_one(server.as_table().ok_or_else(wrong)?, origin))
        .collect()
}

fn read_one(table: &toml::Table, origin: &Origin) -> Result<IceServer, ConfigError> {
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let nearest = nearest(key, KEYS.into_iter());
        return Err(ConfigError::UnknownKey {
            origin: origin.clone(),
            key: format!("{SECTION}.{key}"),
            nearest: nearest.map(|key| format!("{SECTION}.{key}")),
        });
    }
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(refused(origin, &format!("{SECTION}.{key}"), "a string")),
    };
    let server = IceServer {
        urls: urls(table).ok_or_else(|| {
            let expected = "a list of URIs such as [\"stun:stun.example.net:3478\", \
                            \"turns:turn.example.net?transport=tcp\"]";
            refused(origin, &format!("{SECTION}.urls"), expected)
        })?,
        username: text("username")?,
        credential: text("credential")?.map(Secret),
        shared: shared(text("secret")?, text("ttl")?, origin)?,
    };
    let is_fixed = server.username.is_some() || server.credential.is_some();
    if server.shared.is_some() && is_fixed {
        let expected = "either username and credential, or secret";
        return Err(refused(origin, SECTION, expected));
    }
    let secured =
        server.shared.is_some() || server.username.is_some() && server.credential.is_some();
    if !secured && server.urls.iter().any(|url| needs_credentials(url)) {
        let expected = "username and credential, or secret, beside the urls of a TURN server";
        return Err(refused(origin, SECTION, expected));
    }
    Ok(server)
}

fn shared(
    secret: Option<String>,
    ttl: Option<String>,
    origin: &Origin,
) -> Result<Option<SharedSecret>, ConfigError> {
    let ttl = ttl.map(|ttl| {
        let expected = "a time such as \"6h\"";
        parse_duration(&ttl).ok_or_else(|| refused(origin, &format!("{SECTION}.ttl"), expected))
    });
    let ttl = ttl.transpose()?;
    Ok(secret.map(|secret| SharedSecret {
        secret: Secret(secret),
        ttl: ttl.unwrap_or(TTL),
    }))
}

fn urls(table: &toml::Table) -> Option<Vec<String>> {
    let urls: Vec<String> = table
        .get("urls")?
        .as_array()?
        .iter()
        .map(|url| url.as_str().filter(|url| is_ice_url(url)))
        .map(|url| url.map(str::to_owned))
        .collect::<Option<_>>()?;
    (!urls.is_empty()).then_some(urls)
}

/// What a header and a browser can take.
fn is_ice_url(url: &str) -> bool {
    let host = SCHEMES
        .iter()
        .find_map(|(scheme, _)| url.strip_prefix(scheme));
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"".contains(&byte);
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(plain))
}

fn needs_credentials(url: &str) -> bool {
    SCHEMES
        .iter()
        .any(|(scheme, needs)| *needs && url.starts_with(scheme))
}

/// The values are not shown: one of them may be a password.
fn refused(origin: &Origin, key: &str, expected: &'static str) -> ConfigError {
    ConfigError::Value {
        origin: origin.clone(),
        key: key.to_owned(),
        given: "***".to_owned(),
        expected,
    }
}
