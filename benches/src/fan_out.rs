//! The packet path from an encrypted datagram to encrypted copies, without addresses, ICE, DTLS
//! or sockets: unprotect → describe → route → for each slot: select and patch → protect.
//!
//! The same calls in the same order as `packet_path.rs` of the engine makes. Time is virtual.

use std::time::{Duration, Instant};

use plenum_media::{Receiver, SRTP_OVERHEAD, Sender, SrtpSession, keying_material_len};
use plenum_routing::Router;
use plenum_rtp::{OutgoingExtensions, max_growth, write_packet};
use plenum_types::{
    Codec, Encoding, ExtensionKind, MediaKind, Mid, PeerIndex, PublicationConfig, PublicationId,
    RoomId, SlotConfig, SlotId, SlotPolicy, SlotWish, Source, SrtpProfile, Ssrc,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::packet::{self, Packet, extensions, parameters};

const ROOM: RoomId = RoomId(1);
const PUBLISHER: PeerIndex = PeerIndex(0);
const PUBLICATION: PublicationId = PublicationId(1);
/// Time between packets: 30 frames/s of 5 packets.
const PACKET_INTERVAL: Duration = Duration::from_micros(6_667);
/// Packets between looks at timers, as a shard's wake-ups are.
const PACKETS_PER_WAKE_UP: u32 = 5;
/// Room for one copy in the send batch, bytes.
const COPY_MAX: usize = 1_500;
/// Packets until buffers have their size: a packet is kept for a second.
const WARM_UP: u32 = 300;

struct Subscriber {
    srtp: SrtpSession,
    sender: Sender,
}

/// One publisher of VP8 and its subscribers, one slot each.
pub struct FanOut {
    now: Instant,
    next_number: u32,
    /// The publisher's own end.
    publisher: SrtpSession,
    inbound: SrtpSession,
    receiver: Receiver,
    router: Router,
    subscribers: Vec<Subscriber>,
    batch: Vec<u8>,
    rtcp: Vec<u8>,
}

impl FanOut {
    /// A room that has warmed up. `start` is the origin of its time.
    ///
    /// # Panics
    ///
    /// If a session or a slot cannot be made.
    pub fn new(subscribers: u32, profile: SrtpProfile, start: Instant) -> Self {
        let mut fan_out = Self {
            now: start,
            next_number: 0,
            publisher: session(profile, 0, true),
            inbound: session(profile, 0, false),
            receiver: Receiver::new(Ssrc(1)),
            router: Router::new(),
            subscribers: Vec::new(),
            batch: vec![0; subscribers as usize * COPY_MAX],
            rtcp: Vec::with_capacity(COPY_MAX),
        };
        fan_out.publish();
        let mut rng = StdRng::seed_from_u64(1);
        for number in 1..=subscribers {
            fan_out.subscribe(number, profile, &mut rng);
        }
        for _ in 0..WARM_UP {
            let mut datagram = fan_out.next_datagram();
            fan_out.handle_datagram(&mut datagram);
        }
        fan_out
    }

    fn publish(&mut self) {
        let config = PublicationConfig {
            publication: PUBLICATION,
            kind: MediaKind::Video,
            source: Source::Camera,
            mid: mid(0),
            codecs: vec![parameters(Codec::Vp8)],
            extensions: extensions(),
            encodings: vec![Encoding {
                ssrc: Some(Ssrc(packet::PUBLISHER_SSRC)),
                ..Encoding::default()
            }],
            muted: false,
        };
        self.receiver.add_publication(&config);
        self.router.add_peer(ROOM, PUBLISHER);
        self.router.add_publication(self.now, PUBLISHER, &config);
    }

    fn subscribe(&mut self, number: u32, profile: SrtpProfile, rng: &mut StdRng) {
        let config = SlotConfig {
            slot: SlotId(0),
            kind: MediaKind::Video,
            mid: mid(number),
            codecs: vec![parameters(Codec::Vp8)],
            extensions: extensions(),
            ssrc: Ssrc(number * 2),
            rtx_ssrc: Some(Ssrc(number * 2 + 1)),
            wish: SlotWish::new(SlotPolicy::Pinned(PUBLICATION)),
        };
        self.router.add_peer(ROOM, PeerIndex(number));
        self.router
            .add_slot(self.now, PeerIndex(number), &config, rng);
        self.subscribers.push(Subscriber {
            srtp: session(profile, number, false),
            sender: Sender::new(),
        });
    }

    /// The publisher's next datagram; time goes on, and what is due besides packets is done.
    ///
    /// # Panics
    ///
    /// If the packet cannot be encrypted.
    pub fn next_datagram(&mut self) -> Vec<u8> {
        self.now += PACKET_INTERVAL;
        if self.next_number.is_multiple_of(PACKETS_PER_WAKE_UP) {
            self.wake_up();
        }
        let mut datagram = Packet::new(Codec::Vp8, self.next_number).bytes();
        self.next_number += 1;
        let length = datagram.len();
        datagram.resize(length + SRTP_OVERHEAD, 0);
        let length = self
            .publisher
            .protect_rtp(&mut datagram, length)
            .expect("the publisher encrypts");
        datagram.truncate(length);
        datagram
    }

    fn wake_up(&mut self) {
        if self
            .router
            .poll_timeout()
            .is_some_and(|due| due <= self.now)
        {
            self.router.handle_timeout(self.now);
        }
        while self.router.poll_event().is_some() {}
        while self.receiver.poll_rtcp(self.now, &mut self.rtcp) {}
    }

    /// Forwards a datagram; returns the number of copies.
    ///
    /// # Panics
    ///
    /// If any stage refuses the packet or a copy: a bench must not measure drops.
    pub fn handle_datagram(&mut self, datagram: &mut [u8]) -> usize {
        let now = self.now;
        let packet = self.inbound.unprotect_rtp(datagram).expect("authentic");
        let received = self.receiver.handle_rtp(now, packet).expect("known");
        let packet = &packet[..received.len];
        let description = &received.description;
        let encoding = received.source.encoding;

        let publication = self
            .router
            .publication_index(received.source.publication)
            .expect("published");
        let arrival = self
            .router
            .on_packet(now, publication, encoding, packet, description, false)
            .expect("not muted");

        let slots = self.router.slots_of_encoding(publication, encoding).len();
        for position in 0..slots {
            let slot = self.router.slots_of_encoding(publication, encoding)[position].slot;
            let forward = self
                .router
                .forward(now, slot, &arrival, description)
                .expect("shown");
            let subscriber = &mut self.subscribers[forward.peer.0 as usize - 1];
            let map = forward.extensions;
            let ext = OutgoingExtensions {
                map,
                mid: Some(forward.mid),
                abs_send_time: self.next_number,
                transport_sequence: map
                    .id(ExtensionKind::TransportSequence)
                    .map(|_| subscriber.sender.next_transport_sequence(now, packet.len())),
            };
            let capacity = packet.len() + max_growth() + SRTP_OVERHEAD;
            let out = &mut self.batch[position * COPY_MAX..][..capacity];
            let length = write_packet(packet, description, &forward.patch, &ext, out)
                .expect("the copy fits");
            subscriber
                .srtp
                .protect_rtp(out, length)
                .expect("the copy is encrypted");
            self.router.on_sent(slot, description.header.payload_len);
        }
        slots
    }
}

/// A session whose keys follow from `number`. Both ends of one number understand each other.
///
/// # Panics
///
/// If the profile is not supported.
pub fn session(profile: SrtpProfile, number: u32, is_dtls_client: bool) -> SrtpSession {
    let mut keying_material = vec![0x5a; keying_material_len(profile)];
    for (byte, salt) in keying_material
        .iter_mut()
        .zip(number.to_be_bytes().iter().cycle())
    {
        *byte ^= salt;
    }
    SrtpSession::new(profile, &keying_material, is_dtls_client).expect("a supported profile")
}

fn mid(number: u32) -> Mid {
    Mid::new(&number.to_string()).expect("a short mid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    fn everybody_gets_every_packet() {
        let mut fan_out = FanOut::new(3, SrtpProfile::AeadAes128Gcm, Instant::now());
        for _ in 0..100 {
            let mut datagram = fan_out.next_datagram();
            assert_eq!(fan_out.handle_datagram(&mut datagram), 3);
        }
    }
}
