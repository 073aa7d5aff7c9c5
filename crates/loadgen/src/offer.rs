//! What a client says of itself when it joins, and, once the server has answered, what it sends.

use plenum_types::{
    Codec, CodecParameters, ExtensionMap, IceCredentials, MediaKind, Mid, Rid, Secret,
};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::client::sdp::{Description, Direction, Media, Setup, Ssrcs, codec_line, extension_map};
use crate::media::{LayerPlan, Sound, Speech, TrackPlan, TrackSource};
use crate::member::Shared;
use crate::scenario::{ClientSpec, Plan, VideoPlan};
use crate::signal::{JoinRequest, Layer, Policy, Role, SlotWish, Track};

/// Names of simulcast encodings, smallest first: the last ones of as many as there are.
const RIDS: [&str; 3] = ["q", "h", "f"];
const UFRAG_LENGTH: usize = 8;
const PASSWORD_LENGTH: usize = 24;
const ICE_CHARACTERS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What one client offers.
pub(crate) struct Offer {
    pub(crate) local: Description,
    pub(crate) request: JoinRequest,
    sources: Vec<(String, TrackSource)>,
}

impl Offer {
    /// The offer of `spec`. Credentials and SSRCs are never those of another run, whatever its
    /// seed: both may load the same server.
    pub(crate) fn new(shared: &Shared, spec: &ClientSpec) -> Self {
        let mut rng = SmallRng::from_rng(&mut rand::rng());
        let plan = &shared.plan;
        let mut offer = Self {
            local: Description {
                ice: IceCredentials {
                    ufrag: ice_text(&mut rng, UFRAG_LENGTH),
                    password: Secret(ice_text(&mut rng, PASSWORD_LENGTH)),
                },
                lite: false,
                fingerprint: shared.identity.fingerprint().clone(),
                setup: Setup::Active,
                candidates: Vec::new(),
                media: Vec::new(),
            },
            request: JoinRequest {
                room: format!("load-{:08x}-{}", shared.run, spec.room),
                identity: spec.identity.clone(),
                role: spec.role,
                offer: String::new(),
                tracks: Vec::new(),
                slots: Vec::new(),
            },
            sources: Vec::new(),
        };
        if spec.role != Role::Subscriber {
            if plan.audio {
                let speech = Speech {
                    seed: shared.seed ^ spec.room as u64,
                    index: spec.voice as u32,
                    publishers: plan.voices as u32,
                };
                offer.add_sound(speech, plan.transport_cc, &mut rng);
            }
            if let Some(video) = &plan.video {
                offer.add_video(video, plan.transport_cc, &mut rng);
            }
        }
        let (audio, video) = spec.slots;
        for _ in 0..audio {
            offer.add_slot(MediaKind::Audio, plan);
        }
        for _ in 0..video {
            offer.add_slot(MediaKind::Video, plan);
        }
        offer.request.offer = offer.local.write();
        offer
    }

    fn add_media(&mut self, kind: MediaKind, direction: Direction, media: Media) -> String {
        let mid = self.local.media.len().to_string();
        self.local.media.push(Media {
            kind,
            direction,
            mid: mid.clone(),
            ..media
        });
        mid
    }

    fn add_sound(&mut self, speech: Speech, transport_cc: bool, rng: &mut SmallRng) {
        let ssrc = random_ssrc(rng);
        let media = media(MediaKind::Audio, &[Codec::Opus], transport_cc, false);
        let media = Media {
            ssrcs: vec![Ssrcs {
                primary: ssrc,
                rtx: None,
            }],
            ..media
        };
        let mid = self.add_media(MediaKind::Audio, Direction::SEND, media);
        self.request.tracks.push(Track {
            mid: mid.clone(),
            kind: MediaKind::Audio,
            layers: Vec::new(),
        });
        self.sources
            .push((mid, TrackSource::Audio(Sound { ssrc, speech })));
    }

    fn add_video(&mut self, video: &VideoPlan, transport_cc: bool, rng: &mut SmallRng) {
        let count = video.layers.len();
        let simulcast = count > 1;
        let rids = &RIDS[RIDS.len() - count..];
        let layers: Vec<LayerPlan> = video
            .layers
            .iter()
            .zip(rids)
            .map(|((size, frame_bytes), rid)| LayerPlan {
                ssrc: random_ssrc(rng),
                rtx_ssrc: random_ssrc(rng),
                rid: Rid::new(rid).ok().filter(|_| simulcast),
                size: *size,
                frame_bytes: *frame_bytes,
            })
            .collect();
        let mut media = media(MediaKind::Video, &[video.codec], transport_cc, simulcast);
        if simulcast {
            media.rids = rids.iter().map(|rid| (*rid).to_owned()).collect();
        } else {
            let declared = layers.iter().map(|layer| Ssrcs {
                primary: layer.ssrc,
                rtx: Some(layer.rtx_ssrc),
            });
            media.ssrcs = declared.collect();
        }
        let mid = self.add_media(MediaKind::Video, Direction::SEND, media);
        let per_second = 1.0 / video.period.as_secs_f64();
        self.request.tracks.push(Track {
            mid: mid.clone(),
            kind: MediaKind::Video,
            layers: layers
                .iter()
                .map(|layer| Layer {
                    rid: layer.rid.map(|rid| rid.to_string()),
                    width: layer.size.width,
                    height: layer.size.height,
                    max_bitrate: (layer.frame_bytes as f64 * 8.0 * per_second) as u64,
                })
                .collect(),
        });
        let source = TrackSource::Video {
            codec: video.codec,
            layers,
            period: video.period,
            payload_max: video.payload_max,
            varies: video.varies,
        };
        self.sources.push((mid, source));
    }

    fn add_slot(&mut self, kind: MediaKind, plan: &Plan) {
        let codecs = match (kind, &plan.video) {
            (MediaKind::Audio, _) => vec![Codec::Opus],
            (MediaKind::Video, Some(video)) => vec![video.codec],
            (MediaKind::Video, None) => vec![Codec::Vp8],
        };
        let media = media(kind, &codecs, plan.transport_cc, false);
        let mid = self.add_media(kind, Direction::RECEIVE, media);
        let policy = if kind == MediaKind::Audio && plan.speakers_only {
            Policy::Speaker
        } else {
            Policy::All
        };
        self.request.slots.push(SlotWish {
            mid,
            kind,
            policy,
            size: None,
        });
    }

    /// What is sent, after the server's `remote` description said how.
    pub(crate) fn tracks(&self, remote: &Description) -> Vec<TrackPlan> {
        self.sources
            .iter()
            .filter_map(|(mid, source)| {
                let parameters = negotiated(remote, mid, source)?;
                Some(TrackPlan {
                    mid: Mid::new(mid).ok()?,
                    payload_type: parameters.payload_type,
                    rtx_payload_type: parameters.rtx_payload_type,
                    source: source.clone(),
                })
            })
            .collect()
    }
}

/// What the server takes on the m-line `mid`, if it takes what we would send.
fn negotiated(remote: &Description, mid: &str, source: &TrackSource) -> Option<CodecParameters> {
    let wanted = match source {
        TrackSource::Video { codec, .. } => *codec,
        TrackSource::Audio(_) => Codec::Opus,
    };
    let media = remote.media.iter().find(|media| media.mid == mid)?;
    media
        .codecs
        .iter()
        .map(|codec| codec.parameters)
        .find(|parameters| media.direction.receives && parameters.codec == wanted)
}

fn media(kind: MediaKind, codecs: &[Codec], transport_cc: bool, simulcast: bool) -> Media {
    let extensions: ExtensionMap = extension_map(kind, transport_cc, simulcast);
    Media {
        kind,
        mid: String::new(),
        direction: Direction::INACTIVE,
        codecs: codecs
            .iter()
            .map(|codec| codec_line(*codec, transport_cc))
            .collect(),
        extensions,
        ssrcs: Vec::new(),
        rids: Vec::new(),
    }
}

/// Not 0, which some servers take for none.
fn random_ssrc(rng: &mut SmallRng) -> u32 {
    rng.random_range(1..u32::MAX)
}

fn ice_text(rng: &mut SmallRng, length: usize) -> String {
    (0..length)
        .map(|_| char::from(ICE_CHARACTERS[rng.random_range(0..ICE_CHARACTERS.len())]))
        .collect()
}
