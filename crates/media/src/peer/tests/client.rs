//! A WebRTC client made of the protocol crates: ICE checks, DTLS as client, SCTP as initiator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use plenum_types::{Fingerprint, FingerprintAlgorithm, SrtpProfile};
use rtc_crypto::RTCCryptoProvider;
use rtc_crypto::providers::AwsLcRsProvider;
use rtc_dtls::config::ConfigBuilder;
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_sctp::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Event, Payload,
    PayloadProtocolIdentifier as Ppi, StreamEvent, TransportConfig,
};
use rtc_shared::TransportProtocol;
use rtc_stun::attributes::{ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType};
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, Message, Setter, TransactionId};
use rtc_stun::textattrs::TextAttribute;

use crate::certificate::fingerprint_of;
use crate::{SrtpSession, keying_material_len};

const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7);
const ICE_CONTROLLING: AttrType = AttrType(0x802a);

pub(super) const BINARY: Ppi = Ppi::Binary;

/// Changes SCTP packets before they are sent.
type Damage = Box<dyn FnMut(&mut Vec<u8>)>;

/// A message on a data channel: stream, kind, bytes.
pub(super) type Received = (u16, Ppi, Vec<u8>);

pub(super) struct Client {
    dtls: Endpoint,
    certificate: Certificate,
    provider: Arc<dyn RTCCryptoProvider>,
    sctp: rtc_sctp::Endpoint,
    association: Option<(AssociationHandle, Association)>,
    pub(super) session: Option<SrtpSession>,
    pub(super) profile: Option<SrtpProfile>,
    pub(super) closed: bool,
    pub(super) failed: bool,
    pub(super) sctp_connected: bool,
    pub(super) received: Vec<Received>,
    pub(super) outgoing: Vec<Vec<u8>>,
    pub(super) damage_sctp: Option<Damage>,
}

impl Client {
    pub(super) fn new() -> Self {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let certificate =
            Certificate::generate_self_signed(vec!["client".to_owned()], provider.crypto())
                .unwrap();
        Self {
            dtls: Endpoint::new(SERVER, TransportProtocol::UDP, None),
            certificate,
            provider,
            sctp: rtc_sctp::Endpoint::new(SERVER, TransportProtocol::UDP, Arc::default(), None),
            association: None,
            session: None,
            profile: None,
            closed: false,
            failed: false,
            sctp_connected: false,
            received: Vec::new(),
            outgoing: Vec::new(),
            damage_sctp: None,
        }
    }

    pub(super) fn fingerprint(&self, algorithm: FingerprintAlgorithm) -> Fingerprint {
        fingerprint_of(&self.certificate.certificate[0], algorithm)
    }

    /// An ICE check as a browser sends it.
    pub(super) fn check(&self, username: &str, password: &str, nominate: bool) -> Vec<u8> {
        let mut message = Message::new();
        message
            .build(&[
                Box::new(TransactionId::new()),
                Box::new(BINDING_REQUEST),
                Box::new(TextAttribute::new(ATTR_USERNAME, username.to_owned())),
            ])
            .unwrap();
        message.add(ICE_CONTROLLING, &[1; 8]);
        message.add(ATTR_PRIORITY, &[0x6e, 0, 1, 0xff]);
        if nominate {
            message.add(ATTR_USE_CANDIDATE, &[]);
        }
        MessageIntegrity::new_short_term_integrity_with_provider(
            password.to_owned(),
            self.provider.crypto(),
        )
        .add_to(&mut message)
        .unwrap();
        rtc_stun::fingerprint::FINGERPRINT
            .add_to(&mut message)
            .unwrap();
        message.raw
    }

    pub(super) fn connect(&mut self, now: Instant, profiles: Vec<SrtpProtectionProfile>) {
        let config = ConfigBuilder::default()
            .with_crypto_provider(self.provider.clone())
            .with_certificates(vec![self.certificate.clone()])
            .with_srtp_protection_profiles(profiles)
            .with_insecure_skip_verify(true)
            .with_flight_interval(Duration::from_millis(200))
            .build(true, None)
            .unwrap();
        self.dtls
            .connect(now, SERVER, Arc::new(config), None)
            .unwrap();
        self.drain_dtls();
    }

    pub(super) fn handle_dtls(&mut self, now: Instant, datagram: &[u8]) {
        let result = self.dtls.read(now, SERVER, None, BytesMut::from(datagram));
        self.drain_dtls();
        let Ok(events) = result else {
            self.failed = true;
            return;
        };
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => self.on_handshake_complete(),
                EndpointEvent::ApplicationData(packet) => self.handle_sctp(now, packet.freeze()),
                EndpointEvent::PeerClosed => self.closed = true,
                _ => {}
            }
        }
    }

    fn on_handshake_complete(&mut self) {
        let state = self.dtls.get_connection_state(SERVER).unwrap();
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => SrtpProfile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => SrtpProfile::AeadAes256Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => SrtpProfile::Aes128CmSha1_80,
            _ => return,
        };
        let material = state
            .export_keying_material("EXTRACTOR-dtls_srtp", &[], keying_material_len(profile))
            .unwrap();
        self.session = Some(SrtpSession::new(profile, material.as_ref(), true).unwrap());
        self.profile = Some(profile);
    }

    /// The certificate that the server showed.
    pub(super) fn server_fingerprint(&self) -> Fingerprint {
        let state = self.dtls.get_connection_state(SERVER).unwrap();
        fingerprint_of(&state.peer_certificates[0], FingerprintAlgorithm::Sha256)
    }

    pub(super) fn close(&mut self, now: Instant) {
        self.dtls.stop(now, SERVER);
        self.drain_dtls();
    }

    /// Any bytes inside a DTLS record.
    pub(super) fn send_record(&mut self, now: Instant, bytes: &[u8]) {
        self.dtls.write(now, SERVER, bytes).unwrap();
        self.drain_dtls();
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self
            .dtls
            .poll_timeout(&SERVER)
            .is_some_and(|due| now >= due)
        {
            self.failed |= self.dtls.handle_timeout(SERVER, now).is_err();
            self.drain_dtls();
        }
        if let Some((_, association)) = &mut self.association
            && association.poll_timeout().is_some_and(|due| now >= due)
        {
            association.handle_timeout(now);
            self.on_sctp_progress(now);
        }
    }

    fn drain_dtls(&mut self) {
        while let Some(transmit) = self.dtls.poll_transmit() {
            self.outgoing.push(transmit.message.to_vec());
        }
    }

    pub(super) fn connect_sctp(&mut self, now: Instant) {
        let config = ClientConfig::new(TransportConfig::default());
        self.association = Some(self.sctp.connect(now, config, SERVER).unwrap());
        self.on_sctp_progress(now);
    }

    pub(super) fn open_channel(&mut self, now: Instant, id: u16, open: &[u8]) {
        let (_, association) = self.association.as_mut().unwrap();
        if let Ok(mut stream) = association.open_stream(id, Ppi::Dcep) {
            let _ = stream.write_with_ppi(now, open, Ppi::Dcep);
        }
        self.on_sctp_progress(now);
    }

    pub(super) fn send_on_channel(&mut self, now: Instant, id: u16, ppi: Ppi, bytes: &[u8]) {
        let (_, association) = self.association.as_mut().unwrap();
        if let Ok(mut stream) = association.stream(id) {
            let _ = stream.write_with_ppi(now, bytes, ppi);
        }
        self.on_sctp_progress(now);
    }

    fn handle_sctp(&mut self, now: Instant, packet: Bytes) {
        let Some((_, event)) = self.sctp.handle(now, SERVER, None, packet) else {
            return;
        };
        if let (DatagramEvent::AssociationEvent(event), Some((_, association))) =
            (event, &mut self.association)
        {
            association.handle_event(event);
        }
        self.on_sctp_progress(now);
    }

    fn on_sctp_progress(&mut self, now: Instant) {
        let Some((_, association)) = &mut self.association else {
            return;
        };
        while let Some(event) = association.poll() {
            match event {
                Event::Connected => self.sctp_connected = true,
                Event::Stream(StreamEvent::Readable { id }) => {
                    let mut stream = association.stream(id).unwrap();
                    while let Ok(Some(chunks)) = stream.read_sctp() {
                        let bytes = chunks.to_payload(usize::MAX).unwrap().to_vec();
                        self.received.push((id, chunks.ppi, bytes));
                    }
                }
                _ => {}
            }
        }
        let mut packets = Vec::new();
        while let Some(transmit) = association.poll_transmit(now) {
            if let Payload::RawEncode(list) = transmit.message {
                packets.extend(list);
            }
        }
        for packet in packets {
            let mut packet = packet.to_vec();
            if let Some(damage) = &mut self.damage_sctp {
                damage(&mut packet);
            }
            self.send_record(now, &packet);
        }
    }
}
