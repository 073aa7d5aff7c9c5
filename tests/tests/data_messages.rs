//! Messages between participants: who gets them, in which order, and what happens to those who
//! send too much or read too little.

use std::time::Duration;

use plenum_testkit::{ClientConfig, ClientId, DataConfig, LinkConfig, World};
use plenum_tests::for_seeds;
use plenum_types::{DataLimits, DataLoss, DropReason, MediaEvent, RoomId, ShardId};

const ROOM: RoomId = RoomId(1);

/// Shows that channels are open.
const HELLO: &[u8] = b"hello";

const GENEROUS: DataLimits = DataLimits {
    message_bytes: 16 * 1024,
    messages_per_second: 1_000,
    bytes_per_second: 8 << 20,
};

const STRICT: DataLimits = DataLimits {
    message_bytes: 1_000,
    messages_per_second: 10,
    bytes_per_second: 100_000,
};

/// Somebody on each of `shards` in turn, all connected.
fn room(world: &mut World, shards: &[u16], data: DataConfig, link: LinkConfig) -> Vec<ClientId> {
    let mut all = Vec::new();
    for shard in shards {
        let config = ClientConfig::new(world.next_address()).with_data(data);
        all.push(world.join_shard(ShardId(*shard), ROOM, config, link));
    }
    let members = all.clone();
    // A message of everybody to everybody shows that all channels are open.
    for attempt in 0..50 {
        world.run_for(Duration::from_millis(200));
        let heard = |id: &ClientId| {
            let mut senders: Vec<_> = world.client(*id).data().iter().map(|it| it.from).collect();
            senders.sort_unstable();
            senders.dedup();
            senders.len() == members.len() - 1
        };
        if members.iter().all(heard) {
            world.run_for(Duration::from_secs(2));
            for id in &members {
                world.client_mut(*id).forget_data();
            }
            return all;
        }
        if attempt % 5 == 0 {
            for id in &members {
                let _ = world.send_data(*id, true, &[], HELLO);
            }
        }
    }
    panic!("channels do not open");
}

const OPEN: DataConfig = DataConfig {
    may_send: true,
    limits: GENEROUS,
};

/// What a participant got of another. Greetings may come late where the way loses packets.
fn payloads(world: &World, id: ClientId, from: ClientId) -> Vec<Vec<u8>> {
    let from = world.peer(from).0;
    let all = world.client(id).data().iter();
    let of_sender = all.filter(|message| message.from == from && message.payload != HELLO);
    of_sender.map(|message| message.payload.clone()).collect()
}

fn numbered(count: u16) -> Vec<Vec<u8>> {
    (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
}

/// Drops of a cause as the control plane was told of them.
fn told(world: &World, id: ClientId, wanted: DataLoss) -> u64 {
    let events = world.events().iter();
    events
        .filter_map(|event| match event.event {
            MediaEvent::DataLost {
                peer,
                cause,
                messages,
            } if peer == world.peer(id) && cause == wanted => Some(messages),
            _ => None,
        })
        .sum()
}

/// Two senders at once, over ways that lose packets and across shards.
#[test]
fn reliable_messages_arrive_whole_and_in_the_order_of_each_sender() {
    for_seeds(|seed| {
        let mut world = World::with_shards(seed, 2);
        let link = LinkConfig {
            loss: 0.03,
            ..LinkConfig::default()
        };
        let ids = room(&mut world, &[0, 0, 1], OPEN, link);
        for message in numbered(60) {
            for sender in [ids[0], ids[2]] {
                world.send_data(sender, true, &[], &message).unwrap();
            }
            world.run_for(Duration::from_millis(5));
        }
        let all = numbered(60);
        let pairs = [(1, 0), (1, 2), (0, 2), (2, 0)];
        let arrived = |world: &World| {
            let mut pairs = pairs.into_iter();
            pairs.all(|(to, from)| payloads(world, ids[to], ids[from]).len() >= all.len())
        };
        assert!(world.run_until(Duration::from_secs(30), arrived));
        for (to, from) in pairs {
            assert_eq!(payloads(&world, ids[to], ids[from]), all, "{from} to {to}");
        }
        assert!(payloads(&world, ids[0], ids[0]).is_empty(), "not to itself");
    });
}

#[test]
fn a_message_to_one_reaches_nobody_else_on_either_channel() {
    for_seeds(|seed| {
        let mut world = World::with_shards(seed, 2);
        let ids = room(&mut world, &[0, 0, 1], OPEN, LinkConfig::default());
        let receiver = world.peer(ids[2]).0;
        world.send_data(ids[0], true, &[receiver], b"one").unwrap();
        world.send_data(ids[0], false, &[receiver], b"two").unwrap();
        world.run_for(Duration::from_secs(1));
        let got = world.client(ids[2]).data();
        let mut got: Vec<_> = got
            .iter()
            .map(|it| (it.reliable, &it.payload[..]))
            .collect();
        got.sort_unstable();
        assert_eq!(got, [(false, &b"two"[..]), (true, b"one")]);
        assert!(world.client(ids[1]).data().is_empty());
    });
}

/// One receiver hears nothing for a while: it loses messages beyond the bound, is told how many,
/// and gets what is left in order. The other notices nothing.
#[test]
fn a_slow_receiver_costs_nobody_else_anything() {
    const MESSAGES: u16 = 40;
    for_seeds(|seed| {
        let mut world = World::new(seed);
        let ids = room(&mut world, &[0, 0, 0], OPEN, LinkConfig::default());
        let (home, until) = (
            world.client(ids[2]).address(),
            world.now() + Duration::from_secs(4),
        );
        world.network.black_out(home, until);
        for number in 0..MESSAGES {
            let mut message = vec![0; 16 * 1024];
            message[..2].copy_from_slice(&number.to_be_bytes());
            world.send_data(ids[0], true, &[], &message).unwrap();
            world.run_for(Duration::from_millis(60));
        }
        let numbers = |world: &World, id| -> Vec<u16> {
            let all = payloads(world, id, ids[0]);
            let bytes = all.iter().map(|payload| [payload[0], payload[1]]);
            bytes.map(u16::from_be_bytes).collect()
        };
        world.run_for(Duration::from_millis(500));
        let all: Vec<u16> = (0..MESSAGES).collect();
        assert_eq!(numbers(&world, ids[1]), all, "during the blackout");
        assert!(numbers(&world, ids[2]).is_empty());
        world.run_for(Duration::from_secs(25));
        let late = numbers(&world, ids[2]);
        let dropped = world.stats().drops.get(DropReason::DataReceiverSlow);
        assert!(dropped > 0);
        assert_eq!(late.len() as u64 + dropped, u64::from(MESSAGES));
        assert!(late.is_sorted(), "{late:?}");
        assert_eq!(told(&world, ids[2], DataLoss::SlowReceiver), dropped);
    });
}

#[test]
fn a_flood_and_messages_too_large_are_dropped_and_told() {
    for_seeds(|seed| {
        let mut world = World::new(seed);
        let strict = DataConfig {
            limits: STRICT,
            ..OPEN
        };
        let ids = room(&mut world, &[0, 0, 0], strict, LinkConfig::default());
        world.send_data(ids[0], true, &[], &[0; 1_001]).unwrap();
        for message in numbered(200) {
            world.send_data(ids[0], true, &[], &message).unwrap();
        }
        world.send_data(ids[1], true, &[], b"calm").unwrap();
        world.run_for(Duration::from_secs(4));
        let passed = payloads(&world, ids[2], ids[0]).len() as u64;
        assert!((10..=20).contains(&passed), "{passed}");
        assert_eq!(told(&world, ids[0], DataLoss::TooLarge), 1);
        assert_eq!(told(&world, ids[0], DataLoss::TooFast), 200 - passed);
        assert_eq!(payloads(&world, ids[2], ids[1]), [b"calm"]);
    });
}

#[test]
fn without_the_grant_one_reads_and_does_not_write() {
    for_seeds(|seed| {
        let mut world = World::new(seed);
        let ids = room(&mut world, &[0, 0], OPEN, LinkConfig::default());
        let silent = DataConfig {
            may_send: false,
            ..OPEN
        };
        let config = ClientConfig::new(world.next_address()).with_data(silent);
        let reader = world.join_room(ROOM, config, LinkConfig::default());
        world.run_for(Duration::from_secs(3));
        world.send_data(ids[0], true, &[], b"welcome").unwrap();
        world.send_data(reader, true, &[], b"thanks").unwrap();
        world.run_for(Duration::from_secs(2));
        assert_eq!(payloads(&world, reader, ids[0]), [b"welcome"]);
        assert!(payloads(&world, ids[0], reader).is_empty());
        assert_eq!(told(&world, reader, DataLoss::NotPermitted), 1);
    });
}
