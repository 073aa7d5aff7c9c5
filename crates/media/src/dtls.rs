//! The passive side of DTLS 1.2 (RFC 6347) as WebRTC uses it (RFC 5763, RFC 5764): the handshake
//! gives SRTP its keys, and the records carry SCTP.
//!
//! Invariants: keys are handed out only after the client has shown the certificate whose
//! fingerprint was signalled; time comes from arguments only; a datagram that is not well-formed
//! changes nothing.

mod client_hello;
mod flight;
mod records;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use plenum_types::{DropReason, Fingerprint, SrtpProfile};
use rtc_crypto::SecretVec;
use rtc_dtls::config::{
    ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig,
    VerifyPeerCertificateFn,
};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;

use crate::certificate::{fingerprint_len, fingerprint_of};
use crate::{Certificate, MediaError, keying_material_len};
use client_hello::{Collector, FirstFlight};
use flight::Flight;
use records::Gate;

/// Label of the exported keying material (RFC 5764 §4.2).
const EXPORT_LABEL: &str = "EXTRACTOR-dtls_srtp";

/// Size at which the library cuts handshake messages. With headers of record and fragment the
/// datagram stays below 1,200 bytes, which every path carries.
const HANDSHAKE_MTU: usize = 1150;

/// The library keys its connections by remote address. There is one here, and it roams.
const REMOTE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9));

/// What came out of DTLS.
pub(crate) enum DtlsEvent {
    /// The handshake is done and the certificate is the signalled one.
    Connected {
        profile: SrtpProfile,
        keying_material: SecretVec,
    },
    /// An SCTP packet.
    Data(BytesMut),
    /// The client sent close_notify.
    ClosedByClient,
    /// The handshake failed, or a fatal alert came.
    Failed,
}

enum State {
    /// Nothing but parts of a ClientHello so far.
    Hello(Collector),
    Handshaking {
        endpoint: Box<Endpoint>,
        profile: Option<SrtpProfile>,
    },
    Connected(Box<Endpoint>),
    Over,
}

/// DTLS with one client.
pub(crate) struct Dtls {
    certificate: Certificate,
    remote: Fingerprint,
    state: State,
    gate: Gate,
    flight: Flight,
    outgoing: Vec<Vec<u8>>,
}

impl Dtls {
    pub(crate) fn new(certificate: &Certificate, remote: &Fingerprint) -> Result<Self, MediaError> {
        if remote.bytes.len() != fingerprint_len(remote.algorithm) {
            return Err(MediaError::FingerprintLength);
        }
        Ok(Self {
            certificate: certificate.clone(),
            remote: remote.clone(),
            state: State::Hello(Collector::default()),
            gate: Gate::default(),
            flight: Flight::default(),
            outgoing: Vec::new(),
        })
    }

    /// Datagrams to send since the last call.
    pub(crate) fn take_outgoing(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outgoing)
    }

    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: &[u8],
        events: &mut Vec<DtlsEvent>,
    ) -> Result<(), DropReason> {
        let connected = matches!(self.state, State::Connected(_));
        let repeated = self.gate.admit(datagram, connected)?;
        match &mut self.state {
            State::Over => Err(DropReason::DtlsRefused),
            State::Hello(collector) => {
                if let Some(flight) = collector.push(datagram)? {
                    self.start(now, flight, events);
                }
                Ok(())
            }
            State::Handshaking { .. } | State::Connected(_) => {
                self.feed(now, datagram, repeated, events)
            }
        }
    }

    fn start(&mut self, now: Instant, first: FirstFlight, events: &mut Vec<DtlsEvent>) {
        let Ok(config) = self.handshake_config(first.profile) else {
            self.fail(events);
            return;
        };
        let endpoint = Endpoint::new(REMOTE, TransportProtocol::UDP, Some(Arc::new(config)));
        self.state = State::Handshaking {
            endpoint: Box::new(endpoint),
            profile: first.profile,
        };
        for datagram in first.datagrams {
            // A refusal has been turned into an event.
            let _ = self.feed(now, &datagram, false, events);
        }
    }

    fn handshake_config(&self, profile: Option<SrtpProfile>) -> Result<HandshakeConfig, Error> {
        // Without a common profile the library says so to the client.
        let profile = profile.unwrap_or(SrtpProfile::AeadAes128Gcm);
        ConfigBuilder::default()
            .with_crypto_provider(self.certificate.provider())
            .with_certificates(vec![self.certificate.dtls()])
            .with_srtp_protection_profiles(vec![client_hello::profile_id(profile).into()])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // There is no chain to verify: the fingerprint is what authenticates.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(verifier(self.remote.clone())))
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_mtu(HANDSHAKE_MTU)
            .build(false, None)
    }

    fn feed(
        &mut self,
        now: Instant,
        datagram: &[u8],
        repeated: bool,
        events: &mut Vec<DtlsEvent>,
    ) -> Result<(), DropReason> {
        let (State::Handshaking { endpoint, .. } | State::Connected(endpoint)) = &mut self.state
        else {
            return Err(DropReason::DtlsRefused);
        };
        let result = endpoint.read(now, REMOTE, None, BytesMut::from(datagram));
        let sent = drain(endpoint);
        self.send_flight(now, sent, repeated);
        match result {
            Ok(list) => {
                for event in list {
                    self.on_endpoint_event(event, events);
                }
                Ok(())
            }
            Err(error) => self.on_error(&error, events),
        }
    }

    /// Sends what the library answered, and repeats the last answer to a client that missed it.
    fn send_flight(&mut self, now: Instant, sent: Vec<Vec<u8>>, repeated: bool) {
        if matches!(self.state, State::Handshaking { .. }) {
            if !sent.is_empty() {
                self.flight.on_sent(now, &sent);
            } else if repeated {
                let again = self.flight.on_repeated_by_client(now);
                self.outgoing.extend_from_slice(again);
            }
        }
        self.outgoing.extend(sent);
    }

    fn on_endpoint_event(&mut self, event: EndpointEvent, events: &mut Vec<DtlsEvent>) {
        match event {
            EndpointEvent::HandshakeComplete => self.on_handshake_complete(events),
            EndpointEvent::ApplicationData(data) => {
                if matches!(self.state, State::Connected(_)) {
                    events.push(DtlsEvent::Data(data));
                }
            }
            EndpointEvent::PeerClosed => {
                self.end();
                events.push(DtlsEvent::ClosedByClient);
            }
            _ => {}
        }
    }

    fn on_handshake_complete(&mut self, events: &mut Vec<DtlsEvent>) {
        self.flight.clear();
        let State::Handshaking { endpoint, profile } =
            std::mem::replace(&mut self.state, State::Over)
        else {
            return;
        };
        match profile.and_then(|profile| Some((profile, self.export(&endpoint, profile)?))) {
            Some((profile, keying_material)) => {
                self.state = State::Connected(endpoint);
                events.push(DtlsEvent::Connected {
                    profile,
                    keying_material,
                });
            }
            None => self.fail(events),
        }
    }

    /// The keying material, if certificate and profile are what they must be.
    fn export(&self, endpoint: &Endpoint, profile: SrtpProfile) -> Option<SecretVec> {
        let state = endpoint.get_connection_state(REMOTE)?;
        let negotiated = SrtpProtectionProfile::from(client_hello::profile_id(profile));
        if state.srtp_protection_profile() != negotiated
            || !certificate_matches(&state.peer_certificates, &self.remote)
        {
            return None;
        }
        state
            .export_keying_material(EXPORT_LABEL, &[], keying_material_len(profile))
            .ok()
    }

    fn on_error(&mut self, error: &Error, events: &mut Vec<DtlsEvent>) -> Result<(), DropReason> {
        // Once connected, the library reports warnings of the client in this way.
        let is_warning =
            matches!(self.state, State::Connected(_)) && matches!(error, Error::Other(_));
        if !is_warning {
            tracing::debug!(%error, "DTLS failed");
            self.fail(events);
        }
        Err(DropReason::DtlsRefused)
    }

    fn fail(&mut self, events: &mut Vec<DtlsEvent>) {
        self.end();
        events.push(DtlsEvent::Failed);
    }

    fn end(&mut self) {
        self.flight.clear();
        self.state = State::Over;
    }

    /// Sends an SCTP packet. Refused before the handshake is done.
    pub(crate) fn send(&mut self, now: Instant, packet: &[u8]) -> Result<(), DropReason> {
        let State::Connected(endpoint) = &mut self.state else {
            return Err(DropReason::NoKeys);
        };
        endpoint
            .write(now, REMOTE, packet)
            .map_err(|_| DropReason::DtlsRefused)?;
        self.outgoing.extend(drain(endpoint));
        Ok(())
    }

    /// Says goodbye by close_notify (RFC 5246 §7.2.1), if there is anybody to say it to.
    pub(crate) fn close(&mut self, now: Instant) {
        if let State::Handshaking { endpoint, .. } | State::Connected(endpoint) = &mut self.state {
            endpoint.stop(now, REMOTE);
            self.outgoing.extend(drain(endpoint));
        }
        self.end();
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let again = self.flight.handle_timeout(now);
        self.outgoing.extend_from_slice(again);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.flight.poll_timeout()
    }
}

fn drain(endpoint: &mut Endpoint) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| endpoint.poll_transmit())
        .map(|transmit| transmit.message.to_vec())
        .collect()
}

fn verifier(expected: Fingerprint) -> VerifyPeerCertificateFn {
    Arc::new(move |certificates, _chains| {
        if certificate_matches(certificates, &expected) {
            Ok(())
        } else {
            Err(Error::ErrNoMatchingCertificateFingerprint)
        }
    })
}

/// Whether the first certificate, the client's own, has the signalled fingerprint.
fn certificate_matches(certificates: &[Vec<u8>], expected: &Fingerprint) -> bool {
    certificates
        .first()
        .is_some_and(|der| fingerprint_of(der, expected.algorithm) == *expected)
}
