//! One peer: ICE, DTLS, SRTP and data channels composed, in the order in which a datagram passes
//! them.
//!
//! Invariants: nothing but STUN is taken from an address that has not proved, by an authenticated
//! request, that it belongs to the client; after [`PeerEvent::Closed`] nothing is taken at all.

mod event;
mod output;

use std::time::Instant;

use plenum_types::{CloseReason, DropReason, IceCredentials, Path, PeerConfig, Remote};
use rand::Rng;

use crate::dtls::{Dtls, DtlsEvent};
use crate::ice::{Agent, Lapse, Liveness};
use crate::sctp::{DataChannels, MAX_MESSAGE_LEN};
use crate::{Certificate, MediaError, SrtpSession};

pub use event::{PeerEvent, Transmit, Wakeup};
pub(crate) use output::Output;

/// Bytes of messages that may wait for `poll_event`. Beyond that they stay in SCTP's receive
/// window, and the client has to wait.
const MAX_WAITING_DATA: usize = 4 * MAX_MESSAGE_LEN;

/// The transport of one peer.
///
/// - `handle_*`, [`restart_ice`](Self::restart_ice), [`send_data`](Self::send_data) and
///   [`close`](Self::close) are inputs. After any of them, drain
///   [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event), then ask
///   [`poll_timeout`](Self::poll_timeout).
/// - `unprotect_*` and `protect_*` are the packet path. They do not allocate. `unprotect_*` may
///   make an event ([`PeerEvent::Resumed`]); `protect_*` never does.
///
/// A refused datagram changes nothing but the budget of the handshake; its reason is to be
/// counted.
pub struct Peer {
    agent: Agent,
    liveness: Liveness,
    dtls: Dtls,
    srtp: Option<SrtpSession>,
    /// Made when the client first sends SCTP; most peers never do.
    channels: Option<Box<DataChannels>>,
    out: Output,
    closed: bool,
}

impl Peer {
    /// A peer that is expected from `now` on. It closes if it is not connected in 15 s.
    ///
    /// `rng` is not drawn from today: a lite agent has no tie-breaker, and keys come from the
    /// cryptographic library.
    ///
    /// # Errors
    ///
    /// If credentials or fingerprint are not well-formed.
    pub fn new(
        config: &PeerConfig,
        certificate: &Certificate,
        now: Instant,
        _rng: &mut dyn Rng,
    ) -> Result<Self, MediaError> {
        Ok(Self {
            agent: Agent::new(&config.local, &config.remote)?,
            liveness: Liveness::new(now),
            dtls: Dtls::new(certificate, &config.remote_fingerprint)?,
            srtp: None,
            channels: None,
            out: Output::default(),
            closed: false,
        })
    }

    /// Takes a STUN message (RFC 8445 §7.3).
    ///
    /// # Errors
    ///
    /// Why it was refused. An error answer may have been queued.
    pub fn handle_stun(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
    ) -> Result<(), DropReason> {
        if self.closed {
            return Err(DropReason::StunUnexpected);
        }
        self.agent
            .handle_request(now, path, datagram, &mut self.out)?;
        self.on_valid(now);
        Ok(())
    }

    /// Takes a DTLS datagram.
    ///
    /// # Errors
    ///
    /// Why it, or something in it, was refused.
    pub fn handle_dtls(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
    ) -> Result<(), DropReason> {
        if !self.agent.is_proven(path.remote) {
            return Err(DropReason::UnknownAddress);
        }
        if self.closed {
            return Err(DropReason::DtlsRefused);
        }
        let mut events = Vec::new();
        let mut result = self.dtls.handle_datagram(now, datagram, &mut events);
        if result.is_ok() {
            self.agent.on_dtls(path, &mut self.out);
        }
        for event in events {
            result = result.and(self.on_dtls_event(now, path, event));
        }
        result.and(self.flush(now))
    }

    fn on_dtls_event(
        &mut self,
        now: Instant,
        path: Path,
        event: DtlsEvent,
    ) -> Result<(), DropReason> {
        match event {
            DtlsEvent::Connected {
                profile,
                keying_material,
            } => {
                let Ok(session) = SrtpSession::new(profile, keying_material.as_ref(), false) else {
                    self.end(CloseReason::InternalError);
                    return Ok(());
                };
                self.srtp = Some(session);
                self.liveness.on_connected(now);
                self.out.event(PeerEvent::Connected { profile });
            }
            DtlsEvent::Data(packet) => {
                self.agent.on_traffic(now, path, &mut self.out);
                self.on_valid(now);
                self.channels
                    .get_or_insert_with(|| Box::new(DataChannels::new()))
                    .handle_packet(now, packet)?;
            }
            DtlsEvent::ClosedByClient => self.end(CloseReason::ClosedByClient),
            DtlsEvent::Failed => self.end(CloseReason::DtlsFailed),
        }
        Ok(())
    }

    /// Moves what waits in SCTP and DTLS to the output.
    fn flush(&mut self, now: Instant) -> Result<(), DropReason> {
        let mut result = Ok(());
        if let Some(channels) = self.channels.as_mut().filter(|_| !self.closed) {
            while self.out.data_bytes() < MAX_WAITING_DATA {
                match channels.poll_message(now) {
                    Some(Ok(event)) => self.out.event(event),
                    Some(Err(reason)) => result = Err(reason),
                    None => break,
                }
            }
            while let Some(packets) = channels.poll_transmit(now) {
                for packet in packets {
                    result = result.and(self.dtls.send(now, &packet));
                }
            }
        }
        for bytes in self.dtls.take_outgoing() {
            result = result.and(match self.agent.path() {
                Some(path) => self.out.transmit(path, bytes),
                None => Err(DropReason::SendFailed),
            });
        }
        result
    }

    #[inline]
    fn on_valid(&mut self, now: Instant) {
        if self.liveness.on_valid(now) {
            self.out.event(PeerEvent::Resumed);
        }
    }

    fn end(&mut self, reason: CloseReason) {
        if !self.closed {
            self.closed = true;
            self.channels = None;
            self.out.event(PeerEvent::Closed(reason));
        }
    }

    /// The TCP connection that `remote` names is closed. The peer goes on: over another path that
    /// it has, or over the next connection on which a check comes, for as long as consent lasts.
    pub fn handle_disconnect(&mut self, remote: Remote) {
        if !self.closed {
            self.agent.handle_disconnect(remote, &mut self.out);
        }
    }

    /// The client restarts ICE (RFC 8445 §2.4). Both pairs of credentials are accepted until the
    /// new one is used.
    pub fn restart_ice(&mut self, _now: Instant, local: &IceCredentials, remote: &IceCredentials) {
        self.agent.restart(local, remote);
    }

    /// Sends a message on a data channel that the client opened.
    ///
    /// # Errors
    ///
    /// `TooLarge` above 64 KiB, `DataUnwanted` without such a channel, `SendBatchFull` while too
    /// much waits to be sent.
    pub fn send_data(
        &mut self,
        now: Instant,
        id: u16,
        bytes: &[u8],
        text: bool,
    ) -> Result<(), DropReason> {
        self.channels
            .as_mut()
            .ok_or(DropReason::DataUnwanted)?
            .send(now, id, bytes, text)?;
        self.flush(now)
    }

    /// Ends the peer: queues a DTLS close_notify and [`PeerEvent::Closed`] with
    /// [`CloseReason::Removed`].
    pub fn close(&mut self, now: Instant) {
        self.shut(now, CloseReason::Removed);
    }

    /// Tells the client, then ends.
    fn shut(&mut self, now: Instant, reason: CloseReason) {
        if self.closed {
            return;
        }
        self.dtls.close(now);
        if let Some(path) = self.agent.path() {
            for bytes in self.dtls.take_outgoing() {
                // A goodbye that does not fit is as good as lost: the client times out.
                let _ = self.out.transmit(path, bytes);
            }
        }
        self.end(reason);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        while let Some(lapse) = self.liveness.handle_timeout(now) {
            match lapse {
                Lapse::Interrupted => self.out.event(PeerEvent::Interrupted),
                Lapse::ConnectTimeout => return self.shut(now, CloseReason::ConnectTimeout),
                // Without consent nothing may be sent, not even a goodbye (RFC 7675 §5.1).
                Lapse::ConsentExpired => return self.end(CloseReason::ConsentExpired),
            }
        }
        self.agent.handle_timeout(now, &mut self.out);
        self.dtls.handle_timeout(now);
        if let Some(channels) = &mut self.channels {
            channels.handle_timeout(now);
        }
        if let Err(reason) = self.flush(now) {
            // What does not fit now is repeated by DTLS and SCTP themselves.
            tracing::debug!(reason = reason.as_str(), "dropped in a timeout");
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Wakeup)> {
        if self.closed {
            return None;
        }
        let sctp = self.channels.as_ref().and_then(|c| c.poll_timeout());
        [
            self.liveness.poll_timeout(),
            self.agent.poll_timeout().map(|at| (at, Wakeup::PathExpiry)),
            self.dtls
                .poll_timeout()
                .map(|at| (at, Wakeup::DtlsRetransmit)),
            sctp.map(|at| (at, Wakeup::Sctp)),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.poll_transmit()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<PeerEvent> {
        self.out.poll_event()
    }

    /// Where media goes: the path that the client nominated last; before it has nominated any, the
    /// one it spoke DTLS on last, or the first it proved.
    #[inline]
    pub fn path(&self) -> Option<Path> {
        self.agent.path()
    }

    /// Decrypts an RTP packet in place.
    ///
    /// # Errors
    ///
    /// `UnknownAddress` from a path that is not proven, `NoKeys` before the handshake is done, or
    /// what SRTP says.
    pub fn unprotect_rtp<'d>(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &'d mut [u8],
    ) -> Result<&'d mut [u8], DropReason> {
        self.check_proven(path)?;
        let session = self.srtp.as_mut().ok_or(DropReason::NoKeys)?;
        let packet = session.unprotect_rtp(datagram)?;
        self.agent.on_traffic(now, path, &mut self.out);
        self.on_valid(now);
        Ok(packet)
    }

    /// Decrypts an RTCP packet in place.
    ///
    /// # Errors
    ///
    /// As [`unprotect_rtp`](Self::unprotect_rtp).
    pub fn unprotect_rtcp<'d>(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &'d mut [u8],
    ) -> Result<&'d mut [u8], DropReason> {
        self.check_proven(path)?;
        let session = self.srtp.as_mut().ok_or(DropReason::NoKeys)?;
        let packet = session.unprotect_rtcp(datagram)?;
        self.agent.on_traffic(now, path, &mut self.out);
        self.on_valid(now);
        Ok(packet)
    }

    #[inline]
    fn check_proven(&self, path: Path) -> Result<(), DropReason> {
        if self.closed || !self.agent.is_proven(path.remote) {
            return Err(DropReason::UnknownAddress);
        }
        Ok(())
    }

    /// Encrypts the RTP packet in the first `length` bytes of `buffer`, which has room for
    /// [`SRTP_OVERHEAD`](crate::SRTP_OVERHEAD) more, and returns its new length.
    ///
    /// # Errors
    ///
    /// `SubscriberNotReady` before the handshake is done or after the end, or what SRTP says.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, DropReason> {
        self.session()?.protect_rtp(buffer, length)
    }

    /// Encrypts the RTCP packet in the first `length` bytes of `buffer`, which has room for
    /// [`SRTCP_OVERHEAD`](crate::SRTCP_OVERHEAD) more, and returns its new length.
    ///
    /// # Errors
    ///
    /// As [`protect_rtp`](Self::protect_rtp).
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, DropReason> {
        self.session()?.protect_rtcp(buffer, length)
    }

    #[inline]
    fn session(&mut self) -> Result<&mut SrtpSession, DropReason> {
        self.srtp
            .as_mut()
            .filter(|_| !self.closed)
            .ok_or(DropReason::SubscriberNotReady)
    }
}

#[cfg(test)]
pub(crate) mod test_clock;
#[cfg(test)]
mod tests;
