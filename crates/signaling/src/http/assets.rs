//! The web client and the demo app, embedded in the binary.
//!
//! Every file is named here once; a test compares the list with the directory.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::not_found;
use crate::signaling::Shared;

/// A file.
pub(super) struct Asset {
    /// Where it is served.
    pub(super) path: &'static str,
    /// Below `web/`.
    file: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    /// Served only with the demo app.
    demo: bool,
}

const HTML: &str = "text/html; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! asset {
    ($path:expr, $file:expr, $content_type:expr, demo: $demo:literal) => {
        Asset {
            path: $path,
            file: $file,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../../web/", $file)),
            demo: $demo,
        }
    };
}

macro_rules! sdk_script {
    ($name:literal) => {
        asset!(concat!("/sdk/", $name), concat!("sdk/", $name), JAVASCRIPT, demo: false)
    };
}

macro_rules! example {
    ($path:literal, $name:literal) => {
        asset!(concat!("/examples/", $path), concat!("examples/", $name), HTML, demo: true)
    };
}

macro_rules! demo_script {
    ($name:literal) => {
        asset!(concat!("/demo/", $name), concat!("demo/", $name), JAVASCRIPT, demo: true)
    };
}

const ASSETS: &[Asset] = &[
    asset!("/plenum.js", "plenum.js", JAVASCRIPT, demo: false),
    asset!("/plenum.d.ts", "plenum.d.ts", "application/typescript; charset=utf-8", demo: false),
    sdk_script!("codecs.js"),
    sdk_script!("connection.js"),
    sdk_script!("data.js"),
    sdk_script!("devices.js"),
    sdk_script!("e2ee.js"),
    sdk_script!("e2ee-frames.js"),
    sdk_script!("e2ee-keys.js"),
    sdk_script!("e2ee-open-worker.js"),
    sdk_script!("e2ee-replay.js"),
    sdk_script!("e2ee-worker.js"),
    sdk_script!("emitter.js"),
    sdk_script!("errors.js"),
    sdk_script!("layers.js"),
    sdk_script!("local-publication.js"),
    sdk_script!("messages.js"),
    sdk_script!("people.js"),
    sdk_script!("promises.js"),
    sdk_script!("publishing.js"),
    sdk_script!("remote.js"),
    sdk_script!("room.js"),
    sdk_script!("signaling.js"),
    sdk_script!("slots.js"),
    sdk_script!("socket.js"),
    sdk_script!("sound.js"),
    sdk_script!("stage.js"),
    sdk_script!("stats.js"),
    sdk_script!("token.js"),
    sdk_script!("version.js"),
    sdk_script!("view.js"),
    asset!("/docs", "docs.html", HTML, demo: false),
    // As plain text, which every browser shows.
    asset!("/docs/sdk.md", "README.md", "text/plain; charset=utf-8", demo: false),
    asset!("/docs/sdk", "docs-sdk.html", HTML, demo: false),
    example!("", "index.html"),
    example!("minimal.html", "minimal.html"),
    example!("obs.html", "obs.html"),
    example!("whep.html", "whep.html"),
    example!("whip.html", "whip.html"),
    asset!("/", "demo/index.html", HTML, demo: true),
    asset!("/demo/app.css", "demo/app.css", "text/css; charset=utf-8", demo: true),
    demo_script!("app.js"),
    demo_script!("call.js"),
    demo_script!("chat.js"),
    demo_script!("devices.js"),
    demo_script!("dialogs.js"),
    demo_script!("figures.js"),
    demo_script!("icons.js"),
    demo_script!("layout.js"),
    demo_script!("lobby.js"),
    demo_script!("secrecy.js"),
    demo_script!("tile.js"),
    demo_script!("toolbar.js"),
];

/// The files to serve, with or without the demo app.
pub(super) fn served(demo: bool) -> impl Iterator<Item = &'static Asset> {
    ASSETS.iter().filter(move |asset| demo || !asset.demo)
}

/// Serves the file that the path names. Caches must ask each time, and get 304 for what they
/// have, so that a new server is never met by an old client.
pub(super) async fn serve(
    State(shared): State<Arc<Shared>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let dev = shared.config().dev;
    let Some(asset) = served(dev).find(|asset| asset.path == uri.path()) else {
        return not_found().await;
    };
    let bytes = match &shared.config().web_dir {
        Some(directory) => from_disk(directory, asset),
        None => Bytes::from_static(asset.bytes),
    };
    let tag = entity_tag(&bytes);
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let answer = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    let mut response = if known {
        (StatusCode::NOT_MODIFIED, answer).into_response()
    } else {
        (answer, bytes).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// For those who work on the files; what cannot be read is served as embedded.
fn from_disk(directory: &Path, asset: &Asset) -> Bytes {
    match std::fs::read(directory.join(asset.file)) {
        Ok(bytes) => bytes.into(),
        Err(error) => {
            tracing::warn!(file = asset.file, %error, "serving the embedded file instead");
            Bytes::from_static(asset.bytes)
        }
    }
}

fn entity_tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_listed() {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let mut found = BTreeSet::new();
        for folder in ["", "sdk/", "demo/", "examples/"] {
            for entry in std::fs::read_dir(web.join(folder)).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                let wanted = [".js", ".ts", ".css", ".html"];
                let readme = folder.is_empty() && name == "README.md";
                if entry.file_type().unwrap().is_file()
                    && (readme || wanted.iter().any(|end| name.ends_with(end)))
                {
                    found.insert(format!("{folder}{name}"));
                }
            }
        }
        let listed = ASSETS.iter().map(|asset| asset.file.to_owned());
        assert_eq!(found, listed.collect());
    }

    #[test]
    fn the_package_has_the_version_of_the_server_and_its_license() {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let read = |path: &str| std::fs::read_to_string(web.join(path)).unwrap();
        let package: serde_json::Value = serde_json::from_str(&read("package.json")).unwrap();
        assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
        let version = format!("VERSION = '{}'", env!("CARGO_PKG_VERSION"));
        assert!(read("sdk/version.js").contains(&version));
        assert!(
            read("README.md").contains(&format!("plenum-client-{}.tgz", env!("CARGO_PKG_VERSION")))
        );
        assert_eq!(read("LICENSE"), read("../../../LICENSE"));
    }
}
