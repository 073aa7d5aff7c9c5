//! One client: a peer connection of webrtc-rs that publishes or subscribes.

use crate::media::{AUDIO_FRAME, Generator, VIDEO_FRAME};
use crate::signal::Signal;
use crate::tally::Tally;
use anyhow::{Context, Result};
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionState,
};

/// How long a client may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How clients reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// What every client of a run shares.
pub(crate) struct Shared {
    pub(crate) url: String,
    pub(crate) transport: Transport,
    pub(crate) start: Instant,
    pub(crate) tally: Tally,
    /// True once the run is over.
    pub(crate) over: watch::Receiver<bool>,
}

/// What one client does.
pub(crate) struct Plan {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) token: String,
    /// 0: a publisher. Else: how many publishers' streams it takes.
    pub(crate) sources: usize,
}

struct Handler {
    shared: Arc<Shared>,
    subscriber: usize,
    connected: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            self.connected.send_replace(true);
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let (shared, subscriber) = (self.shared.clone(), self.subscriber);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(packet) = event else {
                    continue;
                };
                let header = &packet.header;
                shared.tally.on_packet(
                    subscriber,
                    header.ssrc,
                    header.sequence_number,
                    &packet.payload,
                );
            }
        });
    }
}

fn tcp_candidates(sdp: &str) -> Vec<RTCIceCandidateInit> {
    let values = sdp.lines().filter_map(|line| line.strip_prefix("a="));
    values
        .filter(|value| value.starts_with("candidate:") && value.contains(" tcp "))
        .map(|value| RTCIceCandidateInit {
            candidate: value.to_owned(),
            sdp_mline_index: Some(0),
            ..RTCIceCandidateInit::default()
        })
        .collect()
}

/// Runs one client until the run is over.
pub(crate) async fn run(
    shared: Arc<Shared>,
    plan: Plan,
    joined: watch::Sender<bool>,
) -> Result<()> {
    let mut signal = Signal::open(&shared.url, &plan.token).await?;
    let (connected, mut is_connected) = watch::channel(false);
    let handler = Handler {
        shared: shared.clone(),
        subscriber: plan.index,
        connected,
    };
    let mut media_engine = media_engine()?;
    let registry = register_default_interceptors(Registry::new(), &mut media_engine)?;
    let local = vec!["127.0.0.1:0"];
    let (udp, tcp) = match shared.transport {
        Transport::Udp => (local, Vec::new()),
        Transport::Tcp => (Vec::new(), local),
    };
    let peer = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(media_engine)
        .with_interceptor_registry(registry)
        .with_handler(Arc::new(handler))
        .with_udp_addrs(udp)
        .with_tcp_addrs(tcp)
        .build()
        .await?;

    let tracks = if plan.sources == 0 {
        add_tracks(&peer, &plan, shared.start).await?
    } else {
        add_slots(&peer, &plan).await?;
        Vec::new()
    };
    let offer = peer.create_offer(None).await?;
    peer.set_local_description(offer.clone()).await?;
    let message = json!({ "type": "offer", "id": 1, "sdp": offer.sdp });
    let answer = tokio::time::timeout(CONNECT_TIMEOUT, signal.join(&plan.name, message))
        .await
        .context("the server did not answer the offer in time")??;
    let connecting = tcp_candidates(&answer);
    peer.set_remote_description(RTCSessionDescription::answer(answer)?)
        .await?;
    if shared.transport == Transport::Tcp {
        // This stack opens connections to trickled candidates alone.
        for candidate in connecting {
            peer.add_ice_candidate(candidate).await?;
        }
    }
    tokio::time::timeout(CONNECT_TIMEOUT, is_connected.wait_for(|up| *up))
        .await
        .context("no media path to the server: is its UDP port reachable?")??;
    joined.send_replace(true);

    let mut senders = Vec::new();
    for (track, generator) in tracks {
        senders.push(tokio::spawn(publish(track, generator, shared.over.clone())));
    }
    let mut over = shared.over.clone();
    tokio::select! {
        () = signal.idle() => anyhow::bail!("the server closed the WebSocket during the run"),
        _ = over.wait_for(|over| *over) => {}
    }
    for sender in senders {
        sender.await?;
    }
    signal.leave().await;
    peer.close().await?;
    Ok(())
}

/// Sends a frame at each tick until the run is over.
async fn publish(
    track: Arc<TrackLocalStaticRTP>,
    (mut generator, period): (Generator, Duration),
    over: watch::Receiver<bool>,
) {
    let mut ticks = tokio::time::interval(period);
    while !*over.borrow() {
        ticks.tick().await;
        for packet in generator.frame(Instant::now()) {
            if let Err(error) = track.write_rtp(packet).await {
                tracing::debug!(%error, "packet not sent");
            }
        }
    }
}

type Source = (Arc<TrackLocalStaticRTP>, (Generator, Duration));

async fn add_tracks(
    peer: &impl PeerConnection,
    plan: &Plan,
    start: Instant,
) -> Result<Vec<Source>> {
    let mut tracks = Vec::new();
    for (kind, period) in [
        (RtpCodecKind::Audio, AUDIO_FRAME),
        (RtpCodecKind::Video, VIDEO_FRAME),
    ] {
        let ssrc: u32 = rand::random();
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..Default::default()
            },
            codec: codec(kind).rtp_codec,
            ..Default::default()
        };
        let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            plan.name.clone(),
            format!("{}-{kind}", plan.name),
            kind.to_string(),
            kind,
            vec![encoding],
        )));
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            ..Default::default()
        };
        peer.add_transceiver_from_track(track.clone() as Arc<dyn TrackLocal>, Some(init))
            .await?;
        let generator = Generator::new(kind == RtpCodecKind::Video, ssrc, start);
        tracks.push((track, (generator, period)));
    }
    Ok(tracks)
}

async fn add_slots(peer: &impl PeerConnection, plan: &Plan) -> Result<()> {
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        for _ in 0..plan.sources {
            let init = RTCRtpTransceiverInit {
                direction: RTCRtpTransceiverDirection::Recvonly,
                ..Default::default()
            };
            peer.add_transceiver_from_kind(kind, Some(init)).await?;
        }
    }
    Ok(())
}

fn media_engine() -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        engine.register_codec(codec(kind), kind)?;
    }
    Ok(engine)
}

fn codec(kind: RtpCodecKind) -> RTCRtpCodecParameters {
    let video = kind == RtpCodecKind::Video;
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: if video { "video/VP8" } else { "audio/opus" }.to_owned(),
            clock_rate: if video { 90_000 } else { 48_000 },
            channels: if video { 0 } else { 2 },
            ..Default::default()
        },
        payload_type: if video { 96 } else { 111 },
    }
}
