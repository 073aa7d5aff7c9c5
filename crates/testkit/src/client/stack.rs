//! Builds the WebRTC stack of a simulated client: codecs, header extensions, interceptors.
//!
//! Of the stack's interceptors, the NACK generator and the sender reports are left out. The first
//! cannot know that a packet came back on a retransmission stream; the second takes the wall
//! clock as the origin of each stream, which tears audio and video apart in virtual time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plenum_types::ExtensionKind;
use rtc::interceptor::{
    NackResponderBuilder, ReceiverReportBuilder, Registry, Slot, TwccReceiverBuilder,
    TwccSenderBuilder,
};
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_AV1, MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MIME_TYPE_VP9,
    MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};

use super::config::{ClientConfig, OPUS, VIDEO};
use super::provider::SeededProvider;
use super::tap::Tap;
use crate::error::TestkitError;
use crate::media::VideoCodec;
use crate::seed::SimRng;

/// How long a way is checked before it is given up; the stack's own default.
const CHECKED_FOR: Duration = Duration::from_millis(1_400);

/// Wire-ward of every interceptor of the stack.
const TAP_POSITION: usize = 500;

/// A peer connection with its host candidate, before any description.
pub(super) fn build(
    config: &ClientConfig,
    tap: &Tap,
    now: Instant,
    rng: SimRng,
) -> Result<RTCPeerConnection, TestkitError> {
    let attempts = CHECKED_FOR.as_millis() / config.check_interval.as_millis().max(1);
    let settings = SettingEngineBuilder::new()
        .with_crypto_provider(Arc::new(SeededProvider::new(rng)?))
        .with_ice_connection_attempts(Some(config.check_interval), Some(attempts as u16))
        .build();
    let mut connection = RTCPeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_setting_engine(settings)
        .with_media_engine(media_engine(config)?)
        .with_interceptor_registry(interceptors(config, tap))
        .build(now)?;
    add_host_candidate(&mut connection, config.address)?;
    Ok(connection)
}

/// Tells the stack its own address.
pub(super) fn add_host_candidate(
    connection: &mut RTCPeerConnection,
    address: SocketAddr,
) -> Result<(), TestkitError> {
    let candidate = CandidateHostConfig {
        base_config: CandidateConfig {
            network: "udp".to_owned(),
            address: address.ip().to_string(),
            port: address.port(),
            component: 1,
            ..CandidateConfig::default()
        },
        ..CandidateHostConfig::default()
    }
    .new_candidate_host()?;
    connection.add_local_candidate(RTCIceCandidate::from(&candidate).to_json()?)?;
    Ok(())
}

fn interceptors(config: &ClientConfig, tap: &Tap) -> Registry {
    let registry = Registry::new()
        .with(Slot::from(TAP_POSITION), tap.interceptor())
        .with(Slot::NackResponder, NackResponderBuilder::new().build())
        .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build());
    if !config.transport_cc {
        return registry;
    }
    registry
        .with(Slot::TwccSender, TwccSenderBuilder::new().build())
        .with(Slot::TwccReceiver, TwccReceiverBuilder::new().build())
}

fn media_engine(config: &ClientConfig) -> Result<MediaEngine, TestkitError> {
    let mut engine = MediaEngine::default();
    engine.register_codec(opus(config), RtpCodecKind::Audio)?;
    for (codec, payload_type) in VIDEO {
        engine.register_codec(video(config, codec), RtpCodecKind::Video)?;
        if config.rtx {
            engine.register_codec(retransmission(payload_type), RtpCodecKind::Video)?;
        }
    }
    register_extensions(config, &mut engine)?;
    Ok(engine)
}

fn register_extensions(
    config: &ClientConfig,
    engine: &mut MediaEngine,
) -> Result<(), TestkitError> {
    use ExtensionKind::{AudioLevel, Mid, RepairedRid, Rid, TransportSequence};
    let mut register = |extension: ExtensionKind, kind| {
        let capability = RTCRtpHeaderExtensionCapability {
            uri: extension.uri().to_owned(),
        };
        engine.register_header_extension(capability, kind, None)
    };
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        register(Mid, kind)?;
        if config.transport_cc {
            register(TransportSequence, kind)?;
        }
    }
    register(AudioLevel, RtpCodecKind::Audio)?;
    register(Rid, RtpCodecKind::Video)?;
    register(RepairedRid, RtpCodecKind::Video)?;
    Ok(())
}

fn feedback(config: &ClientConfig, types: &[(&str, &str)]) -> Vec<RTCPFeedback> {
    let transport_cc = config.transport_cc.then_some(("transport-cc", ""));
    types
        .iter()
        .copied()
        .chain(transport_cc)
        .map(|(typ, parameter)| RTCPFeedback {
            typ: typ.to_owned(),
            parameter: parameter.to_owned(),
        })
        .collect()
}

/// Opus with its payload type.
pub(super) fn opus(config: &ClientConfig) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: MIME_TYPE_OPUS.to_owned(),
            clock_rate: 48_000,
            channels: 2,
            sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
            rtcp_feedback: feedback(config, &[]),
        },
        payload_type: OPUS,
    }
}

/// A video codec with its payload type.
pub(super) fn video(config: &ClientConfig, codec: VideoCodec) -> RTCRtpCodecParameters {
    let (mime_type, format) = match codec {
        VideoCodec::Vp8 => (MIME_TYPE_VP8, ""),
        VideoCodec::Vp9 => (MIME_TYPE_VP9, "profile-id=0"),
        VideoCodec::H264 => (
            MIME_TYPE_H264,
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        ),
        VideoCodec::Av1 => (MIME_TYPE_AV1, "profile=0"),
    };
    let payload_type = VIDEO
        .into_iter()
        .find(|(known, _)| *known == codec)
        .map_or(0, |(_, payload_type)| payload_type);
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: mime_type.to_owned(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: format.to_owned(),
            rtcp_feedback: feedback(config, &[("nack", ""), ("nack", "pli"), ("ccm", "fir")]),
        },
        payload_type,
    }
}

fn retransmission(payload_type: u8) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: MIME_TYPE_RTX.to_owned(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: format!("apt={payload_type}"),
            rtcp_feedback: Vec::new(),
        },
        payload_type: payload_type + 1,
    }
}
