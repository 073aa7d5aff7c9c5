//! A client that joins a shard in virtual time: one ICE check, the DTLS handshake, and the SRTP
//! keys that come of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest;
use bytes::BytesMut;
use plenum_engine::{NoLinks, Shard};
use plenum_media::{SrtpSession, keying_material_len};
use plenum_types::{
    Fingerprint, FingerprintAlgorithm, IceCredentials, MediaCommand, Path, PeerConfig, PeerId,
    Remote, RoomId, Secret, SrtpProfile,
};
use rtc_crypto::RTCCryptoProvider;
use rtc_crypto::providers::AwsLcRsProvider;
use rtc_dtls::config::ConfigBuilder;
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_stun::attributes::{ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType};
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, Message, Setter, TransactionId};
use rtc_stun::textattrs::TextAttribute;

use crate::batch::Outbox;

/// Where the shard listens, as clients see it.
const SHARD: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(10, 255, 0, 1)), 7_882);
/// ICE-CONTROLLING (RFC 8445 §16.1).
const ICE_CONTROLLING: AttrType = AttrType(0x802a);
/// Label of the exported keying material (RFC 5764 §4.2).
const EXPORT_LABEL: &str = "EXTRACTOR-dtls_srtp";
/// Flights of a handshake are six; more than this is an endless exchange.
const EXCHANGES_MAX: usize = 20;
/// DTLS records begin with these (RFC 7983 §7).
const DTLS_FIRST_BYTES: std::ops::RangeInclusive<u8> = 20..=63;

/// What all clients of a bench share: one certificate, and the library behind it.
pub(crate) struct Clients {
    provider: Arc<dyn RTCCryptoProvider>,
    certificate: Certificate,
    room: RoomId,
}

/// A client that has joined.
pub(crate) struct Client {
    /// Its datagrams' way.
    pub(crate) path: Path,
    /// The ICE check that keeps it alive; may be sent any number of times.
    pub(crate) check: Vec<u8>,
    /// Its end of SRTP.
    pub(crate) srtp: SrtpSession,
}

impl Clients {
    /// Clients of one room.
    ///
    /// # Panics
    ///
    /// If no certificate can be made.
    pub(crate) fn new(room: RoomId) -> Self {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let names = vec!["client".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto())
            .expect("a certificate can be made");
        Self {
            provider,
            certificate,
            room,
        }
    }

    /// Joins `shard` as peer `number`, offering nothing but `profile`.
    ///
    /// # Panics
    ///
    /// If the handshake does not succeed.
    pub(crate) fn join(
        &self,
        shard: &mut Shard,
        now: Instant,
        number: u32,
        profile: SrtpProfile,
    ) -> Client {
        let config = self.config(number);
        let check = self.check(&config);
        let [_, high, middle, low] = number.to_be_bytes();
        let path = Path {
            remote: Remote::udp(([10, high, middle, low], 5_000).into()),
            local_ip: Some(SHARD.ip()),
        };
        shard.handle_command(now, MediaCommand::AddPeer(Box::new(config)));
        let mut sent = Outbox::default();
        shard.handle_datagram(now, path, &mut check.clone(), &mut sent, &mut NoLinks);
        shard.flush(now, &mut sent, &mut NoLinks);
        let srtp = self.handshake(shard, now, path, profile);
        while shard.poll_event().is_some() {}
        Client { path, check, srtp }
    }

    fn config(&self, number: u32) -> PeerConfig {
        let credentials = |side: &str| IceCredentials {
            ufrag: format!("{side}{number:06}"),
            password: Secret(format!("{side}-password-of-peer-{number:06}")),
        };
        let der = &self.certificate.certificate[0];
        PeerConfig {
            peer: PeerId(u64::from(number)),
            room: self.room,
            local: credentials("server"),
            remote: credentials("client"),
            remote_fingerprint: Fingerprint {
                algorithm: FingerprintAlgorithm::Sha256,
                bytes: digest::digest(&digest::SHA256, der).as_ref().to_vec(),
            },
            cname: format!("plenum-{number}"),
        }
    }

    /// An ICE check that nominates, as a browser sends it.
    fn check(&self, config: &PeerConfig) -> Vec<u8> {
        let username = format!("{}:{}", config.local.ufrag, config.remote.ufrag);
        let mut message = Message::new();
        message
            .build(&[
                Box::new(TransactionId::new()),
                Box::new(BINDING_REQUEST),
                Box::new(TextAttribute::new(ATTR_USERNAME, username)),
            ])
            .expect("a binding request can be built");
        message.add(ICE_CONTROLLING, &[1; 8]);
        message.add(ATTR_PRIORITY, &[0x6e, 0, 1, 0xff]);
        message.add(ATTR_USE_CANDIDATE, &[]);
        let password = config.local.password.0.clone();
        MessageIntegrity::new_short_term_integrity_with_provider(password, self.provider.crypto())
            .add_to(&mut message)
            .and_then(|()| rtc_stun::fingerprint::FINGERPRINT.add_to(&mut message))
            .expect("a binding request can be signed");
        message.raw
    }

    fn handshake(
        &self,
        shard: &mut Shard,
        now: Instant,
        path: Path,
        profile: SrtpProfile,
    ) -> SrtpSession {
        let config = ConfigBuilder::default()
            .with_crypto_provider(self.provider.clone())
            .with_certificates(vec![self.certificate.clone()])
            .with_srtp_protection_profiles(vec![offered(profile)])
            .with_insecure_skip_verify(true)
            .build(true, None)
            .expect("a DTLS configuration");
        let mut dtls = Endpoint::new(path.remote.address, TransportProtocol::UDP, None);
        dtls.connect(now, SHARD, Arc::new(config), None)
            .expect("a handshake can begin");
        let mut complete = false;
        for _ in 0..EXCHANGES_MAX {
            for answer in exchange(&mut dtls, shard, now, path) {
                let events = dtls.read(now, SHARD, None, BytesMut::from(&answer[..]));
                let events = events.expect("a DTLS record of the shard");
                complete |= events
                    .iter()
                    .any(|event| matches!(event, EndpointEvent::HandshakeComplete));
            }
            if complete {
                break;
            }
        }
        assert!(complete, "no handshake in {EXCHANGES_MAX} exchanges");
        let state = dtls.get_connection_state(SHARD).expect("a connection");
        let keys = state
            .export_keying_material(EXPORT_LABEL, &[], keying_material_len(profile))
            .expect("keys");
        SrtpSession::new(profile, keys.as_ref(), true).expect("a supported profile")
    }
}

/// Gives the shard what the client has to send; returns the DTLS that it answers.
fn exchange(dtls: &mut Endpoint, shard: &mut Shard, now: Instant, path: Path) -> Vec<Vec<u8>> {
    let mut sent = Outbox::default();
    while let Some(transmit) = dtls.poll_transmit() {
        let mut datagram = transmit.message.to_vec();
        shard.handle_datagram(now, path, &mut datagram, &mut sent, &mut NoLinks);
    }
    shard.flush(now, &mut sent, &mut NoLinks);
    let mut answers = sent.datagrams;
    answers.retain(|datagram| DTLS_FIRST_BYTES.contains(&datagram[0]));
    answers
}

const fn offered(profile: SrtpProfile) -> SrtpProtectionProfile {
    match profile {
        SrtpProfile::AeadAes128Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
        SrtpProfile::AeadAes256Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
        SrtpProfile::Aes128CmSha1_80 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
    }
}
