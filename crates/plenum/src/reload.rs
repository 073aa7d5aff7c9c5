//! SIGHUP: the configuration is read again, and what can change in a running server does. Calls go
//! on. A configuration with an error changes nothing.

use plenum_signaling::Signaling;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::config::{Config, SETTINGS, Sources};
use crate::logging::Filter;
use crate::server;

/// Keys, or the sections of keys, that take effect without a restart. `[keys]` and
/// `[[ice_servers]]` do as well.
const RELOADED: [&str; 3] = ["limits.", "time.", "log.filter"];

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
    pub(crate) fn start(mut self, config: Config, signaling: Signaling) -> watch::Receiver<Config> {
        let (latest, in_force) = watch::channel(config);
        tokio::spawn(async move {
            while self.hangup.recv().await.is_some() {
                let before = latest.borrow().clone();
                if let Some(config) = self.take(&before, &signaling).await {
                    latest.send_replace(config);
                }
            }
        });
        in_force
    }

    async fn take(&self, in_force: &Config, signaling: &Signaling) -> Option<Config> {
        match self.read() {
            Ok(config) => {
                tell_changes(in_force, &config);
                signaling
                    .reconfigure(|signaling| server::reconfigure(signaling, &config))
                    .await;
                Some(config)
            }
            Err(error) => {
                tracing::error!("SIGHUP: {error:#}; the configuration stays as it was");
                None
            }
        }
    }

    fn read(&self) -> anyhow::Result<Config> {
        let config = self.sources.load()?;
        config.check_keys()?;
        self.filter.set(&config.settings)?;
        Ok(config)
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
