use super::*;
use mio::{Events, Poll, Token, Waker};
use plenum_engine::LinkPosition;
use plenum_rtp::{HeaderExtensions, PacketDescription, RtpHeader, describe};
use plenum_types::{Codec, ExtensionMap, LinkFact, PublicationId};
use std::time::Duration;

struct Pair {
    a: LinkEnds,
    b: LinkEnds,
    b_poll: Poll,
}

const A: ShardId = ShardId(0);
const B: ShardId = ShardId(1);

fn pair() -> Pair {
    let polls = [Poll::new().unwrap(), Poll::new().unwrap()];
    let bells: Vec<_> = polls
        .iter()
        .map(|poll| Arc::new(Bell::new(Waker::new(poll.registry(), Token(0)).unwrap())))
        .collect();
    let [a, b] = <[LinkEnds; 2]>::try_from(connect(&bells)).ok().unwrap();
    let [_, b_poll] = polls;
    Pair { a, b, b_poll }
}

fn packet() -> LinkPacket {
    LinkPacket {
        publication: PublicationId(7),
        encoding: 0,
        retransmitted: false,
        position: LinkPosition {
            generation: 1,
            feed: 1,
            resumes: false,
        },
        description: description(),
    }
}

fn description() -> PacketDescription {
    let bytes = [0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 1];
    let header = RtpHeader::parse(&bytes).unwrap();
    let extensions = HeaderExtensions::parse(&bytes, &header, &ExtensionMap::new()).unwrap();
    describe(&bytes, header, extensions, Codec::Opus).unwrap()
}

const NOTE: LinkMessage<'_> = LinkMessage::Note(LinkNote {
    publication: PublicationId(7),
    fact: LinkFact::Published,
});

/// What `ends` is handed: notes, and the bytes of packets.
fn drain(ends: &mut LinkEnds, most: usize) -> (usize, Vec<Vec<u8>>, bool) {
    let (mut notes, mut packets) = (0, Vec::new());
    let left = ends.visit(most, |from, message| {
        assert_eq!(from, A);
        match message {
            LinkMessage::Note(_) => notes += 1,
            LinkMessage::Packet(_, bytes) => packets.push(bytes.to_vec()),
        }
    });
    (notes, packets, left)
}

#[test]
fn packets_arrive_in_order_and_their_buffers_come_back() {
    let mut pair = pair();
    for round in 0..10_000_u32 {
        let bytes = round.to_be_bytes();
        let message = LinkMessage::Packet(packet(), &bytes);
        assert_eq!(pair.a.try_send(B, message), Ok(()));
        let (_, packets, left) = drain(&mut pair.b, 8);
        assert_eq!(packets, [bytes]);
        assert!(!left);
    }
    let sending = pair.a.sending(B).unwrap();
    assert_eq!(sending.empties.slots(), 1, "one buffer served for all");
}

#[test]
fn a_full_ring_refuses_packets_and_still_takes_notes() {
    let mut pair = pair();
    let message = LinkMessage::Packet(packet(), &[1, 2, 3]);
    for used in 0..PACKETS {
        assert_eq!(pair.a.fill(B).used, used);
        assert_eq!(pair.a.try_send(B, message), Ok(()));
    }
    assert_eq!(pair.a.try_send(B, message), Err(LinkRefused::Full));
    assert_eq!(pair.a.try_send(B, NOTE), Ok(()));
    assert_eq!(pair.b.depth(), PACKETS);
    let (notes, packets, left) = drain(&mut pair.b, 100);
    assert_eq!((notes, packets.len(), left), (1, 100, true));
    assert_eq!(pair.a.try_send(B, message), Ok(()));
    assert_eq!(pair.a.fill(B).used, PACKETS - 99);
}

#[test]
fn a_burst_wakes_the_other_shard_once() {
    let mut pair = pair();
    for _ in 0..100 {
        pair.a.try_send(B, NOTE).unwrap();
    }
    pair.a.ring();
    pair.a.ring();
    let mut events = Events::with_capacity(8);
    let wait = Some(Duration::from_secs(5));
    pair.b_poll.poll(&mut events, wait).unwrap();
    assert_eq!(events.iter().count(), 1);
    let none = Some(Duration::ZERO);
    pair.b_poll.poll(&mut events, none).unwrap();
    assert!(events.is_empty());
}

#[test]
fn nobody_is_sent_to_who_is_gone() {
    let Pair { mut a, b, .. } = pair();
    drop(b);
    let message = LinkMessage::Packet(packet(), &[1]);
    assert_eq!(a.try_send(B, message), Err(LinkRefused::Gone));
    assert_eq!(a.try_send(B, NOTE), Err(LinkRefused::Gone));
    assert_eq!(a.try_send(ShardId(9), NOTE), Err(LinkRefused::Gone));
    assert_eq!(a.try_send(A, NOTE), Err(LinkRefused::Gone), "itself");
}

#[test]
fn threads_lose_nothing() {
    const COUNT: u32 = 200_000;
    let Pair { mut a, mut b, .. } = pair();
    let writer = std::thread::spawn(move || {
        let mut next = 0_u32;
        while next < COUNT {
            let bytes = next.to_be_bytes();
            match a.try_send(B, LinkMessage::Packet(packet(), &bytes)) {
                Ok(()) => next += 1,
                Err(LinkRefused::Full) => std::thread::yield_now(),
                Err(LinkRefused::Gone) => return,
            }
        }
    });
    let mut expected = 0_u32;
    while expected < COUNT {
        let before = expected;
        b.visit(64, |_, message| {
            if let LinkMessage::Packet(_, bytes) = message {
                assert_eq!(bytes, expected.to_be_bytes());
                expected += 1;
            }
        });
        if before == expected {
            std::thread::yield_now();
        }
    }
    writer.join().unwrap();
}
