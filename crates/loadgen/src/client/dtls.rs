//! DTLS 1.2 as the client, up to the keys of SRTP. After that the handshake is dropped: its state
//! is most of what an idle client would weigh, and the server's last flight, which has come,
//! proves that ours did.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Instant;

use bytes::BytesMut;
use plenum_media::{SrtpSession, keying_material_len};
use plenum_types::{Fingerprint, SrtpProfile};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;

use super::identity::{Identity, fingerprint};

/// Label of the exported keying material (RFC 5764 §4.2).
const EXPORT_LABEL: &str = "EXTRACTOR-dtls_srtp";
/// The library keys its connections by remote address. There is one here.
const REMOTE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9));

/// What a handshake came to.
pub(super) enum Progress {
    /// Not done.
    Going,
    /// Done: the keys, and the profile they are for.
    Done(Box<SrtpSession>, SrtpProfile),
    /// It cannot be done.
    Failed(String),
}

/// A handshake under way.
pub(super) struct Handshake {
    endpoint: Endpoint,
    remote: Fingerprint,
}

impl Handshake {
    /// Sends the ClientHello.
    pub(super) fn start(
        now: Instant,
        identity: &Identity,
        remote: Fingerprint,
    ) -> Result<Self, String> {
        let mut endpoint = Endpoint::new(REMOTE, TransportProtocol::UDP, None);
        endpoint
            .connect(now, REMOTE, identity.handshake(), None)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            endpoint,
            remote,
        })
    }

    pub(super) fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Progress {
        match self
            .endpoint
            .read(now, REMOTE, None, BytesMut::from(datagram))
        {
            Ok(events) => events
                .into_iter()
                .find_map(|event| self.on_event(&event))
                .unwrap_or(Progress::Going),
            Err(error) => Progress::Failed(error.to_string()),
        }
    }

    fn on_event(&self, event: &EndpointEvent) -> Option<Progress> {
        match event {
            EndpointEvent::HandshakeComplete => Some(match self.keys() {
                Ok((session, profile)) => Progress::Done(session, profile),
                Err(reason) => Progress::Failed(reason),
            }),
            EndpointEvent::PeerClosed => {
                Some(Progress::Failed("the server closed the handshake".to_owned()))
            }
            _ => None,
        }
    }

    fn keys(&self) -> Result<(Box<SrtpSession>, SrtpProfile), String> {
        let state = self
            .endpoint
            .get_connection_state(REMOTE)
            .ok_or("the handshake left no state")?;
        let certificate = state.peer_certificates.first();
        let expected = &self.remote;
        if !certificate.is_some_and(|der| fingerprint(der, expected.algorithm) == *expected) {
            return Err("the server's certificate is not the one it signalled".to_owned());
        }
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => SrtpProfile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => SrtpProfile::AeadAes256Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => SrtpProfile::Aes128CmSha1_80,
            other => return Err(format!("the server chose no SRTP profile of ours: {other:?}")),
        };
        let material = state
            .export_keying_material(EXPORT_LABEL, &[], keying_material_len(profile))
            .map_err(|error| error.to_string())?;
        let session = SrtpSession::new(profile, material.as_ref(), true)
            .map_err(|error| error.to_string())?;
        Ok((Box::new(session), profile))
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Progress {
        match self.endpoint.handle_timeout(REMOTE, now) {
            Ok(()) => Progress::Going,
            Err(error) => Progress::Failed(error.to_string()),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout(&REMOTE)
    }

    pub(super) fn poll_transmit(&mut self) -> Option<BytesMut> {
        Some(self.endpoint.poll_transmit()?.message)
    }
}
