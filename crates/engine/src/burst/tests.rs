use super::deal::Deal;
use super::waiting::Waiting;
use super::*;
use plenum_routing::Router;
use plenum_rtp::{HeaderExtensions, RtpHeader, describe};
use plenum_types::{
    Codec, CodecParameters, ContentHint, Encoding, ExtensionMap, Mid, PeerIndex, PublicationConfig,
    PublicationId, RoomId, SlotConfig, SlotId, SlotPolicy, SlotWish, Source, Ssrc,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::time::Duration;

const SUBSCRIBERS: u32 = 3;
const HOLD: Duration = Duration::from_millis(2);

/// Sequence number, payload and padding of each packet.
type Given = Vec<(u16, usize, u8)>;

/// A room: peer 0 publishes sound and picture, the others take both.
struct Room {
    router: Router,
    now: Instant,
    waiting: Waiting,
    deal: Deal,
}

impl Room {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests need some origin; only differences count"
    )]
    fn new() -> Self {
        let mut room = Self {
            router: Router::new(),
            now: Instant::now(),
            waiting: Waiting::new(HOLD),
            deal: Deal::default(),
        };
        for peer in 0..=SUBSCRIBERS {
            room.router.add_peer(RoomId(1), PeerIndex(peer));
        }
        for kind in [MediaKind::Audio, MediaKind::Video] {
            room.publish(kind);
            for peer in 1..=SUBSCRIBERS {
                room.add_slot(peer, kind);
            }
        }
        room
    }

    fn publish(&mut self, kind: MediaKind) {
        let config = PublicationConfig {
            publication: id(kind),
            kind,
            source: Source::Camera,
            content: ContentHint::Motion,
            mid: Mid::new("0").unwrap(),
            codecs: codecs(kind),
            extensions: ExtensionMap::new(),
            encodings: vec![Encoding::default()],
            muted: false,
        };
        self.router.add_publication(self.now, PeerIndex(0), &config);
    }

    fn add_slot(&mut self, peer: u32, kind: MediaKind) {
        let config = SlotConfig {
            slot: SlotId(kind as u16),
            kind,
            mid: Mid::new("1").unwrap(),
            codecs: codecs(kind),
            extensions: ExtensionMap::new(),
            ssrc: Ssrc(peer),
            rtx_ssrc: None,
            wish: SlotWish::new(SlotPolicy::All),
        };
        let mut rng = StdRng::seed_from_u64(1);
        self.router
            .add_slot(self.now, PeerIndex(peer), &config, &mut rng);
    }

    /// A packet of `payload` bytes comes.
    fn take(&mut self, kind: MediaKind, sequence: u8, payload: usize) {
        let mut bytes = vec![0x80, 96, 0, sequence, 0, 0, 0, 0, 0, 0, 0, kind as u8];
        bytes.resize(12 + payload, 0x30);
        let header = RtpHeader::parse(&bytes).unwrap();
        let extensions = HeaderExtensions::parse(&bytes, &header, &ExtensionMap::new()).unwrap();
        let d = describe(&bytes, header, extensions, codecs(kind)[0].codec).unwrap();
        let index = self.router.publication_index(id(kind)).unwrap();
        let arrival = self
            .router
            .on_packet(self.now, index, 0, &bytes, &d, false)
            .unwrap();
        let burst = self.waiting.of_room(self.now, arrival.room());
        burst.push(&bytes, &d, &arrival);
    }

    /// What each peer is given now.
    fn dealt(&mut self) -> Vec<(PeerIndex, Given)> {
        let Some(burst) = self.waiting.take_ready(self.now) else {
            return Vec::new();
        };
        self.deal.plan(&burst, &self.router);
        let mut dealt = Vec::new();
        while let Some(peer) = self.deal.peer(dealt.len()) {
            let groups = self.deal.deliveries_to(peer, &burst);
            let told = groups.flat_map(|(_, group)| group).map(|packet| {
                let header = &packet.description.header;
                assert_eq!(burst.bytes(packet).len(), 12 + header.payload_len);
                let padding = burst.padding(packet);
                (header.sequence.0, header.payload_len, padding)
            });
            dealt.push((peer, told.collect()));
        }
        self.waiting.recycle(burst);
        dealt
    }
}

fn id(kind: MediaKind) -> PublicationId {
    PublicationId(kind as u64)
}

fn codecs(kind: MediaKind) -> Vec<CodecParameters> {
    vec![CodecParameters {
        codec: match kind {
            MediaKind::Audio => Codec::Opus,
            MediaKind::Video => Codec::Vp8,
        },
        payload_type: 96,
        rtx_payload_type: None,
        red_payload_type: None,
        nack: false,
        pli: false,
        fir: false,
        transport_cc: false,
        remb: false,
    }]
}

/// Each subscriber once, all with the same.
fn to_all(packets: &[(u16, usize, u8)]) -> Vec<(PeerIndex, Given)> {
    (1..=SUBSCRIBERS)
        .map(|peer| (PeerIndex(peer), packets.to_vec()))
        .collect()
}

#[test]
fn each_subscriber_gets_all_in_a_row_and_sound_behind_the_picture() {
    let mut room = Room::new();
    room.take(MediaKind::Video, 1, 900);
    room.take(MediaKind::Audio, 7, 80);
    room.take(MediaKind::Video, 2, 900);
    let expected = to_all(&[(1, 900, 0), (2, 900, 0), (7, 80, 0)]);
    assert_eq!(room.dealt(), expected);
}

#[test]
fn parts_of_a_frame_are_made_equal_but_the_last_stays_short() {
    let mut room = Room::new();
    for (sequence, payload) in [(1, 899), (2, 900), (3, 896), (4, 895), (5, 200)] {
        room.take(MediaKind::Video, sequence, payload);
    }
    let expected = to_all(&[
        (1, 899, 1),
        (2, 900, 0),
        (3, 896, 4),
        (4, 895, 0),
        (5, 200, 0),
    ]);
    assert_eq!(room.dealt(), expected);
}

#[test]
fn sound_waits_for_company_and_leaves_with_the_picture() {
    let mut room = Room::new();
    room.take(MediaKind::Audio, 1, 80);
    assert_eq!(room.dealt(), []);
    assert_eq!(room.waiting.next_due(), Some(room.now + HOLD));
    room.take(MediaKind::Video, 1, 900);
    assert_eq!(room.dealt(), to_all(&[(1, 900, 0), (1, 80, 0)]));
    assert_eq!(room.waiting.next_due(), None);
}

#[test]
fn sound_alone_leaves_when_its_time_is_up_made_equal() {
    let mut room = Room::new();
    room.take(MediaKind::Audio, 1, 80);
    room.now += HOLD / 2;
    room.take(MediaKind::Audio, 2, 100);
    room.take(MediaKind::Audio, 3, 79);
    assert_eq!(room.dealt(), []);
    room.now += HOLD / 2;
    let expected = to_all(&[(1, 80, 20), (2, 100, 0), (3, 79, 0)]);
    assert_eq!(room.dealt(), expected);
}

#[test]
fn nothing_is_left_for_the_next() {
    let mut room = Room::new();
    room.take(MediaKind::Video, 1, 900);
    assert_eq!(room.dealt().len(), SUBSCRIBERS as usize);
    room.take(MediaKind::Video, 2, 800);
    assert_eq!(room.dealt(), to_all(&[(2, 800, 0)]));
    assert_eq!(room.dealt(), []);
}

#[test]
fn it_is_full_when_a_message_is() {
    let mut room = Room::new();
    for sequence in 0..PACKETS as u8 {
        room.take(MediaKind::Audio, sequence, 80);
    }
    let burst = room.waiting.take(RoomIndex(0)).unwrap();
    assert!(burst.is_full());
    assert!(room.waiting.take(RoomIndex(0)).is_none());
}

#[test]
fn each_room_has_its_own() {
    let mut waiting = Waiting::new(HOLD);
    let now = Room::new().now;
    for room in 0..3 {
        assert_eq!(waiting.of_room(now, RoomIndex(room)).room, RoomIndex(room));
    }
    assert!(waiting.take(RoomIndex(0)).is_some());
    for room in [2, 1] {
        assert_eq!(waiting.take(RoomIndex(room)).unwrap().room, RoomIndex(room));
    }
}
