//! One client's transport as a state machine without IO: ICE, DTLS, SRTP, what it sends and what
//! it receives. Datagrams and time go in, datagrams go to an [`Outbox`], facts to a [`Tally`].
//!
//! | file | one idea |
//! |---|---|
//! | `sdp` | what it says of itself, and what the server says |
//! | `identity` | what all clients share |
//! | `ice`, `dtls` | the way to the server, and keys |
//! | `receiver` | streams received: loss, repair, feedback, pictures |
//! | `outbox` | what is to be sent |
//! | `context` | what is lent to a client while it is at work |

mod context;
mod dtls;
mod ice;
mod identity;
mod outbox;
mod receiver;
pub(crate) mod sdp;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use plenum_media::{Protocol, SRTCP_OVERHEAD, SrtpSession, demux};
use plenum_rtp::rtcp::{RtcpPackets, RtcpWriter};
use plenum_types::{DropReason, SrtpProfile, Ssrc};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::measure::JoinTimes;
use crate::media::{Publisher, TrackPlan};
use dtls::{Handshake, Progress};
use ice::{Ice, IceEvent};
use sdp::{Description, Setup};

pub(crate) use context::{Clock, Context, Tally};
pub(crate) use identity::Identity;
pub(crate) use outbox::Outbox;
use receiver::Receiver;

/// A client that has no keys after this long never gets them.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Between reports (RFC 3550 §6.2 would let a small session wait for 5 s; browsers take 1 s).
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// The canonical name of all that we send.
const CNAME: &str = "plenum-load";

/// What the control side learns from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientEvent {
    /// It has keys: it has joined.
    Connected(SrtpProfile),
    /// It will not come to that.
    Failed(String),
    /// It had joined and lost the server.
    Lost(String),
}

/// What a client starts from, once signaling is done.
pub(crate) struct ClientPlan {
    /// When its signaling began.
    pub(crate) began: Instant,
    /// What is known of its join so far.
    pub(crate) times: JoinTimes,
    pub(crate) local: Description,
    pub(crate) remote: Description,
    /// Whether it made the offer, and so controls ICE (RFC 8445 §6.1.1).
    pub(crate) offered: bool,
    /// What it publishes.
    pub(crate) tracks: Vec<TrackPlan>,
    /// For its random choices.
    pub(crate) seed: u64,
}

enum State {
    /// No pair yet.
    Checking,
    Handshaking(Box<Handshake>),
    Connected(Box<SrtpSession>),
    Over,
}

/// One client.
pub(crate) struct Client {
    began: Instant,
    times: JoinTimes,
    ice: Ice,
    state: State,
    remote: Option<Box<Description>>,
    publisher: Option<Box<Publisher>>,
    receiver: Receiver,
    ssrc: u32,
    report_at: Instant,
    rtcp: Vec<u8>,
}

impl Client {
    /// A client that makes its first check at `now`.
    pub(crate) fn new(now: Instant, plan: ClientPlan) -> Self {
        let mut rng = SmallRng::seed_from_u64(plan.seed);
        let ClientPlan { local, remote, .. } = plan;
        let mut seed = [0; 12];
        rng.fill(&mut seed);
        let ice = Ice::new(
            now,
            local.ice,
            remote.ice.clone(),
            remote.candidates.clone(),
            plan.offered || remote.lite,
            seed,
        );
        let ids = remote.extensions();
        let publisher = (!plan.tracks.is_empty())
            .then(|| Publisher::new(now, plan.tracks, ids, rng.random()));
        let ssrc = publisher
            .as_ref()
            .and_then(Publisher::first_ssrc)
            .unwrap_or_else(|| rng.random());
        let receiver = Receiver::new(now, &remote, ssrc, &mut rng);
        Self {
            began: plan.began,
            times: plan.times,
            ice,
            state: State::Checking,
            publisher: publisher.map(Box::new),
            receiver,
            ssrc,
            report_at: now + REPORT_INTERVAL.mul_f64(rng.random::<f64>()),
            remote: Some(Box::new(remote)),
            rtcp: Vec::new(),
        }
    }

    /// Whether it has keys.
    pub(crate) const fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected(_))
    }

    /// Where the server is, once that is known.
    pub(crate) const fn server(&self) -> Option<SocketAddr> {
        self.ice.selected()
    }

    /// How its join went so far.
    pub(crate) const fn times(&self) -> &JoinTimes {
        &self.times
    }

    /// The server says whether it forwards anything to the slot `mid`.
    pub(crate) fn set_flowing(&mut self, now: Instant, mid: &str, flowing: bool) {
        self.receiver.set_flowing(now, mid, flowing);
    }

    /// Takes a datagram from `from` that came at `wall_us` by the wall clock.
    #[inline]
    pub(crate) fn handle_datagram(
        &mut self,
        context: &mut Context<'_>,
        from: SocketAddr,
        wall_us: u64,
        datagram: &mut [u8],
    ) -> Option<ClientEvent> {
        match demux(datagram) {
            Protocol::Rtp => self.on_rtp(context, wall_us, datagram),
            Protocol::Rtcp => self.on_rtcp(context, datagram),
            Protocol::Stun => return self.on_stun(context, from, datagram),
            Protocol::Dtls => return self.on_dtls(context, datagram),
            Protocol::Unknown => {}
        }
        None
    }

    #[inline]
    fn on_rtp(&mut self, context: &mut Context<'_>, wall_us: u64, datagram: &mut [u8]) {
        let State::Connected(srtp) = &mut self.state else {
            return;
        };
        let seen = self.receiver.on_rtp(context, srtp, wall_us, datagram);
        if seen.packet && self.times.first_packet.is_none() {
            self.times.first_packet = Some(context.now.duration_since(self.began));
        }
        if seen.keyframe && self.times.first_keyframe.is_none() {
            self.times.first_keyframe = Some(context.now.duration_since(self.began));
        }
    }

    fn on_rtcp(&mut self, context: &mut Context<'_>, datagram: &mut [u8]) {
        let State::Connected(srtp) = &mut self.state else {
            return;
        };
        let compound = match srtp.unprotect_rtcp(datagram) {
            Ok(compound) => &*compound,
            Err(DropReason::SrtpReplay) => return,
            Err(_) => {
                context.tally.counters.decrypt_failures += 1;
                return;
            }
        };
        for packet in RtcpPackets::new(compound).map_while(Result::ok) {
            self.receiver.on_rtcp(context.now, &packet);
            if let Some(publisher) = &mut self.publisher {
                publisher.handle_rtcp(context, srtp, &packet);
            }
        }
    }

    fn on_stun(
        &mut self,
        context: &mut Context<'_>,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Option<ClientEvent> {
        let mut answer = None;
        let provider = context.identity.provider();
        let event = self
            .ice
            .handle_datagram(context.now, from, datagram, provider, &mut answer);
        if let Some(answer) = answer {
            context.outbox.datagram(Some(from), &answer);
        }
        match event {
            IceEvent::Connected(_) => self.on_pair(context),
            IceEvent::None => None,
        }
    }

    fn on_pair(&mut self, context: &mut Context<'_>) -> Option<ClientEvent> {
        self.times.ice = Some(context.now.duration_since(self.began));
        let remote = self.remote.take()?;
        if remote.setup == Setup::Active {
            return self.fail("the server insists on opening the DTLS handshake itself".to_owned());
        }
        match Handshake::start(context.now, context.identity, remote.fingerprint) {
            Ok(mut handshake) => {
                send_flight(&mut handshake, context);
                self.state = State::Handshaking(Box::new(handshake));
                None
            }
            Err(reason) => self.fail(reason),
        }
    }

    fn on_dtls(&mut self, context: &mut Context<'_>, datagram: &[u8]) -> Option<ClientEvent> {
        match &mut self.state {
            State::Handshaking(handshake) => {
                let progress = handshake.handle_datagram(context.now, datagram);
                send_flight(handshake, context);
                self.on_progress(context, progress)
            }
            State::Connected(_) if is_alert(datagram) => {
                self.state = State::Over;
                let reason = "the server closed the DTLS connection".to_owned();
                Some(ClientEvent::Lost(reason))
            }
            _ => None,
        }
    }

    fn on_progress(
        &mut self,
        context: &mut Context<'_>,
        progress: Progress,
    ) -> Option<ClientEvent> {
        match progress {
            Progress::Going => None,
            Progress::Failed(reason) => self.fail(format!("DTLS failed: {reason}")),
            Progress::Done(srtp, profile) => {
                self.times.dtls = Some(context.now.duration_since(self.began));
                self.state = State::Connected(srtp);
                self.receiver.start(context.now);
                Some(ClientEvent::Connected(profile))
            }
        }
    }

    fn fail(&mut self, reason: String) -> Option<ClientEvent> {
        self.state = State::Over;
        Some(ClientEvent::Failed(reason))
    }

    /// When [`Self::handle_timeout`] is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Over => None,
            State::Checking => Some(self.ice.poll_timeout().min(self.began + CONNECT_TIMEOUT)),
            State::Handshaking(handshake) => {
                let own = self.ice.poll_timeout().min(self.began + CONNECT_TIMEOUT);
                Some(handshake.poll_timeout().map_or(own, |due| own.min(due)))
            }
            State::Connected(_) => {
                let due = [
                    self.publisher.as_ref().and_then(|it| it.poll_timeout()),
                    Some(self.receiver.poll_timeout()),
                    Some(self.report_at),
                    Some(self.ice.poll_timeout()),
                ];
                due.into_iter().flatten().min()
            }
        }
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, context: &mut Context<'_>) -> Option<ClientEvent> {
        let now = context.now;
        if !self.is_connected() && now >= self.began + CONNECT_TIMEOUT {
            return self.on_connect_timeout();
        }
        if self.ice.is_over(now) {
            self.state = State::Over;
            let reason = "the server stopped answering ICE checks".to_owned();
            return Some(ClientEvent::Lost(reason));
        }
        if let State::Handshaking(handshake) = &mut self.state
            && handshake.poll_timeout().is_some_and(|due| now >= due)
        {
            let progress = handshake.handle_timeout(now);
            send_flight(handshake, context);
            return self.on_progress(context, progress);
        }
        while let Some((to, check)) = self.ice.handle_timeout(now, context.identity.provider()) {
            context.outbox.datagram(Some(to), &check);
        }
        if let State::Connected(srtp) = &mut self.state {
            if let Some(publisher) = &mut self.publisher {
                publisher.handle_timeout(context, srtp);
            }
            self.send_feedback(context);
        }
        None
    }

    fn on_connect_timeout(&mut self) -> Option<ClientEvent> {
        if matches!(self.state, State::Over) {
            return None;
        }
        let reason = match self.times.ice {
            None => "no answer to ICE checks: is the server's UDP port reachable?",
            Some(_) => "the DTLS handshake did not end in time",
        };
        self.fail(reason.to_owned())
    }

    /// Reports once a second; feedback, NACKs and keyframe requests when they are due.
    fn send_feedback(&mut self, context: &mut Context<'_>) {
        let State::Connected(srtp) = &mut self.state else {
            return;
        };
        let now = context.now;
        let mut out = std::mem::take(&mut self.rtcp);
        out.clear();
        if now >= self.report_at {
            self.report_at = now + REPORT_INTERVAL;
            let mut writer = RtcpWriter::new(&mut out);
            if let Some(publisher) = &self.publisher {
                publisher.report(&mut writer);
            }
            self.receiver.report(now, &mut writer);
            writer.sdes_cname(Ssrc(self.ssrc), CNAME);
            send_rtcp(context, srtp, &mut out);
        }
        if now >= self.receiver.poll_timeout() {
            self.receiver.handle_timeout(context, &mut out);
            send_rtcp(context, srtp, &mut out);
        }
        self.rtcp = out;
    }
}

/// Sends a compound, if there is one, and empties it.
fn send_rtcp(context: &mut Context<'_>, srtp: &mut SrtpSession, out: &mut Vec<u8>) {
    if !out.is_empty() {
        context.outbox.write(out.len() + SRTCP_OVERHEAD, |buffer| {
            buffer[..out.len()].copy_from_slice(out);
            srtp.protect_rtcp(buffer, out.len()).ok()
        });
        out.clear();
    }
}

fn send_flight(handshake: &mut Handshake, context: &mut Context<'_>) {
    while let Some(datagram) = handshake.poll_transmit() {
        context.outbox.write(datagram.len(), |buffer| {
            buffer.copy_from_slice(&datagram);
            Some(datagram.len())
        });
    }
}

/// A DTLS record of type alert (RFC 5246 §6.2.1).
fn is_alert(datagram: &[u8]) -> bool {
    datagram.first() == Some(&21)
}
