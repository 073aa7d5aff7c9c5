//! Data channels (RFC 8831) over one SCTP association, with the client as initiator, and channels
//! opened by the client (RFC 8832).
//!
//! Invariants: one association at most is established; what is received waits in SCTP's receive
//! window while its reader is slow, so that the window closes and the client has to wait; what is
//! sent is refused above a bound, not queued.

mod channel;
mod guard;
mod packet;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use plenum_types::DropReason;
use rtc_sctp::{
    Association, AssociationHandle, DatagramEvent, Endpoint, EndpointConfig, EndpointEvent, Event,
    Payload, PayloadProtocolIdentifier as Ppi, ServerConfig, StreamEvent, TimerConfig,
    TransportConfig, max_payload_size_for_mtu,
};
use rtc_shared::TransportProtocol;

use crate::peer::PeerEvent;
use channel::Channel;
use guard::Guard;

/// Largest message, in and out. Larger ones are dropped. Browsers send up to 256 KiB if the SDP
/// allows it, so the SDP must say `a=max-message-size:65536`.
pub(crate) const MAX_MESSAGE_LEN: usize = 64 * 1024;

/// Channels per peer. An application uses a handful.
const MAX_CHANNELS: usize = 32;

/// Bytes of our receive window: what a client can make us hold. It must take two whole messages.
const RECEIVE_WINDOW: u32 = 2 * MAX_MESSAGE_LEN as u32;

/// Bytes that may wait to be sent on one channel. Beyond that messages are refused.
const SEND_BUFFER: usize = 4 * MAX_MESSAGE_LEN;

/// SCTP packets are at most this long, so that DTLS records stay below 1,200 bytes.
const MTU: u32 = 1150;

/// Associations that may be in their handshake. A client that repeats its INIT makes a new one
/// each time, in place of the oldest; the first one to finish wins.
const MAX_HANDSHAKES: usize = 4;

/// Repetitions of data before the association is given up; about a minute.
const MAX_RETRANSMISSIONS: usize = 10;

/// The library wants an address. There is one remote, and it roams.
const REMOTE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5000));

/// SCTP with one client.
pub(crate) struct DataChannels {
    endpoint: Endpoint,
    /// One that is established, or several in their handshake.
    associations: Vec<(AssociationHandle, Association)>,
    guard: Guard,
    channels: BTreeMap<u16, Channel>,
    /// Streams with messages that have not been read.
    readable: BTreeSet<u16>,
}

impl DataChannels {
    pub(crate) fn new() -> Self {
        let mut config = EndpointConfig::new();
        config.max_payload_size(max_payload_size_for_mtu(MTU));
        let transport = TransportConfig::default()
            .with_max_message_size(MAX_MESSAGE_LEN as u32)
            .with_max_receive_buffer_size(RECEIVE_WINDOW)
            .with_timer_config(TimerConfig {
                max_t3_rtx_retrans: MAX_RETRANSMISSIONS,
                ..TimerConfig::default()
            });
        let server = ServerConfig::new(transport);
        Self {
            endpoint: Endpoint::new(
                REMOTE,
                TransportProtocol::UDP,
                Arc::new(config),
                Some(Arc::new(server)),
            ),
            associations: Vec::new(),
            guard: Guard::default(),
            channels: BTreeMap::new(),
            readable: BTreeSet::new(),
        }
    }

    /// Takes an SCTP packet out of a DTLS record.
    pub(crate) fn handle_packet(
        &mut self,
        now: Instant,
        packet: BytesMut,
    ) -> Result<(), DropReason> {
        packet::check(&packet)?;
        if packet::is_init(&packet) && !self.takes_init() {
            return Err(DropReason::SctpRefused);
        }
        self.guard.admit(&packet)?;
        let (handle, event) = self
            .endpoint
            .handle(now, REMOTE, None, packet.freeze())
            .ok_or(DropReason::SctpRefused)?;
        match event {
            DatagramEvent::NewAssociation(association) => self.add(handle, association),
            DatagramEvent::AssociationEvent(event) => self
                .associations
                .iter_mut()
                .find(|(known, _)| *known == handle)
                .ok_or(DropReason::SctpRefused)?
                .1
                .handle_event(event),
            _ => return Err(DropReason::SctpRefused),
        }
        self.on_progress();
        Ok(())
    }

    fn takes_init(&self) -> bool {
        self.associations.iter().all(|(_, a)| a.is_handshaking())
    }

    fn add(&mut self, handle: AssociationHandle, association: Association) {
        if self.associations.len() >= MAX_HANDSHAKES {
            let (oldest, _) = self.associations.remove(0);
            self.endpoint.handle_event(oldest, EndpointEvent::drained());
        }
        self.associations.push((handle, association));
    }

    /// Collects what the associations report.
    fn on_progress(&mut self) {
        let mut established = None;
        for (handle, association) in &mut self.associations {
            while let Some(event) = association.poll() {
                match event {
                    Event::Connected => established = Some(*handle),
                    Event::Stream(StreamEvent::Readable { id }) => {
                        self.readable.insert(id);
                    }
                    Event::AssociationLost { id, .. } => {
                        self.channels.remove(&id);
                        self.readable.remove(&id);
                    }
                    _ => {}
                }
            }
        }
        if let Some(winner) = established {
            // What others acknowledged during the handshake says nothing about this one.
            self.guard = Guard::default();
            self.retire(|handle, _| handle != winner);
        }
    }

    /// Forgets associations, here and in the endpoint.
    fn retire(&mut self, is_over: impl Fn(AssociationHandle, &Association) -> bool) {
        let endpoint = &mut self.endpoint;
        self.associations.retain(|(handle, association)| {
            let over = is_over(*handle, association);
            if over {
                endpoint.handle_event(*handle, EndpointEvent::drained());
            }
            !over
        });
        if self.associations.is_empty() {
            self.guard = Guard::default();
            self.channels.clear();
            self.readable.clear();
        }
    }

    fn established(&mut self) -> Option<&mut Association> {
        self.associations
            .iter_mut()
            .map(|(_, association)| association)
            .find(|association| !association.is_handshaking())
    }

    /// Reads one message, if there is one. `Err` if it was dropped; call again until `None`.
    pub(crate) fn poll_message(&mut self, now: Instant) -> Option<Result<PeerEvent, DropReason>> {
        loop {
            let id = *self.readable.first()?;
            let Some((ppi, bytes)) = self.read(id) else {
                self.readable.remove(&id);
                continue;
            };
            let Some(bytes) = bytes else {
                return Some(Err(DropReason::DataUnwanted));
            };
            match self.on_message(now, id, ppi, bytes) {
                Ok(None) => {}
                Ok(Some(event)) => return Some(Ok(event)),
                Err(reason) => return Some(Err(reason)),
            }
        }
    }

    /// The next message on a stream; without its bytes if it is too large.
    fn read(&mut self, id: u16) -> Option<(Ppi, Option<Vec<u8>>)> {
        let mut stream = self.established()?.stream(id).ok()?;
        let chunks = stream.read_sctp().ok()??;
        let bytes = chunks.to_payload(MAX_MESSAGE_LEN).ok();
        Some((chunks.ppi, bytes.map(Vec::from)))
    }

    fn on_message(
        &mut self,
        now: Instant,
        id: u16,
        ppi: Ppi,
        bytes: Vec<u8>,
    ) -> Result<Option<PeerEvent>, DropReason> {
        if ppi == Ppi::Dcep {
            return self.on_control(now, id, &bytes);
        }
        if !self.channels.contains_key(&id) {
            return Err(DropReason::DataUnwanted);
        }
        let (bytes, text) = channel::decode(ppi, bytes)?;
        Ok(Some(PeerEvent::DataReceived { id, bytes, text }))
    }

    /// Data Channel Establishment Protocol (RFC 8832 §5).
    fn on_control(
        &mut self,
        now: Instant,
        id: u16,
        bytes: &[u8],
    ) -> Result<Option<PeerEvent>, DropReason> {
        if channel::is_ack(bytes) {
            return Ok(None);
        }
        let channel = Channel::from_open(bytes)?;
        if !self.channels.contains_key(&id) && self.channels.len() >= MAX_CHANNELS {
            return Err(DropReason::DataUnwanted);
        }
        let mut stream = self
            .established()
            .and_then(|association| association.stream(id).ok())
            .ok_or(DropReason::SctpRefused)?;
        channel
            .open_on(&mut stream, now)
            .map_err(|_| DropReason::SctpRefused)?;
        let label = channel.label.clone();
        self.channels.insert(id, channel);
        Ok(Some(PeerEvent::DataChannelOpened { label, id }))
    }

    /// Sends a message on an open channel. Refused if it is too large, or if too much waits.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        id: u16,
        bytes: &[u8],
        text: bool,
    ) -> Result<(), DropReason> {
        if bytes.len() > MAX_MESSAGE_LEN {
            return Err(DropReason::TooLarge);
        }
        if !self.channels.contains_key(&id) {
            return Err(DropReason::DataUnwanted);
        }
        let mut stream = self
            .established()
            .and_then(|association| association.stream(id).ok())
            .ok_or(DropReason::DataUnwanted)?;
        if stream.buffered_amount().unwrap_or(0) + bytes.len() > SEND_BUFFER {
            return Err(DropReason::SendBatchFull);
        }
        let (ppi, payload) = channel::encode(bytes, text);
        stream
            .write_with_ppi(now, payload, ppi)
            .map_err(|_| DropReason::SctpRefused)?;
        Ok(())
    }

    /// SCTP packets to send; call until `None`. An association that is over goes after its last.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<Bytes>> {
        for (_, association) in &mut self.associations {
            if let Some(transmit) = association.poll_transmit(now)
                && let Payload::RawEncode(packets) = transmit.message
            {
                for packet in &packets {
                    self.guard.on_sent(packet);
                }
                return Some(packets);
            }
        }
        self.retire(|_, association| association.is_closed() && !association.is_handshaking());
        None
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for (_, association) in &mut self.associations {
            if association.poll_timeout().is_some_and(|due| now >= due) {
                association.handle_timeout(now);
            }
        }
        self.on_progress();
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.associations
            .iter()
            .filter_map(|(_, association)| association.poll_timeout())
            .min()
    }
}
