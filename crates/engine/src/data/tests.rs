//! What happens to data messages before they reach a channel.

use super::frame::{Request, compose};
use super::losses::Losses;
use super::{LOSSY, RELIABLE, is_for};
use crate::shard::Shard;
use crate::tests::{add_peer, events, shard_of};
use plenum_types::{
    DataAccess, DataLimits, DataLoss, DataMessage, DropReason, MediaCommand, MediaEvent,
    ParticipantId, PeerId, PeerIndex, RoomId,
};
use std::time::{Duration, Instant};

const LIMITS: DataLimits = DataLimits {
    message_bytes: 100,
    messages_per_second: 10,
    bytes_per_second: 300,
};

const CHANNEL: u16 = 4;

fn allow(shard: &mut Shard, now: Instant, peer: u64, may_send: bool) -> PeerIndex {
    let index = add_peer(shard, now, peer);
    let access = DataAccess {
        participant: ParticipantId(peer),
        may_send,
        limits: LIMITS,
    };
    let peer = PeerId(peer);
    shard.handle_command(now, MediaCommand::SetDataAccess { peer, access });
    let data = &mut shard.peers.at_mut(index).unwrap().data;
    data.open(RELIABLE, CHANNEL);
    data.open(LOSSY, CHANNEL + 2);
    index
}

/// A message to all.
fn frame(payload: usize) -> Vec<u8> {
    [&[0, 0, 4][..], b"chat", &vec![7; payload]].concat()
}

fn losses(shard: &mut Shard) -> Vec<(DataLoss, u64)> {
    let told = events(shard).into_iter();
    told.filter_map(|event| match event {
        MediaEvent::DataLost {
            cause, messages, ..
        } => Some((cause, messages)),
        _ => None,
    })
    .collect()
}

fn message(from: Option<u64>, to: &[u64]) -> DataMessage {
    DataMessage {
        room: RoomId(1),
        from: from.map(ParticipantId),
        to: to.iter().copied().map(ParticipantId).collect(),
        reliable: true,
        text: true,
        topic: b"chat".to_vec(),
        payload: b"hello".to_vec(),
    }
}

#[test]
fn frames_are_read_and_written() {
    let mut bytes = vec![1, 2];
    bytes.extend(7_u64.to_be_bytes());
    bytes.extend(9_u64.to_be_bytes());
    bytes.extend(b"\x04chathello");
    let request = Request {
        text: true,
        to: vec![ParticipantId(7), ParticipantId(9)],
        topic: b"chat",
        payload: b"hello",
    };
    assert_eq!(Request::parse(&bytes), Some(request));
    let header = bytes.len() - b"hello".len();
    for length in 0..header {
        assert_eq!(Request::parse(&bytes[..length]), None, "{length}");
    }
    assert_eq!(Request::parse(&[2, 0, 0]), None, "an unknown kind");
    assert_eq!(Request::parse(&[0, 0, 1, 0xff]), None, "a topic not UTF-8");
    let written = compose(&message(Some(3), &[]));
    assert_eq!(written, b"\x01\0\0\0\0\0\0\0\x03\x04chathello");
    assert_eq!(compose(&message(None, &[]))[1..9], [0; 8]);
}

#[test]
fn a_sender_is_never_among_the_receivers() {
    for (from, to, participant, expected) in [
        (Some(1), &[][..], 2, true),
        (Some(1), &[], 1, false),
        (Some(1), &[1, 2], 1, false),
        (Some(1), &[2], 2, true),
        (Some(1), &[2], 3, false),
        (None, &[], 1, true),
    ] {
        let is = is_for(&message(from, to), ParticipantId(participant));
        assert_eq!(is, expected, "{from:?} {to:?} {participant}");
    }
}

#[test]
fn what_is_sent_goes_to_other_shards_with_the_senders_name() {
    let (mut shard, now) = shard_of(2);
    let sender = allow(&mut shard, now, 1, true);
    shard.on_data(now, sender, CHANNEL, &frame(5));
    shard.on_data(now, sender, CHANNEL + 2, &frame(6));
    let sent: Vec<_> = events(&mut shard)
        .into_iter()
        .map(|event| match event {
            MediaEvent::DataSent(sent) => (sent.from, sent.reliable, sent.payload.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    let from = Some(ParticipantId(1));
    assert_eq!(sent, [(from, true, 5), (from, false, 6)]);
    assert_eq!(shard.stats.data_messages_in, 2);
    assert_eq!(shard.stats.data_bytes_in, 11);
}

#[test]
fn one_shard_alone_tells_nobody() {
    let (mut shard, now) = shard_of(1);
    let sender = allow(&mut shard, now, 1, true);
    shard.on_data(now, sender, CHANNEL, &frame(5));
    assert!(events(&mut shard).is_empty());
    assert_eq!(shard.stats.data_messages_in, 1);
}

#[test]
fn refusals_are_counted_and_told() {
    let (mut shard, now) = shard_of(2);
    let silent = allow(&mut shard, now, 1, false);
    let sender = allow(&mut shard, now, 2, true);
    let stranger = add_peer(&mut shard, now, 3);
    shard.on_data(now, silent, CHANNEL, &frame(5));
    shard.on_data(now, sender, CHANNEL, &frame(101));
    shard.on_data(now, sender, CHANNEL, &[9]);
    let told = losses(&mut shard);
    let expected = [
        DataLoss::NotPermitted,
        DataLoss::TooLarge,
        DataLoss::Malformed,
    ];
    assert_eq!(told, expected.map(|cause| (cause, 1)));
    for reason in [
        DropReason::DataNotPermitted,
        DropReason::DataTooLarge,
        DropReason::DataMalformed,
    ] {
        assert_eq!(shard.stats.drops.get(reason), 1, "{reason:?}");
    }
    shard.on_data(now, stranger, CHANNEL, &frame(5));
    shard.on_data(now, sender, 77, &frame(5));
    assert_eq!(shard.stats.drops.get(DropReason::DataUnwanted), 2);
    assert_eq!(shard.stats.data_messages_in, 0);
}

#[test]
fn a_grant_that_is_taken_away_counts_at_once() {
    let (mut shard, now) = shard_of(1);
    let sender = allow(&mut shard, now, 1, true);
    shard.on_data(now, sender, CHANNEL, &frame(5));
    let access = DataAccess {
        participant: ParticipantId(1),
        may_send: false,
        limits: LIMITS,
    };
    let peer = PeerId(1);
    shard.handle_command(now, MediaCommand::SetDataAccess { peer, access });
    shard.on_data(now, sender, CHANNEL, &frame(5));
    assert_eq!(losses(&mut shard), [(DataLoss::NotPermitted, 1)]);
    assert_eq!(shard.data_rooms[&RoomId(1)], [sender], "once");
}

#[test]
fn a_flood_is_cut_and_told_once_a_second() {
    let (mut shard, now) = shard_of(2);
    let sender = allow(&mut shard, now, 1, true);
    for _ in 0..1_000 {
        shard.on_data(now, sender, CHANNEL, &frame(1));
    }
    assert_eq!(shard.stats.data_messages_in, 10, "a second's worth");
    assert_eq!(losses(&mut shard), [(DataLoss::TooFast, 1)]);
    shard.tell_data_losses(now + Duration::from_millis(999), sender);
    assert!(losses(&mut shard).is_empty());
    shard.tell_data_losses(now + Duration::from_secs(1), sender);
    assert_eq!(losses(&mut shard), [(DataLoss::TooFast, 989)]);
}

#[test]
fn bytes_are_limited_as_messages_are_and_both_come_back() {
    let (mut shard, now) = shard_of(1);
    let sender = allow(&mut shard, now, 1, true);
    for _ in 0..9 {
        shard.on_data(now, sender, CHANNEL, &frame(100));
    }
    assert_eq!(shard.stats.data_bytes_in, 300);
    let later = now + Duration::from_millis(400);
    shard.on_data(later, sender, CHANNEL, &frame(100));
    assert_eq!(shard.stats.data_bytes_in, 400);
    shard.on_data(later, sender, CHANNEL, &frame(100));
    assert_eq!(shard.stats.data_bytes_in, 400);
}

#[test]
fn a_message_above_a_seconds_bytes_passes_after_a_pause() {
    let mut budget = super::Budget::default();
    let (_, now) = shard_of(1);
    budget.begin(now);
    let limits = DataLimits {
        bytes_per_second: 10,
        ..LIMITS
    };
    assert!(budget.take(now, &limits, 100));
    assert!(!budget.take(now + Duration::from_secs(9), &limits, 100));
    assert!(budget.take(now + Duration::from_secs(10), &limits, 100));
}

#[test]
fn a_peer_that_is_gone_is_no_receiver() {
    let (mut shard, now) = shard_of(1);
    let first = allow(&mut shard, now, 1, true);
    let second = allow(&mut shard, now, 2, true);
    shard.remove_peer(now, first, plenum_types::CloseReason::Removed);
    assert_eq!(shard.data_rooms[&RoomId(1)], [second]);
    shard.remove_peer(now, second, plenum_types::CloseReason::Removed);
    assert!(shard.data_rooms.is_empty());
}

#[test]
fn a_slow_receiver_is_told_how_many_it_missed() {
    let (_, now) = shard_of(1);
    let mut losses = Losses::default();
    for _ in 0..3 {
        losses.note(DataLoss::SlowReceiver);
    }
    assert_eq!(losses.poll(now), Some((DataLoss::SlowReceiver, 3)));
    assert_eq!(losses.poll(now), None);
}
