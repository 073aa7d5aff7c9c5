//! SIGHUP: the configuration is read again, and what can change in a running server does. Calls go
//! on. A configuration with an error changes nothing.

use std::sync::Arc;

use anyhow::bail;
use plenum_signaling::token::PublicKeys;
use plenum_signaling::webhooks::WebhookSettings;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::config::{Config, SETTINGS, Sources};
use crate::http::{Identity, Tls};
use crate::logging::Filter;
use crate::metrics::ReloadOutcome;
use crate::server::{self, Server};
use crate::webhooks;

/// Keys, or the sections of keys, that take effect without a restart. `[keys]` and
/// `[[ice_servers]]` do as well.
const RELOADED: [&str; 9] = [
    "http.tls_",
    "limits.",
    "tokens.",
    "webhooks.urls",
    "webhooks.key",
    "webhooks.timeout",
    "webhooks.give_up",
    "time.",
    "log.filter",
];

/// Reads the configuration again and again.
pub(crate) struct Reload {
    hangup: Signal,
    sources: Sources,
    filter: Filter,
}

impl Reload {
    /// From now on SIGHUP does not end the process.
    pub(crate) fn listen(sources: Sources, filter: Filter) -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            sources,
            filter,
        })
    }

    /// Puts every configuration that is right in force; what is returned holds the latest.
    pub(crate) fn start(
        mut self,
        config: Config,
        server: Arc<Server>,
        tls: Option<Tls>,
    ) -> watch::Receiver<Config> {
        let (latest, in_force) = watch::channel(config);
        tokio::spawn(async move {
            while self.hangup.recv().await.is_some() {
                let before = latest.borrow().clone();
                let taken = self.take(&before, &server, tls.as_ref()).await;
                let outcome = match taken {
                    Some(config) => {
                        latest.send_replace(config);
                        ReloadOutcome::Taken
                    }
                    None => ReloadOutcome::Refused,
                };
                server.count_reload(outcome);
            }
        });
        in_force
    }

    async fn take(&self, in_force: &Config, server: &Server, tls: Option<&Tls>) -> Option<Config> {
        match self.read(tls).await {
            Ok((config, public_keys, hooks)) => {
                if let Some(webhooks) = server.webhooks() {
                    webhooks.reconfigure(hooks);
                }
                server
                    .signaling()
                    .reconfigure(|signaling| server::reconfigure(signaling, &config, public_keys))
                    .await;
                tell_changes(in_force, &config);
                Some(config)
            }
            Err(error) => {
                tracing::error!("SIGHUP: {error:#}; the configuration stays as it was");
                None
            }
        }
    }

    /// Reads everything before anything takes effect.
    async fn read(
        &self,
        tls: Option<&Tls>,
    ) -> anyhow::Result<(Config, PublicKeys, WebhookSettings)> {
        let config = self.sources.load()?;
        config.check_keys()?;
        let public_keys = config.public_keys()?;
        let hooks = webhooks::settings(&config)?;
        let identity = Identity::read(&config.settings.http).await?;
        if identity.is_some() != tls.is_some() {
            bail!("HTTPS is turned on and off by a restart (http.tls_certificate)");
        }
        self.filter.set(&config.settings)?;
        if let (Some(tls), Some(identity)) = (tls, &identity) {
            tls.renew(identity);
        }
        Ok((config, public_keys, hooks))
    }
}

/// Says what is different, and what of it waits for a restart.
fn tell_changes(before: &Config, now: &Config) {
    let changed = SETTINGS
        .iter()
        .filter(|setting| (setting.write)(&before.settings) != (setting.write)(&now.settings))
        .map(|setting| setting.name);
    let is_reloaded = |name: &&str| RELOADED.iter().any(|known| name.starts_with(known));
    let (taken, waiting): (Vec<_>, Vec<_>) = changed.partition(is_reloaded);
    let keys: Vec<&String> = now.keys.keys().collect();
    tracing::info!(?keys, changed = ?taken, "SIGHUP: configuration reloaded");
    if !waiting.is_empty() {
        tracing::warn!(changed = ?waiting, "these take effect with a restart");
    }
}
