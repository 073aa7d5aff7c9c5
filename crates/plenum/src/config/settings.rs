//! Every key: its type, default and comment, written once. `config/plenum.toml`, the messages and
//! the environment variables all come from this table.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::value::{ByteSize, LogFormat, Raw, Value};

/// One key.
pub(crate) struct Setting {
    /// `section.key`.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) comment: &'static str,
    /// What it is.
    pub(crate) unit: &'static str,
    /// What can be written.
    pub(crate) expected: &'static str,
    /// Sets it; `None` if the value is not what is expected.
    pub(crate) set: fn(&mut Settings, &Raw) -> Option<()>,
    /// Its value as TOML.
    pub(crate) write: fn(&Settings) -> String,
}

impl Setting {
    /// Section and key.
    pub(crate) fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or((self.name, ""))
    }

    /// The key called `section.key`.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}

macro_rules! settings {
    ($($(#[doc = $section_doc:literal])* $section:ident: $Section:ident {
        $($(#[doc = $comment:literal])* $key:ident: $type:ty = $default:expr,)*
    })*) => {
        /// All values.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Settings {
            $($(#[doc = $section_doc])* pub(crate) $section: $Section,)*
        }

        $(
            $(#[doc = $section_doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub(crate) struct $Section {
                $($(#[doc = $comment])* pub(crate) $key: $type,)*
            }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $($key: $default,)* }
                }
            }
        )*

        /// The keys in the order of the file.
        pub(crate) const SETTINGS: &[Setting] = &[$($(
            Setting {
                name: concat!(stringify!($section), ".", stringify!($key)),
                comment: concat!($($comment,)*),
                unit: <$type as Value>::UNIT,
                expected: <$type as Value>::EXPECTED,
                set: |settings, raw| {
                    settings.$section.$key = Value::read(raw)?;
                    Some(())
                },
                write: |settings| settings.$section.$key.write(),
            },
        )*)*];
    };
}

settings! {
    /// HTTP: web app, WebSocket, metrics, health.
    http: Http {
        /// Addresses to listen on; "::" takes IPv4 as well.
        bind: Vec<IpAddr> = vec![Ipv6Addr::UNSPECIFIED.into()],
        /// TCP port.
        port: u16 = 7_880,
        /// Certificate chain in PEM, the server's own first: with it and tls_key the port speaks HTTPS, and only that. Empty: HTTP, for a proxy that ends TLS. A renewed file is taken up by SIGHUP.
        tls_certificate: Option<PathBuf> = None,
        /// Private key of the certificate in PEM, without a password.
        tls_key: Option<PathBuf> = None,
        /// Serve the demo app at /, and tokens for it to anybody who asks.
        demo: bool = false,
        /// Requests a second from one address (for IPv6, one /64), sustained, and four times as many at once; beyond, 429. For joins, WHIP, WHEP and REST. 0 does not limit: behind a proxy all have its address.
        requests_per_second: u32 = 50,
    }
    /// Media: UDP, and TCP for clients without.
    media: Media {
        /// Address to listen on; "::" takes IPv4 as well.
        bind: IpAddr = Ipv6Addr::UNSPECIFIED.into(),
        /// UDP port of shard 0; shard 1 has the next one, and so on.
        port: u16 = 7_882,
        /// TCP port of all shards for clients whose network blocks UDP; 0: none.
        tcp_port: u16 = 7_881,
        /// Threads that forward media, each with its own UDP port; 0: one per CPU core.
        shards: u16 = 0,
        /// Addresses that clients are told, for example the public one behind a NAT that maps the ports one to one; empty: those of the network interfaces.
        advertise: Vec<IpAddr> = Vec::new(),
        /// Socket buffer for datagrams that wait to be read; more outlasts longer stalls, the kernel's limit is net.core.rmem_max.
        receive_buffer: ByteSize = ByteSize(4 << 20),
        /// Socket buffer for datagrams that wait to be sent; the kernel's limit is net.core.wmem_max.
        send_buffer: ByteSize = ByteSize(4 << 20),
        /// Send runs of datagrams to one client in one system call (UDP GSO) where the kernel can.
        segmentation_offload: bool = true,
        /// How long a packet of sound may wait for others to the same people, so that they leave in one system call; longer costs less CPU and delays sound by up to as much, 0ms sends at once.
        sound_hold: Duration = Duration::from_millis(2),
        /// Pin each shard to a CPU core; pays on a machine that does nothing else.
        pin: bool = false,
    }
    /// What one server, room or participant may use.
    limits: Limits {
        /// Rooms at a time.
        rooms: usize = 10_000,
        /// WebSockets and sessions of WHIP and WHEP at a time.
        connections: usize = 20_000,
        /// Participants of one room.
        participants_per_room: usize = 3_000,
        /// Tracks that a participant may publish.
        publications_per_participant: usize = 16,
        /// Slots (incoming tracks) that a participant may offer.
        slots_per_participant: usize = 100,
        /// Largest WebSocket message, and largest body of WHIP and WHEP; an offer takes about 2 KiB per slot.
        message_size: ByteSize = ByteSize(256 << 10),
        /// WebSocket messages a second of one participant, sustained.
        messages_per_second: u32 = 50,
        /// WebSocket messages of one participant at once, after a pause.
        message_burst: u32 = 200,
        /// Messages that may wait for a participant who reads slowly; one more closes the connection.
        outgoing_queue: usize = 1_024,
        /// Largest data message of a participant; at most 60KiB.
        data_message_size: ByteSize = ByteSize(16 << 10),
        /// Data messages a second of one participant; a second's worth may come at once.
        data_messages_per_second: u32 = 100,
        /// Bytes of data messages a second of one participant; each receiver gets as much.
        data_size_per_second: ByteSize = ByteSize(256 << 10),
    }
    /// Access tokens of others than the API keys below.
    tokens: Tokens {
        /// Public keys (JWK set, RFC 7517) whose RS256 and ES256 tokens are accepted beside those of the API keys; SIGHUP reads the file again.
        jwks: Option<PathBuf> = None,
        /// What `iss` of such a token must be; empty: anything.
        issuer: String = String::new(),
    }
    /// What happens in rooms, told to the app's backend.
    webhooks: Webhooks {
        /// Directory of the queue; empty: no events are kept, and none told.
        directory: Option<PathBuf> = None,
        /// Addresses that get every event by POST (HTTP or HTTPS). A new one gets what happens from then on.
        urls: Vec<String> = Vec::new(),
        /// API key that signs; empty: the first.
        key: String = String::new(),
        /// Events kept on disk, to be delivered and to be asked for again; beyond, the oldest go, delivered or not.
        keep: usize = 100_000,
        /// How long an address may take to answer.
        timeout: Duration = Duration::from_secs(10),
        /// How old an event may become before it is told no more.
        give_up: Duration = Duration::from_secs(24 * 3_600),
    }
    /// Times.
    time: Time {
        /// How long a participant whose WebSocket broke is kept, so that it can come back.
        grace: Duration = Duration::from_secs(10),
        /// How long SIGTERM waits at most for clients to move to another server; 0 ends at once. SIGINT does not wait.
        drain: Duration = Duration::from_secs(30),
        /// How long a shutdown may take.
        shutdown: Duration = Duration::from_secs(5),
    }
    /// Logs, to standard error.
    log: Log {
        /// What is logged, in the syntax of tracing's EnvFilter: "info", "info,plenum_signaling=debug".
        filter: String = "info".to_owned(),
        /// Form of the lines.
        format: LogFormat = LogFormat::Human,
        /// Collector that gets a span of each request and message (OTLP over HTTP with protobuf), for example "http://localhost:4318"; empty: none. What log.filter leaves out is left out there, too.
        otlp: String = String::new(),
    }
}
