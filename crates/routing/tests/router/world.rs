//! Publishers, a network, the router and its subscribers, in virtual time from a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use plenum_routing::{Forward, PublicationIndex, Router, RouterEvent, SlotIndex, Withheld};
use plenum_rtp::rtcp::SenderInfo;
use plenum_rtp::{OutgoingExtensions, PacketDescription, Templates, max_growth, write_packet};
use plenum_types::{
    Codec, CodecParameters, ContentHint, DropReason, Encoding, KeyframeCause, MediaKind, Mid,
    NtpTime, PeerIndex, Pixels, PublicationConfig, PublicationId, RoomId, RtpTimestamp,
    SequenceNumber, SlotBinding, SlotConfig, SlotId, SlotPolicy, SlotWish, Source, Speaker, Ssrc,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::packets::{extensions, payload_type};
use crate::publisher::{Encoder, Sent, frame_ms};
use crate::receiver::{LeftOut, Origin, Receiver, parse};

pub(crate) const ROOM: RoomId = RoomId(1);
/// How long a keyframe request takes to the publisher.
const REQUEST_MS: u64 = 15;

#[expect(
    clippy::disallowed_methods,
    reason = "tests need some origin; only differences count"
)]
pub(crate) fn at(ms: u64) -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(|| Instant::now() + Duration::from_secs(3_600)) + Duration::from_millis(ms)
}

/// Our NTP clock.
pub(crate) fn server_ntp(ms: u64) -> NtpTime {
    NtpTime(3_950_000_000 << 32).plus(Duration::from_millis(ms))
}

/// The network between publishers and the router.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Network {
    pub(crate) jitter_ms: u64,
    pub(crate) loss_percent: u32,
    /// Delays vary but nothing overtakes.
    pub(crate) in_order: bool,
}

pub(crate) struct Published {
    pub(crate) index: PublicationIndex,
    pub(crate) id: PublicationId,
    pub(crate) encoders: Vec<Encoder>,
    /// The publisher's NTP clock at time 0, and how long its packets take.
    pub(crate) ntp_start: NtpTime,
    pub(crate) delay_ms: u64,
    pub(crate) running: Vec<bool>,
    pub(crate) reports: bool,
    pub(crate) pads: bool,
    codec: Codec,
}

enum Arrival {
    Packet(Origin, Sent),
    Report(Origin, SenderInfo),
    KeyframeRequest(Origin),
}

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) rng: StdRng,
    pub(crate) now_ms: u64,
    pub(crate) network: Network,
    pub(crate) publications: Vec<Published>,
    pub(crate) receivers: BTreeMap<SlotIndex, Receiver>,
    pub(crate) bindings: BTreeMap<(PeerIndex, SlotId), Vec<SlotBinding>>,
    pub(crate) requests: Vec<(u64, PublicationId, u8, KeyframeCause)>,
    pub(crate) speakers: Vec<(u64, Vec<Speaker>)>,
    pub(crate) layers_wanted: Vec<(u64, PublicationId, Vec<bool>)>,
    pub(crate) drops: BTreeMap<&'static str, u32>,
    /// Padding and temporal layers left out, by origin: every packet ever sent.
    pub(crate) history: BTreeMap<Origin, Vec<Sent>>,
    pub(crate) lost: u32,
    /// Packets that had to wait for others, and that came from the store.
    pub(crate) held: u32,
    pub(crate) late: u32,
    /// One frame is captured every so many milliseconds, whatever the codec says.
    pub(crate) frame_ms: Option<u64>,
    /// Packets of higher layers, by slot and tag.
    left_out: BTreeSet<(SlotIndex, u32)>,
    /// By origin and SSRC.
    templates: BTreeMap<(Origin, u32), Templates>,
    in_flight: BTreeMap<(u64, u64), Arrival>,
    next_tag: u32,
    next_flight: u64,
    last_due: u64,
}

pub(crate) fn parameters(codec: Codec) -> CodecParameters {
    let video = codec.kind() == MediaKind::Video;
    CodecParameters {
        codec,
        payload_type: payload_type(codec),
        rtx_payload_type: video.then(|| payload_type(codec) + 1),
        red_payload_type: None,
        nack: video,
        pli: video,
        fir: false,
        transport_cc: true,
        remb: false,
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            router: Router::new(),
            rng: StdRng::seed_from_u64(seed),
            now_ms: 0,
            network: Network::default(),
            publications: Vec::new(),
            receivers: BTreeMap::new(),
            bindings: BTreeMap::new(),
            requests: Vec::new(),
            speakers: Vec::new(),
            layers_wanted: Vec::new(),
            drops: BTreeMap::new(),
            history: BTreeMap::new(),
            lost: 0,
            held: 0,
            late: 0,
            frame_ms: None,
            left_out: BTreeSet::new(),
            templates: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            next_tag: 0,
            next_flight: 0,
            last_due: 0,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        at(self.now_ms)
    }

    /// `peer` publishes; ids count from 1. Encodings are 180, 360, 720 pixels high.
    pub(crate) fn publish(&mut self, peer: u32, codec: Codec, encodings: usize) -> PublicationId {
        self.router.add_peer(ROOM, PeerIndex(peer));
        let id = PublicationId(self.publications.len() as u64 + 1);
        let config = PublicationConfig {
            publication: id,
            kind: codec.kind(),
            source: Source::Camera,
            mid: Mid::new("0").expect("short"),
            codecs: vec![parameters(codec)],
            extensions: extensions(),
            encodings: (0..encodings)
                .map(|at| Encoding {
                    size: (encodings > 1).then(|| Pixels {
                        width: 320 << at,
                        height: 180 << at,
                    }),
                    ..Encoding::default()
                })
                .collect(),
            muted: false,
            content: ContentHint::Motion,
        };
        let index = self
            .router
            .add_publication(at(self.now_ms), PeerIndex(peer), &config);
        let encoders = (0..encodings)
            .map(|scale| {
                let ssrc = self.rng.random();
                let mut encoder = Encoder::new(codec, ssrc, &mut self.rng);
                encoder.scale = scale as u8;
                encoder
            })
            .collect();
        self.publications.push(Published {
            index,
            id,
            encoders,
            ntp_start: NtpTime(self.rng.random_range(1_u64 << 60..1 << 63)),
            delay_ms: self.rng.random_range(5..40),
            running: vec![true; encodings],
            reports: true,
            pads: false,
            codec,
        });
        self.drain();
        id
    }

    pub(crate) fn published(&mut self, id: PublicationId) -> &mut Published {
        &mut self.publications[id.0 as usize - 1]
    }

    pub(crate) fn subscribe(
        &mut self,
        peer: u32,
        slot: u16,
        kind: MediaKind,
        codecs: &[Codec],
        wish: SlotWish,
    ) -> SlotIndex {
        let config = self.slot_config(peer, slot, kind, codecs, wish);
        let now = self.now();
        let index = self
            .router
            .add_slot(now, PeerIndex(peer), &config, &mut self.rng);
        self.drain();
        index
    }

    /// As [`World::subscribe`], of a peer that cannot decrypt before [`World::wake`].
    pub(crate) fn subscribe_asleep(
        &mut self,
        peer: u32,
        codec: Codec,
        wish: SlotWish,
    ) -> SlotIndex {
        let config = self.slot_config(peer, 0, codec.kind(), &[codec], wish);
        let now = self.now();
        let index = self
            .router
            .add_sleeping_slot(now, PeerIndex(peer), &config, &mut self.rng);
        self.drain();
        index
    }

    pub(crate) fn wake(&mut self, peer: u32) {
        let now = self.now();
        self.router.wake_peer(now, PeerIndex(peer));
        self.drain();
    }

    fn slot_config(
        &mut self,
        peer: u32,
        slot: u16,
        kind: MediaKind,
        codecs: &[Codec],
        wish: SlotWish,
    ) -> SlotConfig {
        self.router.add_peer(ROOM, PeerIndex(peer));
        let ssrc = Ssrc(peer * 1_000 + u32::from(slot) * 2);
        SlotConfig {
            slot: SlotId(slot),
            kind,
            mid: Mid::new(&slot.to_string()).expect("short"),
            codecs: codecs.iter().map(|codec| parameters(*codec)).collect(),
            extensions: extensions(),
            ssrc,
            rtx_ssrc: Some(Ssrc(ssrc.0 + 1)),
            wish,
        }
    }

    pub(crate) fn wish(&mut self, peer: u32, slot: u16, wish: SlotWish) {
        let now = self.now();
        self.router
            .set_slot_wish(now, PeerIndex(peer), SlotId(slot), wish);
        self.drain();
    }

    pub(crate) fn mute(&mut self, id: PublicationId, muted: bool) {
        let now = self.now();
        self.router.set_muted(now, id, muted);
        self.drain();
    }

    pub(crate) fn binding(&self, peer: u32, slot: u16) -> SlotBinding {
        let told = &self.bindings[&(PeerIndex(peer), SlotId(slot))];
        told[told.len() - 1]
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now_ms += 1;
            self.capture();
            self.arrive();
            if self
                .router
                .poll_timeout()
                .is_some_and(|due| due <= self.now())
            {
                let now = self.now();
                self.router.handle_timeout(now);
            }
            self.late();
            self.drain();
        }
    }

    fn capture(&mut self) {
        for at in 0..self.publications.len() {
            let publication = &mut self.publications[at];
            let interval = self.frame_ms.unwrap_or_else(|| frame_ms(publication.codec));
            let due = self.now_ms.is_multiple_of(interval);
            let report_due = publication.reports && self.now_ms % 1_000 == 7;
            for encoding in 0..publication.encoders.len() {
                let publication = &mut self.publications[at];
                let origin = Origin {
                    publication: publication.id.0,
                    encoding: encoding as u8,
                };
                if !publication.running[encoding] {
                    continue;
                }
                let encoder = &mut publication.encoders[encoding];
                let mut flights = Vec::new();
                if due {
                    let mut sent = encoder.encode(self.now_ms, &mut self.next_tag);
                    if publication.pads && self.rng.random_range(0..5) == 0 {
                        let last = sent[sent.len() - 1].clone();
                        sent.push(encoder.pad(&last));
                    }
                    flights.extend(sent.into_iter().map(|sent| Arrival::Packet(origin, sent)));
                }
                if report_due {
                    let info = SenderInfo {
                        ntp: publication
                            .ntp_start
                            .plus(Duration::from_millis(self.now_ms)),
                        rtp: RtpTimestamp(encoder.timestamp(self.now_ms)),
                        packets: 0,
                        bytes: 0,
                    };
                    flights.push(Arrival::Report(origin, info));
                }
                let delay = publication.delay_ms;
                for flight in flights {
                    self.launch(delay, flight);
                }
            }
        }
    }

    fn launch(&mut self, delay_ms: u64, flight: Arrival) {
        let mut due = self.now_ms + delay_ms;
        if let Arrival::Packet(origin, sent) = &flight {
            self.history.entry(*origin).or_default().push(sent.clone());
            // Padding neither gets lost nor overtakes or is overtaken: what happens then is a
            // hole, which only the retransmission of padding could fill.
            if !sent.padding {
                if self.rng.random_range(0..100) < self.network.loss_percent {
                    self.lost += 1;
                    return;
                }
                due += self.rng.random_range(0..=self.network.jitter_ms);
            }
            if self.network.in_order {
                due = due.max(self.last_due);
                self.last_due = due;
            }
        }
        self.in_flight.insert((due, self.next_flight), flight);
        self.next_flight += 1;
    }

    fn arrive(&mut self) {
        while let Some(entry) = self.in_flight.first_entry() {
            if entry.key().0 > self.now_ms {
                return;
            }
            match entry.remove() {
                Arrival::Packet(origin, sent) => self.packet(origin, &sent),
                Arrival::Report(origin, info) => {
                    let (now, index) = (
                        self.now(),
                        self.published(PublicationId(origin.publication)).index,
                    );
                    self.router
                        .on_sender_report(now, index, origin.encoding, &info);
                }
                Arrival::KeyframeRequest(origin) => {
                    let publication = self.published(PublicationId(origin.publication));
                    publication.encoders[usize::from(origin.encoding)].keyframe_asked = true;
                }
            }
        }
    }

    fn packet(&mut self, origin: Origin, sent: &Sent) {
        let now = self.now();
        let index = self.published(PublicationId(origin.publication)).index;
        if sent.padding {
            let sequence = SequenceNumber(sent.content.sequence);
            self.router.on_skipped(index, origin.encoding, sequence);
            return;
        }
        let templates = self
            .templates
            .entry((origin, sent.content.ssrc))
            .or_default();
        let d = parse(&sent.bytes, sent.content.codec, templates);
        let taken = self
            .router
            .on_packet(now, index, origin.encoding, &sent.bytes, &d, false);
        let arrival = match taken {
            Ok(arrival) => arrival,
            Err(reason) => return self.count(reason),
        };
        for at in 0..self.router.slots_of_encoding(index, origin.encoding).len() {
            let listed = self
                .router
                .slots_of_encoding(index, origin.encoding)
                .get(at);
            let Some(slot) = listed.map(|listed| listed.slot) else {
                break;
            };
            match self.router.forward(now, slot, &arrival, &d) {
                Ok(forward) => {
                    assert_eq!(forward.slot, slot);
                    self.deliver(origin, sent, &d, &forward);
                }
                Err(Withheld::Dropped(reason)) => self.leave_out(slot, sent, reason),
                Err(Withheld::Later) => self.held += 1,
            }
        }
    }

    fn deliver(&mut self, origin: Origin, sent: &Sent, d: &PacketDescription, forward: &Forward) {
        let extensions = outgoing(forward);
        let mut out = vec![0; sent.bytes.len() + max_growth()];
        let length =
            write_packet(&sent.bytes, d, &forward.patch, &extensions, &mut out).expect("fits");
        out.truncate(length);
        self.router.on_sent(forward.slot, d.header.payload_len);
        let receiver = self.receivers.entry(forward.slot).or_default();
        receiver.receive(origin, sent, out, self.now_ms);
    }

    /// Sends what is due of slots that are behind.
    fn late(&mut self) {
        let now = self.now();
        while let Some((slot, _)) = self.router.take_late(now) {
            while let Some(late) = self.router.forward_late(now, slot) {
                let (d, forward, packet) = (late.description, late.forward, late.packet.to_vec());
                let is_it = |sent: &&Sent| !sent.padding && sent.bytes == packet;
                let mut all = self.history.iter();
                let (origin, sent) = all
                    .find_map(|(origin, sent)| {
                        Some((*origin, sent.iter().rev().find(is_it)?.clone()))
                    })
                    .expect("was sent");
                match forward {
                    Ok(forward) => {
                        assert_eq!(forward.slot, slot);
                        self.late += 1;
                        self.deliver(origin, &sent, &d, &forward);
                    }
                    Err(reason) => self.leave_out(slot, &sent, reason),
                }
            }
        }
    }

    fn leave_out(&mut self, slot: SlotIndex, sent: &Sent, reason: DropReason) {
        if matches!(reason, DropReason::TemporalLayer | DropReason::SpatialLayer) {
            self.left_out.insert((slot, sent.content.tag));
        }
        self.count(reason);
    }

    fn count(&mut self, reason: DropReason) {
        *self.drops.entry(reason.as_str()).or_default() += 1;
    }

    pub(crate) fn drain(&mut self) {
        while let Some(event) = self.router.poll_event() {
            match event {
                RouterEvent::RequestKeyframe {
                    id,
                    encoding,
                    cause,
                    ..
                } => {
                    self.requests.push((self.now_ms, id, encoding, cause));
                    let origin = Origin {
                        publication: id.0,
                        encoding,
                    };
                    let key = (self.now_ms + REQUEST_MS, self.next_flight);
                    self.in_flight.insert(key, Arrival::KeyframeRequest(origin));
                    self.next_flight += 1;
                }
                RouterEvent::DemandChanged { .. } => {}
                RouterEvent::LayersWanted {
                    publication,
                    encodings,
                } => {
                    self.layers_wanted
                        .push((self.now_ms, publication, encodings));
                }
                RouterEvent::SlotChanged {
                    peer,
                    slot,
                    binding,
                } => {
                    let told = self.bindings.entry((peer, slot)).or_default();
                    assert_ne!(told.last(), Some(&binding), "told twice");
                    told.push(binding);
                }
                RouterEvent::SpeakersChanged { speakers, .. } => {
                    self.speakers.push((self.now_ms, speakers));
                }
            }
        }
    }

    /// Checks every slot's whole stream.
    pub(crate) fn check(&self, drift_ms: u64) {
        for (slot, receiver) in &self.receivers {
            let left_out = |origin: Origin, earlier: &Sent, later: &Sent| {
                let sent = &self.history[&origin];
                let position = |packet: &Sent| {
                    sent.iter()
                        .position(|other| other.content.tag == packet.content.tag && !other.padding)
                        .expect("was sent")
                };
                let mut left = LeftOut::default();
                let mut frames = BTreeSet::new();
                for packet in &sent[position(earlier)..position(later)] {
                    let layer = self.left_out.contains(&(*slot, packet.content.tag));
                    left.packets += u64::from(packet.padding || layer);
                    if layer && !packet.padding {
                        frames.insert(packet.content.frame);
                    }
                }
                left.pictures = frames.len() as u32;
                left
            };
            receiver.check(&left_out, drift_ms);
        }
    }
}

pub(crate) fn outgoing(forward: &Forward) -> OutgoingExtensions {
    OutgoingExtensions {
        map: forward.extensions,
        mid: Some(forward.mid),
        abs_send_time: 0,
        transport_sequence: None,
    }
}

pub(crate) fn pinned(id: PublicationId, height: u32) -> SlotWish {
    SlotWish {
        viewport: Some(Pixels {
            width: height * 16 / 9,
            height,
        }),
        ..SlotWish::new(SlotPolicy::Pinned(id))
    }
}
