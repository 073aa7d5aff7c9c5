//! `[[ice_servers]]`: STUN and TURN servers that clients are told of. A list of tables, so only the
//! file can hold it.

use plenum_signaling::IceServer;
use plenum_types::Secret;

use super::nearest::nearest;
use super::{ConfigError, Origin};

/// The name of the list.
pub(super) const SECTION: &str = "ice_servers";
/// The keys of each table.
const KEYS: [&str; 3] = ["urls", "username", "credential"];
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
    };
    let secured = server.username.is_some() && server.credential.is_some();
    if !secured && server.urls.iter().any(|url| needs_credentials(url)) {
        let expected = "username and credential beside the urls of a TURN server";
        return Err(refused(origin, SECTION, expected));
    }
    Ok(server)
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
