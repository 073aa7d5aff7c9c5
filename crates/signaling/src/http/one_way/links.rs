//! ICE servers as `Link` headers (RFC 9725 §4.6, RFC 8288).

use axum::http::HeaderValue;

use crate::ice_servers::IceServer;

/// One header for each URL. What a header cannot carry is left out, with a warning.
pub(super) fn of(servers: &[IceServer]) -> Vec<HeaderValue> {
    servers.iter().flat_map(of_server).collect()
}

fn of_server(server: &IceServer) -> Vec<HeaderValue> {
    let credentials = credentials(server);
    let link = |url: &String| {
        let text = format!("<{url}>; rel=\"ice-server\"{credentials}");
        HeaderValue::from_str(&text)
            .inspect_err(|_| warn_once(url))
            .ok()
    };
    server.urls.iter().filter_map(link).collect()
}

/// Each request meets it again.
fn warn_once(url: &str) {
    static WARNED: std::sync::Once = std::sync::Once::new();
    WARNED.call_once(|| tracing::warn!(url, "an ICE server does not fit a header"));
}

fn credentials(server: &IceServer) -> String {
    match (&server.username, &server.credential) {
        (Some(username), Some(credential)) => format!(
            "; username={}; credential={}; credential-type=\"password\"",
            quoted(username),
            quoted(&credential.0)
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
    use plenum_types::Secret;

    use super::*;

    fn server(urls: &[&str], credentials: Option<(&str, &str)>) -> IceServer {
        IceServer {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            username: credentials.map(|(username, _)| username.to_owned()),
            credential: credentials.map(|(_, password)| Secret(password.to_owned())),
            shared: None,
        }
    }

    #[test]
    fn every_url_has_a_link_with_its_credentials() {
        let urls = ["turn:t.example.net?transport=udp", "turns:t.example.net"];
        let servers = [
            server(&["stun:stun.example.net"], None),
            server(&urls, Some(("1:a\"b", "x\\y="))),
            server(&["stun:line\nbreak"], None),
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
