//! The wiring: shards, signaling, and the two kinds of values that pass between them.

use std::num::NonZero;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use plenum_net::{Certificate, Net, NetConfig, NetError};
use plenum_signaling::token::{Keys, PublicKeys};
use plenum_signaling::webhooks::Webhooks;
use plenum_signaling::{Signaling, SignalingConfig};
use plenum_types::{MediaEvent, ShardId};
use tokio::time::timeout;

use crate::candidates::{candidates, interfaces, supported};
use crate::config::{Config, Settings};
use crate::health::Health;
use crate::http::Tls;
use crate::media_plane::{MediaPlane, StatsBoard};
use crate::metrics::{Metrics, ReloadOutcome};
use crate::webhooks;

/// Most shards that are started without being asked for.
const SHARDS_AUTO_MAX: usize = 16;

/// Everything that runs besides HTTP.
pub(crate) struct Server {
    net: Net,
    media: Arc<MediaPlane>,
    signaling: Signaling,
    health: Health,
    metrics: Metrics,
    tls: Option<Tls>,
    webhooks: Option<Webhooks>,
}

impl Server {
    /// Starts shards and signaling. Needs a tokio runtime.
    pub(crate) fn start(config: &Config, tls: Option<Tls>) -> Result<Self> {
        let webhooks = webhooks::start(config)?;
        let certificate = Certificate::generate().context("cannot make a DTLS certificate")?;
        let net_config = net_config(&config.settings);
        let board = StatsBoard::new(net_config.shards);
        // Shards and signaling know each other; signaling comes second and is put in here.
        let signaling_place: Arc<OnceLock<Signaling>> = Arc::new(OnceLock::new());
        let events = deliver(board.clone(), Arc::clone(&signaling_place));
        let net = plenum_net::start(&net_config, &certificate, events).map_err(explain)?;
        let media = Arc::new(MediaPlane::new(net.shards().to_vec(), board));
        let signaling = {
            let media = Arc::clone(&media);
            let place = Arc::clone(&signaling_place);
            let mut config = signaling_config(config, &certificate, &net)?;
            config.webhooks.clone_from(&webhooks);
            Signaling::start(config, move |shard, command| {
                if let Some(event) = media.send(shard, command)
                    && let Some(signaling) = place.get()
                {
                    signaling.handle_media_event(shard, event);
                }
            })
        };
        let _ = signaling_place.set(signaling.clone());
        Ok(Self {
            health: Health::new(net.shards().to_vec()),
            metrics: Metrics::new(net_config.shards)?,
            net,
            media,
            signaling,
            tls,
            webhooks,
        })
    }

    /// What clients talk to.
    pub(crate) const fn signaling(&self) -> &Signaling {
        &self.signaling
    }

    /// What probes ask.
    pub(crate) const fn health(&self) -> &Health {
        &self.health
    }

    /// The metrics as text.
    pub(crate) async fn metrics(&self) -> prometheus::Result<String> {
        let readings = self.media.read().await;
        let tcp = self.net.tcp_stats();
        self.metrics
            .update(&readings, &tcp, &self.signaling.stats());
        if let Some(webhooks) = &self.webhooks {
            self.metrics.update_webhooks(&webhooks.stats());
        }
        if let Some(tls) = &self.tls {
            self.metrics.set_certificate_expiry(tls.expires_s());
        }
        self.metrics.render()
    }

    /// The configuration was read again.
    pub(crate) fn count_reload(&self, outcome: ReloadOutcome) {
        self.metrics.count_reload(outcome);
    }

    /// Why no new work should come, if it should not.
    pub(crate) fn unready(&self) -> Option<&'static str> {
        if self.signaling.is_draining() {
            return Some("draining\n");
        }
        if !self.signaling.is_ready() {
            return Some("shutting down\n");
        }
        self.health.failure()
    }

    /// Those that are configured.
    pub(crate) const fn webhooks(&self) -> Option<&Webhooks> {
        self.webhooks.as_ref()
    }

    /// Refuses new work, tells the clients, ends their peers.
    pub(crate) async fn close(&self, deadline: Duration) {
        self.signaling.close(deadline).await;
        if let Some(webhooks) = &self.webhooks
            && timeout(deadline, webhooks.flush()).await.is_err()
        {
            tracing::warn!("the queue of webhooks was not written in time");
        }
    }

    /// Ends the media threads; they first carry out what [`close`](Self::close) asked of them.
    pub(crate) fn stop_media(&self) {
        self.net.stop();
    }
}

/// Where the events of the shards go.
fn deliver(
    board: StatsBoard,
    signaling: Arc<OnceLock<Signaling>>,
) -> impl Fn(ShardId, MediaEvent) + Clone + Send + 'static {
    move |shard, event| match event {
        MediaEvent::Stats(stats) => board.put(shard, *stats),
        event => {
            // Before signaling runs nothing has been asked of the shards.
            if let Some(signaling) = signaling.get() {
                signaling.handle_media_event(shard, event);
            }
        }
    }
}

fn net_config(settings: &Settings) -> NetConfig {
    let media = &settings.media;
    NetConfig {
        bind: supported(media.bind),
        first_port: media.port,
        tcp_port: (media.tcp_port > 0).then_some(media.tcp_port),
        shards: shards(media.shards),
        receive_buffer: usize::try_from(media.receive_buffer.0).unwrap_or(usize::MAX),
        send_buffer: usize::try_from(media.send_buffer.0).unwrap_or(usize::MAX),
        segmentation_offload: media.segmentation_offload,
        sound_hold: media.sound_hold,
        pin: media.pin,
        ..NetConfig::default()
    }
}

/// How many shards there are.
pub(crate) fn shards(configured: u16) -> u16 {
    if configured > 0 {
        return configured;
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    cores.min(SHARDS_AUTO_MAX) as u16
}

/// What of the configuration can change in a running server.
pub(crate) fn reconfigure(
    signaling: &mut SignalingConfig,
    config: &Config,
    public_keys: PublicKeys,
) {
    signaling.keys = keys(config);
    signaling.public_keys = public_keys;
    signaling.limits = limits(&config.settings.limits);
    signaling.grace = config.settings.time.grace;
    signaling.ice_servers.clone_from(&config.ice_servers);
}

fn keys(config: &Config) -> Keys {
    let keys = config.keys.iter();
    keys.map(|(key, (secret, _))| (key.clone(), secret.clone()))
        .collect()
}

fn signaling_config(
    config: &Config,
    certificate: &Certificate,
    net: &Net,
) -> Result<SignalingConfig> {
    let ports: Vec<u16> = net
        .shards()
        .iter()
        .map(|shard| shard.local_addr().port())
        .collect();
    let tcp_port = net.tcp_addr().map(|address| address.port());
    let media = &config.settings.media;
    let told =
        |ports: &[u16]| candidates(supported(media.bind), ports, &media.advertise, interfaces);
    let candidates = told(&ports);
    let tcp_candidates = told(tcp_port.as_slice()).concat();
    tracing::info!(?candidates, ?tcp_candidates, "clients send media to");
    let mut signaling = SignalingConfig {
        dev: config.settings.http.demo,
        tcp_candidates,
        ..SignalingConfig::new(Keys::new(), certificate.fingerprint(), candidates)
    };
    reconfigure(&mut signaling, config, config.public_keys()?);
    Ok(signaling)
}

fn limits(limits: &crate::config::Limits) -> plenum_signaling::Limits {
    plenum_signaling::Limits {
        participants: limits.participants_per_room,
        rooms: limits.rooms,
        connections: limits.connections,
        publications: limits.publications_per_participant,
        slots: limits.slots_per_participant,
        message_bytes: usize::try_from(limits.message_size.0).unwrap_or(usize::MAX),
        messages_per_second: limits.messages_per_second,
        message_burst: limits.message_burst,
        outgoing_queue: limits.outgoing_queue,
        data_message_bytes: u32::try_from(limits.data_message_size.0).unwrap_or(u32::MAX),
        data_messages_per_second: limits.data_messages_per_second,
        data_bytes_per_second: u32::try_from(limits.data_size_per_second.0).unwrap_or(u32::MAX),
    }
}

fn explain(error: NetError) -> anyhow::Error {
    match error {
        NetError::PortInUse { .. } | NetError::PortRange { .. } => anyhow!(
            "{error}; end the other program, or choose another port with --udp-port, \
             PLENUM_MEDIA__PORT or the key media.port"
        ),
        NetError::TcpPortInUse { .. } => anyhow!(
            "{error}; end the other program, or choose another port (0: none) with --tcp-port, \
             PLENUM_MEDIA__TCP_PORT or the key media.tcp_port"
        ),
        NetError::Socket { .. } | NetError::TcpSocket { .. } => {
            anyhow!("{error}; check media.bind")
        }
        NetError::NoShards | NetError::Thread(_) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_default_to_those_of_signaling() {
        let configured = limits(&Settings::default().limits);
        assert_eq!(configured, plenum_signaling::Limits::default());
    }

    #[test]
    fn shards_follow_the_cores_unless_configured() {
        assert_eq!(shards(3), 3);
        assert!((1..=SHARDS_AUTO_MAX).contains(&usize::from(shards(0))));
    }
}
