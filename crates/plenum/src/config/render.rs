//! Writes a configuration: the annotated default, and the effective one with its origins.

use std::collections::BTreeMap;
use std::fmt::Write;

use plenum_signaling::IceServer;

use super::settings::{SETTINGS, Setting, Settings};
use super::units::format_duration;
use super::{Config, Origin};

const HEAD: &str = "\
# Plenum's configuration: every key with its default. Leave out what you do not change.
# A [time] is \"500ms\", \"30s\", \"6h\"; a [size] is \"64KiB\", \"4MiB\".
#
# A key can be given in the environment too: http.port is PLENUM_HTTP__PORT. Flags win over the
# environment, the environment over this file. `plenum config` shows what is in force.
";

const KEYS: &str = "
# API keys that sign access tokens (JWT, HS256): key = secret, several at once for rotation.
# A secret has at least 32 characters; make one with `openssl rand -hex 32`.
[keys]
# mykey = \"SECRET\"
";

const ICE_SERVERS: &str = "
# STUN and TURN servers that clients are told of, one table each.
# [[ice_servers]]
# urls = [\"stun:stun.example.net:3478\"]
# [[ice_servers]]
# urls = [\"turn:turn.example.net:3478?transport=udp\", \"turns:turn.example.net:5349?transport=tcp\"]
# username = \"USER\"
# credential = \"PASSWORD\"
# Or, in place of both, what coturn has as static-auth-secret: credentials that expire.
# secret = \"SHARED SECRET\"
# ttl = \"6h\"
";

/// The annotated default, as in `config/plenum.toml`.
pub(crate) fn default_file() -> String {
    let settings = Settings::default();
    let mut text = String::from(HEAD);
    let mut section = "";
    for setting in SETTINGS {
        head(&mut text, &mut section, setting);
        let (comment, unit) = (setting.comment.trim(), setting.unit);
        let value = (setting.write)(&settings);
        let (_, key) = setting.parts();
        put(
            &mut text,
            format_args!("# {comment} [{unit}]\n{key} = {value}\n"),
        );
    }
    text.push_str(KEYS);
    text.push_str(ICE_SERVERS);
    text
}

/// The values in force, each with its origin; secrets are not shown.
pub(crate) fn effective(config: &Config) -> String {
    let mut text = String::new();
    let mut section = "";
    for setting in SETTINGS {
        head(&mut text, &mut section, setting);
        let value = (setting.write)(&config.settings);
        let origin = config.origin(setting.name);
        let (_, key) = setting.parts();
        put(&mut text, format_args!("{key} = {value} # {origin}\n"));
    }
    text.push_str(&effective_keys(config));
    for server in &config.ice_servers {
        text.push_str(&effective_ice_server(server));
    }
    text
}

fn effective_keys(config: &Config) -> String {
    let mut text = String::from("\n[keys]\n");
    let names: BTreeMap<&String, &Origin> = config
        .keys
        .iter()
        .map(|(name, (_, origin))| (name, origin))
        .collect();
    for (name, origin) in names {
        put(&mut text, format_args!("{name} = \"***\" # {origin}\n"));
    }
    text
}

fn effective_ice_server(server: &IceServer) -> String {
    let mut text = format!("\n[[ice_servers]]\nurls = {:?}\n", server.urls);
    if let Some(username) = &server.username {
        put(&mut text, format_args!("username = {username:?}\n"));
    }
    if server.credential.is_some() {
        text.push_str("credential = \"***\"\n");
    }
    if let Some(shared) = &server.shared {
        let ttl = format_duration(shared.ttl);
        put(
            &mut text,
            format_args!("secret = \"***\"\nttl = \"{ttl}\"\n"),
        );
    }
    text
}

fn head(text: &mut String, section: &mut &'static str, setting: &Setting) {
    let (name, _) = setting.parts();
    if *section != name {
        *section = name;
        let gap = if text.is_empty() { "" } else { "\n" };
        put(text, format_args!("{gap}[{name}]\n"));
    }
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(line);
}
