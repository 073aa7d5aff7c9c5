//! A simulated participant: ICE, DTLS, SRTP, SDP and RTCP of the `rtc` stack, which shares no code
//! with Plenum, fed by synthetic media and watched by a critical receiver.
//!
//! `handle_*` are inputs. After any of them take what [`Client::poll_transmit`] gives, then ask
//! [`Client::poll_timeout`]. Order of life: [`Client::new`], [`Client::offer`],
//! [`Client::accept_answer`], then datagrams and timeouts. Media starts by itself once the
//! connection is up.

mod claims;
mod config;
mod data;
mod provider;
mod stack;
mod tap;
mod track;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use plenum_types::{ExtensionKind, ExtensionMap, NtpTime, RtpTimestamp, SequenceNumber, Ssrc};
use rand::RngExt;
use rtc::peer_connection::RTCPeerConnection;
use rtc::peer_connection::configuration::RTCOfferOptions;
use rtc::peer_connection::event::{RTCPeerConnectionEvent, RTCTrackEvent};
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::{RTCIceConnectionState, RTCPeerConnectionState};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{
    RTCRtpReceiverId, RTCRtpTransceiverDirection, RTCRtpTransceiverId, RTCRtpTransceiverInit,
};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};

use crate::clock::Clock;
use crate::error::TestkitError;
use crate::media::{AudioSource, VideoSource};
use crate::receive::{IncomingPacket, ReceivedStream, StreamKind};
use crate::sdp;
use crate::seed::{self, SimRng};
use track::{Track, TrackSource};

pub use claims::Claim;
pub use config::{ClientConfig, DataConfig, TrackConfig, TrackMedia};
pub use data::ReceivedData;
pub use tap::{ReceivedSenderReport, WireLog};

/// The wall clocks of participants differ by up to this much.
const CLOCK_SKEW_SECONDS_MAX: u64 = 120;

/// A receive-only section.
#[derive(Debug)]
struct Slot {
    transceiver: RTCRtpTransceiverId,
    mid: String,
    stream: ReceivedStream,
}

/// A simulated participant.
pub struct Client {
    config: ClientConfig,
    connection: RTCPeerConnection,
    tap: tap::Tap,
    tracks: Vec<Track>,
    slots: Vec<Slot>,
    data: Option<data::DataChannels>,
    /// Names of incoming tracks in the stack → index of the slot.
    slot_of_track: BTreeMap<String, usize>,
    transmits: VecDeque<(SocketAddr, Vec<u8>)>,
    connection_state: RTCPeerConnectionState,
    ice_state: RTCIceConnectionState,
    connected_at: Option<Instant>,
    extensions: ExtensionMap,
    /// Start of the simulation.
    origin: Instant,
    /// This participant's wall clock at the origin.
    ntp_origin: NtpTime,
    cname: String,
    errors: u64,
    rng: SimRng,
}

impl Client {
    /// A participant that has not yet offered anything. `origin` is the start of the simulation.
    pub fn new(
        config: ClientConfig,
        origin: Instant,
        now: Instant,
        seed: u64,
    ) -> Result<Self, TestkitError> {
        let mut rng = seed::stream(seed, 0xc11e);
        let tap = tap::Tap::default();
        let mut connection = stack::build(&config, &tap, now, seed::stream(seed, 0xc12f))?;
        let tracks = config
            .publish
            .iter()
            .map(|track| Track::add(&mut connection, &config, track, &mut rng))
            .collect::<Result<_, _>>()?;
        let mut slots = Vec::new();
        for (count, kind) in [
            (config.audio_slots, StreamKind::Audio),
            (config.video_slots, StreamKind::Video),
        ] {
            for _ in 0..count {
                slots.push(Slot::add(&mut connection, kind)?);
            }
        }
        let data = match config.data {
            Some(_) => Some(data::DataChannels::open(&mut connection)?),
            None => None,
        };
        let skew = Duration::from_secs(rng.random_range(0..CLOCK_SKEW_SECONDS_MAX));
        Ok(Self {
            cname: format!("client-{:08x}", rng.random::<u32>()),
            config,
            connection,
            tap,
            tracks,
            slots,
            data,
            slot_of_track: BTreeMap::new(),
            transmits: VecDeque::new(),
            connection_state: RTCPeerConnectionState::New,
            ice_state: RTCIceConnectionState::New,
            connected_at: None,
            extensions: ExtensionMap::new(),
            origin,
            ntp_origin: Clock::ntp_origin().plus(skew),
            errors: 0,
            rng,
        })
    }

    /// Makes an offer and applies it locally. `restart_ice` asks for new ICE credentials.
    pub fn offer(&mut self, now: Instant, restart_ice: bool) -> Result<String, TestkitError> {
        let options = restart_ice.then_some(RTCOfferOptions { ice_restart: true });
        let offer = self.connection.create_offer(options)?;
        self.connection.set_local_description(now, offer)?;
        let offer = self.local_description()?;
        self.learn_sections(&offer);
        Ok(offer)
    }

    /// Applies the answer to the last offer.
    pub fn accept_answer(&mut self, now: Instant, answer: &str) -> Result<(), TestkitError> {
        let answer = RTCSessionDescription::answer(answer.to_owned())?;
        self.connection.set_remote_description(now, answer)?;
        self.pump(now);
        Ok(())
    }

    /// Answers another client's offer, as two participants without a server between them do.
    pub fn answer(&mut self, now: Instant, offer: &str) -> Result<String, TestkitError> {
        let offer = RTCSessionDescription::offer(offer.to_owned())?;
        self.connection.set_remote_description(now, offer)?;
        let answer = self.connection.create_answer(None)?;
        self.connection.set_local_description(now, answer)?;
        let answer = self.local_description()?;
        self.learn_sections(&answer);
        self.pump(now);
        Ok(answer)
    }

    /// A datagram has come from the public address `from`.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        let datagram = TaggedBytesMut {
            now,
            transport: TransportContext {
                local_addr: self.config.address,
                peer_addr: from,
                transport_protocol: TransportProtocol::UDP,
                ecn: None,
            },
            message: BytesMut::from(bytes),
        };
        if self.connection.handle_read(datagram).is_err() {
            self.errors += 1;
        }
        self.pump(now);
    }

    /// Time has come for something.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.connection.handle_timeout(now).is_err() {
            self.errors += 1;
        }
        self.send_media(now);
        for slot in &mut self.slots {
            slot.stream.handle_timeout(now);
        }
        self.pump(now);
    }

    /// When [`Self::handle_timeout`] wants to be called next.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let tracks = self.tracks.iter().filter_map(Track::poll_timeout);
        let slots = self
            .slots
            .iter()
            .filter_map(|slot| slot.stream.poll_timeout());
        let media = tracks.chain(slots).min();
        self.connection
            .poll_timeout()
            .into_iter()
            .chain(media)
            .min()
    }

    /// The next datagram to send, and the public address to send it to.
    pub fn poll_transmit(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.transmits.pop_front()
    }

    /// Tells the other side that the participant leaves.
    pub fn close(&mut self, now: Instant) {
        if self.connection.close().is_err() {
            self.errors += 1;
        }
        self.tracks.clear();
        self.pump(now);
    }

    /// Whether ICE and DTLS are up now.
    pub fn is_connected(&self) -> bool {
        self.connection_state == RTCPeerConnectionState::Connected
    }

    /// When ICE and DTLS first were up.
    pub const fn connected_at(&self) -> Option<Instant> {
        self.connected_at
    }

    /// What the stack says of ICE.
    pub const fn ice_state(&self) -> RTCIceConnectionState {
        self.ice_state
    }

    /// The address that the participant believes it has.
    pub const fn address(&self) -> SocketAddr {
        self.config.address
    }

    /// What it was made from.
    pub const fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Calls that the stack refused.
    pub const fn errors(&self) -> u64 {
        self.errors
    }

    /// What passed on the wire, after decryption.
    pub fn wire_log(&self) -> WireLog {
        self.tap.log()
    }

    /// `mid`s of the published tracks, in the order of [`ClientConfig::publish`].
    pub fn track_mids(&self) -> impl Iterator<Item = &str> {
        self.tracks.iter().map(|track| track.mid.as_str())
    }

    /// `mid`s of the receive-only sections: audio first.
    pub fn slot_mids(&self) -> impl Iterator<Item = &str> {
        self.slots.iter().map(|slot| slot.mid.as_str())
    }

    /// What comes in on the receive-only section `index`; audio sections come first.
    pub fn received(&self, index: usize) -> &ReceivedStream {
        &self.slots[index].stream
    }

    /// All receive-only sections.
    pub fn received_all(&self) -> impl Iterator<Item = &ReceivedStream> {
        self.slots.iter().map(|slot| &slot.stream)
    }

    /// Sends a data message to those with these numbers; to all if there are none.
    pub fn send_data(
        &mut self,
        now: Instant,
        reliable: bool,
        to: &[u64],
        payload: &[u8],
    ) -> Result<(), TestkitError> {
        let data = self.data.as_ref();
        let data = data.ok_or(TestkitError::NoSuch("data channel"))?;
        data.send(&mut self.connection, now, reliable, to, payload)?;
        self.pump(now);
        Ok(())
    }

    /// The data messages that came, oldest first.
    pub fn data(&self) -> &[ReceivedData] {
        let data = self.data.as_ref();
        data.map_or(&[], |data| &data.received)
    }

    /// Forgets the data messages that came.
    pub fn forget_data(&mut self) {
        if let Some(data) = &mut self.data {
            data.received.clear();
        }
    }

    /// The camera of track `index`, once media flows.
    pub fn camera(&mut self, index: usize) -> Option<&mut VideoSource> {
        match self.tracks.get_mut(index)?.source.as_mut()? {
            TrackSource::Video(video) => Some(video),
            TrackSource::Audio(_) => None,
        }
    }

    /// The microphone of track `index`, once media flows.
    pub fn microphone(&mut self, index: usize) -> Option<&mut AudioSource> {
        match self.tracks.get_mut(index)?.source.as_mut()? {
            TrackSource::Audio(audio) => Some(audio),
            TrackSource::Video(_) => None,
        }
    }

    fn local_description(&self) -> Result<String, TestkitError> {
        let description = self.connection.local_description();
        Ok(description
            .ok_or(TestkitError::NoSuch("local description"))?
            .sdp)
    }

    /// Learns what the stack called its sections and numbered its header extensions.
    fn learn_sections(&mut self, description: &str) {
        self.extensions = sdp::extensions(description);
        self.tap.set_extensions(self.extensions);
        self.tap
            .set_rtx_payload_types(config::VIDEO.map(|(_, payload_type)| payload_type + 1));
        for track in &mut self.tracks {
            track.mid = mid_of(&mut self.connection, track.transceiver);
            track.label(&self.tap);
        }
        for slot in &mut self.slots {
            slot.mid = mid_of(&mut self.connection, slot.transceiver);
        }
    }

    fn send_media(&mut self, now: Instant) {
        let since_start = now - self.origin;
        let ntp = self.ntp_origin.plus(since_start);
        let level_id = self.extensions.id(ExtensionKind::AudioLevel);
        for track in &mut self.tracks {
            let packets = track.poll_media(now, since_start);
            let level = track.audio_level();
            let reports = track.poll_reports(now, ntp, &self.cname);
            let Some(mut sender) = self.connection.rtp_sender(track.sender()) else {
                continue;
            };
            for mut packet in packets {
                if let (Some(level), Some(id)) = (level, level_id) {
                    // One byte: voice bit and level (RFC 6464).
                    let value = Bytes::from(vec![0x80 | level]);
                    let _ = packet.header.set_extension(id, value);
                }
                self.errors += u64::from(sender.write_rtp(now, packet).is_err());
            }
            for report in reports {
                self.errors += u64::from(sender.write_rtcp(now, report).is_err());
            }
        }
    }

    /// Carries what the stack has to say to where it belongs.
    fn pump(&mut self, now: Instant) {
        while let Some(event) = self.connection.poll_event() {
            self.on_event(now, event);
        }
        while let Some(message) = self.connection.poll_read() {
            match message.message {
                RTCMessage::RtpPacket(track, packet) => self.on_rtp(now, &track, packet),
                RTCMessage::DataChannelMessage(channel, message) => {
                    if let Some(data) = &mut self.data {
                        data.on_message(channel, &message);
                    }
                }
                _ => {}
            }
        }
        for ssrc in self.tap.take_keyframe_requests() {
            for track in &mut self.tracks {
                if let Some(TrackSource::Video(video)) = &mut track.source {
                    video.request_keyframe(ssrc);
                }
            }
        }
        self.send_feedback(now);
        while let Some(datagram) = self.connection.poll_write() {
            let to = datagram.transport.peer_addr;
            self.transmits.push_back((to, datagram.message.to_vec()));
        }
    }

    fn on_event(&mut self, now: Instant, event: RTCPeerConnectionEvent) {
        match event {
            RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) => {
                self.connection_state = state;
                if state == RTCPeerConnectionState::Connected && self.connected_at.is_none() {
                    self.connected_at = Some(now);
                    for track in &mut self.tracks {
                        track.start(now, &mut self.rng);
                    }
                }
            }
            RTCPeerConnectionEvent::OnIceConnectionStateChangeEvent(state) => {
                self.ice_state = state;
            }
            RTCPeerConnectionEvent::OnTrack(RTCTrackEvent::OnOpen(track)) => {
                let transceiver = RTCRtpTransceiverId::from(track.receiver_id);
                let mid = mid_of(&mut self.connection, transceiver);
                if let Some(index) = self.slots.iter().position(|slot| slot.mid == mid) {
                    self.slot_of_track.insert(track.track_id, index);
                }
            }
            _ => {}
        }
    }

    fn on_rtp(&mut self, now: Instant, track: &str, packet: rtp::Packet) {
        let slot = self.slot_of_track.get(track).copied();
        let Some(slot) = slot.and_then(|index| self.slots.get_mut(index)) else {
            self.errors += 1;
            return;
        };
        let packet = IncomingPacket {
            ssrc: Ssrc(packet.header.ssrc),
            sequence: SequenceNumber(packet.header.sequence_number),
            timestamp: RtpTimestamp(packet.header.timestamp),
            marker: packet.header.marker,
            codec: config::video_codec(packet.header.payload_type),
            payload: packet.payload,
        };
        slot.stream.on_packet(now, packet);
    }

    /// NACKs and keyframe requests of all slots.
    fn send_feedback(&mut self, now: Instant) {
        for slot in &mut self.slots {
            let Some(Ssrc(media_ssrc)) = slot.stream.ssrc() else {
                continue;
            };
            let mut packets: Vec<Box<dyn rtc::rtcp::Packet>> = Vec::new();
            let missing: Vec<u16> = slot
                .stream
                .poll_nack(now)
                .into_iter()
                .map(|sequence| sequence.0)
                .collect();
            if !missing.is_empty() {
                packets.push(Box::new(TransportLayerNack {
                    sender_ssrc: 1,
                    media_ssrc,
                    nacks: nack_pairs_from_sequence_numbers(&missing),
                }));
            }
            if slot.stream.poll_pli(now) {
                packets.push(Box::new(PictureLossIndication {
                    sender_ssrc: 1,
                    media_ssrc,
                }));
            }
            if packets.is_empty() {
                continue;
            }
            let id = RTCRtpReceiverId::from(slot.transceiver);
            if let Some(mut receiver) = self.connection.rtp_receiver(id) {
                self.errors += u64::from(receiver.write_rtcp(now, packets).is_err());
            }
        }
    }
}

impl Slot {
    fn add(connection: &mut RTCPeerConnection, kind: StreamKind) -> Result<Self, TestkitError> {
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Recvonly,
            ..RTCRtpTransceiverInit::default()
        };
        let codec_kind = match kind {
            StreamKind::Audio => RtpCodecKind::Audio,
            StreamKind::Video => RtpCodecKind::Video,
        };
        Ok(Self {
            transceiver: connection.add_transceiver_from_kind(codec_kind, Some(init))?,
            mid: String::new(),
            stream: ReceivedStream::new(kind),
        })
    }
}

fn mid_of(connection: &mut RTCPeerConnection, transceiver: RTCRtpTransceiverId) -> String {
    connection
        .rtp_transceiver(transceiver)
        .and_then(|transceiver| transceiver.mid().clone())
        .unwrap_or_default()
}
