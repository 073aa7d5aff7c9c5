//! A peer and a client with a network between them that delays and loses, in virtual time.

use std::net::SocketAddr;
use std::time::Instant;

use plenum_types::{
    DropReason, Fingerprint, FingerprintAlgorithm, IceCredentials, Path, PeerConfig, PeerId,
    RoomId, Secret,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;

use super::client::Client;
use crate::peer::test_clock::at;
use crate::{Certificate, Peer, PeerEvent, Protocol, demux};

/// One way.
const DELAY_MS: u64 = 10;
const CHECK_INTERVAL_MS: u64 = 2_500;

pub(super) const PASSWORD: &str = "the password of the server";

pub(super) fn path(port: u16) -> Path {
    Path::to(SocketAddr::from(([192, 0, 2, 1], port)))
}

pub(super) fn credentials(ufrag: &str, password: &str) -> IceCredentials {
    IceCredentials {
        ufrag: ufrag.to_owned(),
        password: Secret(password.to_owned()),
    }
}

pub(super) fn config(fingerprint: Fingerprint) -> PeerConfig {
    PeerConfig {
        peer: PeerId(1),
        room: RoomId(1),
        local: credentials("here", PASSWORD),
        remote: credentials("there", "the password of the client"),
        remote_fingerprint: fingerprint,
        cname: "plenum".to_owned(),
    }
}

struct InFlight {
    due_ms: u64,
    to_server: bool,
    bytes: Vec<u8>,
}

pub(super) struct Call {
    pub(super) peer: Peer,
    pub(super) client: Client,
    pub(super) certificate: Certificate,
    pub(super) now_ms: u64,
    pub(super) path: Path,
    /// Share of datagrams lost, checks and their answers excepted.
    pub(super) loss: f64,
    pub(super) events: Vec<PeerEvent>,
    pub(super) refused: Vec<DropReason>,
    pub(super) largest_datagram: usize,
    pub(super) checks: bool,
    next_check_ms: u64,
    rng: StdRng,
    network: Vec<InFlight>,
}

impl Call {
    pub(super) fn new() -> Self {
        let client = Client::new();
        let fingerprint = client.fingerprint(FingerprintAlgorithm::Sha256);
        Self::with_fingerprint(client, fingerprint, 1)
    }

    pub(super) fn with_fingerprint(client: Client, fingerprint: Fingerprint, seed: u64) -> Self {
        let certificate = Certificate::generate().unwrap();
        let mut rng = StdRng::seed_from_u64(seed);
        let peer = Peer::new(&config(fingerprint), &certificate, at(0), &mut rng).unwrap();
        Self {
            peer,
            client,
            certificate,
            now_ms: 0,
            path: path(1),
            loss: 0.0,
            events: Vec::new(),
            refused: Vec::new(),
            largest_datagram: 0,
            checks: true,
            next_check_ms: 0,
            rng,
            network: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Instant {
        at(self.now_ms)
    }

    /// Checks first, then DTLS, as a browser does.
    pub(super) fn connect(&mut self, profiles: Vec<SrtpProtectionProfile>) {
        self.run(50);
        let now = self.now();
        self.client.connect(now, profiles);
    }

    /// A call with media keys on both sides.
    pub(super) fn connected() -> Self {
        let mut call = Self::new();
        call.connect(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm]);
        assert!(call.run_until(2_000, |call| call.client.session.is_some()));
        call.run(100);
        call
    }

    pub(super) fn run(&mut self, ms: u64) {
        self.run_until(ms, |_| false);
    }

    /// Lets time pass until `done`, for at most `ms`. Says whether `done` came true.
    pub(super) fn run_until(&mut self, ms: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            self.tick();
            if done(self) {
                return true;
            }
            self.now_ms += 1;
        }
        done(self)
    }

    fn tick(&mut self) {
        let now = self.now();
        if self.checks && self.now_ms >= self.next_check_ms {
            self.next_check_ms = self.now_ms + CHECK_INTERVAL_MS;
            let check = self.client.check("here:there", PASSWORD, true);
            let _ = self.peer.handle_stun(now, self.path, &check);
        }
        self.client.handle_timeout(now);
        if self.peer.poll_timeout().is_some_and(|(due, _)| now >= due) {
            self.peer.handle_timeout(now);
        }
        self.deliver(now);
        self.collect();
    }

    fn deliver(&mut self, now: Instant) {
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.network)
            .into_iter()
            .partition(|datagram| datagram.due_ms <= self.now_ms);
        self.network = later;
        for datagram in due {
            if !datagram.to_server {
                self.client.handle_dtls(now, &datagram.bytes);
            } else if let Err(reason) = self.peer.handle_dtls(now, self.path, &datagram.bytes) {
                self.refused.push(reason);
            }
        }
    }

    fn collect(&mut self) {
        while let Some(transmit) = self.peer.poll_transmit() {
            if demux(&transmit.bytes) == Protocol::Dtls && transmit.path == self.path {
                self.largest_datagram = self.largest_datagram.max(transmit.bytes.len());
                self.put(false, transmit.bytes);
            }
        }
        for bytes in std::mem::take(&mut self.client.outgoing) {
            self.put(true, bytes);
        }
        while let Some(event) = self.peer.poll_event() {
            self.events.push(event);
        }
    }

    fn put(&mut self, to_server: bool, bytes: Vec<u8>) {
        if self.loss > 0.0 && self.rng.random_bool(self.loss) {
            return;
        }
        self.network.push(InFlight {
            due_ms: self.now_ms + DELAY_MS,
            to_server,
            bytes,
        });
    }
}
