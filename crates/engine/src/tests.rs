//! What a shard does without a client: peers are made to look connected.

use crate::shard::{Shard, ShardConfig};
use crate::{Certificate, NoLinks};
use plenum_rtp::rtcp::{RtcpPacket, RtcpPackets};
use plenum_types::{
    CloseReason, Codec, CodecParameters, ContentHint, DropReason, Encoding, ExtensionMap,
    Fingerprint, FingerprintAlgorithm, IceCredentials, MediaCommand, MediaEvent, MediaKind, Mid,
    NtpTime, Path, PeerConfig, PeerId, PeerIndex, PublicationConfig, PublicationId, Remote, RoomId,
    Secret, SendBatch, SequenceNumber, SlotConfig, SlotId, SlotPolicy, SlotReason, SlotWish,
    Source, Ssrc,
};
use std::time::{Duration, Instant};

const MEDIA: Ssrc = Ssrc(77);

/// Has no room for anything.
struct NoBatch;

impl SendBatch for NoBatch {
    fn reserve(&mut self, _: Path, _: usize) -> Option<&mut [u8]> {
        None
    }

    fn commit(&mut self, _: usize) {}
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests need some origin; only differences count"
)]
pub(crate) fn shard_of(shards: u16) -> (Shard, Instant) {
    let now = Instant::now();
    let certificate = Certificate::generate().unwrap();
    let config = ShardConfig {
        shards,
        ..ShardConfig::default()
    };
    (Shard::new(config, certificate, 1, now, NtpTime(0)), now)
}

fn shard() -> (Shard, Instant) {
    shard_of(1)
}

fn credentials(text: &str) -> IceCredentials {
    IceCredentials {
        ufrag: text.into(),
        password: Secret("a password of enough length".into()),
    }
}

pub(crate) fn add_peer(shard: &mut Shard, now: Instant, id: u64) -> PeerIndex {
    let config = PeerConfig {
        peer: PeerId(id),
        room: RoomId(1),
        local: credentials(&format!("here{id}")),
        remote: credentials("there"),
        remote_fingerprint: Fingerprint {
            algorithm: FingerprintAlgorithm::Sha256,
            bytes: vec![0; 32],
        },
        cname: "cname".into(),
    };
    shard.handle_command(now, MediaCommand::AddPeer(Box::new(config)));
    shard.peers.index_of(PeerId(id)).unwrap()
}

fn codecs() -> Vec<CodecParameters> {
    vec![CodecParameters {
        codec: Codec::Vp8,
        payload_type: 96,
        rtx_payload_type: Some(97),
        red_payload_type: None,
        nack: true,
        pli: true,
        fir: false,
        transport_cc: false,
        remb: false,
    }]
}

/// Publishes a video whose SSRC the offer declared.
fn publish(shard: &mut Shard, now: Instant, peer: u64, id: u64) {
    let publication = Box::new(PublicationConfig {
        publication: PublicationId(id),
        kind: MediaKind::Video,
        source: Source::Camera,
        content: ContentHint::Motion,
        mid: Mid::new("0").unwrap(),
        codecs: codecs(),
        extensions: ExtensionMap::new(),
        encodings: vec![Encoding {
            ssrc: Some(MEDIA),
            ..Encoding::default()
        }],
        muted: false,
    });
    let peer = PeerId(peer);
    shard.handle_command(now, MediaCommand::AddPublication { peer, publication });
}

fn add_slot(shard: &mut Shard, now: Instant, peer: u64) {
    let slot = Box::new(SlotConfig {
        slot: SlotId(1),
        kind: MediaKind::Video,
        mid: Mid::new("1").unwrap(),
        codecs: codecs(),
        extensions: ExtensionMap::new(),
        ssrc: Ssrc(1),
        rtx_ssrc: Some(Ssrc(2)),
        wish: SlotWish::new(SlotPolicy::All),
    });
    let peer = PeerId(peer);
    shard.handle_command(now, MediaCommand::AddSlot { peer, slot });
}

fn connect(shard: &mut Shard, peer: PeerIndex) {
    shard.peers.at_mut(peer).unwrap().connected = true;
}

pub(crate) fn events(shard: &mut Shard) -> Vec<MediaEvent> {
    std::iter::from_fn(|| shard.poll_event()).collect()
}

#[test]
fn a_request_that_cannot_leave_yet_does_not_wake_the_shard() {
    let (mut shard, now) = shard();
    let subscriber = add_peer(&mut shard, now, 1);
    connect(&mut shard, subscriber);
    add_slot(&mut shard, now, 1);
    add_peer(&mut shard, now, 2);
    publish(&mut shard, now, 2, 5);
    shard.flush(now, &mut NoBatch, &mut NoLinks);
    assert!(shard.poll_timeout().unwrap() > now);
}

#[test]
fn a_flush_leaves_nobody_to_look_at() {
    let (mut shard, now) = shard();
    let subscriber = add_peer(&mut shard, now, 1);
    connect(&mut shard, subscriber);
    add_slot(&mut shard, now, 1);
    for peer in [2, 3] {
        let index = add_peer(&mut shard, now, peer);
        connect(&mut shard, index);
        publish(&mut shard, now, peer, peer);
    }
    shard.flush(now, &mut NoBatch, &mut NoLinks);
    let leaving = shard.peers.index_of(PeerId(2)).unwrap();
    shard.peers.at_mut(leaving).unwrap().ending = Some(CloseReason::ClosedByClient);
    shard.peers.touch(leaving);
    let later = now + Duration::from_secs(1);
    shard.flush(later, &mut NoBatch, &mut NoLinks);
    assert_eq!(shard.peers.pop_touched(), None);
}

#[test]
fn a_slot_that_is_gone_is_neither_told_nor_counted() {
    let (mut shard, now) = shard();
    let index = add_peer(&mut shard, now, 1);
    connect(&mut shard, index);
    let (peer, slot) = (PeerId(1), SlotId(1));
    add_slot(&mut shard, now, 1);
    shard.handle_command(now, MediaCommand::RemoveSlot { peer, slot });
    shard.flush(now, &mut NoBatch, &mut NoLinks);
    shard.handle_command(now, MediaCommand::ReportStats);
    let events = events(&mut shard);
    let [MediaEvent::Stats(stats)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(stats.slots.as_flattened().iter().sum::<u64>(), 0);
}

#[test]
fn requests_for_slots_that_are_gone_are_counted() {
    let (mut shard, now) = shard();
    let index = add_peer(&mut shard, now, 1);
    let gone = Ssrc(99);
    shard.retransmit(now, index, gone, SequenceNumber(1), &mut NoBatch);
    shard.on_keyframe_request(now, index, gone);
    assert_eq!(shard.stats.drops.get(DropReason::NotStored), 1);
    assert_eq!(shard.stats.drops.get(DropReason::UnknownSource), 1);
}

#[test]
fn nothing_is_asked_of_a_stream_that_said_bye() {
    let (mut shard, now) = shard();
    let index = add_peer(&mut shard, now, 1);
    publish(&mut shard, now, 1, 5);
    let receiver = &mut shard.peers.at_mut(index).unwrap().receiver;
    for sequence in [10, 14] {
        let mut packet = [0; 16];
        packet[..4].copy_from_slice(&[0x80, 96, 0, sequence]);
        packet[8..12].copy_from_slice(&MEDIA.0.to_be_bytes());
        packet[12..].copy_from_slice(&[0x10, 0, 0, 0]);
        let _ = receiver.handle_rtp(now, &mut packet);
    }
    let mut bye = vec![0x81, 203, 0, 1];
    bye.extend(MEDIA.0.to_be_bytes());
    let packet = RtcpPackets::new(&bye).next().unwrap().unwrap();
    assert!(matches!(packet, RtcpPacket::Bye { .. }));
    shard.handle_rtcp_packet(now, index, &packet, &mut 0, &mut NoBatch);
    let receiver = &mut shard.peers.at_mut(index).unwrap().receiver;
    let mut out = Vec::new();
    while receiver.poll_rtcp(now + Duration::from_millis(150), &mut out) {}
    assert_eq!(receiver.stats().nacks_out, 0);
}

#[test]
fn an_address_comes_back_to_who_shows_it_again() {
    let (mut shard, now) = shard();
    let (owner, claimant) = (add_peer(&mut shard, now, 1), add_peer(&mut shard, now, 2));
    let address = Remote::udp(([198, 51, 100, 9], 4_444).into());
    shard.peers.add_address(owner, address);
    shard.peers.add_address(claimant, address);
    assert_eq!(shard.peers.index_at_address(address), Some(claimant));
    shard.peers.confirm_address(owner, address);
    assert_eq!(shard.peers.index_at_address(address), Some(owner));
    shard.peers.remove(claimant);
    assert_eq!(shard.peers.index_at_address(address), Some(owner));
}

#[test]
fn a_peer_is_explained_and_one_that_is_gone_is_not() {
    let (mut shard, now) = shard();
    let index = add_peer(&mut shard, now, 1);
    connect(&mut shard, index);
    add_slot(&mut shard, now, 1);
    shard.flush(now, &mut NoBatch, &mut NoLinks);
    events(&mut shard);
    let ask = |shard: &mut Shard, peer| {
        let peer = PeerId(peer);
        shard.handle_command(now, MediaCommand::ExplainPeer { peer, request: 7 });
        events(shard)
    };
    let answer = ask(&mut shard, 1);
    let [
        MediaEvent::PeerExplained {
            peer: PeerId(1),
            request: 7,
            quality,
        },
    ] = answer.as_slice()
    else {
        panic!("{answer:?}");
    };
    assert_eq!(quality.slots.len(), 1);
    assert_eq!(quality.slots[0].slot, SlotId(1));
    assert_eq!(quality.slots[0].binding.reason, SlotReason::NoSource);
    assert_eq!(quality.slots[0].decisions.len(), 1);
    assert!(ask(&mut shard, 2).is_empty());
}
