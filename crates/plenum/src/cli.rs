//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::config::{LogFormat, Sources, parse_duration};

/// A WebRTC selective forwarding unit: the conference backend behind a web app.
#[derive(Debug, Parser)]
#[command(version, about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do; without it `plenum serve --dev`.
    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    /// What to do.
    pub(crate) fn into_command(self) -> Command {
        self.command.unwrap_or_else(|| {
            Command::Serve(ServeArgs {
                dev: true,
                ..ServeArgs::default()
            })
        })
    }
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Print an access token.
    Token(TokenArgs),
    /// Print the configuration in force, each value with where it came from.
    Config(ConfigArgs),
    /// Check from this machine what makes calls fail in the field.
    Doctor(ServeArgs),
    /// Load a server with simulated clients and report what arrived.
    Load(Box<plenum_loadgen::Args>),
}

/// `plenum serve`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "PLENUM_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// For trying it out: key `devkey`, secret `secret`, this machine only, demo app at /.
    #[arg(long)]
    pub(crate) dev: bool,
    /// HTTP port [http.port].
    #[arg(long, value_name = "N")]
    http_port: Option<u16>,
    /// Address and port of HTTP [http.bind, http.port].
    #[arg(long, value_name = "ADDR:PORT", conflicts_with = "http_port")]
    http: Option<SocketAddr>,
    /// First UDP port for media [media.port].
    #[arg(long, value_name = "N")]
    udp_port: Option<u16>,
    /// TCP port for media of clients without UDP; 0: none [media.tcp_port].
    #[arg(long, value_name = "N")]
    tcp_port: Option<u16>,
    /// Number of media threads [media.shards].
    #[arg(long, value_name = "N")]
    shards: Option<u16>,
    /// Address that clients are told; may be given several times [media.advertise].
    #[arg(long, value_name = "IP")]
    advertise: Vec<IpAddr>,
    /// What is logged, for example `info,plenum_signaling=debug` [log.filter].
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Form of log lines [log.format].
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

impl ServeArgs {
    /// Where the configuration comes from, with `environment` as the environment.
    pub(crate) fn sources(&self, environment: Vec<(String, String)>) -> Sources {
        let mut flags = Vec::new();
        let mut flag = |name, flag, value: Option<String>| {
            flags.extend(value.map(|value| (name, flag, value)));
        };
        flag(
            "http.bind",
            "--http",
            self.http.map(|at| at.ip().to_string()),
        );
        flag(
            "http.port",
            "--http",
            self.http.map(|at| at.port().to_string()),
        );
        flag(
            "http.port",
            "--http-port",
            self.http_port.map(|port| port.to_string()),
        );
        flag(
            "media.port",
            "--udp-port",
            self.udp_port.map(|port| port.to_string()),
        );
        flag(
            "media.tcp_port",
            "--tcp-port",
            self.tcp_port.map(|port| port.to_string()),
        );
        flag(
            "media.shards",
            "--shards",
            self.shards.map(|shards| shards.to_string()),
        );
        flag("media.advertise", "--advertise", self.advertised());
        flag("log.filter", "--log", self.log.clone());
        flag("log.format", "--log-format", self.log_format());
        Sources {
            dev: self.dev,
            file: self.config.clone(),
            environment,
            flags,
        }
    }

    fn advertised(&self) -> Option<String> {
        let addresses: Vec<String> = self.advertise.iter().map(IpAddr::to_string).collect();
        (!addresses.is_empty()).then(|| addresses.join(","))
    }

    fn log_format(&self) -> Option<String> {
        use clap::ValueEnum;
        Some(self.log_format?.to_possible_value()?.get_name().to_owned())
    }
}

/// `plenum token`
#[derive(Clone, Debug, Args)]
pub(crate) struct TokenArgs {
    /// Room that may be joined; with --admin, the only one that may be moderated.
    #[arg(long, required_unless_present = "admin")]
    pub(crate) room: Option<String>,
    /// Who joins; unique in the room.
    #[arg(long)]
    pub(crate) identity: String,
    /// Name shown to the others.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Text passed on to the others.
    #[arg(long)]
    pub(crate) metadata: Option<String>,
    /// May not publish.
    #[arg(long)]
    pub(crate) no_publish: bool,
    /// May not subscribe.
    #[arg(long)]
    pub(crate) no_subscribe: bool,
    /// Most bits per second that may be published.
    #[arg(long, value_name = "BITS")]
    pub(crate) max_publish_bitrate: Option<u64>,
    /// The others are not told of the participant.
    #[arg(long)]
    pub(crate) hidden: bool,
    /// For a backend: may list, open, close and moderate rooms over REST.
    #[arg(long)]
    pub(crate) admin: bool,
    /// How long the token is accepted.
    #[arg(long, default_value = "6h", value_parser = duration)]
    pub(crate) ttl: Duration,
    /// API key that signs.
    #[arg(long, requires = "secret")]
    pub(crate) key: Option<String>,
    /// Its secret. Other users of the machine can see it here; PLENUM_KEYS__KEY=SECRET and
    /// --config hide it.
    #[arg(long, requires = "key")]
    pub(crate) secret: Option<String>,
    /// Take the first key of this configuration file.
    #[arg(long, value_name = "FILE", env = "PLENUM_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Sign with the key of `plenum serve --dev`.
    #[arg(long, conflicts_with = "key")]
    pub(crate) dev: bool,
}

/// `plenum config`
#[derive(Clone, Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Print the annotated default configuration instead.
    #[arg(long)]
    pub(crate) default: bool,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("write a length of time such as 30m, 6h or 2d")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn serve(arguments: &[&str]) -> ServeArgs {
        let cli = Cli::try_parse_from(arguments).unwrap();
        match cli.into_command() {
            Command::Serve(serve) => serve,
            other => panic!("not serve: {other:?}"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_arguments_it_is_a_dev_server() {
        assert!(serve(&["plenum"]).dev);
        assert!(!serve(&["plenum", "serve"]).dev);
    }

    #[test]
    fn flags_set_their_keys() {
        let serve = serve(&[
            "plenum",
            "serve",
            "--http",
            "[::1]:80",
            "--udp-port",
            "9000",
            "--shards",
            "2",
            "--advertise",
            "192.0.2.1",
            "--advertise",
            "2001:db8::1",
            "--log",
            "debug",
            "--log-format",
            "json",
        ]);
        let settings = serve.sources(Vec::new()).load().unwrap().settings;
        assert_eq!(settings.http.bind, ["::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(settings.http.port, 80);
        assert_eq!(settings.media.port, 9_000);
        assert_eq!(settings.media.shards, 2);
        assert_eq!(settings.media.advertise.len(), 2);
        assert_eq!(settings.log.filter, "debug");
        assert_eq!(settings.log.format, LogFormat::Json);
    }

    #[test]
    fn contradictions_are_refused() {
        for arguments in [
            &["plenum", "serve", "--http", "[::1]:80", "--http-port", "80"][..],
            &[
                "plenum",
                "token",
                "--room",
                "r",
                "--identity",
                "i",
                "--key",
                "k",
            ],
            &["plenum", "token", "--room", "r"],
            &[
                "plenum",
                "token",
                "--room",
                "r",
                "--identity",
                "i",
                "--ttl",
                "6",
            ],
        ] {
            assert!(Cli::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
    }
}
