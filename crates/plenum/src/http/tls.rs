//! HTTPS: the certificate of the HTTP port, which may be renewed while the server runs.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context, Result, bail};
use axum_server::tls_rustls::RustlsConfig;
use x509_parser::pem::parse_x509_pem;

use crate::config::Http;

/// A certificate chain with its key, read and found to fit together.
#[derive(Clone)]
pub(crate) struct Identity {
    rustls: RustlsConfig,
    /// Seconds since 1970 at which the server's own certificate ends.
    pub(crate) expires_s: i64,
}

impl Identity {
    /// Reads the files that are configured, if any.
    pub(crate) async fn read(http: &Http) -> Result<Option<Self>> {
        let (chain, key) = match (&http.tls_certificate, &http.tls_key) {
            (None, None) => return Ok(None),
            (Some(chain), Some(key)) => (chain, key),
            (Some(_), None) => bail!("http.tls_certificate needs http.tls_key, its private key"),
            (None, Some(_)) => bail!("http.tls_key needs http.tls_certificate, the chain to it"),
        };
        let chain_pem = file(chain, "http.tls_certificate").await?;
        let key_pem = file(key, "http.tls_key").await?;
        let expires_s = expiry(&chain_pem).with_context(|| {
            let chain = chain.display();
            format!("http.tls_certificate: {chain} holds no certificate in PEM")
        })?;
        let rustls = RustlsConfig::from_pem(chain_pem, key_pem)
            .await
            .context("http.tls_certificate and http.tls_key cannot be used together")?;
        Ok(Some(Self { rustls, expires_s }))
    }
}

/// The certificate in use.
#[derive(Clone)]
pub(crate) struct Tls {
    rustls: RustlsConfig,
    expiry: Arc<AtomicI64>,
}

impl Tls {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self {
            rustls: identity.rustls.clone(),
            expiry: Arc::new(identity.expires_s.into()),
        }
    }

    /// From now on new connections get this one.
    pub(crate) fn renew(&self, identity: &Identity) {
        self.rustls.reload_from_config(identity.rustls.get_inner());
        self.expiry.store(identity.expires_s, Ordering::Relaxed);
    }

    /// Seconds since 1970 at which the certificate ends.
    pub(crate) fn expires_s(&self) -> i64 {
        self.expiry.load(Ordering::Relaxed)
    }

    pub(super) fn rustls(&self) -> RustlsConfig {
        self.rustls.clone()
    }
}

async fn file(path: &Path, key: &str) -> Result<Vec<u8>> {
    let read = tokio::fs::read(path).await;
    read.with_context(|| format!("{key}: cannot read {}", path.display()))
}

/// When the first certificate of a chain ends.
fn expiry(chain: &[u8]) -> Result<i64> {
    let (_, pem) = parse_x509_pem(chain)?;
    let certificate = pem.parse_x509()?;
    Ok(certificate.validity().not_after.timestamp())
}
