//! A registry with clients that are only names.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plenum_types::{
    Fingerprint, FingerprintAlgorithm, MediaCommand, MediaEvent, PeerId, PublicationId, ShardId,
    SlotConfig,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::super::Registry;
use crate::admin::{AdminAct, AdminRequest, Whom};
use crate::config::SignalingConfig;
use crate::connection::{ConnectionId, Ending};
use crate::messages::{ClientMessage, ErrorCode, ServerMessage};
use crate::output::Output;
use crate::room::Noted;
use crate::token::{Claims, Grants, Keys};

pub(super) const CHROMIUM: &str = include_str!("../../../tests/fixtures/chromium.sdp");
pub(super) const FIREFOX: &str = include_str!("../../../tests/fixtures/firefox.sdp");
pub(super) const GSTREAMER: &str = include_str!("../../../tests/fixtures/gstreamer.sdp");

/// What clients were told, and shards asked, since the last look.
pub(super) struct Server {
    pub(super) registry: Registry,
    rng: StdRng,
    start: Instant,
    now_ms: u64,
    pub(super) sent: Vec<(u64, ServerMessage)>,
    pub(super) closed: Vec<(u64, u16)>,
    pub(super) asked: Vec<(u16, MediaCommand)>,
    pub(super) noted: Vec<Noted>,
}

impl Server {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut SignalingConfig)) -> Self {
        let fingerprint = Fingerprint {
            algorithm: FingerprintAlgorithm::Sha256,
            bytes: vec![7; 32],
        };
        let shards = [7882, 7883].map(|port| vec![([192, 0, 2, 1], port).into()]);
        let mut config = SignalingConfig::new(Keys::new(), fingerprint, shards.to_vec());
        config.tcp_candidates = vec![([192, 0, 2, 1], 7881).into()];
        change(&mut config);
        #[expect(
            clippy::disallowed_methods,
            reason = "tests need some origin; only differences count"
        )]
        let start = Instant::now();
        Self {
            registry: Registry::new(Arc::new(config), start),
            rng: StdRng::seed_from_u64(7),
            start,
            now_ms: 0,
            sent: Vec::new(),
            closed: Vec::new(),
            asked: Vec::new(),
            noted: Vec::new(),
        }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now_ms)
    }

    pub(super) fn connect(&mut self, client: u64, identity: &str, grants: Grants) {
        self.connect_with(
            client,
            Claims {
                sub: identity.to_owned(),
                exp: 86_400,
                video: grants,
                ..Claims::default()
            },
        );
    }

    pub(super) fn connect_with(&mut self, client: u64, claims: Claims) {
        let now = self.now();
        self.registry
            .handle_connected(now, ConnectionId(client), claims);
        self.drain();
    }

    /// Connects and joins the room `r`.
    pub(super) fn join(&mut self, client: u64, identity: &str) {
        self.join_with(client, identity, Grants::join("r"));
    }

    pub(super) fn join_with(&mut self, client: u64, identity: &str, grants: Grants) {
        self.connect(client, identity, grants);
        self.say(client, json!({"type": "join"}));
    }

    pub(super) fn say(&mut self, client: u64, message: Value) {
        let message: ClientMessage = serde_json::from_value(message).unwrap();
        self.registry
            .handle_message(ConnectionId(client), message, &mut self.rng);
        self.drain();
    }

    /// Shows another valid token.
    pub(super) fn refresh(&mut self, client: u64, claims: &Claims) {
        let now = self.now();
        self.registry.set_time(now);
        self.registry
            .handle_refreshed(ConnectionId(client), 5, claims);
        self.drain();
    }

    /// Changes a participant of the room `r`, as a backend does.
    pub(super) fn moderate(&mut self, identity: &str, now_s: u64, change: Value) {
        let whom = Whom {
            room: "r".to_owned(),
            identity: identity.to_owned(),
        };
        let change = serde_json::from_value(change).unwrap();
        let act = AdminAct::ChangeParticipant(whom, change);
        let request = AdminRequest { now_s, act };
        self.registry.handle_admin(&request).unwrap();
        self.drain();
    }

    pub(super) fn offer(&mut self, client: u64, sdp: &str) {
        self.say(client, json!({"type": "offer", "id": 1, "sdp": sdp}));
    }

    pub(super) fn lose(&mut self, client: u64, ending: Ending) {
        let now = self.now();
        self.registry
            .handle_disconnected(now, ConnectionId(client), ending);
        self.drain();
    }

    /// The shard of the first room reports.
    pub(super) fn report(&mut self, event: MediaEvent) {
        self.report_from(0, event);
    }

    pub(super) fn report_from(&mut self, shard: u16, event: MediaEvent) {
        self.registry.handle_media_event(ShardId(shard), event);
        self.drain();
    }

    pub(super) fn drain_within(&mut self, window: Duration) {
        let now = self.now();
        self.registry.set_time(now);
        self.registry.handle_drain(window, None);
    }

    pub(super) fn undrain(&mut self) {
        self.registry.handle_undrain();
    }

    pub(super) fn shut_down(&mut self) {
        self.registry.handle_shutdown();
        self.drain();
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        let now = self.now();
        self.registry.handle_timeout(now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.registry.poll_output() {
            match output {
                Output::Send { to, message } => {
                    for id in to {
                        self.sent.push((id.0, (*message).clone()));
                    }
                }
                Output::Close { connection, code } => self.closed.push((connection.0, code.0)),
                Output::Answer(..) => {}
                Output::Event(noted) => self.noted.push(*noted),
                Output::Media(shard, command) => self.asked.push((shard.0, command)),
            }
        }
    }

    /// What `client` was told, by type, since the last look.
    pub(super) fn heard(&mut self, client: u64) -> Vec<ServerMessage> {
        let sent = std::mem::take(&mut self.sent);
        let (heard, rest) = sent.into_iter().partition(|(id, _)| *id == client);
        self.sent = rest;
        heard.into_iter().map(|(_, message)| message).collect()
    }

    /// What `client` was told, as JSON, since the last look.
    pub(super) fn heard_json(&mut self, client: u64) -> Vec<Value> {
        let heard = self.heard(client);
        heard
            .iter()
            .map(|message| serde_json::to_value(message).unwrap())
            .collect()
    }

    /// The errors `client` was told since the last look.
    pub(super) fn errors(&mut self, client: u64) -> Vec<(ErrorCode, bool, Vec<String>)> {
        let heard = self.heard(client);
        heard
            .into_iter()
            .filter_map(|message| match message {
                ServerMessage::Error {
                    code, fatal, mids, ..
                } => Some((code, fatal, mids)),
                _ => None,
            })
            .collect()
    }

    pub(super) fn forget(&mut self) {
        self.sent.clear();
        self.closed.clear();
        self.asked.clear();
    }

    /// The peer that was last announced to a shard.
    pub(super) fn last_peer(&self) -> PeerId {
        let mut asked = self.asked.iter().rev();
        asked
            .find_map(|(_, command)| match command {
                MediaCommand::AddPeer(config) => Some(config.peer),
                _ => None,
            })
            .expect("a peer")
    }

    /// Which shard a publication comes to.
    pub(super) fn shard_of_publication(&self, id: PublicationId) -> u16 {
        let mut asked = self.asked.iter();
        asked
            .find_map(|(shard, command)| match command {
                MediaCommand::AddPublication { publication, .. }
                    if publication.publication == id =>
                {
                    Some(*shard)
                }
                _ => None,
            })
            .expect("a publication")
    }

    pub(super) fn slots_added(&self) -> Vec<SlotConfig> {
        self.asked
            .iter()
            .filter_map(|(_, command)| match command {
                MediaCommand::AddSlot { slot, .. } => Some((**slot).clone()),
                _ => None,
            })
            .collect()
    }

    /// The commands since the last look, by name.
    pub(super) fn commands(&self) -> Vec<&'static str> {
        self.asked
            .iter()
            .map(|(_, command)| match command {
                MediaCommand::AddPeer(_) => "AddPeer",
                MediaCommand::RestartIce { .. } => "RestartIce",
                MediaCommand::RemovePeer { .. } => "RemovePeer",
                MediaCommand::AddPublication { .. } => "AddPublication",
                MediaCommand::AddRemotePublication { .. } => "AddRemotePublication",
                MediaCommand::ForgetRoom { .. } => "ForgetRoom",
                MediaCommand::RemovePublication { .. } => "RemovePublication",
                MediaCommand::MutePublication { .. } => "MutePublication",
                MediaCommand::AddSlot { .. } => "AddSlot",
                MediaCommand::RemoveSlot { .. } => "RemoveSlot",
                MediaCommand::SetSlotWish { .. } => "SetSlotWish",
                MediaCommand::LimitPublishing { .. } => "LimitPublishing",
                MediaCommand::SetDataAccess { .. } => "SetDataAccess",
                MediaCommand::DeliverData(_) => "DeliverData",
                MediaCommand::ExplainPeer { .. } => "ExplainPeer",
                MediaCommand::StartAnew => "StartAnew",
                MediaCommand::ReportStats => "ReportStats",
            })
            .collect()
    }
}

/// The types of messages.
pub(super) fn types(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message["type"].as_str().unwrap())
        .collect()
}
