//! What a run does: the flags, filled up by the scenario, become a list of clients.

#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::{Result, bail};
use plenum_types::{Codec, Pixels};

use crate::args::{Args, Preset, Video};
use crate::measure::Scenario;
use crate::media::PAYLOAD_MIN;
use crate::signal::Role;

/// Most bytes of a video packet's payload, as in browsers.
const PAYLOAD_MAX: usize = 1_200;
/// 5 packets of 1,100 bytes, 30 times a second.
const DEFAULT_BITRATE: u64 = 1_320_000;
/// Bitrate of each simulcast layer as a share of the largest, and its size.
const LAYERS: [(f64, Pixels); 3] = [
    (
        0.1,
        Pixels {
            width: 320,
            height: 180,
        },
    ),
    (
        0.3,
        Pixels {
            width: 640,
            height: 360,
        },
    ),
    (
        1.0,
        Pixels {
            width: 1_280,
            height: 720,
        },
    ),
];

/// The video that every publisher sends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VideoPlan {
    pub(crate) codec: Codec,
    pub(crate) period: Duration,
    pub(crate) payload_max: usize,
    /// Frames vary in size, as an encoder's do.
    pub(crate) varies: bool,
    /// Smallest first: size, and mean bytes of a frame.
    pub(crate) layers: Vec<(Pixels, usize)>,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientSpec {
    pub(crate) room: usize,
    pub(crate) identity: String,
    pub(crate) role: Role,
    /// Which publisher of its room it is, if it is one.
    pub(crate) voice: usize,
    /// Slots for audio and for video.
    pub(crate) slots: (usize, usize),
}

/// What a run does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) facts: Scenario,
    pub(crate) video: Option<VideoPlan>,
    pub(crate) audio: bool,
    /// Publishers and participants per room.
    pub(crate) voices: usize,
    /// Audio slots show active speakers instead of everybody.
    pub(crate) speakers_only: bool,
    pub(crate) transport_cc: bool,
    /// Those who publish, then those who do not.
    pub(crate) clients: Vec<ClientSpec>,
    /// How many of them publish.
    pub(crate) publishing: usize,
    pub(crate) churn_per_second: Option<f64>,
    pub(crate) layout_every: Option<Duration>,
}

/// What a scenario is without flags.
struct Shape {
    name: &'static str,
    rooms: usize,
    publishers: usize,
    subscribers: usize,
    participants: usize,
    video: Video,
    audio: bool,
    layers: u8,
    churn: Option<f64>,
    layout: Option<Duration>,
}

impl Shape {
    const fn of(preset: Option<Preset>) -> Self {
        let base = Self {
            name: "custom",
            rooms: 1,
            publishers: 1,
            subscribers: 10,
            participants: 0,
            video: Video::Vp8,
            audio: false,
            layers: 1,
            churn: None,
            layout: None,
        };
        match preset {
            None => base,
            Some(Preset::Livestream) => Self {
                name: "livestream",
                subscribers: 100,
                audio: true,
                ..base
            },
            Some(Preset::Meeting) => Self {
                name: "meeting",
                publishers: 0,
                subscribers: 0,
                participants: 16,
                audio: true,
                ..base
            },
            Some(Preset::Audio) => Self {
                name: "audio",
                publishers: 10,
                subscribers: 100,
                video: Video::None,
                audio: true,
                ..base
            },
            Some(Preset::Churn) => Self {
                name: "churn",
                subscribers: 100,
                audio: true,
                churn: Some(10.0),
                ..base
            },
            Some(Preset::Rooms) => Self {
                name: "rooms",
                rooms: 20,
                publishers: 0,
                subscribers: 0,
                participants: 4,
                audio: true,
                ..base
            },
            Some(Preset::Layout) => Self {
                name: "layout",
                publishers: 4,
                subscribers: 20,
                audio: true,
                layers: 3,
                layout: Some(Duration::from_secs(3)),
                ..base
            },
        }
    }
}

impl Plan {
    /// The plan of a run. `both_ways`: one client can publish and subscribe; else a participant
    /// is two clients.
    ///
    /// # Errors
    /// If the flags ask for nothing, or contradict each other.
    pub(crate) fn new(args: &Args, both_ways: bool) -> Result<Self> {
        let shape = Shape::of(args.scenario);
        let rooms = args.rooms.unwrap_or(shape.rooms);
        let publishers = args.publishers.unwrap_or(shape.publishers);
        let subscribers = args.subscribers.unwrap_or(shape.subscribers);
        let participants = args.participants.unwrap_or(shape.participants);
        let audio = (shape.audio || args.audio) && !args.no_audio;
        let video = video_plan(args, &shape)?;
        let voices = publishers + participants;
        if voices == 0
            || subscribers + participants == 0
            || participants + publishers + subscribers < 2
        {
            bail!(
                "nobody would receive anything: ask for at least one of --publishers and one of \
                 --subscribers, or for two --participants"
            );
        }
        if video.is_none() && !audio {
            bail!("nothing would be published: pass --audio, or a --video other than none");
        }
        let mut plan = Self {
            facts: Scenario {
                name: shape.name.to_owned(),
                rooms,
                publishers: rooms * voices,
                subscribers: rooms * (subscribers + participants),
                video: video.is_some(),
                details: details(video.as_ref(), args),
                url: args.server_url().to_owned(),
            },
            video,
            audio,
            voices,
            speakers_only: args.audio_slots.is_some(),
            transport_cc: !args.no_twcc,
            clients: Vec::new(),
            publishing: 0,
            churn_per_second: args.churn.or(shape.churn),
            layout_every: args.layout.or(shape.layout),
        };
        for room in 0..rooms {
            plan.add_publishing(args, room, publishers, participants, both_ways);
        }
        plan.publishing = plan.clients.len();
        for room in 0..rooms {
            if !both_ways {
                for n in 0..participants {
                    let name = format!("participant-{n}-view");
                    plan.add(args, room, name, Role::Subscriber, 0, voices - 1);
                }
            }
            for n in 0..subscribers {
                let name = format!("subscriber-{n}");
                plan.add(args, room, name, Role::Subscriber, 0, voices);
            }
        }
        Ok(plan)
    }

    fn add_publishing(
        &mut self,
        args: &Args,
        room: usize,
        publishers: usize,
        participants: usize,
        both_ways: bool,
    ) {
        for n in 0..publishers {
            self.add(args, room, format!("publisher-{n}"), Role::Publisher, n, 0);
        }
        let (role, others) = if both_ways {
            (Role::Participant, self.voices - 1)
        } else {
            (Role::Publisher, 0)
        };
        for n in 0..participants {
            let voice = publishers + n;
            self.add(args, room, format!("participant-{n}"), role, voice, others);
        }
    }

    /// Adds a client that takes the streams of so many `others`.
    fn add(
        &mut self,
        args: &Args,
        room: usize,
        identity: String,
        role: Role,
        voice: usize,
        others: usize,
    ) {
        let audio = if self.audio {
            args.audio_slots.map_or(others, |slots| slots.min(others))
        } else {
            0
        };
        let video = if self.video.is_some() { others } else { 0 };
        self.clients.push(ClientSpec {
            room,
            identity,
            role,
            voice,
            slots: (audio, video),
        });
    }

    /// A viewer that replaces one of `room` that left.
    pub(crate) fn replacement(&self, of: &ClientSpec, number: usize) -> ClientSpec {
        ClientSpec {
            identity: format!("replacement-{number}"),
            ..of.clone()
        }
    }
}

fn video_plan(args: &Args, shape: &Shape) -> Result<Option<VideoPlan>> {
    let codec = match args.video.unwrap_or(shape.video) {
        Video::None => return Ok(None),
        Video::Vp8 => Codec::Vp8,
        Video::H264 => Codec::H264 {
            profile: 0x42e0,
            packetization_mode: 1,
        },
    };
    let (top_bytes, payload_max) = match (args.payload, args.frame_packets) {
        (Some(payload), Some(packets)) => {
            let payload = usize::from(payload);
            (payload * usize::from(packets), payload)
        }
        _ => {
            let bits = args.video_bitrate.unwrap_or(DEFAULT_BITRATE);
            ((bits / 8 / u64::from(args.fps)) as usize, PAYLOAD_MAX)
        }
    };
    let varies = args.payload.is_none();
    let count = usize::from(args.layers.unwrap_or(shape.layers));
    let layers = LAYERS[LAYERS.len() - count..]
        .iter()
        .map(|(share, size)| {
            let bytes = (top_bytes as f64 * share) as usize;
            // With a given payload every packet has that size.
            let packets = bytes.div_ceil(payload_max).max(1);
            let bytes = if varies { bytes } else { packets * payload_max };
            (*size, bytes.max(PAYLOAD_MIN))
        })
        .collect();
    let period = Duration::from_secs(1) / args.fps;
    Ok(Some(VideoPlan {
        codec,
        period,
        payload_max,
        varies,
        layers,
    }))
}

fn details(video: Option<&VideoPlan>, args: &Args) -> String {
    let Some(video) = video else {
        return String::new();
    };
    let name = match video.codec {
        Codec::H264 { .. } => "H.264",
        _ => "VP8",
    };
    let bytes: usize = video.layers.iter().map(|(_, bytes)| bytes).sum();
    let kbits = (bytes * 8) as f64 * f64::from(args.fps) / 1_000.0;
    format!(
        "{name}, {} layer(s), {} fps, {kbits:.0} kbit/s of payload per publisher",
        video.layers.len(),
        args.fps
    )
}
