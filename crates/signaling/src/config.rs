//! Configuration of the control plane.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use plenum_types::{DataLimits, Fingerprint};

use crate::ice_servers::IceServer;
use crate::messages::LimitsInfo;
use crate::refusal::Refusal;
use crate::token::{self, Claims, Keys, PublicKeys};
use crate::webhooks::Webhooks;

/// What [`Signaling`](crate::Signaling) needs to know.
#[derive(Clone, Debug)]
pub struct SignalingConfig {
    /// API keys and their secrets. The demo page signs with the first.
    pub keys: Keys,
    /// Public keys that sign tokens as well.
    pub public_keys: PublicKeys,
    /// Of the server's DTLS certificate.
    pub fingerprint: Fingerprint,
    /// Where each shard receives media, most preferred first; addresses that clients see, so
    /// external ones too. One list per shard, at least one list.
    pub candidates: Vec<Vec<SocketAddr>>,
    /// Where all shards receive media over TCP, most preferred first; none without ICE over TCP.
    pub tcp_candidates: Vec<SocketAddr>,
    /// What is allowed at most.
    pub limits: Limits,
    /// How long a participant is kept whose WebSocket is lost. Longer rides out worse networks,
    /// but the others look at a ghost for as long.
    pub grace: Duration,
    /// Serve the demo app at `/`, and tokens for it to anybody.
    pub dev: bool,
    /// Serve the web client and the demo app from this directory instead of the binary.
    pub web_dir: Option<PathBuf>,
    /// STUN and TURN servers for the clients.
    pub ice_servers: Vec<IceServer>,
    /// Where the events of rooms go; none: nowhere.
    pub webhooks: Option<Webhooks>,
    /// Name and version of the server.
    pub server: String,
}

impl SignalingConfig {
    /// A configuration with defaults for all that has one.
    pub fn new(keys: Keys, fingerprint: Fingerprint, candidates: Vec<Vec<SocketAddr>>) -> Self {
        Self {
            keys,
            public_keys: PublicKeys::default(),
            fingerprint,
            candidates,
            tcp_candidates: Vec::new(),
            limits: Limits::default(),
            grace: Duration::from_secs(10),
            dev: false,
            web_dir: None,
            ice_servers: Vec::new(),
            webhooks: None,
            server: concat!("plenum/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl SignalingConfig {
    /// What a valid token says, at `now_s`, seconds since 1970.
    pub(crate) fn verify(&self, token: &str, now_s: u64) -> Result<Claims, Refusal> {
        token::verify(token, &self.keys, &self.public_keys, now_s)
    }
}

/// What is allowed at most. Beyond a limit there is an error with a code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Participants in a room.
    pub participants: usize,
    /// Rooms on the server.
    pub rooms: usize,
    /// WebSockets, and sessions of WHIP and WHEP, on the server.
    pub connections: usize,
    /// Publications of a participant.
    pub publications: usize,
    /// Slots of a participant.
    pub slots: usize,
    /// Bytes of a message, or of a body of WHIP and WHEP. Offers of many slots take about 2 KB per slot.
    pub message_bytes: usize,
    /// Messages a second, sustained, of one client.
    pub messages_per_second: u32,
    /// Messages at once, after a pause.
    pub message_burst: u32,
    /// Messages waiting for a client that reads slowly; one more closes it. A room of this many
    /// participants that all join at once fits.
    pub outgoing_queue: usize,
    /// Bytes of a data message of a participant; above 60 KiB it counts as that.
    pub data_message_bytes: u32,
    /// Data messages a second of a participant; a second's worth may come at once.
    pub data_messages_per_second: u32,
    /// Bytes of data messages a second of a participant.
    pub data_bytes_per_second: u32,
}

/// Largest data message that fits a data channel with any header.
const DATA_MESSAGE_BYTES_MAX: u32 = 60 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            participants: 3_000,
            rooms: 10_000,
            connections: 20_000,
            publications: 16,
            slots: 100,
            message_bytes: 256 * 1024,
            messages_per_second: 50,
            message_burst: 200,
            outgoing_queue: 1_024,
            data_message_bytes: 16 * 1024,
            data_messages_per_second: 100,
            data_bytes_per_second: 256 * 1024,
        }
    }
}

impl Limits {
    /// What the shards are told of data messages.
    pub(crate) fn data(&self) -> DataLimits {
        DataLimits {
            message_bytes: self.data_message_bytes.min(DATA_MESSAGE_BYTES_MAX),
            messages_per_second: self.data_messages_per_second,
            bytes_per_second: self.data_bytes_per_second,
        }
    }

    /// What the clients are told.
    pub(crate) fn info(&self) -> LimitsInfo {
        let capped = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        LimitsInfo {
            participants: capped(self.participants),
            publications: capped(self.publications),
            slots: capped(self.slots),
            message_bytes: capped(self.message_bytes),
            messages_per_second: self.messages_per_second,
            data_message_bytes: self.data().message_bytes,
            data_messages_per_second: self.data_messages_per_second,
            data_bytes_per_second: self.data_bytes_per_second,
        }
    }
}
