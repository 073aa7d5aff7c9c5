//! The command line of `plenum load`.

mod parse;

use std::time::Duration;

use clap::ValueEnum;

use crate::report::ReportFlags;
use crate::signal::{Protocol, WhipWhepFlags};
use parse::{duration, positive, rate};

/// Load a server with publishers and subscribers, and report what arrived.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Where the server's HTTP port is.
    #[arg(long, default_value = "http://localhost:7880")]
    pub url: String,
    /// A load of a known shape; the flags below change it.
    #[arg(long, value_enum)]
    pub scenario: Option<Preset>,
    /// Rooms; each gets its own clients.
    #[arg(long, value_parser = positive)]
    pub rooms: Option<usize>,
    /// Clients per room that publish and do nothing else.
    #[arg(long)]
    pub publishers: Option<usize>,
    /// Clients per room that take every publisher's streams and do nothing else.
    #[arg(long)]
    pub subscribers: Option<usize>,
    /// Clients per room that publish and take every other's streams.
    #[arg(long)]
    pub participants: Option<usize>,
    /// Codec of the video.
    #[arg(long, value_enum)]
    pub video: Option<Video>,
    /// Simulcast layers of the video, 1 to 3.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub layers: Option<u8>,
    /// Bits per second of the largest layer, such as 1320k or 2.5M. Its frames vary in size.
    #[arg(long, value_parser = parse::bitrate, conflicts_with_all = ["payload", "frame_packets"])]
    pub video_bitrate: Option<u64>,
    /// Frames per second of the video.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub fps: u32,
    /// Bytes of every video packet's payload, 64 to 1200: all of them have this size.
    #[arg(long, value_parser = clap::value_parser!(u16).range(64..=1_200), requires = "frame_packets")]
    pub payload: Option<u16>,
    /// Packets of every frame of the largest layer.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..), requires = "payload")]
    pub frame_packets: Option<u8>,
    /// Publish audio beside the video.
    #[arg(long)]
    pub audio: bool,
    /// Publish no audio, where the scenario would.
    #[arg(long, conflicts_with = "audio")]
    pub no_audio: bool,
    /// Take so many active speakers instead of every publisher's audio.
    #[arg(long)]
    pub audio_slots: Option<usize>,
    /// Negotiate no transport-wide feedback.
    #[arg(long)]
    pub no_twcc: bool,
    /// How long is measured once everyone has joined, such as 30s or 2m.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub duration: Duration,
    /// How long media flows before it is measured.
    #[arg(long, default_value = "2s", value_parser = duration)]
    pub settle: Duration,
    /// Joins per second, such as 50/s.
    #[arg(long, default_value = "50/s", value_parser = rate)]
    pub ramp: f64,
    /// Subscribers that leave and are replaced while it is measured, such as 10/s.
    #[arg(long, value_parser = rate)]
    pub churn: Option<f64>,
    /// How often each subscriber changes sizes and pins, such as 3s.
    #[arg(long, value_parser = duration)]
    pub layout: Option<Duration>,
    /// API key that signs the clients' tokens.
    #[arg(long, default_value = "devkey", env = "PLENUM_API_KEY")]
    pub key: String,
    /// Its secret.
    #[arg(
        long,
        default_value = "secret",
        env = "PLENUM_API_SECRET",
        hide_env_values = true
    )]
    pub secret: String,
    /// Threads that carry media.
    #[arg(long, default_value_t = 1, value_parser = positive)]
    pub threads: usize,
    /// Core of the first media thread; the others take the next ones.
    #[arg(long)]
    pub pin: Option<usize>,
    /// Decrypt one of so many packets of a stream; all are counted.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub sample: u16,
    /// Repeats the random choices of a run.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Process id of the server, to report its CPU and memory.
    #[arg(long)]
    pub pid: Option<u32>,
    /// Drive any server by WHIP and WHEP instead of Plenum's own protocol.
    #[command(flatten)]
    pub whip_whep: WhipWhepFlags,
    /// Drive the video room of a Janus at this address, such as ws://localhost:8188, instead.
    #[arg(long, value_name = "URL", conflicts_with_all = ["whip_whep", "url"])]
    pub janus: Option<String>,
    /// Where the report goes, and what has to hold.
    #[command(flatten)]
    pub report: ReportFlags,
}

impl Args {
    /// The protocol that the server speaks.
    pub(crate) const fn protocol(&self) -> Protocol {
        match &self.janus {
            Some(_) => Protocol::Janus,
            None if self.whip_whep.whip_whep => Protocol::WhipWhep,
            None => Protocol::WebSocket,
        }
    }

    /// Where the server is.
    pub(crate) fn server_url(&self) -> &str {
        self.janus.as_ref().unwrap_or(&self.url)
    }
}

/// Loads of a known shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// One publisher with video and audio, subscribers that only watch.
    Livestream,
    /// Participants that all publish video and audio and take all others.
    Meeting,
    /// Speakers with audio alone, and listeners that take all of them.
    Audio,
    /// A live stream whose viewers come and go.
    Churn,
    /// Many small meetings.
    Rooms,
    /// Viewers of several simulcast publishers that change sizes and pins.
    Layout,
}

/// What video is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Video {
    /// VP8.
    Vp8,
    /// H.264, constrained baseline.
    H264,
    /// No video.
    None,
}
