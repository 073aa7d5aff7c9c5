//! One attempt to deliver an event: a signed POST, which an answer of 2xx confirms.
#![expect(
    clippy::disallowed_methods,
    reason = "signatures expire by the wall clock"
)]

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use axum::http::{Method, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;

use super::WebhookSettings;
use super::event::RoomEvent;

/// How long a signature is valid, seconds.
const SIGNATURE_S: u64 = 300;

/// Connections to the addresses.
#[derive(Clone)]
pub(super) struct Poster {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What the signature says.
#[derive(Serialize)]
struct Signature<'a> {
    /// The API key.
    iss: &'a str,
    /// Seconds since 1970.
    nbf: u64,
    /// Likewise.
    exp: u64,
    /// Of the body, in base64.
    sha256: String,
}

impl Poster {
    pub(super) fn new() -> Self {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            tracing::warn!(
                "no certificates of authorities: install ca-certificates, or webhooks by HTTPS fail"
            );
        }
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        let connector = builder.https_or_http().enable_http1().build();
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// Why it was not taken, if it was not.
    pub(super) async fn post(
        &self,
        url: &str,
        event: &RoomEvent,
        settings: &WebhookSettings,
    ) -> Result<(), String> {
        // Plain structs: serialisation has no way to fail.
        let body = serde_json::to_vec(event).unwrap_or_default();
        let request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("plenum/", env!("CARGO_PKG_VERSION")))
            .header(AUTHORIZATION, sign(&body, settings)?)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let answer = tokio::time::timeout(settings.timeout, self.client.request(request)).await;
        let answer = answer.map_err(|_| "no answer in time".to_owned())?;
        let status = answer.map_err(|error| error.to_string())?.status();
        if status.is_success() {
            return Ok(());
        }
        Err(format!("answered with {status}"))
    }
}

/// A JWT over the body's hash, which LiveKit's libraries verify as well.
fn sign(body: &[u8], settings: &WebhookSettings) -> Result<String, String> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_s = since_1970.map_or(0, |time| time.as_secs());
    let signature = Signature {
        iss: &settings.key,
        nbf: now_s,
        exp: now_s + SIGNATURE_S,
        sha256: STANDARD.encode(digest(&SHA256, body)),
    };
    let key = EncodingKey::from_secret(settings.secret.0.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &signature, &key)
        .map_err(|error| error.to_string())
}
