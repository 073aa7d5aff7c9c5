//! ICE servers as `Link` headers (RFC 9725 §4.6, RFC 8288).

use axum::http::HeaderValue;
use serde::Deserialize;

/// A server as `RTCConfiguration.iceServers` has it.
#[derive(Deserialize)]
struct Server {
    urls: Urls,
    username: Option<String>,
    credential: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Urls {
    One(String),
    Many(Vec<String>),
}

/// One header for each URL. What a header cannot carry is left out, with a warning.
pub(super) fn of(servers: &[serde_json::Value]) -> Vec<HeaderValue> {
    servers.iter().flat_map(of_server).collect()
}

fn of_server(server: &serde_json::Value) -> Vec<HeaderValue> {
    let Ok(server) = Server::deserialize(server) else {
        tracing::warn!("an ICE server has no urls, and is told to nobody by WHIP and WHEP");
        return Vec::new();
    };
    let credentials = credentials(&server);
    let urls = match server.urls {
        Urls::One(url) => vec![url],
        Urls::Many(urls) => urls,
    };
    let link = |url: &String| {
        let text = format!("<{url}>; rel=\"ice-server\"{credentials}");
        HeaderValue::from_str(&text)
            .inspect_err(|_| tracing::warn!(url, "an ICE server does not fit a header"))
            .ok()
    };
    urls.iter().filter_map(link).collect()
}

fn credentials(server: &Server) -> String {
    match (&server.username, &server.credential) {
        (Some(username), Some(credential)) => format!(
            "; username={}; credential={}; credential-type=\"password\"",
            quoted(username),
            quoted(credential)
        ),
        _ => String::new(),
    }
}

/// A quoted-string (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_url_has_a_link_with_its_credentials() {
        let servers = [
            json!({"urls": "stun:stun.example.net"}),
            json!({"urls": ["turn:t.example.net?transport=udp", "turns:t.example.net"],
                "username": "1:a\"b", "credential": "x\\y="}),
            json!({"url": "stun:old.example.net"}),
            json!({"urls": "stun:line\nbreak"}),
        ];
        let credentials = r#"; username="1:a\"b"; credential="x\\y="; credential-type="password""#;
        assert_eq!(
            of(&servers),
            [
                r#"<stun:stun.example.net>; rel="ice-server""#.to_owned(),
                format!(r#"<turn:t.example.net?transport=udp>; rel="ice-server"{credentials}"#),
                format!(r#"<turns:t.example.net>; rel="ice-server"{credentials}"#),
            ]
        );
    }
}
