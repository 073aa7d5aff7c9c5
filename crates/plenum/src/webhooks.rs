//! Webhooks as they are configured.

use anyhow::{Context, Result, bail};
use axum::http::Uri;
use plenum_signaling::webhooks::{WebhookSettings, Webhooks};
use plenum_types::Secret;

use crate::config::Config;

/// Opens the queue, if one is configured.
pub(crate) fn start(config: &Config) -> Result<Option<Webhooks>> {
    let webhooks = &config.settings.webhooks;
    let settings = settings(config)?;
    let Some(directory) = &webhooks.directory else {
        return Ok(None);
    };
    Webhooks::start(directory, webhooks.keep, settings)
        .map(Some)
        .context("webhooks.directory")
}

/// Where events go, and what signs them.
pub(crate) fn settings(config: &Config) -> Result<WebhookSettings> {
    let webhooks = &config.settings.webhooks;
    if webhooks.directory.is_none() && !webhooks.urls.is_empty() {
        bail!(
            "webhooks.urls needs webhooks.directory: events are kept there until they are delivered"
        );
    }
    for url in &webhooks.urls {
        check(url)?;
    }
    let (key, secret) = signer(config)?;
    Ok(WebhookSettings {
        urls: webhooks.urls.clone(),
        key,
        secret,
        timeout: webhooks.timeout,
        give_up: webhooks.give_up,
    })
}

fn check(url: &str) -> Result<()> {
    let uri: Option<Uri> = url.parse().ok();
    let is_http = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()
    });
    if !is_http {
        bail!("webhooks.urls: {url:?} is no address such as \"https://app.example/hooks\"");
    }
    Ok(())
}

/// The API key that signs, with its secret.
fn signer(config: &Config) -> Result<(String, Secret)> {
    let wanted = &config.settings.webhooks.key;
    let found = match wanted.is_empty() {
        true => config.keys.iter().next(),
        false => config.keys.get_key_value(wanted),
    };
    match found {
        Some((key, (secret, _))) => Ok((key.clone(), secret.clone())),
        None if config.settings.webhooks.urls.is_empty() => {
            Ok((String::new(), Secret(String::new())))
        }
        None if wanted.is_empty() => bail!("webhooks.urls needs a key of [keys] to sign with"),
        None => bail!("webhooks.key: there is no key {wanted:?} under [keys]"),
    }
}
